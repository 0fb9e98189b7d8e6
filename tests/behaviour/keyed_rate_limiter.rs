//! A rate limit for each key, in a table of fixed size.

use crate::support::{Act, Dependency, Fault, ms};
use resilient::{EventKind, KeyedRateLimiter, Rate, RateLimiterConfig, subscribe};
use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::time::advance;

/// A token every 100 ms.
const TEN: RateLimiterConfig = RateLimiterConfig::new(Rate::per_second(10));

fn admitted(limiter: &KeyedRateLimiter<str>, key: &str, tries: usize) -> usize {
    (0..tries).filter(|_| limiter.try_acquire(key).is_ok()).count()
}

#[tokio::test(start_paused = true)]
async fn every_key_has_its_own_bucket() {
    static LIMITER: KeyedRateLimiter<str> = KeyedRateLimiter::new(TEN.burst(3).name("clients"));
    assert_eq!(LIMITER.stats_of("a").tokens, 3);
    assert_eq!(LIMITER.stats().keys, 0, "to ask makes no key");
    assert_eq!((admitted(&LIMITER, "a", 10), admitted(&LIMITER, "b", 1)), (3, 1));
    assert_eq!((LIMITER.stats_of("a").tokens, LIMITER.stats_of("b").tokens), (0, 2));
    let error = LIMITER.try_acquire(&String::from("a")).unwrap_err();
    assert_eq!((error.policy(), error.site(), error.retry_after()), ("clients", "", Some(ms(100))));
    advance(ms(100)).await;
    assert_eq!(LIMITER.stats().keys, 1, "a full bucket is none");
    assert_eq!((admitted(&LIMITER, "a", 10), admitted(&LIMITER, "b", 10)), (1, 3));
    let stats = LIMITER.stats();
    assert_eq!((stats.keys, stats.max_keys, stats.evicted, stats.rejected), (2, 10_000, 0, 7 + 1 + 9 + 7));
    assert_eq!((LIMITER.name(), LIMITER.config()), ("clients", TEN.burst(3).name("clients")));
}

#[tokio::test(start_paused = true)]
async fn many_tokens_are_taken_at_once_or_none() {
    let limiter = KeyedRateLimiter::<u64>::new(TEN);
    limiter.try_acquire_many(&1, 7).unwrap();
    assert_eq!(limiter.try_acquire_many(&1, 4).unwrap_err().retry_after(), Some(ms(100)));
    limiter.try_acquire_many(&1, 3).unwrap();
    let error = limiter.try_acquire_many(&1, 11).unwrap_err();
    assert_eq!(error.to_string(), "rate_limited: a cost of 11 can never be admitted by a burst of 10");
    assert!(error.retry_after().is_none());
    limiter.try_acquire_many(&1, 0).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_runs_only_with_a_token_of_its_key() {
    let limiter = KeyedRateLimiter::<str>::new(TEN.burst(1));
    let dependency = Dependency::new([Act::Succeed, Act::Succeed]);
    assert_eq!(limiter.call("a", dependency.run()).await, Ok(1));
    let error = limiter.call("a", || dependency.run()).await.unwrap_err();
    assert_eq!(error.ours().retry_after(), Some(ms(100)));
    assert_eq!(limiter.call("b", || dependency.run()).await, Ok(2));
    // A call that fails has spent its token.
    assert_eq!(limiter.call("c", async { Err::<u32, _>(Fault::BadRequest) }).await, Err(Fault::BadRequest));
    assert_eq!(limiter.stats_of("c").tokens, 0);
}

#[tokio::test(start_paused = true)]
async fn reset_fills_one_bucket_or_all() {
    let limiter = KeyedRateLimiter::<str>::new(TEN);
    for key in ["a", "b", "c"] {
        limiter.try_acquire_many(key, 10).unwrap();
    }
    limiter.reset("a");
    limiter.reset("unknown");
    assert_eq!(["a", "b"].map(|key| limiter.stats_of(key).tokens), [10, 0]);
    limiter.reset_all();
    assert_eq!((limiter.stats_of("b").tokens, limiter.stats().keys), (10, 0));
    assert_eq!(admitted(&limiter, "b", 20), 10);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_event() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&heard);
    let _subscription = subscribe(move |event| {
        if event.policy == "heard" {
            events.lock().unwrap().push(event.clone());
        }
    });
    let limiter = KeyedRateLimiter::<str>::new(TEN.burst(1).name("heard"));
    limiter.try_acquire("a").unwrap();
    let error = limiter.try_acquire("a").unwrap_err();
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 1);
    assert!(matches!(&heard[0].kind, EventKind::Rejected { error: reported, .. } if *reported == error));
}

#[test]
fn what_a_table_can_not_do_is_refused_with_the_way_that_can() {
    type Limiter = KeyedRateLimiter<str>;
    assert_eq!(Limiter::check(&TEN.burst(3).name("x")), Ok(()));
    for config in [TEN.wait(ms(5)), TEN.wait_unbounded(), TEN.initial(0)] {
        let error = Limiter::check(&config).unwrap_err();
        assert!(error.message().contains("use `Keyed<K, RateLimiter>`"), "{error}");
    }
    assert!(Limiter::check(&TEN.burst(0)).is_err());
}

/// rust-peers section 8, no. 8: governor and seatbelt keep every key that ever called.
#[tokio::test(start_paused = true)]
async fn a_flood_of_a_million_keys_stays_within_its_bound() {
    let limiter = KeyedRateLimiter::<u32>::new(RateLimiterConfig::new(Rate::per_second(1)).burst(2));
    for key in 0..1_000_000 {
        limiter.try_acquire(&key).unwrap();
    }
    let stats = limiter.stats();
    // All slots are in use, and all others were forgiven the one token that they had taken.
    assert_eq!(stats.keys, 15_008);
    assert_eq!(stats.keys as u64 + stats.evicted, 1_000_000);
    // Who calls more than others is not forgotten for them.
    limiter.try_acquire_many(&2_000_000, 2).unwrap();
    for key in 3_000_000..3_100_000 {
        limiter.try_acquire(&key).unwrap();
    }
    assert!(limiter.try_acquire(&2_000_000).is_err());
}

/// net-go-infra 8.1, no. 20: a step of the clock lengthened or shortened a limit.
#[test]
fn a_paused_clock_that_steps_back_shuts_no_key_out() {
    fn paused<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(future)
    }
    let limiter = KeyedRateLimiter::<str>::new(TEN);
    paused(async {
        advance(Duration::from_secs(3600)).await;
        assert_eq!(admitted(&limiter, "a", 20), 10);
    });
    paused(async {
        assert_eq!(admitted(&limiter, "a", 20), 0, "and it gains nothing");
        advance(ms(100)).await;
        assert_eq!(admitted(&limiter, "a", 20), 1);
        advance(Duration::from_secs(1)).await;
        assert_eq!(admitted(&limiter, "a", 20), 10);
    });
}

#[test]
fn two_threads_get_no_more_of_a_key_than_one() {
    let limiter = KeyedRateLimiter::<str>::new(RateLimiterConfig::new(Rate::per_second(10_000)).burst(100));
    let (admitted, start) = (AtomicU32::new(0), Barrier::new(2));
    let before = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                while before.elapsed() < ms(200) {
                    admitted.fetch_add(u32::from(limiter.try_acquire("a").is_ok()), Relaxed);
                }
            });
        }
    });
    let most = 100.0 + before.elapsed().as_secs_f64() * 10_000.0;
    let admitted = admitted.into_inner();
    assert!(admitted >= 100 && f64::from(admitted) <= most, "{admitted} of {most}");
}
