//! Rate limiters beside those of others: `cargo run --release -p resilient-benches limiters`.

mod accuracy;
mod contest;
mod keyed;
mod peers;

use contest::{Contest, Entry};
use governor::Quota;
use resilient::{KeyedRateLimiter, Rate, RateLimiter, RateLimiterConfig};
use std::{hint::black_box, num::NonZeroU32};

const FAST: NonZeroU32 = NonZeroU32::new(1_000_000_000).unwrap();
const ONE: NonZeroU32 = NonZeroU32::MIN;

/// Never refuses a loop.
fn fast() -> RateLimiterConfig {
    RateLimiterConfig::new(Rate::per_second(FAST.get()))
}

/// Refuses all but the first.
fn slow() -> RateLimiterConfig {
    RateLimiterConfig::new(Rate::per_hour(1)).burst(1)
}

/// One limiter, asked again and again.
fn single(name: &'static str, refuses: bool) -> Contest {
    let (config, quota) = if refuses { (slow(), Quota::per_hour(ONE)) } else { (fast(), Quota::per_second(FAST)) };
    let ours = RateLimiter::new(config);
    let keyed: KeyedRateLimiter<u64> = KeyedRateLimiter::new(config);
    Contest::new(name)
        .with("ours", Entry::repeating(move || ours.try_acquire().is_ok(), refuses))
        .with("ours, keyed", Entry::repeating(move || keyed.try_acquire(black_box(&7)).is_ok(), refuses))
        .with("governor", Entry::repeating(peers::governor(quota), refuses))
        .with("governor, std clock", Entry::repeating(peers::governor_by_std(quota), refuses))
        .with("leaky-bucket", Entry::repeating(peers::leaky_bucket(refuses), refuses))
        .with("ratelimit", Entry::repeating(peers::ratelimit(refuses), refuses))
}

/// A bucket that is full again before the coarse clock ticks: every call reads the precise one.
fn brief() -> Contest {
    let burst = NonZeroU32::new(1000).unwrap();
    let config = RateLimiterConfig::new(Rate::per_second(100_000_000)).burst(burst.get());
    let ours = RateLimiter::new(config);
    let keyed: KeyedRateLimiter<u64> = KeyedRateLimiter::new(config);
    let quota = Quota::per_second(NonZeroU32::new(100_000_000).unwrap()).allow_burst(burst);
    Contest::new("admitted, bucket of 10 us")
        .with("ours", Entry::repeating(move || ours.try_acquire().is_ok(), false))
        .with("ours, keyed", Entry::repeating(move || keyed.try_acquire(black_box(&7)).is_ok(), false))
        .with("governor", Entry::repeating(peers::governor(quota), false))
        .with("governor, std clock", Entry::repeating(peers::governor_by_std(quota), false))
}

/// All of them.
pub(crate) fn time_all() {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(101);
    contest::print_header();
    for contest in [single("admitted", false), brief(), single("refused", true)] {
        contest.print(rounds);
    }
    println!();
    keyed::time_all(rounds);
    println!();
    accuracy::print();
    println!();
    print_sizes();
}

fn print_sizes() {
    println!("| bytes | one limiter |");
    println!("|---|---|");
    println!("| ours | {} |", size_of::<RateLimiter>());
    println!("| ours, keyed, before the first call | {} |", size_of::<KeyedRateLimiter<u64>>());
    peers::print_sizes();
}

/// One run of a case, for its instructions.
pub(crate) fn count(name: &str, calls: u64) -> bool {
    let (kind, who) = name.split_once('_').unwrap_or((name, "ours"));
    let contest = match kind {
        "admitted" => single("admitted", false),
        "refused" => single("refused", true),
        _ => return false,
    };
    contest.count(&who.replace('_', ", "), calls)
}
