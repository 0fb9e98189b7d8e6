//! Constant expressions by their types: each that fits has an inherent method, which a const can call.

use super::check;
use crate::{Backoff, Rate, RetryConfig, Window, error::demand};
use std::{ops::Deref, time::Duration};

/// A constant expression where users also write a policy. For a type that does not fit, rustc finds the method behind the
/// `Deref`, whose bound says what is wrong.
#[derive(Debug)]
pub struct Constant<T>(pub T);

/// A constant expression of a type that does not fit.
#[derive(Debug)]
pub struct Misfit<T>(T);

impl<T> Deref for Constant<T> {
    type Target = Misfit<T>;

    fn deref(&self) -> &Misfit<T> {
        unreachable!("rustc has refused the type")
    }
}

/// What `#[rate_limited]` takes.
#[diagnostic::on_unimplemented(
    message = "expected a `resilient::Rate`, found `{Self}`",
    label = "not a `Rate`",
    note = "a policy to share is given as `#[rate_limited(policy = ..)]`"
)]
pub trait IsRate {}

/// What `#[timeout]` takes.
#[diagnostic::on_unimplemented(
    message = "expected a `Duration`, found `{Self}`",
    label = "not a `Duration`",
    note = "a policy to share is given as `#[timeout(policy = ..)]`"
)]
pub trait IsDuration {}

/// What `#[bulkhead]` takes.
#[diagnostic::on_unimplemented(
    message = "expected a number of calls as `u32`, found `{Self}`",
    label = "not a `u32`",
    note = "a policy to share is given as `#[bulkhead(policy = ..)]`"
)]
pub trait IsCount {}

#[diagnostic::do_not_recommend]
impl IsRate for Rate {}
#[diagnostic::do_not_recommend]
impl IsDuration for Duration {}
#[diagnostic::do_not_recommend]
impl IsCount for u32 {}

#[expect(clippy::unused_self, reason = "never called: only their bounds matter")]
impl<T> Misfit<T> {
    pub const fn rate(&self) -> Rate
    where
        T: IsRate,
    {
        unreachable!()
    }

    pub const fn timeout(&self) -> Duration
    where
        T: IsDuration,
    {
        unreachable!()
    }

    pub const fn max(&self) -> u32
    where
        T: IsCount,
    {
        unreachable!()
    }
}

impl Constant<Rate> {
    #[must_use]
    pub const fn rate(self) -> Rate {
        self.0
    }
}

impl Constant<Duration> {
    #[must_use]
    pub const fn timeout(self) -> Duration {
        self.0
    }
}

impl Constant<u32> {
    #[must_use]
    pub const fn max(self) -> u32 {
        self.0
    }
}

/// A constant expression that is one of several types. The name is what rustc shows for any other.
#[derive(Debug)]
pub struct CallsOrDuration<T>(pub T);

impl CallsOrDuration<u32> {
    #[must_use]
    pub const fn window(self) -> Window {
        Window::Calls(self.0)
    }
}

impl CallsOrDuration<Duration> {
    #[must_use]
    pub const fn window(self) -> Window {
        Window::Time(self.0)
    }
}

impl CallsOrDuration<Window> {
    #[must_use]
    pub const fn window(self) -> Window {
        self.0
    }
}

/// The same for pauses.
#[derive(Debug)]
pub struct DurationOrBackoff<T>(pub T);

impl DurationOrBackoff<Duration> {
    #[track_caller]
    pub const fn backoff(self) -> Backoff {
        check::backoff(self.0);
        Backoff::constant(self.0)
    }
}

impl DurationOrBackoff<Backoff> {
    #[track_caller]
    pub const fn backoff(self) -> Backoff {
        demand(RetryConfig::new().backoff(self.0).check());
        self.0
    }
}
