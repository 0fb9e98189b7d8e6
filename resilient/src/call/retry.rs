use crate::{
    call::{
        env::Env,
        handle::Handle,
        judge::Judge,
        layer::{Ended, Flow, Layer},
        view::View,
    },
    error::Error,
    event::{self, EventKind, StopReason},
    outcome::Ending,
    policy::retry::Retry,
    stats::Count,
    time::{NEVER, Nanos, coarse, precise},
};
use std::task::Poll;

/// A retry around a call.
pub struct RetryLayer<P, J, V> {
    policy: P,
    judge: J,
    view: V,
    entered: bool,
    /// When the first attempt began; read only where a `max_duration` is set.
    began: Nanos,
    /// Boxed: most calls succeed at once.
    progress: Option<Box<Progress>>,
}

struct Progress {
    failed: u32,
    pause: Nanos,
    /// When the pause ends; 0 while an attempt runs.
    resume_at: Nanos,
}

impl<P: Handle<Retry>, J, V> RetryLayer<P, J, V> {
    pub const fn new(policy: P, judge: J, view: V) -> Self {
        Self { policy, judge, view, entered: false, began: 0, progress: None }
    }

    #[inline(always)]
    fn leave(&mut self) {
        self.entered = false;
        self.progress = None;
    }

    #[cold]
    fn pause(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        let Some(progress) = &mut self.progress else { return Poll::Ready(Ok(())) };
        if progress.resume_at == 0 || precise() >= progress.resume_at {
            progress.resume_at = 0;
            return Poll::Ready(Ok(()));
        }
        env.wake_at(progress.resume_at);
        Poll::Pending
    }

    /// Whether to run again, and after which pause.
    #[cold]
    fn failed<R>(&mut self, ended: &Ended<R>, env: &Env<'_>) -> Flow
    where
        V: View<R>,
    {
        let Some(deadline) = env.deadline else { return Flow::Ask };
        let retry = self.policy.get();
        let (failed, previous) = self.progress.as_ref().map_or((1, 0), |made| (made.failed + 1, made.pause));
        let pause = retry.pause(failed, previous);
        let resume_at = env.now.saturating_add(pause);
        let last_start = retry.max_duration().map_or(NEVER, |time| self.began.saturating_add(time));
        let stop = if failed >= retry.attempts() {
            Some(StopReason::Attempts)
        } else if resume_at > last_start {
            Some(StopReason::MaxDuration)
        } else if resume_at >= deadline {
            Some(StopReason::Deadline)
        } else {
            None
        };
        let (site, policy) = (env.site.name(), retry.name());
        if let Some(reason) = stop {
            retry.gave_up();
            event::emit(site, policy, EventKind::RetriesExhausted { attempts: failed, reason });
            self.leave();
            return Flow::Outward;
        }
        retry.retried();
        env.site.counters.add(Count::Retries);
        if event::heard() {
            let error = match ended {
                Ended::Output(output) => self.view.text(output),
                Ended::Ours(error) => Some(error.to_string()),
            };
            let delay = std::time::Duration::from_nanos(pause);
            event::emit(site, policy, EventKind::Retried { attempt: failed, delay, error });
        }
        self.progress = Some(Box::new(Progress { failed, pause, resume_at }));
        Flow::Again
    }
}

impl<R, P: Handle<Retry>, J: Judge<R>, V: View<R>> Layer<R> for RetryLayer<P, J, V> {
    #[inline(always)]
    fn enter(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        if !self.entered {
            self.entered = true;
            if self.policy.get().max_duration().is_some() {
                self.began = coarse();
            }
        } else if self.progress.is_some() {
            return self.pause(env);
        }
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, ended: &mut Ended<R>, env: &mut Env<'_>) -> Flow {
        if !self.entered {
            return Flow::Outward;
        }
        let failed = match ended {
            Ended::Output(output) => !env.rejected_inside && self.judge.judge(output).is_failure(),
            Ended::Ours(error) => !error.is_rejection(),
        };
        if failed {
            return self.failed(ended, env);
        }
        self.leave();
        Flow::Outward
    }

    #[inline(always)]
    fn cancel(&mut self, _: Ending, _: &'static str) {
        self.leave();
    }
}
