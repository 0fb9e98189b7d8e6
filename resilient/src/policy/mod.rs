//! The policies. Each is a pure state machine in a thin shell; none imports another.

pub(crate) mod bulkhead;
pub(crate) mod circuit_breaker;
pub(crate) mod fallback;
pub(crate) mod keyed;
pub(crate) mod mode;
pub(crate) mod owned_permit;
pub(crate) mod permit;
pub(crate) mod rate_limiter;
pub(crate) mod retry;
pub(crate) mod timeout;
