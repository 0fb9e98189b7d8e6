//! Annotated fns inside annotated fns: the inner one's rejections are neutral outside.

use crate::support::{Act, Dependency, Fault, caught, ms, site, yields};
use resilient::{
    CircuitBreaker, CircuitBreakerConfig, CircuitState, bulkhead, circuit_breaker, fallback, rate_limited, registry,
    retry, timeout,
};

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
