//! The engine: runs a body inside a stack of layers. The only place that awaits.

mod env;
mod layer;

use crate::{error::Error, outcome::Ending, registry::{self, Site}, time::{NEVER, Nanos, Timer, precise}};
use env::Env;
use layer::{Ended, Flow, Layers};
use std::{future::Future, pin::Pin, task::{Context, Poll}};

/// What a turn came to.
pub enum Step<R> {
    /// The call ends with this.
    Done(R),
    /// The body shall run again.
    Again,
    /// The fallback of that index shall answer for this.
    Fall(usize, Ended<R>),
}

/// One call of a site.
pub struct Call<R, C: Fn(Error) -> R, S: Layers<R>> {
    site: &'static Site,
    stack: S,
    /// Makes our errors the user's.
    convert: C,
    timer: Timer,
    /// When the call first waited.
    waited_since: Nanos,
    runs: u32,
    running: bool,
    /// Set while the body is polled: still set when the call is dropped, the body has panicked.
    polling: bool,
    done: bool,
    output: std::marker::PhantomData<fn() -> R>,
}

/// One run of a body, or of a fallback.
pub struct Turn<'c, 'b, R, C: Fn(Error) -> R, S: Layers<R>, F> {
    call: &'c mut Call<R, C, S>,
    body: Pin<&'b mut Option<F>>,
}

impl<R, C: Fn(Error) -> R, S: Layers<R>> Call<R, C, S> {
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

    fn enter(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut env = self.env(Some(cx));
        loop {
            match self.stack.enter(&mut env) {
                Poll::Pending if env.deadline.is_none() => {
                    env.now = precise();
                    env.deadline = Some(self.stack.deadline(env.now));
                }
                Poll::Pending => {
                    let wake_at = env.wake_at;
                    if let Poll::Ready(expired) = self.wait(wake_at, cx) {
                        match expired {
                            Some(error) => return Poll::Ready(Err(error)),
                            None => env = self.env(Some(cx)),
                        }
                    } else {
                        return Poll::Pending;
                    }
                }
                ready => return ready,
            }
        }
    }

    /// Until `wake_at` or the earliest deadline: then the time-out.
    #[cold]
    fn wait(&mut self, wake_at: Nanos, cx: &mut Context<'_>) -> Poll<Option<Error>> {
        let now = precise();
        if self.waited_since == 0 {
            self.waited_since = now;
        }
        let deadline = self.stack.deadline(now);
        let at = deadline.min(wake_at);
        if at == NEVER || self.timer.poll_until(at, cx).is_pending() {
            return Poll::Pending;
        }
        let env = self.env(None);
        Poll::Ready(self.stack.expire(precise(), &env))
    }

    fn settle(&mut self, mut ended: Ended<R>) -> Step<R> {
        let mut env = self.env(None);
        loop {
            match self.stack.settle(&mut ended, &mut env) {
                Flow::Outward => break,
                Flow::Ask => {
                    env.now = precise();
                    env.deadline = Some(self.stack.deadline(env.now));
                }
                Flow::Again => return Step::Again,
                Flow::Fall(index) => return Step::Fall(index, ended),
            }
        }
        self.done = true;
        Step::Done(match ended {
            Ended::Output(output) => output,
            Ended::Ours(error) => (self.convert)(error),
        })
    }
}

impl<R, C: Fn(Error) -> R, S: Layers<R>> Drop for Call<R, C, S> {
    fn drop(&mut self) {
        if !self.done {
            let ending = if self.polling { Ending::Panicked } else { Ending::Cancelled };
            self.stack.cancel(ending, self.site.name());
        }
    }
}

impl<R, C: Fn(Error) -> R, S: Layers<R>, F: Future<Output = R>> Future for Turn<'_, '_, R, C, S, F> {
    type Output = Step<R>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Step<R>> {
        let Self { call, body } = &mut *self;
        let ended = 'ended: {
            if !call.running {
                match call.enter(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(error)) => break 'ended Ended::Ours(error),
                    Poll::Ready(Ok(())) => {
                        call.running = true;
                        call.runs += 1;
                    }
                }
            }
            let body = body.as_mut().as_pin_mut().expect("a turn is not polled after its end");
            call.polling = true;
            let polled = body.poll(cx);
            call.polling = false;
            match polled {
                Poll::Ready(output) => Ended::Output(output),
                Poll::Pending => match call.wait(NEVER, cx) {
                    Poll::Ready(Some(error)) => Ended::Ours(error),
                    _ => return Poll::Pending,
                },
            }
        };
        call.running = false;
        // The body goes before what it was admitted with.
        body.set(None);
        Poll::Ready(call.settle(ended))
    }
}

/// Keeps the site in the registry.
pub(crate) fn visit(site: &'static Site) {
    registry::visit(site);
}
