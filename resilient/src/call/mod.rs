//! The engine: runs a body inside a stack of layers. The only place that awaits.
#![allow(
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    clippy::must_use_candidate,
    reason = "expansions alone name what is here, through `__private`, and nobody prints it"
)]

pub mod bulkhead;
pub mod by_hand;
pub mod circuit_breaker;
mod cold;
pub mod convert;
pub mod env;
pub mod fallback;
pub mod follow;
pub mod handle;
pub mod judge;
pub mod layer;
mod places;
pub mod rate_limiter;
pub mod rate_slots;
pub mod ready;
pub mod retry;
pub mod shape;
pub mod timeout;
pub mod view;

use crate::{
    error::Error,
    mark,
    outcome::Ending,
    registry::Site,
    stats::Count,
    time::{NEVER, Nanos, precise},
};
use cold::{Cold, Parts};
use convert::Convert;
use env::{Env, Hot};
use layer::{Ended, Entered, Flow, Kept, Layers, Room as _, Seen};
use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use view::View;

/// What a turn came to.
pub enum Step<R> {
    /// The call ends with this.
    Done(R),
    /// The body shall run again.
    Again,
    /// The fallback of that index shall answer for what [`failed`](Call::failed).
    Fall(usize),
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
            Self::Again | Self::Fall(_) => unreachable!("every step but the last is taken by the expansion"),
        }
    }
}

type Frozen<R, S> = Pin<Box<Cold<<S as Kept>::Cold, <S as Kept>::Room<R>>>>;

/// One call of a site. Dropped before its end it gives everything back.
pub struct Call<R, W, V, C, S>
where
    W: Fn() -> &'static Site,
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    site: W,
    stack: S,
    view: V,
    convert: C,
    /// Made when the call first has to wait for a layer or a timer, or fails.
    cold: Option<Frozen<R, S>>,
    /// When the call first waited; 0 before.
    waited_since: Nanos,
    entered: Entered,
    running: bool,
    /// Set while nobody polls the call: where it is not set when the call is dropped, something inside has panicked.
    suspended: bool,
    done: bool,
    output: PhantomData<fn() -> R>,
}

/// Begins a call.
#[inline(always)]
pub fn begin<R, W, V, C, S>(site: W, view: V, convert: C, stack: S) -> Call<R, W, V, C, S>
where
    W: Fn() -> &'static Site,
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    site().visit();
    const { assert!(S::DEPTH <= u32::BITS, "a fn has at most 32 policies") };
    Call {
        site,
        stack,
        view,
        convert,
        cold: None,
        waited_since: 0,
        entered: Entered::default(),
        running: false,
        suspended: false,
        done: false,
        output: PhantomData,
    }
}

impl<R, W, V, C, S> Call<R, W, V, C, S>
where
    W: Fn() -> &'static Site,
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    /// Runs a body, or a fallback, inside the layers. It is dropped before they settle.
    #[inline(always)]
    pub fn turn<'c, 'b, F>(&'c mut self, body: Pin<&'b mut Option<F>>) -> Turn<'c, 'b, R, W, V, C, S, F>
    where
        F: Future<Output = R>,
    {
        Turn { call: self, body }
    }

    #[inline(always)]
    fn hot(&self, rejected_inside: bool) -> Hot {
        Hot { site: (self.site)(), rejected_inside }
    }

    #[inline(always)]
    fn enter(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.cold.is_none() {
            let hot = self.hot(false);
            if let ready @ Poll::Ready(_) = self.stack.admit(&mut self.entered, hot) {
                mark::set(false);
                return ready;
            }
        }
        self.enter_later(cx)
    }

    /// A layer has to wait.
    #[inline(never)]
    fn enter_later(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            let mut env = self.env(cx.waker(), false);
            let Parts { layers, gave_up, rejected, .. } = Cold::parts(&mut self.cold);
            if let Poll::Ready(entered) = self.stack.wait(&mut self.entered, layers, &mut env) {
                *gave_up = env.gave_up;
                // A fallback that answers for a rejection may pass it on.
                mark::set(std::mem::take(rejected));
                // A turn that comes when the time is over comes too late.
                return Poll::Ready(entered.and_then(|()| self.expire(precise()).map_or(Ok(()), Err)));
            }
            let wake_at = env.wake_at;
            let Poll::Ready(now) = self.wait(wake_at, cx) else { return Poll::Pending };
            if let Some(error) = self.expire(now) {
                return Poll::Ready(Err(error));
            }
        }
    }

    /// Reads the clock, and starts the clocks of the layers entered.
    fn env<'w>(&mut self, waker: &'w Waker, rejected_inside: bool) -> Env<'w> {
        let now = precise();
        let cold = Cold::parts(&mut self.cold).layers;
        let deadline = self.stack.deadline(self.entered, cold, now);
        Env {
            hot: self.hot(rejected_inside),
            waker,
            now,
            deadline,
            wake_at: NEVER,
            start_by: NEVER,
            judged: false,
            gave_up: false,
        }
    }

    /// Until `wake_at`, or the earliest deadline.
    #[inline(never)]
    fn wait(&mut self, wake_at: Nanos, cx: &mut Context<'_>) -> Poll<Nanos> {
        if self.waited_since == 0 {
            self.waited_since = precise();
            (self.site)().count(Count::Suspended);
        }
        if !S::TIMED && wake_at == NEVER {
            return Poll::Pending;
        }
        let Parts { layers, timer, .. } = Cold::parts(&mut self.cold);
        let at = self.stack.deadline(self.entered, layers, precise()).min(wake_at);
        if at == NEVER || timer.poll_until(at, cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(at.max(precise()))
    }

    /// The time-out of the outermost layer whose time is over.
    #[inline(never)]
    fn expire(&mut self, now: Nanos) -> Option<Error> {
        let hot = self.hot(false);
        let layers = Cold::parts(&mut self.cold).layers;
        self.stack.expire(&mut self.entered, layers, now, hot)
    }

    /// The hot end of an attempt: nothing but the output is moved.
    #[inline(always)]
    fn settle(&mut self, output: R) -> Step<R> {
        let rejected_inside = self.view.is_err(&output) && mark::is_set();
        // Each way has an end of its own: joined before it, a hot call of one policy costs eleven instructions more.
        if self.cold.is_none() {
            let hot = self.hot(rejected_inside);
            match self.stack.settle::<true>(&mut self.entered, Ok(&output), hot) {
                Flow::Outward => Step::Done(self.finish(output, rejected_inside)),
                flow => self.settle_failure(Ended::Output(output), flow, rejected_inside),
            }
        } else {
            match self.settle_later(Ok(&output), rejected_inside, false) {
                Flow::Outward => Step::Done(self.finish(output, rejected_inside)),
                flow => self.settle_failure(Ended::Output(output), flow, rejected_inside),
            }
        }
    }

    /// One of our policies ended the attempt.
    #[inline(never)]
    fn settle_ours(&mut self, error: Error) -> Step<R> {
        let flow = if let Some(cold) = &mut self.cold {
            let Parts { failed, gave_up, .. } = cold.as_mut().project();
            if std::mem::take(gave_up) {
                if let Some(held) = failed.take() {
                    let flow = self.settle_later(held.seen(), false, false);
                    return self.settle_failure(held, flow, false);
                }
            }
            self.settle_later(Err(&error), false, false)
        } else {
            let hot = self.hot(false);
            self.stack.settle::<false>(&mut self.entered, Err(&error), hot)
        };
        match flow {
            Flow::Outward => Step::Done(self.finish_ours(error)),
            flow => self.settle_failure(Ended::Ours(error), flow, false),
        }
    }

    /// Some layer may want another attempt, or a fallback.
    #[inline(never)]
    fn settle_failure(&mut self, ended: Ended<R>, mut flow: Flow, rejected_inside: bool) -> Step<R> {
        while let Flow::Failed = flow {
            flow = self.settle_later(ended.seen(), rejected_inside, true);
        }
        self.entered.attempt_ends();
        if ended.is_refusal() && !matches!(flow, Flow::Outward) {
            (self.site)().count(Count::Refused);
        }
        match (flow, ended) {
            (Flow::Again { hold }, ended) => {
                if hold {
                    Cold::parts(&mut self.cold).failed.put(ended);
                }
                Step::Again
            }
            (Flow::Fall(index), ended) => {
                let is_rejection = rejected_inside || ended.is_refusal();
                let Parts { failed, rejected, .. } = Cold::parts(&mut self.cold);
                *rejected = is_rejection;
                failed.put(ended);
                Step::Fall(index)
            }
            (_, Ended::Output(output)) => Step::Done(self.finish(output, rejected_inside)),
            (_, Ended::Ours(error)) => Step::Done(self.finish_ours(error)),
        }
    }

    #[inline(never)]
    fn settle_later(&mut self, ended: Seen<'_, R>, rejected_inside: bool, judged: bool) -> Flow {
        let mut env = self.env(Waker::noop(), rejected_inside);
        env.judged = judged;
        let layers = Cold::parts(&mut self.cold).layers;
        self.stack.resettle(&mut self.entered, layers, ended, &mut env)
    }

    #[inline(always)]
    fn finish(&mut self, output: R, rejected_inside: bool) -> R {
        let failed = self.view.is_err(&output);
        mark::set(failed && rejected_inside);
        self.end(match failed {
            false => Count::Succeeded,
            true if rejected_inside => Count::RejectedInside,
            true => Count::Failed,
        });
        output
    }

    fn finish_ours(&mut self, error: Error) -> R {
        let rejected = error.is_rejection();
        // The user's conversion may panic, or call other sites.
        let output = self.convert.convert(error);
        self.end(if rejected { Count::Rejected } else { Count::Failed });
        mark::set(rejected);
        output
    }

    #[inline(always)]
    fn end(&mut self, count: Count) {
        self.done = true;
        let site = (self.site)();
        site.count(count);
        if self.waited_since != 0 {
            site.resumed(precise().saturating_sub(self.waited_since));
        }
    }

    /// What a fallback answers for.
    ///
    /// # Panics
    /// Unless the step before was [`Step::Fall`].
    pub fn failed(&mut self) -> Ended<R> {
        Cold::parts(&mut self.cold).failed.take().expect("a fallback is asked for one failure")
    }

    #[cold]
    fn abandon(&mut self) {
        let (ending, count) =
            if self.suspended { (Ending::Cancelled, Count::Cancelled) } else { (Ending::Panicked, Count::Panicked) };
        let site = (self.site)();
        if self.waited_since != 0 {
            site.count(Count::Resumed);
        }
        site.count(count);
        let hot = self.hot(false);
        let cold = self.cold.as_mut().map(|cold| cold.as_mut().project().layers);
        self.stack.cancel(&mut self.entered, cold, ending, hot);
    }
}

impl<R, W, V, C, S> Drop for Call<R, W, V, C, S>
where
    W: Fn() -> &'static Site,
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    #[inline(always)]
    fn drop(&mut self) {
        if !self.done {
            self.abandon();
        }
        // Taken, so that a hot call knows that nothing is left to drop.
        if let Some(cold) = self.cold.take() {
            discard(cold);
        }
    }
}

#[inline(never)]
fn discard<T>(cold: T) {
    drop(cold);
}

/// One run of a body, or of a fallback.
#[must_use = "futures do nothing unless polled"]
pub struct Turn<'c, 'b, R, W, V, C, S, F>
where
    W: Fn() -> &'static Site,
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
{
    call: &'c mut Call<R, W, V, C, S>,
    body: Pin<&'b mut Option<F>>,
}

impl<R, W, V, C, S, F> Future for Turn<'_, '_, R, W, V, C, S, F>
where
    W: Fn() -> &'static Site,
    V: View<R>,
    C: Convert<R>,
    S: Layers<R>,
    F: Future<Output = R>,
{
    type Output = Step<R>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Step<R>> {
        let this = &mut *self;
        let (call, mut body) = (&mut *this.call, this.body.as_mut());
        call.suspended = false;
        if call.running {
            mark::set(false);
        } else {
            match call.enter(cx) {
                Poll::Pending => {
                    call.suspended = true;
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(call.settle_ours(error)),
                Poll::Ready(Ok(())) => {
                    call.running = true;
                    if S::TIMED {
                        call.entered.body_begins();
                    }
                }
            }
        }
        let running = body.as_mut().as_pin_mut().expect("a turn is not polled after its end");
        if let Poll::Ready(output) = running.poll(cx) {
            call.running = false;
            // The body goes before what it was admitted with.
            body.set(None);
            return Poll::Ready(call.settle(output));
        }
        let Poll::Ready(now) = call.wait(NEVER, cx) else {
            call.suspended = true;
            return Poll::Pending;
        };
        call.running = false;
        // Before the layers inside the time-out give back what it was admitted with.
        body.set(None);
        let error = call.expire(now).expect("the call waited for the earliest of its deadlines");
        Poll::Ready(call.settle_ours(error))
    }
}
