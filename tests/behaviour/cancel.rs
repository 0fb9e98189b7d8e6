//! Dropping a call at every one of its await points gives everything back.

use crate::support::{Act, Dependency, Fault, adds_up, cut, dropped_everywhere, ms, site};
use resilient::{
    Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, Rate, RateLimiter, RateLimiterConfig,
    bulkhead, circuit_breaker, fallback, rate_limited, retry, timeout,
};
use std::time::Duration;
use tokio::time::advance;

/// Policies whose every place can be looked at.
struct Parts {
    breaker: CircuitBreaker,
    limiter: RateLimiter,
    outer: Bulkhead,
    inner: Bulkhead,
}

impl Parts {
    fn new() -> Self {
        Self {
            breaker: CircuitBreaker::new(
                CircuitBreakerConfig::new().failures(1).open_for(ms(10)).successes(1_000_000).probe_timeout(HOUR),
            ),
            limiter: RateLimiter::new(RateLimiterConfig::new(Rate::new(1, ms(5))).wait_unbounded()),
            outer: Bulkhead::new(BulkheadConfig::new(1).wait_unbounded()),
            inner: Bulkhead::new(BulkheadConfig::new(1).wait_unbounded()),
        }
    }

    async fn half_open(&self) {
        self.breaker.try_acquire().unwrap().failure();
        advance(ms(10)).await;
        assert_eq!(self.breaker.state(), CircuitState::HalfOpen);
    }

    fn all_given_back(&self) {
        assert_eq!(self.breaker.stats().probes_in_flight, 0);
        assert_eq!(self.limiter.stats().waiting, 0);
        for places in [&self.outer, &self.inner] {
            assert_eq!((places.stats().in_use, places.stats().waiting), (0, 0));
        }
    }
}

const HOUR: Duration = Duration::from_secs(3600);

#[fallback(|_| async { crate::support::yields(2).await; Ok(0) })]
#[timeout(10s)]
#[bulkhead(policy = parts.outer)]
#[rate_limited(policy = parts.limiter)]
#[retry(attempts = 3, backoff = 1ms, jitter = none)]
#[circuit_breaker(policy = parts.breaker, when = |_| false)]
#[bulkhead(policy = parts.inner)]
#[timeout(1s)]
async fn whole(parts: &Parts, dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[tokio::test(start_paused = true)]
async fn at_every_await_point_of_eight_layers() {
    let parts = Parts::new();
    parts.half_open().await;
    let dependency = Dependency::new([Act::Yield(3)]);
    let points = dropped_everywhere(|| whole(&parts, &dependency), || parts.all_given_back()).await;
    assert!(points >= 4, "{points}");
    // With pauses, a time-out and a fallback on the way.
    let script = [Act::SlowFail(3), Act::Hang, Act::SlowFail(3)];
    let begin = || {
        dependency.act(script);
        whole(&parts, &dependency)
    };
    let points = dropped_everywhere(begin, || parts.all_given_back()).await;
    assert!(points >= 6, "{points}");
    while_waiting_in_line().await;
    adds_up("cancel::whole");
    assert_eq!(site("cancel::whole").stats().panicked, 0);
}

async fn while_waiting_in_line() {
    let parts = Parts::new();
    let dependency = Dependency::new([Act::Yield(1)]);
    for polls in 0..6 {
        parts.limiter.try_acquire().unwrap().success();
        let place = parts.outer.try_acquire().unwrap();
        let call = cut(whole(&parts, &dependency), polls);
        let release = async {
            crate::support::yields(1).await;
            drop(place);
        };
        let _ = tokio::join!(biased; call, release);
        parts.all_given_back();
        advance(HOUR).await;
    }
}

/// Two in line behind one: whichever of them is dropped, and whenever, the other gets its turn.
#[tokio::test(start_paused = true)]
async fn a_line_moves_on_past_those_who_are_dropped() {
    for polls in 0..8 {
        let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue(3));
        let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::new(1, ms(5))).wait_unbounded());
        let dependency = Dependency::new([Act::Yield(2)]);
        #[rate_limited(policy = limiter)]
        #[bulkhead(policy = places)]
        async fn in_line(limiter: &RateLimiter, places: &Bulkhead, dependency: &Dependency) -> Result<u32, Fault> {
            dependency.run().await
        }
        let call = || in_line(&limiter, &places, &dependency);
        let (a, _, b) = tokio::join!(biased; call(), cut(call(), polls), call());
        assert!(a.is_ok() && b.is_ok());
        let (_, c, d) = tokio::join!(biased; cut(call(), polls), call(), call());
        assert!(c.is_ok() && d.is_ok());
        assert_eq!((places.stats().in_use, places.stats().waiting, limiter.stats().waiting), (0, 0, 0));
    }
    adds_up("cancel::in_line");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_ran_took_nothing() {
    #[bulkhead(1)]
    #[rate_limited(1/h)]
    async fn never_run(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Succeed]);
    for _ in 0..5 {
        drop(never_run(&dependency));
    }
    never_run(&dependency).await.unwrap();
    assert_eq!(site("cancel::never_run").stats().calls, 1);
}

#[tokio::test(start_paused = true)]
async fn by_hand_too() {
    let parts = Parts::new();
    parts.half_open().await;
    let dependency = Dependency::new([Act::Yield(2)]);
    let check = || parts.all_given_back();
    dropped_everywhere(|| parts.breaker.call(dependency.run()), check).await;
    dropped_everywhere(|| parts.outer.call(dependency.run()), check).await;
    dropped_everywhere(|| parts.limiter.call(dependency.run()), check).await;
    dropped_everywhere(|| parts.limiter.acquire_many(1), check).await;
    dropped_everywhere(|| parts.outer.acquire(), check).await;
}

#[tokio::test(start_paused = true)]
async fn aborted_tasks_and_a_runtime_that_ends_give_everything_back() {
    static PLACES: Bulkhead = Bulkhead::new(BulkheadConfig::new(2).wait_unbounded());
    #[bulkhead(policy = PLACES)]
    #[timeout(1h)]
    async fn forever() -> Result<(), Fault> {
        std::future::pending().await
    }
    let tasks = [(); 4].map(|()| tokio::spawn(forever()));
    crate::support::settle().await;
    assert_eq!((PLACES.stats().in_use, PLACES.stats().waiting), (2, 2));
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    for task in tasks {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    assert_eq!((PLACES.stats().in_use, PLACES.stats().waiting), (0, 0));
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let _tasks = [(); 4].map(|()| tokio::spawn(forever()));
            crate::support::settle().await;
        });
    })
    .join()
    .unwrap();
    assert_eq!((PLACES.stats().in_use, PLACES.stats().waiting), (0, 0));
    adds_up("cancel::forever");
}
