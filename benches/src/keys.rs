//! What a new key costs where the map is full: `cargo run --release -p resilient-benches keys`.

use resilient::{CircuitBreaker, CircuitBreakerConfig, Keyed};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const CONFIG: CircuitBreakerConfig = CircuitBreakerConfig::new().failures(1).open_for(Duration::from_secs(3600));
const FULL: u64 = 10_000;
const NEW: u64 = 100_000;

/// With so many of the instances open, which are kept; in any order.
fn miss(open: u64) {
    let keyed: Keyed<u64, CircuitBreaker> = Keyed::new(CONFIG.checked());
    for key in 0..FULL {
        let permit = keyed
            .get(&key)
            .try_acquire()
            .map(|permit| if key * 7919 % FULL < open { permit.failure() } else { permit.success() });
        black_box(permit.is_ok());
    }
    let (mut longest, start) = (Duration::ZERO, Instant::now());
    for key in FULL..FULL + NEW {
        let one = Instant::now();
        black_box(keyed.get(&key));
        longest = longest.max(one.elapsed());
    }
    let each = start.elapsed().as_secs_f64() * 1e9 / NEW as f64;
    let stats = keyed.stats();
    println!(
        "{open:>6} open: {each:>9.0} ns, at most {longest:>8.0?}; evicted {}, unstored {}",
        stats.evicted, stats.unstored
    );
}

pub(crate) fn time_all() {
    println!("a new key among {FULL}:");
    [0, 5000, 9000, 9900, 9990, 9999, 10_000].into_iter().for_each(miss);
}
