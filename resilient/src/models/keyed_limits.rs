//! Buckets of keys that share a table.

use super::*;
use crate::KeyedRateLimiter;

fn limiter(burst: u32, max_keys: u32) -> KeyedRateLimiter<u32> {
    KeyedRateLimiter::new(RateLimiterConfig::new(Rate::per_hour(1)).burst(burst)).max_keys(max_keys)
}

/// A table of one set, in which all slots are taken by keys that lack four tokens of five, and one of them by `key`.
fn with_one_slot_of(key: u32) -> KeyedRateLimiter<u32> {
    let limiter = limiter(5, 1);
    limiter.try_acquire_many(&key, 5).unwrap();
    for other in 100..115 {
        limiter.try_acquire_many(&other, 4).unwrap();
    }
    assert_eq!(limiter.stats().keys, 16);
    limiter
}

/// Tokens that threads took of a key.
#[derive(Default)]
struct Taken(AtomicU32);

impl Taken {
    fn take(&self, limiter: &KeyedRateLimiter<u32>, key: u32, tokens: u32) {
        if limiter.try_acquire_many(&key, tokens).is_ok() {
            self.0.fetch_add(tokens, SeqCst);
        }
    }

    fn sum(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

#[test]
fn first_calls_of_a_key_that_race_share_one_bucket() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let (limiter, taken) = (limiter(3, 10), Taken::default());
        thread::scope(|scope| {
            for tokens in [1, 2, 1, 2] {
                let (limiter, taken) = (&limiter, &taken);
                scope.spawn(move || taken.take(limiter, 7, tokens));
            }
        });
        // As of a bucket that was there before.
        let (given, left) = (taken.sum(), limiter.stats_of(&7).tokens);
        assert!(given + left == 3 && left <= 1, "{given} given, {left} left");
        assert_eq!((limiter.stats().keys, limiter.stats().evicted), (1, 0));
    });
}

#[test]
fn first_calls_of_keys_that_race_have_a_slot_each() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let limiter = limiter(3, 1);
        thread::scope(|scope| {
            for key in [1, 2, 3, 1] {
                let limiter = &limiter;
                scope.spawn(move || limiter.try_acquire(&key).unwrap());
            }
        });
        assert_eq!([1, 2, 3].map(|key| limiter.stats_of(&key).tokens), [1, 2, 2]);
        assert_eq!((limiter.stats().keys, limiter.stats().evicted), (3, 0));
    });
}

/// The only slot that is free is that of a key which calls while a new one takes it.
#[test]
fn nobody_pays_for_the_key_whose_slot_it_takes() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let limiter = limiter(5, 1);
        limiter.try_acquire(&1).unwrap();
        clock.advance(3_600_001);
        for other in 100..115 {
            limiter.try_acquire_many(&other, 4).unwrap();
        }
        let [old, new] = [(); 2].map(|()| Taken::default());
        thread::scope(|scope| {
            scope.spawn(|| old.take(&limiter, 1, 2));
            scope.spawn(|| old.take(&limiter, 1, 1));
            scope.spawn(|| {
                new.take(&limiter, 2, 2);
                new.take(&limiter, 2, 1);
            });
        });
        let held = [1, 2].map(|key| limiter.stats_of(&key).tokens);
        assert_eq!([old.sum(), new.sum()], [3, 3], "nobody is refused");
        assert!(held[0] >= 2 && held[1] >= 2, "{held:?}");
        // Whoever came second took the place of the other, which lacked the least.
        let stats = limiter.stats();
        assert_eq!(stats.keys, 16);
        assert!(stats.evicted > 0 && held.contains(&5), "{held:?} {stats:?}");
    });
}

/// There is one more slot than keys, so that whoever comes second finds another.
#[test]
fn a_key_whose_slot_was_taken_has_its_whole_limit_in_another() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let limiter = limiter(5, 1);
        limiter.try_acquire(&1).unwrap();
        clock.advance(3_600_001);
        for other in 100..114 {
            limiter.try_acquire_many(&other, 4).unwrap();
        }
        let [old, new] = [(); 2].map(|()| Taken::default());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| old.take(&limiter, 1, 3));
                scope.spawn(|| new.take(&limiter, 2, 3));
            }
        });
        assert_eq!([old.sum(), new.sum()], [3, 3]);
        assert_eq!([1, 2].map(|key| limiter.stats_of(&key).tokens), [2, 2]);
        assert_eq!((limiter.stats().keys, limiter.stats().evicted), (16, 0));
    });
}

#[test]
fn a_key_that_is_evicted_while_it_calls_gets_a_full_bucket_and_no_more() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let limiter = with_one_slot_of(1);
        // Lacks the least from here on.
        limiter.reset(&1);
        limiter.try_acquire_many(&1, 2).unwrap();
        let [old, new] = [(); 2].map(|()| Taken::default());
        thread::scope(|scope| {
            scope.spawn(|| old.take(&limiter, 1, 1));
            scope.spawn(|| old.take(&limiter, 1, 1));
            scope.spawn(|| new.take(&limiter, 2, 5));
        });
        assert_eq!([old.sum(), new.sum()], [2, 5]);
        let held = [1, 2].map(|key| limiter.stats_of(&key).tokens);
        // Nobody lacks more than the new one, so it stays.
        assert!((1..=5).contains(&held[0]) && held[1] == 0, "{held:?}");
        let stats = limiter.stats();
        assert_eq!(stats.keys, 16);
        assert!((1..=2).contains(&stats.evicted), "{stats:?}");
    });
}

#[test]
fn a_bucket_that_is_filled_while_calls_take_of_it_is_filled_before_or_after_each() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let (limiter, taken) = (limiter(4, 10), Taken::default());
        limiter.try_acquire_many(&7, 4).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| taken.take(&limiter, 7, 1));
            scope.spawn(|| limiter.reset(&7));
            scope.spawn(|| taken.take(&limiter, 7, 2));
        });
        assert_eq!(limiter.stats_of(&7).tokens, 4 - taken.sum());
        assert_eq!(limiter.stats().rejected, 2 - u64::from(taken.sum() & 1) - u64::from(taken.sum() >> 1));
    });
}
