//! What the engine asks of a layer, and stacks of layers.
//!
//! A call that is ready at once takes the hot path: `admit` inward, `settle` outward, and nothing else is touched. One
//! that has to wait or fails gets a box of cold state, in which each layer has its part, and goes on with `wait` and
//! `failed`. A bit for each layer tells whether it has admitted the call.

use super::env::{Env, Hot};
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

/// A look at what ended an attempt.
pub type Seen<'a, R> = Result<&'a R, &'a Error>;

impl<R> Ended<R> {
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Ours(error) if error.is_rejection())
    }

    pub(super) fn seen(&self) -> Seen<'_, R> {
        match self {
            Self::Output(output) => Ok(output),
            Self::Ours(error) => Err(error),
        }
    }
}

/// What a layer wants after it has seen how an attempt ended.
pub enum Flow {
    /// The next layer outside shall see it too.
    Outward,
    /// It is a failure: the layer is to be asked again, with its cold state.
    Failed,
    /// Another attempt; the failure may yet be what the call ends with.
    Again { hold: bool },
    /// The fallback of that index shall answer.
    Fall(usize),
}

/// Room for a failure that a fallback answers for, or that a retry may have to return after all. A stack without these
/// has none, so that its future is `Send` whatever the output is.
pub trait Room<R>: Default {
    /// Keeps it.
    fn put(&mut self, ended: Ended<R>);
    /// Gives it back.
    fn take(&mut self) -> Option<Ended<R>>;
}

impl<R> Room<R> for () {
    fn put(&mut self, _: Ended<R>) {}

    fn take(&mut self) -> Option<Ended<R>> {
        None
    }
}

/// Room for one.
pub struct Held<R>(Option<Ended<R>>);

impl<R> Default for Held<R> {
    fn default() -> Self {
        Self(None)
    }
}

impl<R> Room<R> for Held<R> {
    fn put(&mut self, ended: Ended<R>) {
        self.0 = Some(ended);
    }

    fn take(&mut self) -> Option<Ended<R>> {
        self.0.take()
    }
}

/// What a layer keeps of calls that wait or fail.
///
/// Apart from [`Layer`] and without its bounds: whether a future is `Send` must ask nothing about the user's predicates.
/// Their types name the output, and where that borrows rustc would find them not general enough.
pub trait Keeps {
    /// Its part of the cold state.
    type Cold: Default;

    /// The room that the stack has with this layer, where it had `I` without.
    type Room<R, I: Room<R>>: Room<R>;
}

/// What the layers of a stack keep.
pub trait Kept {
    /// The parts of all of them.
    type Cold: Default;
    /// The room for a failure that one of them needs.
    type Room<R>: Room<R>;
}

/// One policy around the body.
pub trait Layer<R>: Keeps {
    /// Whether it has a deadline.
    const TIMED: bool = false;

    /// Whether an attempt that it admitted holds something of it.
    const HOLDS: bool = false;

    /// Admits the call; `Pending` where that takes time.
    fn admit(&mut self, hot: Hot) -> Poll<Result<(), Error>>;

    /// Admits the call, waiting for it.
    #[inline]
    fn wait(&mut self, _cold: &mut Self::Cold, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        self.admit(env.hot)
    }

    /// Sees how the attempt that it admitted ended: `Failed` where it has something to say to that.
    fn settle(&mut self, ended: Seen<'_, R>, hot: Hot) -> Flow;

    /// Says what becomes of a failure.
    #[inline]
    fn failed(&mut self, _cold: &mut Self::Cold, _ended: Seen<'_, R>, _env: &mut Env<'_>) -> Flow {
        Flow::Outward
    }

    /// The attempt that it admitted was dropped, or panicked.
    fn cancel(&mut self, ending: Ending, hot: Hot);

    /// It is not waited for any more, and nothing is left of the attempts that it admitted.
    #[inline]
    fn forget(&mut self, cold: &mut Self::Cold) {
        *cold = Self::Cold::default();
    }

    /// When the time of the call that it admitted is over; the clock starts here if it has not.
    #[inline]
    fn deadline(&self, _cold: &mut Self::Cold, _now: Nanos) -> Nanos {
        NEVER
    }

    /// Its own time-out, if its time is over; `began`: a body began since it admitted the call.
    #[inline]
    fn expire(&self, _cold: &Self::Cold, _now: Nanos, _began: bool, _hot: Hot) -> Option<Error> {
        None
    }

    /// After this no attempt inside it may begin.
    #[inline]
    fn start_by(&self, _cold: &Self::Cold) -> Nanos {
        NEVER
    }

    /// Whether the layers inside it are out of play: a fallback is answering.
    #[inline]
    fn is_answering(_cold: &Self::Cold) -> bool {
        false
    }

    /// The fallback has answered.
    #[inline]
    fn answered(&mut self, _cold: &mut Self::Cold, _ended: Seen<'_, R>, _env: &Env<'_>) {}
}

/// Which layers have admitted the call: the innermost has the lowest bit.
#[derive(Clone, Copy, Default)]
pub struct Entered {
    admitted: u32,
    /// And in which of them a body has begun since.
    began: u32,
}

impl Entered {
    #[inline(always)]
    pub(super) fn body_begins(&mut self) {
        self.began = self.admitted;
    }

    /// A layer that admits the next attempt has not seen a body begin.
    pub(super) fn attempt_ends(&mut self) {
        self.began &= self.admitted;
    }
}

/// Layers around the body, the outermost first.
pub trait Layers<R>: Kept {
    /// How many there are.
    const DEPTH: u32;
    /// Whether one of them has a deadline.
    const TIMED: bool;

    /// Walks inward; no layer has admitted the call yet.
    fn admit(&mut self, entered: &mut Entered, hot: Hot) -> Poll<Result<(), Error>>;
    /// Walks inward, from where it had to wait.
    fn wait(&mut self, entered: &mut Entered, cold: &mut Self::Cold, env: &mut Env<'_>) -> Poll<Result<(), Error>>;
    /// Walks outward. `ALL`: every layer has admitted the call.
    fn settle<const ALL: bool>(&mut self, entered: &mut Entered, ended: Seen<'_, R>, hot: Hot) -> Flow;
    /// Walks outward, with cold state.
    fn resettle(&mut self, entered: &mut Entered, cold: &mut Self::Cold, ended: Seen<'_, R>, env: &mut Env<'_>)
    -> Flow;
    /// Gives everything back, the innermost first.
    fn cancel(&mut self, entered: &mut Entered, cold: Option<&mut Self::Cold>, ending: Ending, hot: Hot);
    /// The earliest deadline.
    fn deadline(&self, entered: Entered, cold: &mut Self::Cold, now: Nanos) -> Nanos;
    /// The time-out of the outermost layer whose time is over; it and what is inside it are cancelled.
    fn expire(&mut self, entered: &mut Entered, cold: &mut Self::Cold, now: Nanos, hot: Hot) -> Option<Error>;
}

/// No layer more.
pub struct End;

/// A layer around others.
pub struct On<L, I> {
    layer: L,
    inner: I,
}

/// `layer` around `inner`.
#[inline(always)]
pub const fn on<L, I>(layer: L, inner: I) -> On<L, I> {
    On { layer, inner }
}

impl Kept for End {
    type Cold = ();
    type Room<R> = ();
}

impl<L: Keeps, I: Kept> Kept for On<L, I> {
    type Cold = (L::Cold, I::Cold);
    type Room<R> = L::Room<R, I::Room<R>>;
}

impl<R> Layers<R> for End {
    const DEPTH: u32 = 0;
    const TIMED: bool = false;

    #[inline(always)]
    fn admit(&mut self, _: &mut Entered, _: Hot) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn wait(&mut self, _: &mut Entered, (): &mut (), _: &mut Env<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle<const ALL: bool>(&mut self, _: &mut Entered, _: Seen<'_, R>, _: Hot) -> Flow {
        Flow::Outward
    }

    fn resettle(&mut self, _: &mut Entered, (): &mut (), _: Seen<'_, R>, _: &mut Env<'_>) -> Flow {
        Flow::Outward
    }

    fn cancel(&mut self, _: &mut Entered, _: Option<&mut ()>, _: Ending, _: Hot) {}

    fn deadline(&self, _: Entered, (): &mut (), _: Nanos) -> Nanos {
        NEVER
    }

    fn expire(&mut self, _: &mut Entered, (): &mut (), _: Nanos, _: Hot) -> Option<Error> {
        None
    }
}

impl<R, L: Layer<R>, I: Layers<R>> Layers<R> for On<L, I> {
    const DEPTH: u32 = I::DEPTH + 1;
    const TIMED: bool = L::TIMED || I::TIMED;

    #[inline(always)]
    fn admit(&mut self, entered: &mut Entered, hot: Hot) -> Poll<Result<(), Error>> {
        match self.layer.admit(hot) {
            Poll::Ready(Ok(())) => entered.admitted |= bit::<R, I>(),
            refused => return refused,
        }
        self.inner.admit(entered, hot)
    }

    fn wait(&mut self, entered: &mut Entered, cold: &mut Self::Cold, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        if entered.admitted & bit::<R, I>() == 0 {
            match self.layer.wait(&mut cold.0, env) {
                Poll::Ready(Ok(())) => entered.admitted |= bit::<R, I>(),
                refused => return refused,
            }
            env.deadline = env.deadline.min(self.layer.deadline(&mut cold.0, env.now));
        } else if L::is_answering(&cold.0) {
            return Poll::Ready(Ok(()));
        }
        env.start_by = env.start_by.min(self.layer.start_by(&cold.0));
        self.inner.wait(entered, &mut cold.1, env)
    }

    #[inline(always)]
    fn settle<const ALL: bool>(&mut self, entered: &mut Entered, ended: Seen<'_, R>, hot: Hot) -> Flow {
        match self.inner.settle::<ALL>(entered, ended, hot) {
            Flow::Outward => {}
            other => return other,
        }
        if !ALL && entered.admitted & bit::<R, I>() == 0 {
            return Flow::Outward;
        }
        let flow = self.layer.settle(ended, hot);
        match flow {
            // A predicate of a layer outside may panic: then this one must not give back twice.
            Flow::Outward if L::HOLDS => entered.admitted &= !bit::<R, I>(),
            Flow::Outward => {}
            // Those inside have settled.
            _ => entered.admitted &= !(bit::<R, I>() - 1),
        }
        flow
    }

    fn resettle(
        &mut self,
        entered: &mut Entered,
        cold: &mut Self::Cold,
        ended: Seen<'_, R>,
        env: &mut Env<'_>,
    ) -> Flow {
        match self.inner.resettle(entered, &mut cold.1, ended, env) {
            Flow::Outward => {}
            other => return other,
        }
        if entered.admitted & bit::<R, I>() == 0 {
            return Flow::Outward;
        }
        let flow = if std::mem::take(&mut env.judged) {
            self.layer.failed(&mut cold.0, ended, env)
        } else if L::is_answering(&cold.0) {
            self.layer.answered(&mut cold.0, ended, env);
            Flow::Outward
        } else {
            self.layer.settle(ended, env.hot)
        };
        match flow {
            Flow::Outward => {
                entered.admitted &= !bit::<R, I>();
                self.layer.forget(&mut cold.0);
            }
            // It admits the next attempt anew, after a pause.
            Flow::Again { .. } => entered.admitted &= !bit::<R, I>(),
            Flow::Failed | Flow::Fall(_) => {}
        }
        flow
    }

    fn cancel(&mut self, entered: &mut Entered, cold: Option<&mut Self::Cold>, ending: Ending, hot: Hot) {
        let (mine, inner) = cold.map_or((None, None), |(mine, inner)| (Some(mine), Some(inner)));
        self.inner.cancel(entered, inner, ending, hot);
        if entered.admitted & bit::<R, I>() != 0 {
            entered.admitted &= !bit::<R, I>();
            self.layer.cancel(ending, hot);
        }
        if let Some(cold) = mine {
            self.layer.forget(cold);
        }
    }

    fn deadline(&self, entered: Entered, cold: &mut Self::Cold, now: Nanos) -> Nanos {
        let mine = if entered.admitted & bit::<R, I>() == 0 { NEVER } else { self.layer.deadline(&mut cold.0, now) };
        mine.min(self.inner.deadline(entered, &mut cold.1, now))
    }

    fn expire(&mut self, entered: &mut Entered, cold: &mut Self::Cold, now: Nanos, hot: Hot) -> Option<Error> {
        if entered.admitted & bit::<R, I>() != 0 {
            let began = entered.began & bit::<R, I>() != 0;
            if let Some(error) = self.layer.expire(&cold.0, now, began, hot) {
                self.cancel(entered, Some(cold), Ending::Cancelled, hot);
                return Some(error);
            }
        }
        self.inner.expire(entered, &mut cold.1, now, hot)
    }
}

/// The bit of the layer around `I`.
#[inline(always)]
const fn bit<R, I: Layers<R>>() -> u32 {
    1 << I::DEPTH
}
