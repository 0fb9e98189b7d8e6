//! The engine: runs a body inside a stack of layers. The only place that awaits.

pub mod bulkhead;
pub mod by_hand;
pub mod circuit_breaker;
pub mod convert;
pub mod env;
pub mod fallback;
pub mod handle;
pub mod judge;
pub mod layer;
mod mark;
pub mod rate_limiter;
pub mod retry;
pub mod shape;
pub mod timeout;
pub mod view;

use crate::{
    error::Error,
    outcome::Ending,
    registry::{self, Site},
    stats::Count,
    time::{NEVER, Nanos, Timer, precise},
};
use convert::Convert;
use env::Env;
use layer::{Ended, Flow, Layers};
use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};
use view::View;

/// What a turn came to.
pub enum Step<R> {
    /// The call ends with this.
    Done(R),
    /// The body shall run again.
    Again,
    /// The fallback of that index shall answer for this.
    Fall(usize, Ended<R>),
}

impl<R> Step<R> {
    /// The end of a call that neither retries nor falls back any more.
    ///
    /// # Panics
    /// On any other step: the expansion has forgotten one.
    #[inline(always)]
    pub fn done(self) -> R {
        match self {
            Self::Done(output) => output,
            Self::Again | Self::Fall(..) => unreachable!("every step but the last is taken by the expansion"),
        }
    }
}

/// One call of a site. Dropped before its end it gives everything back.
pub struct Call<R, V, C, S>
where
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    site: &'static Site,
    stack: S,
    view: V,
    convert: C,
    timer: Timer,
    /// When the call first waited; 0 before.
    waited_since: Nanos,
    runs: u32,
    running: bool,
    /// Set while nobody polls the call: where it is not set when the call is dropped, something inside has panicked.
    suspended: bool,
    done: bool,
    output: PhantomData<fn() -> R>,
}

/// Begins a call.
#[inline(always)]
pub fn begin<R, V, C, S>(site: &'static Site, view: V, convert: C, stack: S) -> Call<R, V, C, S>
where
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    registry::visit(site);
    site.counters.add(Count::Started);
    Call {
        site,
        stack,
        view,
        convert,
        timer: Timer::default(),
        waited_since: 0,
        runs: 0,
        running: false,
        suspended: false,
        done: false,
        output: PhantomData,
    }
}

impl<R, V, C, S> Call<R, V, C, S>
where
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    /// Runs a body, or a fallback, inside the layers. It is dropped before they settle.
    #[inline(always)]
    pub fn turn<'c, 'b, F>(&'c mut self, body: Pin<&'b mut Option<F>>) -> Turn<'c, 'b, R, V, C, S, F>
    where
        F: Future<Output = R>,
    {
        Turn { call: self, body }
    }

    #[inline(always)]
    fn env<'w>(&self, cx: Option<&Context<'w>>) -> Env<'w> {
        Env {
            site: self.site,
            waker: cx.map(|cx| cx.waker()),
            deadline: None,
            now: 0,
            wake_at: NEVER,
            runs: self.runs,
            rejected_inside: false,
        }
    }

    #[inline(always)]
    fn enter(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut env = self.env(Some(cx));
        match self.stack.enter(&mut env) {
            Poll::Pending => self.enter_later(env, cx),
            ready => ready,
        }
    }

    /// A layer has to wait.
    #[cold]
    fn enter_later<'w>(&mut self, mut env: Env<'w>, cx: &mut Context<'w>) -> Poll<Result<(), Error>> {
        loop {
            if env.deadline.is_none() {
                env.now = precise();
                env.deadline = Some(self.stack.deadline(env.now));
            } else {
                let Poll::Ready(now) = self.wait(env.wake_at, cx) else { return Poll::Pending };
                if let Some(error) = self.expire(now) {
                    return Poll::Ready(Err(error));
                }
                env = self.env(Some(cx));
            }
            if let Poll::Ready(entered) = self.stack.enter(&mut env) {
                // A turn that comes when the time is over comes too late.
                return Poll::Ready(entered.and_then(|()| self.expire(precise()).map_or(Ok(()), Err)));
            }
        }
    }

    /// Until `wake_at`, or the earliest deadline.
    #[cold]
    fn wait(&mut self, wake_at: Nanos, cx: &mut Context<'_>) -> Poll<Nanos> {
        let now = precise();
        if self.waited_since == 0 {
            self.waited_since = now;
        }
        let at = self.stack.deadline(now).min(wake_at);
        if at == NEVER || self.timer.poll_until(at, cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(at.max(precise()))
    }

    /// The time-out of the outermost layer whose time is over.
    #[cold]
    fn expire(&mut self, now: Nanos) -> Option<Error> {
        let env = self.env(None);
        self.stack.expire(now, &env)
    }

    #[inline(always)]
    fn settle(&mut self, mut ended: Ended<R>) -> Step<R> {
        let mut env = self.env(None);
        env.rejected_inside = mark::is_set() && matches!(&ended, Ended::Output(output) if self.view.is_err(output));
        loop {
            match self.stack.settle(&mut ended, &mut env) {
                Flow::Outward => return Step::Done(self.finish(ended, env.rejected_inside)),
                Flow::Ask => {
                    env.now = precise();
                    env.deadline = Some(self.stack.deadline(env.now));
                }
                Flow::Again => return Step::Again,
                Flow::Fall(index) => return Step::Fall(index, ended),
            }
        }
    }

    #[inline(always)]
    fn finish(&mut self, ended: Ended<R>, rejected_inside: bool) -> R {
        self.done = true;
        if self.waited_since != 0 {
            self.site.counters.took(precise().saturating_sub(self.waited_since));
        }
        match ended {
            Ended::Output(output) => {
                let failed = self.view.is_err(&output);
                mark::set(failed && rejected_inside);
                self.site.counters.add(match failed {
                    false => Count::Succeeded,
                    true if rejected_inside => Count::Rejected,
                    true => Count::Failed,
                });
                output
            }
            Ended::Ours(error) => {
                let rejected = error.is_rejection();
                self.site.counters.add(if rejected { Count::Rejected } else { Count::Failed });
                let output = self.convert.convert(error);
                // After the user's conversion, which may call other sites.
                mark::set(rejected);
                output
            }
        }
    }
}

impl<R, V, C, S> Drop for Call<R, V, C, S>
where
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    #[inline(always)]
    fn drop(&mut self) {
        if !self.done {
            let (ending, count) = if self.suspended {
                (Ending::Cancelled, Count::Cancelled)
            } else {
                (Ending::Panicked, Count::Panicked)
            };
            self.site.counters.add(count);
            self.stack.cancel(ending, self.site.name());
        }
    }
}

/// One run of a body, or of a fallback.
#[must_use = "futures do nothing unless polled"]
pub struct Turn<'c, 'b, R, V, C, S, F>
where
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    call: &'c mut Call<R, V, C, S>,
    body: Pin<&'b mut Option<F>>,
}

impl<R, V, C, S, F> Future for Turn<'_, '_, R, V, C, S, F>
where
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
    F: Future<Output = R>,
{
    type Output = Step<R>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Step<R>> {
        let Self { call, body } = &mut *self;
        call.suspended = false;
        let ended = 'ended: {
            if !call.running {
                match call.enter(cx) {
                    Poll::Pending => {
                        call.suspended = true;
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(error)) => break 'ended Ended::Ours(error),
                    Poll::Ready(Ok(())) => {
                        call.running = true;
                        call.runs = call.runs.wrapping_add(1);
                    }
                }
            }
            let running = body.as_mut().as_pin_mut().expect("a turn is not polled after its end");
            mark::set(false);
            if let Poll::Ready(output) = running.poll(cx) {
                break 'ended Ended::Output(output);
            }
            let Poll::Ready(now) = call.wait(NEVER, cx) else {
                call.suspended = true;
                return Poll::Pending;
            };
            // Before the layers inside the time-out give back what it was admitted with.
            body.set(None);
            Ended::Ours(call.expire(now).expect("the call waited for the earliest of its deadlines"))
        };
        call.running = false;
        // The body goes before what it was admitted with.
        body.set(None);
        Poll::Ready(call.settle(ended))
    }
}
