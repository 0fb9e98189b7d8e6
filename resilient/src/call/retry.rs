use crate::{
    call::{
        env::{Env, Hot},
        handle::Handle,
        judge::Judge,
        layer::{Flow, Held, Keeps, Layer, Room, Seen},
        view::View,
    },
    error::Error,
    event::{self, EventKind, StopReason},
    outcome::Ending,
    policy::retry::Retry,
    stats::Count,
    time::{NEVER, Nanos, coarse},
};
use std::{task::Poll, time::Duration};

/// A retry around a call.
pub struct RetryLayer<P, J, V> {
    policy: P,
    judge: J,
    view: V,
    /// When the first attempt began; read only where a `max_duration` is set.
    began: Nanos,
}

/// What has failed so far.
#[derive(Default)]
pub struct Progress {
    failed: u32,
    pause: Nanos,
    /// When the next attempt begins.
    resume_at: Nanos,
    /// The call has let others run since the failure.
    yielded: bool,
}

impl<P: Handle<Retry>, J, V> RetryLayer<P, J, V> {
    #[inline(always)]
    pub const fn new(policy: P, judge: J, view: V) -> Self {
        Self { policy, judge, view, began: 0 }
    }

    /// After this no attempt begins.
    fn last_start(&self) -> Nanos {
        self.policy.get().max_duration().map_or(NEVER, |time| self.began.saturating_add(time))
    }

    /// Why there is no other attempt, if so.
    fn stop(&self, failed: u32, resume_at: Nanos, env: &Env<'_>) -> Option<StopReason> {
        if failed >= self.policy.get().attempts() {
            Some(StopReason::Attempts)
        } else if resume_at > self.last_start() {
            Some(StopReason::MaxDuration)
        } else if resume_at >= env.deadline {
            Some(StopReason::Deadline)
        } else {
            None
        }
    }

    fn give_up(&self, attempts: u32, reason: StopReason, error: impl FnOnce() -> Option<String>, env: &Env<'_>) {
        let (retry, caller) = (self.policy.get(), env.hot.caller(self.policy.alias()));
        retry.gave_up();
        if event::heard() {
            event::emit(caller, retry.name(), EventKind::RetriesExhausted { attempts, reason, error: error() });
        }
    }
}

impl<P, J, V> Keeps for RetryLayer<P, J, V> {
    type Cold = Progress;
    type Room<R, I: Room<R>> = Held<R>;
}

impl<R, P: Handle<Retry>, J: Judge<R>, V: View<R>> Layer<R> for RetryLayer<P, J, V> {
    #[inline(always)]
    fn admit(&mut self, _: Hot) -> Poll<Result<(), Error>> {
        if self.policy.get().max_duration().is_some() {
            self.began = coarse();
        }
        Poll::Ready(Ok(()))
    }

    fn wait(&mut self, cold: &mut Progress, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        if cold.failed == 0 {
            return Layer::<R>::admit(self, env.hot);
        }
        if env.now < cold.resume_at {
            env.wake_at(cold.resume_at);
            return Poll::Pending;
        }
        if env.now > self.last_start() {
            // The executor was late. The failure that was held is the end.
            self.give_up(cold.failed, StopReason::MaxDuration, || None, env);
            *cold = Progress::default();
            env.gave_up = true;
            let (policy, site) = (self.policy.get().name(), env.hot.site.name());
            return Poll::Ready(Err(Error::DeadlineExceeded { policy, site }));
        }
        // Without a pause, and with bodies that never wait, it would otherwise keep its thread for itself.
        if cold.pause == 0 && !cold.yielded {
            cold.yielded = true;
            env.waker.wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, ended: Seen<'_, R>, hot: Hot) -> Flow {
        let failed = match ended {
            Ok(output) => self.judge.judge(output).is_failure() && !hot.rejected_inside,
            Err(error) => !error.is_rejection(),
        };
        if failed { Flow::Failed } else { Flow::Outward }
    }

    fn failed(&mut self, cold: &mut Progress, ended: Seen<'_, R>, env: &mut Env<'_>) -> Flow {
        let (retry, caller) = (self.policy.get(), env.hot.caller(self.policy.alias()));
        cold.failed += 1;
        cold.pause = retry.pause(cold.failed, cold.pause);
        cold.resume_at = env.now.saturating_add(cold.pause);
        cold.yielded = false;
        if let Some(reason) = self.stop(cold.failed, cold.resume_at, env) {
            self.give_up(cold.failed, reason, || self.view.text_of(ended), env);
            return Flow::Outward;
        }
        retry.retried();
        env.hot.site.count(Count::Retries);
        if event::heard() {
            let (attempt, delay) = (cold.failed, Duration::from_nanos(cold.pause));
            let error = self.view.text_of(ended);
            event::emit(caller, retry.name(), EventKind::Retried { attempt, delay, error });
        }
        Flow::Again { hold: retry.max_duration().is_some() }
    }

    fn start_by(&self, _: &Progress) -> Nanos {
        self.last_start()
    }

    fn cancel(&mut self, _: Ending, _: Hot) {}
}
