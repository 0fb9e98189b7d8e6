//! What an engine asks of a layer, and stacks of layers.

use super::env::Env;
use crate::{
    error::Error,
    outcome::Ending,
    time::{NEVER, Nanos},
};
use std::task::Poll;

/// What ended an attempt.
pub enum Ended<R> {
    /// The body.
    Output(R),
    /// One of our policies.
    Ours(Error),
}

/// What a layer wants after it has seen how an attempt ended.
pub enum Flow {
    /// The next layer outside shall see it too.
    Outward,
    /// To know the deadline first.
    Ask,
    /// Another attempt.
    Again,
    /// The fallback of that index shall answer.
    Fall(usize),
}

/// One policy around the body.
pub trait Layer<R> {
    /// Admits the call; at once where it has been admitted already.
    fn enter(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>>;

    /// Sees how the attempt ended, if it admitted it.
    fn settle(&mut self, ended: &mut Ended<R>, env: &mut Env<'_>) -> Flow;

    /// Gives back what it holds: the attempt was dropped, or panicked.
    fn cancel(&mut self, ending: Ending, site: &'static str);

    /// When its time is over; the clock starts here if it has not.
    fn deadline(&mut self, _now: Nanos) -> Nanos {
        NEVER
    }

    /// Its own time-out, if its time is over.
    fn expire(&mut self, _now: Nanos, _env: &Env<'_>) -> Option<Error> {
        None
    }

    /// Whether the layers inside it are out of play: a fallback is answering.
    fn is_answering(&self) -> bool {
        false
    }
}

/// Layers around the body, the outermost first.
pub trait Layers<R> {
    /// Walks inward.
    fn enter(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>>;
    /// Walks outward.
    fn settle(&mut self, ended: &mut Ended<R>, env: &mut Env<'_>) -> Flow;
    /// Gives everything back, the innermost first.
    fn cancel(&mut self, ending: Ending, site: &'static str);
    /// The earliest deadline of the layers entered.
    fn deadline(&mut self, now: Nanos) -> Nanos;
    /// The time-out of the outermost layer whose time is over; what is inside it is cancelled.
    fn expire(&mut self, now: Nanos, env: &Env<'_>) -> Option<Error>;
}

/// No layer more.
pub struct End;

/// A layer around others.
pub struct On<L, I> {
    layer: L,
    inner: I,
}

/// `layer` around `inner`.
pub const fn on<L, I>(layer: L, inner: I) -> On<L, I> {
    On { layer, inner }
}

impl<R> Layers<R> for End {
    #[inline(always)]
    fn enter(&mut self, _: &mut Env<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, _: &mut Ended<R>, _: &mut Env<'_>) -> Flow {
        Flow::Outward
    }

    #[inline(always)]
    fn cancel(&mut self, _: Ending, _: &'static str) {}

    #[inline(always)]
    fn deadline(&mut self, _: Nanos) -> Nanos {
        NEVER
    }

    #[inline(always)]
    fn expire(&mut self, _: Nanos, _: &Env<'_>) -> Option<Error> {
        None
    }
}

impl<R, L: Layer<R>, I: Layers<R>> Layers<R> for On<L, I> {
    #[inline(always)]
    fn enter(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        match self.layer.enter(env) {
            Poll::Ready(Ok(())) if !self.layer.is_answering() => self.inner.enter(env),
            other => other,
        }
    }

    #[inline(always)]
    fn settle(&mut self, ended: &mut Ended<R>, env: &mut Env<'_>) -> Flow {
        match self.inner.settle(ended, env) {
            Flow::Outward => self.layer.settle(ended, env),
            other => other,
        }
    }

    #[inline(always)]
    fn cancel(&mut self, ending: Ending, site: &'static str) {
        self.inner.cancel(ending, site);
        self.layer.cancel(ending, site);
    }

    #[inline(always)]
    fn deadline(&mut self, now: Nanos) -> Nanos {
        self.layer.deadline(now).min(self.inner.deadline(now))
    }

    #[inline(always)]
    fn expire(&mut self, now: Nanos, env: &Env<'_>) -> Option<Error> {
        match self.layer.expire(now, env) {
            Some(error) => {
                self.inner.cancel(Ending::Cancelled, env.site.name());
                Some(error)
            }
            None => self.inner.expire(now, env),
        }
    }
}
