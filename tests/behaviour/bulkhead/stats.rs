//! What is counted.

use crate::support::{cut, ms};
use resilient::{Bulkhead, BulkheadConfig, Ratio};
use std::future::Future as _;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn each_refusal_has_a_reason() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait(ms(20)).queue(1));
    assert_eq!(places.stats().acceptance_rate(), None);
    let held = places.try_acquire().unwrap();
    assert!(places.try_acquire().is_err());
    let (first, second) = tokio::join!(biased; places.acquire(), places.acquire());
    assert!(first.is_err() && second.is_err());
    assert!(places.acquire_many(2).await.is_err());
    assert!(cut(places.acquire(), 1).await.is_none());
    let stats = places.stats();
    assert_eq!((stats.full, stats.queue_full, stats.waited_too_long, stats.too_many), (1, 1, 1, 1));
    assert_eq!((stats.rejected, stats.gave_up, stats.admitted), (4, 1, 1));
    assert_eq!(stats.acceptance_rate(), Some(Ratio::percent(20)));
    assert_eq!((stats.max, stats.limit, stats.in_use, stats.available), (1, 1, 1, 0));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn waits_are_measured_of_those_who_got_a_place() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue_unbounded());
    let calls = (0..100).map(async |_| {
        let place = places.acquire().await.unwrap();
        sleep(ms(10)).await;
        drop(place);
    });
    let mut calls: Vec<_> = calls.map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        calls.retain_mut(|call| call.as_mut().poll(cx).is_pending());
        if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    let stats = places.stats();
    assert_eq!((stats.admitted, stats.waits.count()), (100, 99));
    let half = stats.waits.quantile(0.5).unwrap();
    assert!((ms(490)..ms(580)).contains(&half), "{half:?}");
}
