//! What slows a client down, whichever way that is done.

use crate::support::{Act, Dependency, Fault, ms, poll_once};
use resilient::{
    Bulkhead, BulkheadConfig, Error, Pass, Passing, Rate, RateLimiter, RateLimiterConfig, Throttle, Unthrottled,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};
use tokio::time::Instant;

/// A client of package sources.
struct Client {
    throttle: Arc<dyn Throttle>,
    source: Dependency,
}

impl Client {
    fn new(throttle: impl Throttle + 'static) -> Self {
        Self { throttle: Arc::new(throttle), source: Dependency::new([Act::Slow(10)]) }
    }

    async fn get(&self) -> Result<u32, Fault> {
        let pass = self.throttle.acquire().await?;
        let answer = self.source.run().await;
        pass.record(&answer);
        answer
    }

    async fn get_four(&self) -> u64 {
        let start = Instant::now();
        let (a, b, c, d) = tokio::join!(self.get(), self.get(), self.get(), self.get());
        for answer in [a, b, c, d] {
            answer.unwrap();
        }
        start.elapsed().as_millis() as u64
    }
}

fn semaphore(places: u32) -> Bulkhead {
    Bulkhead::new(BulkheadConfig::new(places).wait_unbounded().queue_unbounded())
}

#[tokio::test(start_paused = true)]
async fn a_client_takes_any_of_them() {
    assert_eq!(Client::new(semaphore(2)).get_four().await, 20);
    assert_eq!(Client::new(Arc::new(semaphore(1))).get_four().await, 40);
    assert_eq!(Client::new(Unthrottled).get_four().await, 10);
    let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(10)).burst(1).wait_unbounded());
    assert_eq!(Client::new(limiter).get_four().await, 310);
}

#[tokio::test(start_paused = true)]
async fn one_of_ones_own() {
    struct Counted<'a>(&'a AtomicU32);

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    #[derive(Default)]
    struct Gauge(AtomicU32);

    impl Throttle for Gauge {
        fn acquire(&self) -> Passing<'_> {
            Box::pin(std::future::ready(self.try_acquire()))
        }

        fn try_acquire(&self) -> Result<Pass<'_>, Error> {
            self.0.fetch_add(1, SeqCst);
            Ok(Pass::holding(Counted(&self.0)))
        }
    }

    let gauge = Arc::new(Gauge::default());
    let client = Client::new(Arc::clone(&gauge));
    let mut call = Box::pin(client.get());
    assert!(poll_once(&mut call).is_pending());
    assert_eq!(gauge.0.load(SeqCst), 1);
    drop(call);
    assert_eq!(gauge.0.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_the_throttles_and_a_dropped_pass_gives_back() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait(ms(10)));
    let throttle: &dyn Throttle = &places;
    let pass = throttle.try_acquire().unwrap();
    assert!(throttle.try_acquire().unwrap_err().is_bulkhead_full());
    assert!(throttle.acquire().await.unwrap_err().is_bulkhead_full());
    drop(pass);
    throttle.acquire().await.unwrap().failure();
    assert!(Unthrottled.try_acquire().is_ok());
    assert_eq!(places.available(), 1);
}
