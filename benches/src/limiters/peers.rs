//! The limiters of others.

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::MonotonicClock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use std::time::{Duration, Instant};

type ByStd = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<Instant>>;

pub(super) fn governor(quota: Quota) -> impl Fn() -> bool + Sync {
    let limiter = RateLimiter::direct(quota);
    move || limiter.check().is_ok()
}

pub(super) fn governor_by_std(quota: Quota) -> impl Fn() -> bool {
    let limiter: ByStd = RateLimiter::direct_with_clock(quota, MonotonicClock);
    move || limiter.check().is_ok()
}

pub(super) fn leaky_bucket(refuses: bool) -> impl Fn() -> bool {
    let mut builder = leaky_bucket::RateLimiter::builder();
    let limiter = if refuses {
        builder.initial(0).max(1).refill(1).interval(Duration::from_secs(3600)).build()
    } else {
        builder.initial(1 << 40).max(1 << 40).refill(1_000_000).interval(Duration::from_millis(1)).build()
    };
    move || limiter.try_acquire(1)
}

pub(super) fn ratelimit(refuses: bool) -> impl Fn() -> bool {
    // Its unit is a second: the burst is what it starts with.
    let builder = ratelimit::Ratelimiter::builder(if refuses { 1 } else { 1_000_000_000 });
    let limiter = if refuses { builder.max_tokens(1).initial_available(0) } else { builder };
    let limiter = limiter.build().unwrap();
    move || limiter.try_wait().is_ok()
}

pub(super) fn print_sizes() {
    println!("| governor | {} |", size_of::<DefaultDirectRateLimiter>());
    println!("| governor, std clock | {} |", size_of::<ByStd>());
    println!("| leaky-bucket | {} |", size_of::<leaky_bucket::RateLimiter>());
    println!("| ratelimit | {} |", size_of::<ratelimit::Ratelimiter>());
}
