//! Everything that expansions may name, and nothing else. Not for other use: it changes without notice.

mod constant;
mod cost;
mod key;

pub use self::{
    constant::{CallsOrDuration, Constant, DurationOrBackoff},
    cost::cost,
    key::{
        Labelled, OwnBorrowed, OwnByClone, SeeDisplay, SeeNothing, asking, checked, keyed, keyed_elsewhere, label,
        named, rated,
    },
};
pub use crate::{
    call::{
        Call, Step, begin,
        bulkhead::BulkheadLayer,
        circuit_breaker::CircuitBreakerLayer,
        convert::{ByFrom, Nothing, by_from, by_path, converting, mapping, supplied},
        fallback::{Always, Asking, FallbackLayer},
        follow::{charge, charging, delay_hint, hinting, measuring},
        handle::{Alias, Borrowed, Shared, counted},
        judge::{by_view, errors, failure_if, ignore_if, judging, unless, when, when_unless},
        layer::{End, on},
        rate_limiter::RateLimiterLayer,
        rate_slots::RateSlotsLayer,
        ready::{given, ready},
        retry::RetryLayer,
        shape::{NoArgs, NoSelf, by_reference, by_value, path, still_failed, taken},
        timeout::TimeoutLayer,
        view::{Of, PlainView, SeePlain, SeeResult, SeeText},
    },
    outcome::Ending,
    policy::{
        keyed::Keys,
        rate_limiter::{RateSlots, SlotKey},
    },
    priority::Priority,
    registry::{Site, SitePolicy},
};
pub use core::{
    concat, file, line, module_path,
    option::Option::{self, Some},
    pin::pin,
    primitive::u32,
    result::Result::{Err, Ok},
    time::Duration,
};

/// The rules of single arguments, for constant expressions: a panic in a const context is an error at the token.
pub mod check {
    pub use crate::check::demanded::*;
    use crate::{Jitter, Window};
    use std::time::Duration;

    #[track_caller]
    pub const fn window(window: Window) {
        crate::error::demand(window.check());
    }

    /// Both ends: one item of the expansion checks them together.
    #[track_caller]
    pub const fn open_for_range(ends: [Duration; 2]) {
        crate::CircuitBreakerConfig::new().open_for_range(ends[0]..=ends[1]).assert();
    }

    #[track_caller]
    pub const fn jitter(jitter: Jitter) {
        crate::error::demand(jitter.check());
    }

    pub const fn initial(_: u32) {}

    pub const fn mode(_: crate::Mode) {}

    pub const fn order(_: crate::Order) {}
}
