//! What the engine can tell of an output without a bound on it.
//!
//! Expansions choose a view by method resolution on `Of<Output>`: the first that fits wins, and no bound is added.

use super::{
    Call,
    convert::Convert,
    layer::{Layers, Seen},
};
use crate::{error::Error, event, registry::Site};
use std::{fmt::Debug, marker::PhantomData};

/// A look at an output.
pub trait View<R>: Copy {
    /// What a fallback takes.
    type Error;
    /// Whether it is an error.
    fn is_err(self, output: &R) -> bool;
    /// The error.
    fn as_err(self, output: &R) -> Option<&Self::Error>;
    /// The error's text, where it has one.
    fn text(self, output: &R) -> Option<String>;
    /// The text of what ended an attempt, where it has one.
    fn text_of(self, ended: Seen<'_, R>) -> Option<String> {
        match ended {
            Ok(output) => self.text(output),
            Err(error) => Some(error.to_string()),
        }
    }
    /// The error by value, or the output again where it is none.
    ///
    /// # Errors
    /// The output, where it is no error.
    fn error(self, output: R) -> Result<Self::Error, R>;
    /// One of our errors as what a fallback takes.
    ///
    /// # Errors
    /// The error, where it must become the user's first.
    fn ours(error: Error) -> Result<Self::Error, Error> {
        Err(error)
    }
}

/// An output with errors: a `Result`. One bound for all that needs one, so that its lack is one mistake; the error's
/// type is a view's, for rustc would report an associated type of what is no `Result` once more.
#[diagnostic::on_unimplemented(
    message = "the policies of this fn need a `Result`, but it returns `{Self}`",
    label = "not a `Result`",
    note = "return a `Result<_, E>`: an `Err` is a failure, and a rejection becomes an `E`",
    note = "or say both in another way: what a failure is, with `failure_if = |output| ..` of `#[circuit_breaker]`, \
            and what a rejection becomes, with `#[resilient(rejected = path)]` and a `fn(resilient::Error) -> {Self}`"
)]
pub trait Fallible {
    /// Whether it is an error.
    fn failed(&self) -> bool;
}

impl<T, E> Fallible for Result<T, E> {
    #[inline]
    fn failed(&self) -> bool {
        self.is_err()
    }
}

/// The output type that a view is sought for.
pub struct Of<R>(PhantomData<fn() -> R>);

impl<R> Of<R> {
    /// The type alone.
    #[must_use]
    pub const fn output() -> Self {
        Self(PhantomData)
    }

    /// Tells what an `impl Trait` in the output is: what the call gives.
    pub const fn is_of<W, V, C, S>(&self, _: &Call<R, W, V, C, S>)
    where
        W: Fn() -> &'static Site,
        V: View<R>,
        C: Convert<R>,
        S: Layers<R>,
    {
    }
}

/// A `Result` whose error has a text.
#[derive(Clone, Copy)]
pub struct TextView;

/// A `Result`.
#[derive(Clone, Copy)]
pub struct ResultView;

/// Anything else: never an error.
#[derive(Clone, Copy)]
pub struct PlainView;

impl<T, E: Debug> View<Result<T, E>> for TextView {
    type Error = E;

    #[inline]
    fn is_err(self, output: &Result<T, E>) -> bool {
        output.is_err()
    }

    #[inline]
    fn as_err(self, output: &Result<T, E>) -> Option<&E> {
        output.as_ref().err()
    }

    fn text(self, output: &Result<T, E>) -> Option<String> {
        output.as_ref().err().and_then(event::text)
    }

    fn error(self, output: Result<T, E>) -> Result<E, Result<T, E>> {
        output.map_or_else(Ok, |value| Err(Ok(value)))
    }
}

impl<T, E> View<Result<T, E>> for ResultView {
    type Error = E;

    #[inline]
    fn is_err(self, output: &Result<T, E>) -> bool {
        output.is_err()
    }

    #[inline]
    fn as_err(self, output: &Result<T, E>) -> Option<&E> {
        output.as_ref().err()
    }

    fn text(self, _: &Result<T, E>) -> Option<String> {
        None
    }

    fn error(self, output: Result<T, E>) -> Result<E, Result<T, E>> {
        output.map_or_else(Ok, |value| Err(Ok(value)))
    }
}

impl<R> View<R> for PlainView {
    type Error = Error;

    #[inline]
    fn is_err(self, _: &R) -> bool {
        false
    }

    #[inline]
    fn as_err(self, _: &R) -> Option<&Error> {
        None
    }

    fn text(self, _: &R) -> Option<String> {
        None
    }

    fn error(self, output: R) -> Result<Error, R> {
        Err(output)
    }

    fn ours(error: Error) -> Result<Error, Error> {
        Ok(error)
    }
}

/// Fits a `Result` whose error has a text.
pub trait SeeText {
    /// The view.
    fn __resilient_view(&self) -> TextView {
        TextView
    }
}

/// Fits a `Result`.
pub trait SeeResult {
    /// The view.
    fn __resilient_view(&self) -> ResultView {
        ResultView
    }
}

/// Fits everything.
pub trait SeePlain {
    /// The view.
    fn __resilient_view(&self) -> PlainView {
        PlainView
    }
}

impl<T, E: Debug> SeeText for &&Of<Result<T, E>> {}
impl<T, E> SeeResult for &Of<Result<T, E>> {}
impl<R> SeePlain for Of<R> {}
