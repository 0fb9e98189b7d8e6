//! The policies. Each is a pure state machine in a thin shell; none imports another.

pub mod bulkhead;
pub mod circuit_breaker;
pub mod fallback;
pub mod permit;
pub mod rate_limiter;
pub mod retry;
pub mod timeout;
