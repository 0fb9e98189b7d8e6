//! Bugs that were found, each with a test named after it.

use crate::support::{Act, Dependency, Fault, cut, ms, poll_once, site};
use resilient::{
    Backoff, Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, Retry, RetryConfig,
    bulkhead, circuit_breaker, fallback, rate_limited, retry, timeout,
};
use std::{
    future::Future as _,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
    time::Duration,
};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn a_nested_rejection_that_when_refuses_closed_a_half_open_circuit() {
    static BRITTLE: CircuitBreaker =
        CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).open_for(Duration::from_millis(10)));
    #[bulkhead(1)]
    async fn inner(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    #[circuit_breaker(BRITTLE, when = Fault::is_down)]
    async fn outer(dependency: &Dependency) -> Result<u32, Fault> {
        inner(dependency).await
    }
    let dependency = Dependency::new([Act::Fail, Act::Hang]);
    outer(&dependency).await.unwrap_err();
    advance(ms(10)).await;
    let mut holder = Box::pin(inner(&dependency));
    assert!(poll_once(&mut holder).is_pending());
    assert!(outer(&dependency).await.unwrap_err().ours().is_bulkhead_full());
    assert_eq!((BRITTLE.state(), BRITTLE.stats().probes_in_flight), (CircuitState::HalfOpen, 0));
}

#[tokio::test(start_paused = true)]
async fn a_limiter_inside_a_retry_delayed_an_attempt_beyond_max_duration() {
    #[retry(attempts = 5, backoff = 100ms, jitter = none, max_duration = 1s)]
    #[rate_limited(1/10s, wait)]
    async fn limited(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    assert!(limited(&dependency).await.unwrap_err().ours().is_rate_limited());
    assert_eq!(dependency.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_inside_a_retry_delayed_an_attempt_beyond_max_duration() {
    static ONE: Bulkhead = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded());
    #[retry(attempts = 5, backoff = 100ms, jitter = none, max_duration = 1s)]
    #[bulkhead(policy = ONE)]
    async fn crowded(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::SlowFail(10)]);
    let intruder = async {
        tokio::time::sleep(ms(50)).await;
        let place = ONE.acquire().await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        place.success();
    };
    let start = tokio::time::Instant::now();
    let (ended, ()) = tokio::join!(
        async {
            let ended = crowded(&dependency).await;
            assert_eq!(start.elapsed(), ms(1000));
            ended
        },
        intruder
    );
    assert!(ended.unwrap_err().ours().is_bulkhead_full());
    assert_eq!(dependency.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_executor_started_an_attempt_after_max_duration() {
    #[fallback(|error: Fault| Err(error))]
    #[circuit_breaker]
    #[retry(attempts = 5, backoff = 100ms, jitter = none, max_duration = 1s)]
    async fn late(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    let mut call = Box::pin(late(&dependency));
    assert!(poll_once(&mut call).is_pending());
    advance(Duration::from_secs(60)).await;
    // The last real error, and it counts as such.
    assert_eq!(call.await, Err(Fault::Down(1)));
    assert_eq!(dependency.runs(), 1);
    let breaker = site("issues::late").circuit_breaker().unwrap();
    assert_eq!(breaker.stats().failures, 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_without_pause_kept_its_thread_for_itself() {
    static BUSY: Retry = Retry::new(RetryConfig::new().attempts(1000).backoff(Backoff::constant(Duration::ZERO)));
    let dependency = Dependency::new([Act::Fail]);
    let mut call = Box::pin(BUSY.call(|| dependency.run()));
    for runs in 1..10 {
        assert!(poll_once(&mut call).is_pending());
        assert_eq!(dependency.runs(), runs);
    }
}

#[test]
fn a_waker_that_owns_a_place_deadlocked_the_line() {
    struct Owner(Mutex<Option<Box<dyn FnOnce() + Send>>>);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Owner {
        fn drop(&mut self) {
            if let Some(give_back) = self.0.lock().unwrap().take() {
                give_back();
            }
        }
    }
    static PLACES: Bulkhead = Bulkhead::new(BulkheadConfig::new(2).wait_unbounded());
    let given_back = Arc::new(AtomicBool::new(false));
    let (one, _other) = (PLACES.try_acquire().unwrap(), PLACES.try_acquire().unwrap());
    let told = Arc::clone(&given_back);
    let owner = Waker::from(Arc::new(Owner(Mutex::new(Some(Box::new(move || {
        drop(one);
        told.store(true, SeqCst);
    }))))));
    let mut waiting = pin!(PLACES.acquire());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&owner)).is_pending());
    drop(owner);
    // The second poll drops the first waker, and with it the place.
    let _ = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(given_back.load(SeqCst));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[tokio::test(start_paused = true)]
async fn waiters_that_left_behind_one_that_stays_piled_up() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue(2));
    let _held = places.try_acquire().unwrap();
    let mut stays = Box::pin(places.acquire());
    assert!(poll_once(&mut stays).is_pending());
    for _ in 0..1000 {
        assert!(cut(places.acquire(), 1).await.is_none());
    }
    assert_eq!(places.stats().waiting, 1);
}

#[tokio::test(start_paused = true)]
async fn a_fallbacks_predicate_met_a_rejection_that_nothing_could_convert() {
    #[fallback(|_| Ok(0))]
    #[fallback(|_| Ok(1), when = Fault::is_down)]
    #[rate_limited(1/h)]
    async fn twice(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    assert_eq!(twice(&dependency).await, Ok(1));
    assert_eq!(twice(&dependency).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn an_output_that_borrows_made_the_future_not_send() {
    struct Shelf(Vec<String>);
    impl Shelf {
        #[retry]
        #[circuit_breaker(when = Fault::is_down)]
        async fn first(&self) -> Result<&str, Fault> {
            tokio::task::yield_now().await;
            self.0.first().map(String::as_str).ok_or(Fault::BadRequest)
        }

        #[circuit_breaker]
        #[timeout(1s)]
        async fn last(&mut self) -> Result<&mut String, Fault> {
            tokio::task::yield_now().await;
            self.0.last_mut().ok_or(Fault::BadRequest)
        }

        #[fallback(Self::none, |_| Ok(""))]
        async fn any(&self) -> Result<&str, Fault> {
            tokio::task::yield_now().await;
            Err(Fault::BadRequest)
        }

        async fn none(&self, error: Fault) -> Result<&str, Fault> {
            tokio::task::yield_now().await;
            Err(error)
        }
    }
    let task = tokio::spawn(async {
        let mut shelf = Shelf(vec!["book".to_owned()]);
        let first = shelf.first().await.unwrap().to_owned();
        shelf.last().await.unwrap().push('s');
        assert_eq!(shelf.any().await, Ok(""));
        (first, shelf.0)
    });
    assert_eq!(task.await.unwrap(), ("book".to_owned(), vec!["books".to_owned()]));
}
