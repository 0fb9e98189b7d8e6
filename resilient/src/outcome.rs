//! What an attempt did.

/// A fn output with an error that predicates can look at: every `Result`.
#[diagnostic::on_unimplemented(
    message = "this policy judges errors, but the fn returns `{Self}`, which is not a `Result`",
    label = "not a `Result`",
    note = "return a `Result<_, E>`, or say what a failure is: `#[circuit_breaker(failure_if = |output| ..)]`"
)]
pub trait Outcome {
    /// The type of the error.
    type Err;
    /// The error, if this is one.
    fn as_err(&self) -> Option<&Self::Err>;
}

impl<T, E> Outcome for Result<T, E> {
    type Err = E;

    #[inline]
    fn as_err(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

/// How an attempt ended, as policies record it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The dependency answered.
    Success,
    /// It failed, or a time-out inside ended it.
    Failure,
    /// The user's classifier said that it is neither; or another policy refused it.
    Ignored,
    /// It was dropped before its end.
    Cancelled,
    /// It panicked: a failure.
    Panicked,
}

impl Ending {
    /// Whether it counts against the dependency.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failure | Self::Panicked)
    }
}
