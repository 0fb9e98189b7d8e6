//! Defects that bulkheads elsewhere have, or had: ours has none of them.

use crate::support::{Act, Dependency, Fault, cut, ms, poll_once, settle};
use resilient::{
    Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, Keyed, Rate, RateLimiter, RateLimiterConfig,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};
use tokio::time::{Instant, sleep};

/// failsafe-go's budgets look first and count later, so that several get in at once.
#[test]
fn a_look_and_what_follows_from_it_are_one_step() {
    let places = Bulkhead::new(BulkheadConfig::new(2));
    let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    if let Ok(place) = places.try_acquire() {
                        most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                        inside.fetch_sub(1, SeqCst);
                        place.success();
                    }
                }
            });
        }
    });
    assert!(most.into_inner() <= 2);
    let stats = places.stats();
    assert_eq!((stats.in_use, stats.admitted + stats.rejected), (0, 40_000));
}

/// cockatiel #112: the place of a waiter that was aborted went to nobody.
#[tokio::test(start_paused = true)]
async fn an_aborted_waiter_does_not_starve_the_queue() {
    let places: &'static Bulkhead =
        Box::leak(Box::new(Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue(9))));
    let held = places.try_acquire().unwrap();
    let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(places.acquire())).collect();
    settle().await;
    tasks[0].abort();
    tasks[2].abort();
    settle().await;
    held.success();
    // Handed a place, and aborted before it ran again.
    tasks[1].abort();
    let mut served = 0;
    for task in tasks {
        served += u32::from(task.await.is_ok());
    }
    assert_eq!(served, 1);
    assert_eq!((places.available(), places.stats().waiting), (1, 0));
}

/// Envoy #46532 and #38338: a floor that was measured in a good or a bad moment, and is never left again.
#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_at_its_floor_recovers() {
    let places = Arc::new(Bulkhead::new(BulkheadConfig::adaptive(5..=100).wait_unbounded().queue_unbounded()));
    let took = Arc::new(AtomicU32::new(1));
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (places, took) = (Arc::clone(&places), Arc::clone(&took));
            tokio::spawn(async move {
                loop {
                    let call = async {
                        sleep(ms(took.load(SeqCst).into())).await;
                        Ok::<u32, Fault>(1)
                    };
                    places.call(call).await.unwrap();
                }
            })
        })
        .collect();
    sleep(ms(200)).await;
    assert!(places.stats().limit > 50, "{}", places.stats().limit);
    // From then on every call takes forty times as long, whatever the load.
    took.store(40, SeqCst);
    sleep(ms(60_000)).await;
    assert!(places.stats().limit > 50, "{}", places.stats().limit);
    for caller in callers {
        caller.abort();
    }
}

/// Polly, failsafe-go: a clock that is set back lengthens a wait, or one that is set forward ends it. Ours reads no clock
/// that can be set; a wait is as long as it is on the monotonic one.
#[tokio::test(start_paused = true)]
async fn a_wait_lasts_as_long_as_the_monotonic_clock_says() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait(ms(100)));
    let _held = places.try_acquire().unwrap();
    let start = Instant::now();
    assert!(places.acquire().await.is_err());
    assert_eq!(start.elapsed(), ms(100));
}

/// tower under axum (axum#2634): a limit in front of each clone.
#[tokio::test(start_paused = true)]
async fn clones_of_a_client_share_their_places() {
    #[derive(Clone)]
    struct Client {
        places: Arc<Bulkhead>,
    }
    let client = Client { places: Arc::new(Bulkhead::new(BulkheadConfig::new(2))) };
    let clones = [client.clone(), client.clone(), client];
    let permits: Vec<_> = clones.iter().map(|client| client.places.try_acquire_owned()).collect();
    assert_eq!(permits.iter().filter(|permit| permit.is_ok()).count(), 2);
}

/// governor, seatbelt: memory that grows with every key ever seen.
#[test]
fn a_flood_of_keys_stays_within_its_bound() {
    let hosts: Keyed<u64, Bulkhead> = Keyed::new(BulkheadConfig::new(1)).max_keys(100);
    let busy = hosts.get(&0);
    let inside = busy.try_acquire().unwrap();
    for key in 1..20_000 {
        hosts.get(&key).try_acquire().unwrap().success();
        assert!(hosts.stats().keys <= 100);
    }
    assert!(Arc::ptr_eq(&busy, &hosts.get(&0)));
    drop(inside);
}

/// `resilient` 0.1.0, tokitai: bodies that run although a policy has refused them.
#[tokio::test(start_paused = true)]
async fn a_body_that_is_refused_never_runs() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(1));
    let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_day(1)).initial(0));
    let places = Bulkhead::new(BulkheadConfig::new(1));
    breaker.force_open();
    let _held = places.try_acquire().unwrap();
    let dependency = Dependency::new([Act::Succeed]);
    for _ in 0..10 {
        breaker.call(dependency.run()).await.unwrap_err();
        limiter.call(dependency.run()).await.unwrap_err();
        places.call(dependency.run()).await.unwrap_err();
        places.call(breaker.call(limiter.call(dependency.run()))).await.unwrap_err();
    }
    assert_eq!(dependency.runs(), 0);
}

/// A waiter that is polled by another task than the one that was told of its turn.
#[tokio::test(start_paused = true)]
async fn the_last_waker_is_called() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded());
    let held = places.try_acquire().unwrap();
    let mut waits = Box::pin(places.acquire());
    assert!(poll_once(&mut waits).is_pending());
    let (turn, ()) = tokio::join!(waits, async {
        settle().await;
        drop(held);
    });
    drop(turn.unwrap());
    assert!(cut(places.acquire(), 1).await.is_some());
}
