//! Every sort of fn that the attributes accept, run on the paused clock.

#![allow(
    clippy::needless_arbitrary_self_type,
    clippy::needless_borrowed_reference,
    clippy::needless_pass_by_value,
    clippy::redundant_closure,
    clippy::redundant_closure_for_method_calls,
    clippy::too_many_arguments,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "shapes of fns and closures are what is tested, needed or not"
)]

mod async_traits;
mod bulkhead;
mod circuit_breaker;
mod errors;
mod expressions;
mod fallback_arguments;
mod fallbacks;
mod generics;
mod issues;
mod neighbours;
mod policies;
mod receivers;
mod support;
mod traits;
