//! Everything that expansions may name, and nothing else. Not for other use: it changes without notice.

pub use crate::{
    call::{
        Call, Step, begin,
        bulkhead::BulkheadLayer,
        circuit_breaker::CircuitBreakerLayer,
        convert::{ByFrom, Nothing, by_from, by_path, converting, mapping, supplied},
        fallback::{Always, Asking, FallbackLayer},
        handle::{Alias, Borrowed, Shared, counted},
        judge::{by_view, errors, failure_if, ignore_if, judging, unless, when, when_unless},
        layer::{End, on},
        rate_limiter::RateLimiterLayer,
        retry::RetryLayer,
        shape::{NoArgs, NoSelf, by_reference, by_value, path, ready, still_failed, taken},
        timeout::TimeoutLayer,
        view::{Of, PlainView, SeePlain, SeeResult, SeeText},
    },
    outcome::Ending,
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

/// A constant expression that may be of several types: each has its own inherent method, which a const can call. The
/// name is what rustc shows for any other type.
#[derive(Debug)]
pub struct CallsOrDuration<T>(pub T);

impl CallsOrDuration<u32> {
    #[must_use]
    pub const fn window(self) -> crate::Window {
        crate::Window::Calls(self.0)
    }
}

impl CallsOrDuration<Duration> {
    #[must_use]
    pub const fn window(self) -> crate::Window {
        crate::Window::Time(self.0)
    }
}

impl CallsOrDuration<crate::Window> {
    #[must_use]
    pub const fn window(self) -> crate::Window {
        self.0
    }
}

/// The same for pauses.
#[derive(Debug)]
pub struct DurationOrBackoff<T>(pub T);

impl DurationOrBackoff<Duration> {
    #[track_caller]
    pub const fn backoff(self) -> crate::Backoff {
        check::backoff(self.0);
        crate::Backoff::constant(self.0)
    }
}

impl DurationOrBackoff<crate::Backoff> {
    #[track_caller]
    pub const fn backoff(self) -> crate::Backoff {
        crate::error::demand(crate::RetryConfig::new().backoff(self.0).check());
        self.0
    }
}
