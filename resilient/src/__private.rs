//! Everything that expansions may name, and nothing else. Not for other use: it changes without notice.

pub use crate::{
    call::{
        Call, Step, begin,
        bulkhead::BulkheadLayer,
        circuit_breaker::CircuitBreakerLayer,
        convert::{Nothing, WhenWanted, by_from, by_path, mapping},
        fallback::FallbackLayer,
        handle::{Borrowed, Shared},
        judge::{by_view, errors, failure_if, ignore_if, unless, when, when_unless},
        layer::{End, on},
        rate_limiter::RateLimiterLayer,
        retry::RetryLayer,
        shape::{NoArgs, NoSelf, by_reference, by_value, path, ready, still_failed, taken},
        timeout::TimeoutLayer,
        view::{Of, PlainView, SeePlain, SeeResult, SeeText},
    },
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
pub use std::sync::Arc;

/// The rules of single arguments, for constant expressions: a panic in a const context is an error at the token.
pub mod check {
    pub use crate::check::demanded::*;
    use crate::{Jitter, Window};

    #[track_caller]
    pub const fn window(window: Window) {
        crate::error::demand(window.check());
    }

    #[track_caller]
    pub const fn jitter(jitter: Jitter) {
        crate::error::demand(jitter.check());
    }

    pub const fn initial(_: u32) {}
}

/// A constant expression that may be of several types: each has its own inherent methods, which a const can call.
#[derive(Debug)]
pub struct Value<T>(pub T);

impl Value<u32> {
    #[must_use]
    pub const fn window(self) -> crate::Window {
        crate::Window::Calls(self.0)
    }
}

impl Value<Duration> {
    #[must_use]
    pub const fn window(self) -> crate::Window {
        crate::Window::Time(self.0)
    }

    pub const fn backoff(self) -> crate::Backoff {
        crate::Backoff::constant(self.0)
    }
}

impl Value<crate::Window> {
    #[must_use]
    pub const fn window(self) -> crate::Window {
        self.0
    }
}

impl Value<crate::Backoff> {
    pub const fn backoff(self) -> crate::Backoff {
        self.0
    }
}
