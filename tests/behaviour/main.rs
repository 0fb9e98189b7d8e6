//! What the policies do, on the paused clock.

#![allow(clippy::items_after_statements, reason = "a site stands beside what is said of it")]

mod bulkhead;
mod by_hand;
mod cancel;
mod circuit_breaker;
mod clock;
mod events;
mod fallback;
mod issues;
mod keyed_rate_limiter;
mod nested;
mod panics;
mod rate_limited;
mod registry;
mod retry;
mod scenarios;
mod stacks;
mod support;
mod throttle;
mod timeout;
