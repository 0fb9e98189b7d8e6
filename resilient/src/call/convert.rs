//! Our errors become the user's, at one place in each expansion.

use crate::error::Error;

/// Makes one of our errors an output.
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

/// By `E: From<resilient::Error>`.
#[derive(Clone, Copy)]
pub struct ByFrom(());

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
    message = "a rejection needs a `Result` to be returned in, but the fn returns `{Self}`",
    label = "not a `Result`",
    note = "return a `Result`, or map rejections: `#[resilient(rejected = path)]` with `fn(resilient::Error) -> {Self}`"
)]
pub trait Rejectable: Sized {
    /// The output.
    fn reject(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: CarriesRejection> Rejectable for Result<T, E> {
    #[inline]
    fn reject(error: Error) -> Self {
        Err(E::carry(error))
    }
}

/// The one place at which the bound stands.
#[must_use]
pub const fn by_from<R: Rejectable>() -> ByFrom {
    ByFrom(())
}

impl<R: Rejectable> Convert<R> for ByFrom {
    #[inline]
    fn convert(&self, error: Error) -> R {
        R::reject(error)
    }
}

/// By `E: From<resilient::Error>`, where the bound is asked for only by a fallback that wants the error.
#[derive(Clone, Copy)]
pub struct WhenWanted;

impl<R: Rejectable> Convert<R> for WhenWanted {
    fn convert(&self, error: Error) -> R {
        R::reject(error)
    }
}

impl<R, C: Convert<R>> Convert<R> for &C {
    #[inline]
    fn convert(&self, error: Error) -> R {
        (**self).convert(error)
    }
}

/// By a fn of the user's.
#[derive(Clone, Copy)]
pub struct ByPath<F, M>(F, std::marker::PhantomData<fn() -> M>);

/// The fn gives an error.
#[derive(Clone, Copy)]
pub struct GivesError;

/// The fn gives an output.
#[derive(Clone, Copy)]
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

/// The one place at which the bound stands.
pub const fn by_path<R, M, F: MapsRejection<R, M>>(map: F) -> ByPath<F, M> {
    ByPath(map, std::marker::PhantomData)
}

impl<R, M, F: MapsRejection<R, M>> Convert<R> for ByPath<F, M> {
    #[inline]
    fn convert(&self, error: Error) -> R {
        self.0.map(error)
    }
}
