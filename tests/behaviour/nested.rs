//! Annotated fns inside annotated fns: the inner one's rejections are neutral outside.

use crate::support::{Act, Dependency, Fault, caught, ms, site, yields};
use resilient::{
    Bulkhead, BulkheadConfig, CircuitBreaker, CircuitBreakerConfig, CircuitState, Rate, RateLimiter, RateLimiterConfig,
    bulkhead, circuit_breaker, fallback, rate_limited, registry, resilient, retry, timeout,
};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[rate_limited(1/h)]
async fn quota(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[retry(attempts = 3, backoff = 1ms)]
#[circuit_breaker(failures = 1)]
async fn outer(dependency: &Dependency) -> Result<u32, Fault> {
    yields(1).await;
    quota(dependency).await
}

#[tokio::test(start_paused = true)]
async fn a_rejection_inside_is_neither_retried_nor_counted() {
    let dependency = Dependency::new([Act::Succeed]);
    outer(&dependency).await.unwrap();
    assert!(outer(&dependency).await.unwrap_err().ours().is_rate_limited());
    let breaker = registry().circuit_breaker("nested::outer").unwrap();
    assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::Closed, 0));
    let stats = site("nested::outer").stats();
    assert_eq!((stats.rejected, stats.failed, stats.retries), (1, 0, 0));
    assert_eq!(site("nested::quota").stats().rejected, 1);
}

fn brittle() -> CircuitBreaker {
    CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).open_for(ms(10)))
}

#[rate_limited(1/h, initial = 0)]
async fn always_refused() -> Result<u32, Fault> {
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn through_two_levels_too() {
    let breaker = brittle();
    #[timeout(1s)]
    async fn middle() -> Result<u32, Fault> {
        always_refused().await
    }
    #[circuit_breaker(policy = breaker)]
    async fn top(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        Ok(middle().await? + 1)
    }
    assert!(top(&breaker).await.unwrap_err().ours().is_rate_limited());
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_real_error_after_a_rejection_that_was_dealt_with_counts() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker)]
    async fn dealt_with(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        always_refused().await.unwrap_err();
        yields(1).await;
        Err(Fault::BadRequest)
    }
    assert_eq!(dealt_with(&breaker).await, Err(Fault::BadRequest));
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_real_error_of_another_site_after_a_rejection_counts() {
    let breaker = brittle();
    #[fallback(|_| Ok(0))]
    async fn forgiven() -> Result<u32, Fault> {
        always_refused().await
    }
    #[retry(attempts = 2, backoff = 0ms)]
    async fn failing() -> Result<u32, Fault> {
        Err(Fault::BadRequest)
    }
    #[circuit_breaker(policy = breaker)]
    async fn mixed(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        forgiven().await?;
        failing().await
    }
    assert_eq!(mixed(&breaker).await, Err(Fault::BadRequest));
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_time_out_inside_is_a_failure_outside() {
    let breaker = brittle();
    #[timeout(1ms)]
    async fn too_slow() -> Result<u32, Fault> {
        std::future::pending().await
    }
    #[circuit_breaker(policy = breaker)]
    async fn waits(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        too_slow().await
    }
    assert!(waits(&breaker).await.unwrap_err().ours().is_timeout());
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_outside_answers_for_a_rejection_inside() {
    #[fallback(|_| Ok(5))]
    async fn answered() -> Result<u32, Fault> {
        always_refused().await
    }
    assert_eq!(answered().await, Ok(5));
    assert_eq!(site("nested::answered").stats().succeeded, 1);
}

static OPEN: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().name("open"));
static EMPTY: RateLimiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_hour(1)).initial(0));
static FULL: Bulkhead = Bulkhead::new(BulkheadConfig::new(1));

#[tokio::test(start_paused = true)]
async fn a_rejection_by_hand_inside_is_no_failure_outside() {
    let (breaker, runs) = (brittle(), AtomicU32::new(0));
    #[circuit_breaker(policy = breaker)]
    #[retry(attempts = 3, backoff = 0ms)]
    async fn by_hand(breaker: &CircuitBreaker, which: u32, runs: &AtomicU32) -> Result<u32, Fault> {
        yields(1).await;
        runs.fetch_add(1, Relaxed);
        match which {
            0 => OPEN.try_acquire()?.success(),
            1 => OPEN.try_acquire_many(2)?.success(),
            2 => EMPTY.try_acquire()?.success(),
            3 => EMPTY.try_acquire_many(2)?.success(),
            4 => FULL.try_acquire()?.success(),
            5 => EMPTY.acquire().await?.success(),
            6 => FULL.acquire().await?.success(),
            _ => OPEN.call(async { Ok::<_, Fault>(()) }).await?,
        }
        Ok(1)
    }
    OPEN.force_open();
    let _full = FULL.try_acquire().unwrap();
    for which in 0..8 {
        assert!(by_hand(&breaker, which, &runs).await.unwrap_err().ours().is_rejection());
        assert_eq!((breaker.state(), runs.swap(0, Relaxed)), (CircuitState::Closed, 1), "{which}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_real_error_of_who_was_admitted_by_hand_instead_counts() {
    static REFUSES: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().name("refuses"));
    static ADMITS: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().name("admits"));
    let breaker = brittle();
    #[circuit_breaker(policy = breaker)]
    async fn replica(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        REFUSES.try_acquire().unwrap_err();
        let permit = ADMITS.try_acquire()?;
        let answer = Err(Fault::BadRequest);
        permit.record(&answer);
        answer
    }
    REFUSES.force_open();
    assert_eq!(replica(&breaker).await, Err(Fault::BadRequest));
    assert_eq!((breaker.state(), ADMITS.stats().failures), (CircuitState::Open, 1));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_passes_a_rejection_on_makes_no_failure_of_it() {
    #[resilient(allow(fallback_inside_circuit_breaker))]
    #[circuit_breaker(policy = breaker)]
    #[fallback(|e: Fault| Err(e))]
    #[rate_limited(1/h, initial = 0)]
    async fn own(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        Ok(1)
    }
    #[resilient(allow(fallback_inside_circuit_breaker))]
    #[circuit_breaker(policy = breaker)]
    #[fallback(|e| async { Err(e) })]
    async fn of_another(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        yields(1).await;
        always_refused().await
    }
    #[resilient(allow(fallback_inside_circuit_breaker))]
    #[circuit_breaker(policy = breaker)]
    #[fallback(|e: Fault| Err(e), |e: Fault| Err(e))]
    async fn twice(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        always_refused().await
    }
    let breaker = brittle();
    assert!(own(&breaker).await.unwrap_err().ours().is_rate_limited());
    assert!(of_another(&breaker).await.unwrap_err().ours().is_rate_limited());
    assert!(twice(&breaker).await.unwrap_err().ours().is_rate_limited());
    assert_eq!((breaker.state(), breaker.stats().ignored), (CircuitState::Closed, 3));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_fails_by_itself_is_a_failure_outside() {
    #[resilient(allow(fallback_inside_circuit_breaker))]
    #[circuit_breaker(policy = breaker)]
    #[fallback(Self_::replica)]
    async fn after_a_while(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        always_refused().await
    }
    struct Self_;
    impl Self_ {
        async fn replica(_: &CircuitBreaker, _: Fault) -> Result<u32, Fault> {
            yields(1).await;
            Err(Fault::Down(1))
        }
    }
    #[resilient(allow(fallback_inside_circuit_breaker))]
    #[circuit_breaker(policy = breaker)]
    #[fallback(|_| async { failing().await })]
    async fn of_another_site(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        always_refused().await
    }
    #[timeout(1s)]
    async fn failing() -> Result<u32, Fault> {
        Err(Fault::Down(2))
    }
    #[resilient(allow(fallback_inside_circuit_breaker))]
    #[circuit_breaker(policy = breaker)]
    #[fallback(|e: Fault| Err(e))]
    async fn of_a_failure(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        Err(Fault::Down(3))
    }
    for (run, which) in [(1, 0), (2, 1), (3, 2)] {
        let breaker = brittle();
        let failed = match which {
            0 => after_a_while(&breaker).await,
            1 => of_another_site(&breaker).await,
            _ => of_a_failure(&breaker).await,
        };
        assert_eq!((failed, breaker.state()), (Err(Fault::Down(run)), CircuitState::Open));
    }
}

/// The mark of a rejection does not survive the call that it belongs to.
#[tokio::test(start_paused = true)]
async fn what_another_task_was_refused_does_not_matter() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker)]
    async fn own(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        Err(Fault::BadRequest)
    }
    #[bulkhead(1)]
    async fn refused_then_panics() -> Result<u32, Fault> {
        always_refused().await.unwrap_err();
        crate::support::quietly_panic()
    }
    assert!(caught(refused_then_panics()).await.is_none());
    assert!(always_refused().await.is_err());
    assert_eq!(own(&breaker).await, Err(Fault::BadRequest));
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_site_that_calls_itself_keeps_its_counts_apart() {
    #[timeout(1s)]
    #[bulkhead(3)]
    async fn recursive(depth: u32) -> Result<u32, Fault> {
        if depth == 0 { Ok(0) } else { Ok(Box::pin(recursive(depth - 1)).await? + 1) }
    }
    assert_eq!(recursive(2).await, Ok(2));
    assert!(recursive(3).await.unwrap_err().ours().is_bulkhead_full());
    let stats = site("nested::recursive").stats();
    assert_eq!((stats.calls, stats.succeeded, stats.rejected), (7, 3, 4));
    assert_eq!(site("nested::recursive").bulkhead().unwrap().available(), 3);
}
