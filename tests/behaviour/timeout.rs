use crate::support::{Act, Dependency, Fault, Heard, OnDrop, adds_up, ms, site};
use resilient::{Bulkhead, BulkheadConfig, Error, Timeout, TimeoutConfig, bulkhead, rate_limited, retry, timeout};
use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep};

#[timeout(100ms)]
async fn hundred(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[tokio::test(start_paused = true)]
async fn it_ends_what_takes_longer_and_drops_it() {
    let heard = Heard::of("timeout::hundred");
    let dependency = Dependency::new([Act::Slow(99), Act::Slow(101), Act::Hang]);
    assert_eq!(hundred(&dependency).await, Ok(1));
    let start = Instant::now();
    let error = hundred(&dependency).await.unwrap_err();
    assert!(matches!(error.ours(), Error::TimedOut { after, .. } if *after == ms(100)));
    assert!(!error.ours().is_rejection());
    assert_eq!(start.elapsed(), ms(100));
    assert_eq!(dependency.running.load(Relaxed), 0);
    assert_eq!(heard.take(), ["timeout: timed out after 100ms"]);
    hundred(&dependency).await.unwrap_err();
    let stats = site("timeout::hundred").stats();
    assert_eq!((stats.succeeded, stats.failed, stats.rejected), (1, 2, 0));
    adds_up("timeout::hundred");
}

/// What is ready when the time is over wins.
#[tokio::test(start_paused = true)]
async fn a_result_at_the_last_moment_counts() {
    let timeout = Timeout::new(TimeoutConfig::new(ms(100)));
    let ended: Result<_, Fault> = timeout.call(Dependency::new([Act::Slow(100)]).run()).await;
    assert_eq!(ended, Ok(1));
    assert_eq!(timeout.stats().timed_out, 0);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_in_a_queue_is_a_rejection() {
    #[timeout(50ms)]
    #[bulkhead(1, wait, queue = 5)]
    async fn queued(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Slow(49), Act::Hang, Act::Succeed]);
    let calls = async { tokio::join!(biased; queued(&dependency), queued(&dependency), queued(&dependency)) };
    let (first, second, third) = calls.await;
    first.unwrap();
    // It began after 49 ms, and its time ran from the start.
    assert!(second.unwrap_err().ours().is_timeout());
    let third = third.unwrap_err();
    assert!(matches!(third.ours(), Error::DeadlineExceeded { policy: "timeout", .. }));
    assert!(third.ours().is_rejection() && third.ours().retry_after().is_none());
    let stats = site("timeout::queued").stats();
    assert_eq!((stats.succeeded, stats.failed, stats.rejected), (1, 1, 1));
    assert_eq!(dependency.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_around_a_retry_bounds_attempts_and_pauses_and_once_the_body_ran_it_is_a_time_out() {
    #[timeout(100ms)]
    #[retry(attempts = 10, backoff = 10ms, jitter = none)]
    async fn total(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::SlowFail(35)]);
    let start = Instant::now();
    assert!(total(&dependency).await.unwrap_err().ours().is_timeout());
    assert_eq!((start.elapsed(), dependency.starts()), (ms(100), vec![0, 45, 90]));
}

#[tokio::test(start_paused = true)]
async fn one_inside_a_retry_bounds_each_attempt_and_not_the_pauses() {
    #[retry(attempts = 3, backoff = 100ms, jitter = none)]
    #[timeout(50ms)]
    async fn each(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Hang, Act::Fail, Act::Slow(49)]);
    assert_eq!(each(&dependency).await, Ok(3));
    assert_eq!(dependency.starts(), [0, 150, 250]);
}

#[tokio::test(start_paused = true)]
async fn of_two_whose_time_is_over_the_outer_reports() {
    #[timeout(20ms, name = "outer")]
    #[timeout(10ms, name = "inner")]
    async fn two(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Hang]);
    assert_eq!(two(&dependency).await.unwrap_err().ours().policy(), "inner");
    #[resilient::resilient(allow(timeout_not_shorter))]
    #[timeout(10ms, name = "outer")]
    #[timeout(10ms, name = "inner")]
    async fn same(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    assert_eq!(same(&dependency).await.unwrap_err().ours().policy(), "outer");
}

#[tokio::test(start_paused = true)]
async fn the_body_goes_before_the_places_inside_the_time_out_are_given_back() {
    let places = Bulkhead::new(BulkheadConfig::new(1));
    let seen = AtomicU32::new(99);
    #[timeout(10ms)]
    #[bulkhead(policy = places)]
    async fn held(places: &Bulkhead, seen: &AtomicU32) -> Result<u32, Fault> {
        let _guard = OnDrop(|| seen.store(places.stats().in_use, Relaxed));
        std::future::pending().await
    }
    assert!(held(&places, &seen).await.unwrap_err().ours().is_timeout());
    assert_eq!((seen.load(Relaxed), places.stats().in_use), (1, 0));
    let _ = crate::support::cut(held(&places, &seen), 1).await;
    assert_eq!((seen.swap(99, Relaxed), places.stats().in_use), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn time_counts_from_the_first_wait_of_whatever_kind() {
    #[timeout(100ms)]
    #[rate_limited(10/s, burst = 1, wait = 1s)]
    async fn waits_then_works(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Succeed, Act::Slow(60)]);
    waits_then_works(&dependency).await.unwrap();
    sleep(ms(50)).await;
    let start = Instant::now();
    // 50 ms for the token, 60 ms for the body.
    assert!(waits_then_works(&dependency).await.unwrap_err().ours().is_timeout());
    assert_eq!((start.elapsed(), dependency.runs()), (ms(100), 2));
}

#[tokio::test(start_paused = true)]
async fn an_age_is_a_time_too() {
    let timeout = Timeout::new(TimeoutConfig::new(Duration::from_secs(366 * 24 * 3600)));
    let start = Instant::now();
    let ended: Result<u32, Fault> = timeout.call(std::future::pending()).await;
    assert!(ended.unwrap_err().ours().is_timeout());
    assert_eq!(start.elapsed(), Duration::from_secs(366 * 24 * 3600));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_comes_when_the_time_is_over_does_not_start_the_body() {
    #[timeout(10ms)]
    #[bulkhead(1, wait)]
    async fn too_late(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    // The first gives its place back at the very instant at which the second's time is over.
    let dependency = Dependency::new([Act::Hang]);
    let (first, second) = tokio::join!(biased; too_late(&dependency), too_late(&dependency));
    assert!(first.unwrap_err().ours().is_timeout());
    assert!(matches!(second.unwrap_err().ours(), Error::DeadlineExceeded { .. }));
    assert_eq!((dependency.runs(), site("timeout::too_late").bulkhead().unwrap().available()), (1, 1));
}
