//! Several places at once, and places that are held for long.

use crate::support::{dropped_everywhere, ms, poll_once, settle};
use resilient::{Bulkhead, BulkheadConfig, Error, Retry, RetryConfig};
use std::{cell::RefCell, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn more_than_there_are_is_refused_at_once_and_says_so() {
    let places = Bulkhead::new(BulkheadConfig::new(3).wait_unbounded());
    let start = Instant::now();
    for error in [places.try_acquire_many(4).unwrap_err(), places.acquire_many(4).await.unwrap_err()] {
        assert_eq!(error.to_string(), "bulkhead: 4 places can never be taken of 3");
        assert!(matches!(error, Error::TooManyPlaces { places: 4, max: 3, .. }));
        assert!(error.is_bulkhead_full() && error.is_rejection());
    }
    assert_eq!((start.elapsed(), places.stats().too_many), (Duration::ZERO, 2));
    assert!(places.acquire_many(3).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn all_or_none() {
    let places = Bulkhead::new(BulkheadConfig::new(3));
    let two = places.try_acquire_many(2).unwrap();
    assert!(places.try_acquire_many(2).is_err());
    assert_eq!(places.available(), 1);
    drop(places.try_acquire().unwrap());
    two.success();
    assert_eq!(places.available(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_many_is_not_overtaken_for_ever() {
    let places = Bulkhead::new(BulkheadConfig::new(3).wait_unbounded().queue_unbounded());
    let order = RefCell::new(Vec::new());
    let call = async |name: &'static str, after: u64, count: u32| {
        sleep(ms(after)).await;
        let place = places.acquire_many(count).await.unwrap();
        order.borrow_mut().push(name);
        sleep(ms(10)).await;
        drop(place);
    };
    // Small ones come every few milliseconds, so that there is never a moment without one.
    tokio::join!(
        call("a", 0, 1),
        call("b", 4, 1),
        call("many", 5, 3),
        call("c", 8, 1),
        call("d", 12, 1),
        call("e", 16, 1)
    );
    assert_eq!(order.borrow()[..3], ["a", "b", "many"]);
}

#[tokio::test(start_paused = true)]
async fn who_stood_behind_one_that_gave_up_goes_on() {
    let places: &'static Bulkhead = Box::leak(Box::new(Bulkhead::new(BulkheadConfig::new(3).wait_unbounded())));
    let held = places.try_acquire().unwrap();
    let mut many = Box::pin(places.acquire_many(3));
    assert!(poll_once(&mut many).is_pending());
    let behind = tokio::spawn(places.acquire_many(2));
    settle().await;
    assert!(!behind.is_finished());
    drop(many);
    behind.await.unwrap().unwrap().success();
    drop(held);
    assert_eq!((places.available(), places.stats().gave_up), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_places_may_be_dropped_at_every_await() {
    let places = Bulkhead::new(BulkheadConfig::new(2).wait(ms(50)));
    for count in 1..=2 {
        let all = || async {
            let held = places.try_acquire_many(2).unwrap();
            let (first, ()) = tokio::join!(biased; places.acquire_many(count), async {
                sleep(ms(10)).await;
                drop(held);
            });
            drop(first.unwrap());
            drop(places.acquire_within(ms(5)).await.unwrap());
        };
        let awaits = dropped_everywhere(all, || {
            let stats = places.stats();
            assert_eq!((stats.in_use, stats.waiting, stats.available), (0, 0, 2));
        });
        assert!(awaits.await > 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_its_own() {
    let places = Bulkhead::new(BulkheadConfig::new(1));
    let held = places.try_acquire().unwrap();
    assert!(places.acquire().await.is_err());
    let start = Instant::now();
    assert!(places.acquire_within(ms(30)).await.unwrap_err().is_bulkhead_full());
    assert_eq!(start.elapsed(), ms(30));
    assert!(places.acquire_within(Duration::ZERO).await.is_err());
    let (patient, ()) = tokio::join!(places.acquire_within(Duration::MAX), async {
        sleep(ms(5000)).await;
        drop(held);
    });
    drop(patient.unwrap());
    assert_eq!((places.stats().waited_too_long, places.stats().full), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn an_owned_place_goes_where_its_work_goes() {
    let places = Arc::new(Bulkhead::new(BulkheadConfig::new(2).wait_unbounded()));
    let first = places.try_acquire_owned().unwrap();
    let second = Arc::clone(&places).acquire_owned().await.unwrap();
    assert!(places.try_acquire_owned().is_err());
    assert_eq!(second.policy().name(), "bulkhead");
    let waits = tokio::spawn(Arc::clone(&places).acquire_owned());
    settle().await;
    let task = tokio::spawn(async move {
        sleep(ms(10)).await;
        drop(first);
    });
    task.await.unwrap();
    waits.await.unwrap().unwrap().failure();
    second.record(&Ok::<(), ()>(()));
    assert_eq!(places.available(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_not_repeat_a_refusal_by_acquire() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait(ms(5)));
    let _held = places.try_acquire().unwrap();
    let retry = Retry::new(RetryConfig::new().attempts(4));
    for many in [1, 2] {
        let refused = retry.call(async || places.acquire_many(many).await.map(drop)).await;
        assert!(refused.unwrap_err().is_bulkhead_full());
    }
    assert_eq!((places.stats().waited_too_long, places.stats().too_many), (1, 1));
}
