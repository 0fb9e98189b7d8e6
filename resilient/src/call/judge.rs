//! Predicates over what a fn returned.
//!
//! An expansion calls them inside a closure of its own: what is wrong with a predicate is then said once, at the user's
//! token, and not again by everything that the closure is given to.

use super::view::{Fallible, View};
use crate::outcome::Ending;

/// Says whether an output is a success, a failure or neither.
pub trait Judge<R> {
    /// Judges.
    fn judge(&self, output: &R) -> Ending;
}

impl<R, F: Fn(&R) -> Ending> Judge<R> for F {
    #[inline]
    fn judge(&self, output: &R) -> Ending {
        self(output)
    }
}

/// A judge that is handed its view: one that captured it would hold a reference to it.
pub struct Judging<V, F> {
    view: V,
    judge: F,
}

impl<R, V: View<R>, F: Fn(&R, V) -> Ending> Judge<R> for Judging<V, F> {
    #[inline]
    fn judge(&self, output: &R) -> Ending {
        (self.judge)(output, self.view)
    }
}

/// Tells the types of a closure's parameters.
pub const fn judging<R, V: View<R>, F: Fn(&R, V) -> Ending>(view: V, judge: F) -> Judging<V, F> {
    Judging { view, judge }
}

/// A predicate over an error or an output.
#[diagnostic::on_unimplemented(
    message = "a predicate here is a `fn(&{T}) -> bool`, and this is `{Self}`",
    label = "no `fn(&{T}) -> bool`",
    note = "write a path or a closure: `|it| matches!(it, ..)` singles out variants"
)]
pub trait Predicate<T>: FnOnce(&T) -> bool {}

// What is no fn at all would be reported twice.
#[diagnostic::do_not_recommend]
impl<T, F: FnOnce(&T) -> bool> Predicate<T> for F {}

const fn failure(failed: bool) -> Ending {
    if failed { Ending::Failure } else { Ending::Success }
}

/// Every `Err` is a failure.
#[inline]
pub fn errors<R: Fallible>(output: &R) -> Ending {
    failure(output.failed())
}

/// An `Err` that `when` accepts is a failure; one that it refuses is an answer.
#[inline]
pub fn when<R, V, W>(output: &R, view: V, when: W) -> Ending
where
    R: Fallible,
    V: View<R>,
    W: Predicate<V::Error>,
{
    failure(view.as_err(output).is_some_and(when))
}

/// An `Err` that `unless` accepts is an answer.
#[inline]
pub fn unless<R, V, U>(output: &R, view: V, unless: U) -> Ending
where
    R: Fallible,
    V: View<R>,
    U: Predicate<V::Error>,
{
    failure(view.as_err(output).is_some_and(|error| !unless(error)))
}

/// An `Err` that `when` accepts and `unless` does not is a failure.
#[inline]
pub fn when_unless<R, V, W, U>(output: &R, view: V, when: W, unless: U) -> Ending
where
    R: Fallible,
    V: View<R>,
    W: Predicate<V::Error>,
    U: Predicate<V::Error>,
{
    failure(view.as_err(output).is_some_and(|error| when(error) && !unless(error)))
}

/// What `failed` accepts is a failure.
#[inline]
pub fn failure_if<R, F: Predicate<R>>(output: &R, failed: F) -> Ending {
    failure(failed(output))
}

/// Whether `ignored` accepts the output, which is then neither.
#[inline]
pub fn ignore_if<R, I: Predicate<R>>(output: &R, ignored: I) -> bool {
    ignored(output)
}

/// Every error is a failure; an output that is no `Result` never is.
#[inline]
pub fn by_view<R, V: View<R>>(output: &R, view: V) -> Ending {
    failure(view.is_err(output))
}
