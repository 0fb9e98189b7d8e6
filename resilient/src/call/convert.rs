//! Our errors become the user's, at one place in each expansion.

use super::view::{Fallible, PlainView, ResultView, TextView, View};
use crate::error::Error;
use std::fmt::Debug;

/// Makes one of our errors an output.
#[diagnostic::on_unimplemented(
    message = "the error of `{R}` cannot carry a rejection: it needs `From<resilient::Error>`",
    label = "takes the error, which may be a rejection",
    note = "write `impl From<resilient::Error>` for it, map it with `#[resilient(rejected = path)]`, or take no error here"
)]
pub trait Convert<R> {
    /// The output.
    fn convert(&self, error: Error) -> R;
}

/// A stack in which no error of ours reaches the exit.
#[derive(Clone, Copy)]
pub struct Nothing;

impl<R> Convert<R> for Nothing {
    fn convert(&self, error: Error) -> R {
        unreachable!("nothing in this stack rejects or times out: {error}")
    }
}

/// A conversion that is handed its view, as judges are.
#[derive(Clone, Copy)]
pub struct Converting<V, F> {
    view: V,
    convert: F,
}

impl<R, V: View<R>, F: Fn(Error, V) -> R> Convert<R> for Converting<V, F> {
    #[inline]
    fn convert(&self, error: Error) -> R {
        (self.convert)(error, self.view)
    }
}

impl<R, C: Convert<R>> Convert<R> for &C {
    #[inline]
    fn convert(&self, error: Error) -> R {
        (**self).convert(error)
    }
}

/// Tells the types of a closure's parameters.
pub const fn converting<R, V: View<R>, F: Fn(Error, V) -> R>(view: V, convert: F) -> Converting<V, F> {
    Converting { view, convert }
}

/// An error of the user's that can carry one of ours: everything that is `From<resilient::Error>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry a rejection: it needs `From<resilient::Error>`",
    label = "the policies of this fn may reject or time out, which `{Self}` cannot say",
    note = "write `impl From<resilient::Error> for {Self}`, for example with thiserror:\n    \
            #[derive(Debug, thiserror::Error)]\n    \
            enum ApiError {{ #[error(transparent)] Resilience(#[from] resilient::Error), /* yours */ }}",
    note = "or map it: `#[resilient(rejected = path)]` with `fn(resilient::Error) -> {Self}`"
)]
pub trait CarriesRejection: Sized {
    /// The user's error.
    fn carry(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> CarriesRejection for E {
    #[inline]
    fn carry(error: Error) -> Self {
        error.into()
    }
}

/// An output that can carry a rejection: a `Result` whose error can.
#[diagnostic::on_unimplemented(
    message = "the policies of this fn need a `Result`, but it returns `{Self}`",
    label = "not a `Result`",
    note = "return a `Result<_, E>`: an `Err` is a failure, and a rejection becomes an `E`",
    note = "or say both in another way: what a failure is, with `failure_if = |output| ..` of `#[circuit_breaker]`, \
            and what a rejection becomes, with `#[resilient(rejected = path)]` and a `fn(resilient::Error) -> {Self}`"
)]
pub trait Rejectable: Fallible {
    /// The output.
    fn reject(error: Error) -> Self;
}

impl<T, E: CarriesRejection> Rejectable for Result<T, E> {
    #[inline]
    fn reject(error: Error) -> Self {
        Err(E::carry(error))
    }
}

/// By `E: From<resilient::Error>`.
#[inline]
pub fn by_from<R: Rejectable>(error: Error) -> R {
    R::reject(error)
}

/// An output whose error a fallback takes. Without a `Result` it is given our error as it is.
pub trait Supplied<R>: View<R> {
    /// The output.
    fn supplied(error: Error) -> R;
}

impl<T, E: CarriesRejection + Debug> Supplied<Result<T, E>> for TextView {
    fn supplied(error: Error) -> Result<T, E> {
        Err(E::carry(error))
    }
}

impl<T, E: CarriesRejection> Supplied<Result<T, E>> for ResultView {
    fn supplied(error: Error) -> Result<T, E> {
        Err(E::carry(error))
    }
}

impl<R> Supplied<R> for PlainView {
    fn supplied(error: Error) -> R {
        unreachable!("a fallback of a fn without a `Result` is given the error itself: {error}")
    }
}

/// By `E: From<resilient::Error>`, for fallbacks alone.
pub fn supplied<R, V: Supplied<R>>(_: V, error: Error) -> R {
    V::supplied(error)
}

/// The same, where the bound is asked for only by who uses it: a path that wants the error, or our own code.
#[derive(Clone, Copy)]
pub struct ByFrom<V>(pub V);

impl<R, V: Supplied<R>> Convert<R> for ByFrom<V> {
    fn convert(&self, error: Error) -> R {
        V::supplied(error)
    }
}

/// The fn gives an error.
pub struct GivesError;

/// The fn gives an output.
pub struct GivesOutput;

/// A fn that maps rejections to an error or an output.
#[diagnostic::on_unimplemented(
    message = "`rejected` takes a `fn(resilient::Error)` that returns the fn's error type, or its output",
    label = "does not fit the fn's return type"
)]
pub trait MapsRejection<R, M> {
    /// The output.
    fn map(&self, error: Error) -> R;
}

impl<T, E, F: Fn(Error) -> E> MapsRejection<Result<T, E>, GivesError> for F {
    #[inline]
    fn map(&self, error: Error) -> Result<T, E> {
        Err(self(error))
    }
}

impl<R, F: Fn(Error) -> R> MapsRejection<R, GivesOutput> for F {
    #[inline]
    fn map(&self, error: Error) -> R {
        self(error)
    }
}

/// Tells the type of a closure's parameter.
pub const fn mapping<A, F: Fn(Error) -> A>(map: F) -> F {
    map
}

/// By a fn of the user's.
#[inline]
#[expect(clippy::needless_pass_by_value, reason = "a path or a closure of the user's, written once")]
pub fn by_path<R, M, F: MapsRejection<R, M>>(map: F, error: Error) -> R {
    map.map(error)
}
