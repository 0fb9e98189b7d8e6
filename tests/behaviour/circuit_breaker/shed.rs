//! Refusing in proportion, before it has to open.

use super::{call, calls, secs};
use crate::support::{Act, ms};
use resilient::{CircuitBreaker, CircuitBreakerConfig, CircuitState, Ratio};
use tokio::time::advance;

const SHEDDING: CircuitBreakerConfig = CircuitBreakerConfig::new().shed(2.0).window_time(secs(10));

/// How many of so many calls pass, ten milliseconds apart.
async fn passed(breaker: &CircuitBreaker, calls: u32, mut succeeds: impl FnMut(u32) -> bool) -> u32 {
    let mut passed = 0;
    for number in 0..calls {
        advance(ms(10)).await;
        match breaker.try_acquire() {
            Err(error) => assert!(error.is_circuit_open() && error.retry_after().is_none()),
            Ok(permit) => {
                passed += 1;
                if succeeds(number) { permit.success() } else { permit.failure() }
            }
        }
    }
    passed
}

#[tokio::test(start_paused = true)]
async fn nothing_is_shed_while_most_calls_succeed() {
    let breaker = CircuitBreaker::new(SHEDDING);
    assert_eq!(passed(&breaker, 5000, |number| number % 3 > 0).await, 5000);
    assert_eq!(breaker.stats().shed, 0);
}

/// Of a hundred calls a second the dependency can answer twenty.
#[tokio::test(start_paused = true)]
async fn twice_as_many_pass_as_succeed() {
    let breaker = CircuitBreaker::new(SHEDDING);
    let (mut second, mut answered) = (0, 0);
    let passed = passed(&breaker, 20_000, |number| {
        if second != number / 100 {
            (second, answered) = (number / 100, 0);
        }
        answered += 1;
        answered <= 20
    });
    let passed = passed.await;
    let stats = breaker.stats();
    assert_eq!((stats.shed, stats.rejected), (u64::from(20_000 - passed), stats.shed));
    assert_eq!(stats.state, CircuitState::Closed);
    assert!((7200..=8800).contains(&passed), "{passed}");
}

#[tokio::test(start_paused = true)]
async fn beside_a_failure_rate_it_opens_as_well() {
    let breaker = CircuitBreaker::new(SHEDDING.failure_rate(Ratio::percent(90)));
    while breaker.state() == CircuitState::Closed {
        let _ = call(&breaker, Act::Fail).await;
    }
    assert_eq!(breaker.stats().calls, 0);
    assert_eq!(breaker.stats().opened, 1);
    // A probe passes, whatever was shed before.
    advance(secs(30)).await;
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(passed(&breaker, 19, |_| false).await, 19);
}
