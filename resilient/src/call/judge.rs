//! Predicates over what a fn returned.

use super::view::View;
use crate::outcome::{Ending, Outcome};

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

const fn failure(failed: bool) -> Ending {
    if failed { Ending::Failure } else { Ending::Success }
}

/// Every `Err` is a failure.
pub fn errors<R: Outcome>() -> impl Judge<R> {
    |output: &R| failure(output.as_err().is_some())
}

/// An `Err` that `when` accepts is a failure; one that it refuses is an answer.
pub fn when<R: Outcome, W: Fn(&R::Err) -> bool>(when: W) -> impl Judge<R> {
    move |output: &R| failure(output.as_err().is_some_and(&when))
}

/// An `Err` that `unless` accepts is an answer.
pub fn unless<R: Outcome, U: Fn(&R::Err) -> bool>(unless: U) -> impl Judge<R> {
    move |output: &R| failure(output.as_err().is_some_and(|error| !unless(error)))
}

/// An `Err` that `when` accepts and `unless` does not is a failure.
pub fn when_unless<R, W, U>(when: W, unless: U) -> impl Judge<R>
where
    R: Outcome,
    W: Fn(&R::Err) -> bool,
    U: Fn(&R::Err) -> bool,
{
    move |output: &R| failure(output.as_err().is_some_and(|error| when(error) && !unless(error)))
}

/// What `failed` accepts is a failure.
pub fn failure_if<R, F: Fn(&R) -> bool>(failed: F) -> impl Judge<R> {
    move |output: &R| failure(failed(output))
}

/// What `ignored` accepts is neither; `judge` judges the rest.
pub fn ignore_if<R, I: Fn(&R) -> bool, J: Judge<R>>(ignored: I, judge: J) -> impl Judge<R> {
    move |output: &R| if ignored(output) { Ending::Ignored } else { judge.judge(output) }
}

/// Every error is a failure; an output that is no `Result` never is.
pub fn by_view<R, V: View<R>>(view: V) -> impl Judge<R> {
    move |output: &R| failure(view.is_err(output))
}
