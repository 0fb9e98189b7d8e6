//! Limits of many keys, in random order.

use super::{
    FAST, ONE,
    contest::{self, Contest, Entry},
    fast, slow,
};
use allocation_counter::measure;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use resilient::KeyedRateLimiter;
use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Calls of keys in random order, each about as often as the others; and each key once.
struct Keys<K> {
    calls: Vec<K>,
    each: Vec<K>,
    /// Where the next run begins.
    at: AtomicUsize,
}

impl<K> Keys<K> {
    fn new(count: u32, make: impl Fn(u32) -> K) -> Arc<Self> {
        let mut random = fastrand::Rng::with_seed(7);
        // As they come with requests: one that is looked up is at hand.
        let calls = (0..1 << 20).map(|_| make(random.u32(0..count))).collect();
        Arc::new(Self { calls, each: (0..count).map(make).collect(), at: AtomicUsize::new(0) })
    }

    fn sum(&self, calls: u64, call: impl Fn(&K) -> bool) -> u64 {
        let at = self.at.fetch_add(calls as usize, Relaxed) % self.calls.len();
        let keys = self.calls[at..].iter().chain(&self.calls);
        keys.take(calls as usize).map(|key| u64::from(call(key))).sum()
    }
}

pub(super) fn time_all(rounds: usize) {
    contest::print_header();
    let mut memory = Vec::new();
    for count in [1, 1_000, 100_000, 1_000_000] {
        memory.push(row(rounds, count, "u64", |index| u64::from(index) * 0x9E37_79B9));
        memory.push(row(rounds, count, "String", |index| format!("customer-{index:08}")));
    }
    refused().print(rounds);
    println!("\n| bytes per key | ours | governor | allocations per decision of a known key: ours | governor |");
    println!("|---|---|---|---|---|");
    println!("{}", memory.join("\n"));
}

/// A thousand keys that have nothing left.
fn refused() -> Contest {
    let keys = Keys::new(1000, u64::from);
    // With room for all of them: one in a hundred of those that fill it finds its set full.
    let ours: KeyedRateLimiter<u64> = KeyedRateLimiter::new(slow()).max_keys(2000);
    let theirs: DefaultKeyedRateLimiter<u64> = RateLimiter::keyed(Quota::per_hour(ONE));
    keys.each.iter().for_each(|key| assert!(ours.try_acquire(key).is_ok() && theirs.check_key(key).is_ok()));
    let (for_ours, for_theirs) = (Arc::clone(&keys), keys);
    Contest::new("1000 keys of u64, refused")
        .with("ours, keyed", Entry::new(move |calls| for_ours.sum(calls, |key| ours.try_acquire(key).is_ok()), true))
        .with("governor", Entry::new(move |calls| for_theirs.sum(calls, |key| theirs.check_key(key).is_ok()), true))
}

fn row<K>(rounds: usize, count: u32, of: &str, make: impl Fn(u32) -> K) -> String
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
{
    let keys = Keys::new(count, make);
    let ours: KeyedRateLimiter<K> = KeyedRateLimiter::new(fast()).max_keys(count);
    let theirs: DefaultKeyedRateLimiter<K> = RateLimiter::keyed(Quota::per_second(FAST));
    let first = |call: &dyn Fn(&K) -> bool| {
        let info = measure(|| assert!(keys.each.iter().all(call)));
        info.bytes_current as f64 / f64::from(count)
    };
    let bytes = [first(&|key| ours.try_acquire(key).is_ok()), first(&|key| theirs.check_key(key).is_ok())];
    let again = |call: &dyn Fn(&K) -> bool| measure(|| assert!(keys.each.iter().take(1000).all(call))).count_total;
    let allocations = [again(&|key| ours.try_acquire(key).is_ok()), again(&|key| theirs.check_key(key).is_ok())];
    let (for_ours, for_theirs) = (Arc::clone(&keys), keys);
    Contest::new(format!("{count} keys of {of}"))
        .with("ours, keyed", Entry::new(move |calls| for_ours.sum(calls, |key| ours.try_acquire(key).is_ok()), false))
        .with("governor", Entry::new(move |calls| for_theirs.sum(calls, |key| theirs.check_key(key).is_ok()), false))
        .print(rounds);
    format!(
        "| {count} of {of} | {:.1} | {:.1} | {} | {} |",
        bytes[0],
        bytes[1],
        allocations[0] as f64 / f64::from(count.min(1000)),
        allocations[1] as f64 / f64::from(count.min(1000))
    )
}
