//! The only door to clocks and timers.
//!
//! Instants are nanoseconds on one process-wide time base ([`Nanos`]); pure state machines take them as arguments.
//! With the feature `test-util` or debug assertions every read is tokio's clock, which obeys `tokio::time::pause`.
//! Otherwise reads are the kernel's: [`coarse`] costs about 2 ns and lags by at most [`TICK`], [`precise`] costs
//! about 20 ns. Hot paths read the coarse clock and confirm with the precise one only what a tick could change.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// Nanoseconds since an arbitrary, process-wide origin.
pub(crate) type Nanos = u64;

/// An instant that never comes.
pub(crate) const NEVER: Nanos = Nanos::MAX;

/// A duration in nanoseconds, saturating after 584 years.
pub(crate) const fn nanos(duration: Duration) -> Nanos {
    let nanos = duration.as_nanos();
    if nanos > Nanos::MAX as u128 { Nanos::MAX } else { nanos as Nanos }
}

pub(crate) use clock::{TICK, coarse, precise};

#[cfg(any(feature = "test-util", debug_assertions))]
mod clock {
    use super::Nanos;
    use std::{sync::OnceLock, time::Instant};

    /// Both clocks are the same one here.
    pub(crate) const TICK: Nanos = 0;

    /// Room below the first reading: a runtime that paused its clock earlier reads less than the base.
    const ORIGIN: Nanos = 1 << 50;

    #[inline]
    pub(crate) fn coarse() -> Nanos {
        precise()
    }

    pub(crate) fn precise() -> Nanos {
        static BASE: OnceLock<Instant> = OnceLock::new();
        let now = tokio::time::Instant::now().into_std();
        let base = *BASE.get_or_init(|| now);
        match now.checked_duration_since(base) {
            Some(after) => ORIGIN.saturating_add(super::nanos(after)),
            None => ORIGIN.saturating_sub(super::nanos(base.duration_since(now))),
        }
    }
}

#[cfg(all(not(any(feature = "test-util", debug_assertions)), any(target_os = "linux", target_os = "android")))]
mod clock {
    use super::Nanos;
    use rustix::time::{ClockId, clock_gettime};

    /// Kernels tick at 100 Hz or faster.
    pub(crate) const TICK: Nanos = 10_000_000;

    #[inline]
    fn read(clock: ClockId) -> Nanos {
        let time = clock_gettime(clock);
        // Monotonic clocks count up from boot: never negative.
        #[expect(clippy::cast_sign_loss, reason = "monotonic time since boot is not negative")]
        let nanos = time.tv_sec as Nanos * 1_000_000_000 + time.tv_nsec as Nanos;
        nanos
    }

    #[inline]
    pub(crate) fn coarse() -> Nanos {
        read(ClockId::MonotonicCoarse)
    }

    #[inline]
    pub(crate) fn precise() -> Nanos {
        read(ClockId::Monotonic)
    }
}

#[cfg(all(not(any(feature = "test-util", debug_assertions)), not(any(target_os = "linux", target_os = "android"))))]
mod clock {
    use super::Nanos;
    use std::{sync::OnceLock, time::Instant};

    pub(crate) const TICK: Nanos = 0;

    #[inline]
    pub(crate) fn coarse() -> Nanos {
        precise()
    }

    pub(crate) fn precise() -> Nanos {
        static BASE: OnceLock<Instant> = OnceLock::new();
        super::nanos(BASE.get_or_init(Instant::now).elapsed()) + 1
    }
}

pin_project_lite::pin_project! {
    /// A timer that costs nothing until something really waits.
    #[derive(Default)]
    pub(crate) struct Timer {
        at: Nanos,
        #[pin]
        sleep: Option<tokio::time::Sleep>,
    }
}

impl Timer {
    /// Ready once the precise clock has reached `at`.
    ///
    /// # Panics
    /// Without a tokio runtime whose time driver is enabled.
    pub(crate) fn poll_until(self: Pin<&mut Self>, at: Nanos, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            let now = precise();
            if now >= at {
                return Poll::Ready(());
            }
            let wake = || tokio::time::Instant::now() + Duration::from_nanos((at - now).min(FAR));
            match this.sleep.as_mut().as_pin_mut() {
                None => this.sleep.set(Some(tokio::time::sleep_until(wake()))),
                Some(sleep) if *this.at != at || sleep.is_elapsed() => sleep.reset(wake()),
                Some(_) => {}
            }
            *this.at = at;
            let sleep = this.sleep.as_mut().as_pin_mut();
            if sleep.is_none_or(|sleep| sleep.poll(cx).is_pending()) {
                return Poll::Pending;
            }
        }
    }
}

/// Ready after so long.
pub(crate) async fn sleep(time: Nanos) {
    let (mut timer, at) = (std::pin::pin!(Timer::default()), precise().saturating_add(time));
    std::future::poll_fn(|cx| timer.as_mut().poll_until(at, cx)).await;
}

/// Longer sleeps are taken in pieces: tokio's timers do not reach further than about two years.
const FAR: Nanos = 365 * 24 * 3600 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_far_instant_never_overflows() {
        let mut timer = std::pin::pin!(Timer::default());
        std::future::poll_fn(|cx| {
            assert!(timer.as_mut().poll_until(NEVER, cx).is_pending());
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn rearming_moves_the_instant_both_ways() {
        let mut timer = std::pin::pin!(Timer::default());
        let start = precise();
        let second = nanos(Duration::from_secs(1));
        std::future::poll_fn(|cx| {
            assert!(timer.as_mut().poll_until(start + 5 * second, cx).is_pending());
            Poll::Ready(())
        })
        .await;
        std::future::poll_fn(|cx| timer.as_mut().poll_until(start + second, cx)).await;
        assert_eq!(precise() - start, second);
        std::future::poll_fn(|cx| timer.as_mut().poll_until(start + 2 * second, cx)).await;
        assert_eq!(precise() - start, 2 * second);
    }
}
