#![doc = include_str!("../README.md")]

extern crate self as resilient;

mod background;
mod brief;
mod call;
mod cause;
mod check;
mod error;
mod event;
mod mark;
#[cfg(all(test, shuttle))]
mod models;
mod outcome;
mod policy;
mod priority;
mod queue;
mod rate;
mod ratio;
mod registry;
mod stats;
mod sync;
mod throttle;
mod time;

#[doc(hidden)]
pub mod __private;

pub use call::by_hand::Operation;
pub use cause::Cause;
pub use error::{ConfigError, Error};
pub use event::{Event, EventKind, StopReason, Subscription, subscribe};
pub use outcome::{Ending, Outcome};
pub use policy::{
    bulkhead::{Bulkhead, BulkheadConfig, BulkheadStats},
    circuit_breaker::{
        CircuitBreaker, CircuitBreakerConfig, CircuitBreakerStats, CircuitBreakerTotals, CircuitState, HealthCheck,
        LastChange, TimeInStates, Window,
    },
    fallback::{Fallback, FallbackStats},
    keyed::{Checking, Instance, KeyError, KeyOf, Keyed, KeyedStats, Keys},
    mode::Mode,
    owned_permit::OwnedPermit,
    permit::{Admit, Permit},
    rate_limiter::{
        Algorithm, KeyedRateLimiter, KeyedRateLimiterStats, KeyedTokens, RateLimiter, RateLimiterConfig,
        RateLimiterStats, RateSlots, Standing,
    },
    retry::{Backoff, Jitter, Retry, RetryConfig, RetryStats},
    timeout::{Timeout, TimeoutConfig, TimeoutStats},
};
pub use priority::Priority;
pub use queue::Order;
pub use rate::Rate;
pub use ratio::Ratio;
pub use registry::{NotFound, Registry, Site, SitePolicy, registry};
#[cfg(feature = "macros")]
pub use resilient_macros::{bulkhead, circuit_breaker, fallback, rate_limited, resilient, retry, timeout};
pub use stats::{Latency, SiteStats};
pub use throttle::{Pass, Passing, Throttle, Unthrottled};
