//! Asking whether the dependency is well, while the circuit is open.

use crate::{
    background::{self, Task},
    event::isolated,
    policy::keyed::{Check, Checking},
    sync::atomic::{
        AtomicU32, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
    time::{self, Nanos, nanos, precise},
};
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

/// How to find out whether a dependency is well.
///
/// ```
/// # use resilient::{CircuitBreaker, CircuitBreakerConfig, HealthCheck};
/// async fn ping() -> Result<(), std::io::Error> { Ok(()) }
///
/// static STORE: CircuitBreaker = CircuitBreaker::new(
///     CircuitBreakerConfig::new().health_check(HealthCheck::new(|| Box::pin(async { ping().await.is_ok() }))),
/// );
/// ```
#[derive(Clone, Copy)]
pub struct HealthCheck(fn() -> Checking);

impl HealthCheck {
    /// Asks the future that `check` makes.
    #[must_use]
    pub const fn new(check: fn() -> Checking) -> Self {
        Self(check)
    }
}

impl PartialEq for HealthCheck {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for HealthCheck {}

impl fmt::Debug for HealthCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HealthCheck")
    }
}

/// How one breaker asks: as all of its kind do, or in its own way.
#[derive(Clone)]
pub(super) enum Ask {
    Plain(HealthCheck),
    Own(Check),
}

impl Ask {
    fn ask(&self) -> Checking {
        match self {
            Self::Plain(check) => (check.0)(),
            Self::Own(check) => check(),
        }
    }
}

/// What the task found out, for the breaker to read at its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The dependency is well.
    Well { generation: u32 },
    /// The task has ended without knowing, for its runtime has shut down; or nobody runs it.
    Gone { generation: u32 },
}

const WELL: u64 = 1 << 32;
const GONE: u64 = 1 << 33;

/// What the task and the breaker know of each other.
#[derive(Debug, Default)]
struct Pulse {
    news: AtomicU64,
    /// On behalf of which generation the task asks.
    generation: AtomicU32,
    /// Until when it asks or answers again, if anybody runs it; 0 without a task.
    due: AtomicU64,
}

impl Pulse {
    /// The task of that generation has so long.
    fn expect(&self, generation: u32, time: Nanos) {
        if self.generation.load(Relaxed) == generation {
            self.due.store(precise().saturating_add(time), Relaxed);
        }
    }
}

/// Runs the check in the background, one task for each time that the circuit opens.
#[derive(Debug, Default)]
pub(super) struct Health {
    pulse: Arc<Pulse>,
    /// And on behalf of which generation it asks.
    task: Mutex<Option<(u32, Task)>>,
    /// The generation, plus one, that no thread with a runtime has been seen for; 0 for none.
    waits: AtomicU64,
}

/// When to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) every: Nanos,
    pub(super) longest: Nanos,
    /// How long an answer may take.
    pub(super) timeout: Nanos,
    /// So many good answers in a row.
    pub(super) successes: u32,
}

impl Schedule {
    pub(super) const DEFAULT_EVERY: Duration = Duration::from_secs(5);

    /// How much later than it should a task may ask or answer, on a runtime that has much to do.
    const MARGIN: Nanos = 5_000_000_000;

    /// The pause after so many bad answers in a row.
    fn pause(self, failures: u32) -> Nanos {
        let factor = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
        self.every.saturating_mul(factor).min(self.longest.max(self.every))
    }

    /// By when a pause, and what follows it, are over.
    fn bound(self, failures: u32) -> Nanos {
        self.pause(failures).saturating_add(self.timeout).saturating_add(Self::MARGIN)
    }
}

impl Health {
    /// Starts asking on behalf of the open state of that generation; `false` without a runtime to do so.
    pub(super) fn start(&self, ask: Ask, schedule: Schedule, generation: u32) -> bool {
        let report = Report { pulse: Arc::clone(&self.pulse), generation, is_well: false };
        let task = background::spawn(watch(ask, schedule, report));
        let runs = task.is_some();
        self.waits.store(if runs { 0 } else { u64::from(generation) + 1 }, Relaxed);
        self.put(generation, task.map(|task| (task, schedule.bound(0))));
        runs
    }

    /// Stops what asks on behalf of that generation or an earlier one.
    pub(super) fn stop(&self, generation: u32) {
        self.put(generation, None);
    }

    /// Threads that report what they did to the circuit may come here in another order.
    fn put(&self, generation: u32, task: Option<(Task, Nanos)>) {
        let mut held = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let is_outdated = held.as_ref().is_some_and(|(other, _)| is_later(*other, generation));
        let outdated = if is_outdated {
            task.map(|(task, _)| (generation, task))
        } else {
            self.pulse.generation.store(generation, Relaxed);
            match &task {
                Some((_, bound)) => self.pulse.expect(generation, *bound),
                None => self.pulse.due.store(0, Relaxed),
            }
            std::mem::replace(&mut *held, task.map(|(task, _)| (generation, task)))
        };
        drop(held);
        // Outside the lock: it drops the user's future.
        drop(outdated);
    }

    /// The generation that still waits for a thread with a runtime, for one of these.
    pub(super) fn unasked(&self) -> Option<u32> {
        let waits = self.waits.load(Relaxed) != 0 && background::has_runtime();
        let generation = if waits { self.waits.swap(0, Relaxed) } else { 0 };
        generation.checked_sub(1).map(|generation| generation as u32)
    }

    /// Whether nobody seems to run the task.
    pub(super) fn is_silent(&self, now: Nanos) -> bool {
        (1..now).contains(&self.pulse.due.load(Relaxed))
    }

    pub(super) fn has_news(&self) -> bool {
        self.pulse.news.load(Acquire) != 0
    }

    pub(super) fn take_news(&self, now: Nanos) -> Option<News> {
        let word = self.pulse.news.swap(0, AcqRel);
        let generation = word as u32;
        match word {
            0 if self.is_silent(now) => {
                self.pulse.due.store(0, Relaxed);
                Some(News::Gone { generation: self.pulse.generation.load(Relaxed) })
            }
            0 => None,
            _ if word & WELL != 0 => Some(News::Well { generation }),
            _ => Some(News::Gone { generation }),
        }
    }
}

fn is_later(generation: u32, than: u32) -> bool {
    (1..1 << 31).contains(&generation.wrapping_sub(than))
}

/// Tells the breaker how the task ended, however it did.
struct Report {
    pulse: Arc<Pulse>,
    generation: u32,
    is_well: bool,
}

impl Drop for Report {
    fn drop(&mut self) {
        let flag = if self.is_well { WELL } else { GONE };
        let news = u64::from(self.generation) | flag;
        // A task that is stopped may end after a later one.
        let tell = |held: u64| (held == 0 || !is_later(held as u32, self.generation)).then_some(news);
        let _ = self.pulse.news.fetch_update(AcqRel, Acquire, tell);
    }
}

async fn watch(ask: Ask, schedule: Schedule, mut report: Report) {
    let (mut failures, mut successes) = (0_u32, 0_u32);
    while successes < schedule.successes {
        report.pulse.expect(report.generation, schedule.bound(failures));
        time::sleep(schedule.pause(failures)).await;
        if is_well(&ask, schedule.timeout).await {
            (failures, successes) = (0, successes + 1);
        } else {
            (failures, successes) = (failures.saturating_add(1), 0);
        }
    }
    report.is_well = true;
}

/// Asks once: a check that panics, or takes too long, is a bad answer.
async fn is_well(ask: &Ask, timeout: Nanos) -> bool {
    let Some(mut checking) = isolated(|| ask.ask()) else { return false };
    let mut timeout = pin!(time::sleep(timeout));
    poll_fn(|cx| match isolated(|| checking.as_mut().poll(cx)) {
        Some(Poll::Pending) => timeout.as_mut().poll(cx).map(|()| false),
        Some(answer) => answer,
        None => Poll::Ready(false),
    })
    .await
}

pub(super) const fn every(time: Option<Duration>) -> Nanos {
    nanos(match time {
        Some(time) => time,
        None => Schedule::DEFAULT_EVERY,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CircuitBreaker, CircuitBreakerConfig};

    fn silent() -> HealthCheck {
        HealthCheck::new(|| Box::pin(std::future::pending()))
    }

    #[test]
    fn news_of_an_earlier_state_does_not_hide_that_of_a_later_one() {
        let health = Health::default();
        for generation in [3, 1] {
            drop(Report { pulse: Arc::clone(&health.pulse), generation, is_well: false });
        }
        assert_eq!(health.take_news(0), Some(News::Gone { generation: 3 }));
        assert_eq!(health.take_news(0), None);
    }

    #[tokio::test]
    async fn whoever_comes_late_stops_nothing_of_a_later_state() {
        let (health, second) = (Health::default(), 1_000_000_000);
        let schedule = Schedule { every: second, longest: second, timeout: second, successes: 1 };
        for generation in [3, 1] {
            assert!(health.start(Ask::Plain(silent()), schedule, generation));
        }
        health.stop(2);
        tokio::task::yield_now().await;
        assert_eq!(health.take_news(0), Some(News::Gone { generation: 1 }));
        health.stop(3);
        tokio::task::yield_now().await;
        assert_eq!(health.take_news(0), Some(News::Gone { generation: 3 }));
    }

    #[tokio::test]
    async fn reconfigured_without_a_runtime_an_open_circuit_goes_by_time_again() {
        let config = CircuitBreakerConfig::new().failures(1);
        let breaker = CircuitBreaker::new(config.health_check(silent()));
        breaker.try_acquire().unwrap().failure();
        assert_eq!(breaker.stats().retry_after, None);
        std::thread::scope(|scope| scope.spawn(|| breaker.reconfigure(config).unwrap()).join().unwrap());
        tokio::task::yield_now().await;
        assert!(breaker.stats().retry_after.is_some());
    }
}
