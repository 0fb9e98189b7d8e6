//! What a limiter learns from the attempts that it let through.

use super::{
    env::Hot,
    layer::Seen,
    view::{Fallible, View},
};
use crate::{
    event::Caller,
    policy::rate_limiter::RateLimiter,
    time::{Nanos, coarse},
};
use std::time::Duration;

/// Sees how attempts end.
pub trait Follow<R> {
    /// One begins.
    fn begin(&mut self, limiter: &RateLimiter);

    /// It ended, and had cost so many tokens.
    fn end(&self, limiter: &RateLimiter, cost: u32, ended: Seen<'_, R>, hot: Hot, caller: Following);
}

/// On whose behalf.
#[derive(Clone, Copy)]
pub struct Following(pub(super) Caller);

impl<R> Follow<R> for () {
    #[inline(always)]
    fn begin(&mut self, _: &RateLimiter) {}

    #[inline(always)]
    fn end(&self, _: &RateLimiter, _: u32, _: Seen<'_, R>, _: Hot, _: Following) {}
}

/// Both.
impl<R, A: Follow<R>, B: Follow<R>> Follow<R> for (A, B) {
    #[inline]
    fn begin(&mut self, limiter: &RateLimiter) {
        self.0.begin(limiter);
        self.1.begin(limiter);
    }

    #[inline]
    fn end(&self, limiter: &RateLimiter, cost: u32, ended: Seen<'_, R>, hot: Hot, caller: Following) {
        self.0.end(limiter, cost, ended, hot, caller);
        self.1.end(limiter, cost, ended, hot, caller);
    }
}

/// What the call really cost, where it succeeded.
pub struct Charging<F>(F);

/// Tells the type of a closure's parameter.
pub const fn charging<R, F: Fn(&R) -> Option<u32>>(charge: F) -> Charging<F> {
    Charging(charge)
}

impl<R, F: Fn(&R) -> Option<u32>> Follow<R> for Charging<F> {
    #[inline]
    fn begin(&mut self, _: &RateLimiter) {}

    fn end(&self, limiter: &RateLimiter, said: u32, ended: Seen<'_, R>, _: Hot, _: Following) {
        if let Some(cost) = ended.ok().and_then(&self.0) {
            limiter.correct(said, cost);
        }
    }
}

/// How long the dependency wants to be left alone, where it said so.
pub struct Hinting<V, F> {
    view: V,
    hint: F,
}

/// Tells the types of a closure's parameters.
pub const fn hinting<R, V: View<R>, F: Fn(&R, V) -> Option<Duration>>(view: V, hint: F) -> Hinting<V, F> {
    Hinting { view, hint }
}

impl<R, V: View<R>, F: Fn(&R, V) -> Option<Duration>> Follow<R> for Hinting<V, F> {
    #[inline]
    fn begin(&mut self, _: &RateLimiter) {}

    fn end(&self, limiter: &RateLimiter, _: u32, ended: Seen<'_, R>, hot: Hot, _: Following) {
        if hot.rejected_inside {
            return;
        }
        if let Some(time) = ended.ok().and_then(|output| (self.hint)(output, self.view)) {
            limiter.hold_for(time);
        }
    }
}

/// How well the dependency is, by failures and latency, where the limiter wants to know.
pub struct Measuring<V> {
    view: V,
    /// 0 where nobody asks.
    began: Nanos,
}

/// Measures what the view sees.
pub const fn measuring<V>(view: V) -> Measuring<V> {
    Measuring { view, began: 0 }
}

impl<R, V: View<R>> Follow<R> for Measuring<V> {
    #[inline]
    fn begin(&mut self, limiter: &RateLimiter) {
        if limiter.is_adaptive() {
            self.began = coarse().max(1);
        }
    }

    fn end(&self, limiter: &RateLimiter, _: u32, ended: Seen<'_, R>, hot: Hot, caller: Following) {
        if self.began == 0 {
            return;
        }
        let failed = match ended {
            Ok(_) if hot.rejected_inside => return,
            Ok(output) => self.view.is_err(output),
            Err(error) if error.is_rejection() => return,
            Err(_) => true,
        };
        limiter.record(caller.0, failed, coarse().saturating_sub(self.began));
    }
}

/// An unsigned integer.
#[diagnostic::on_unimplemented(
    message = "a cost is an unsigned integer, and this is `{Self}`",
    label = "no `u8`, `u16`, `u32`, `u64`, `u128` or `usize`"
)]
pub trait Unsigned: Copy {
    /// As a number of tokens. One too large is more than any bucket holds, as `u32::MAX` is.
    fn saturate(self) -> u32;
}

macro_rules! unsigned {
    ($($Type:ty)*) => {
        $(impl Unsigned for $Type {
            #[inline]
            fn saturate(self) -> u32 {
                u32::try_from(self).unwrap_or(u32::MAX)
            }
        })*
    };
}

unsigned!(u8 u16 u32 u64 u128 usize);

/// A fn over what a successful call gave.
#[diagnostic::on_unimplemented(
    message = "`charge` is a `fn(&{T}) -> u32`, and this is `{Self}`",
    label = "no `fn(&{T}) -> u32`",
    note = "it sees what the fn returned in `Ok`, and says what the call cost: any unsigned integer"
)]
pub trait Charge<T> {
    /// What it cost.
    fn cost(self, value: &T) -> u32;
}

#[diagnostic::do_not_recommend]
impl<T, N: Unsigned, F: FnOnce(&T) -> N> Charge<T> for F {
    #[inline]
    fn cost(self, value: &T) -> u32 {
        self(value).saturate()
    }
}

/// What `charge` says of a success.
pub fn charge<T, E, C: Charge<T>>(output: &Result<T, E>, charge: C) -> Option<u32>
where
    Result<T, E>: Fallible,
{
    output.as_ref().ok().map(|value| charge.cost(value))
}

/// A fn over an error.
#[diagnostic::on_unimplemented(
    message = "`delay_hint` is a `fn(&{E}) -> Option<Duration>`, and this is `{Self}`",
    label = "no `fn(&{E}) -> Option<Duration>`",
    note = "it sees the error, and says how long the server wants to be left alone, if it does"
)]
pub trait Hint<E> {
    /// How long.
    fn hint(self, error: &E) -> Option<Duration>;
}

#[diagnostic::do_not_recommend]
impl<E, F: FnOnce(&E) -> Option<Duration>> Hint<E> for F {
    #[inline]
    fn hint(self, error: &E) -> Option<Duration> {
        self(error)
    }
}

/// What `hint` says of an error.
pub fn delay_hint<R, V, H>(output: &R, view: V, hint: H) -> Option<Duration>
where
    R: Fallible,
    V: View<R>,
    H: Hint<V::Error>,
{
    view.as_err(output).and_then(|error| hint.hint(error))
}
