//! Times that grow, ramps, shedding and baselines.

use super::*;
use resilient::Cause;

#[tokio::test(start_paused = true)]
async fn the_open_time_doubles_with_failed_recoveries_and_begins_anew_after_a_good_one() {
    let times = ms(1000)..=ms(3000);
    let config = CONFIG.failures(1).open_for_range(times).open_jitter(Ratio::percent(0));
    let breaker = CircuitBreaker::new(config);
    for wait in [1000, 2000, 3000, 3000] {
        calls(&breaker, "F").await;
        assert_eq!(refused(&breaker).await, Some(ms(wait)));
        advance(ms(wait)).await;
    }
    calls(&breaker, "SF").await;
    assert_eq!(refused(&breaker).await, Some(ms(1000)));
}

#[tokio::test(start_paused = true)]
async fn a_time_that_has_grown_is_shortened_by_up_to_a_tenth() {
    let mut seen = Vec::new();
    for _ in 0..50 {
        let breaker = CircuitBreaker::new(CONFIG.failures(1).open_for_range(ms(1000)..=ms(60_000)));
        calls(&breaker, "F").await;
        assert_eq!(refused(&breaker).await, Some(ms(1000)));
        advance(ms(1000)).await;
        calls(&breaker, "F").await;
        seen.push(refused(&breaker).await.unwrap());
    }
    assert!(seen.iter().all(|time| (ms(1800)..=ms(2000)).contains(time)), "{seen:?}");
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 20, "{} times only", seen.len());
}

#[tokio::test(start_paused = true)]
async fn a_ramp_lets_one_through_then_more_then_a_growing_share() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).probes(2).successes(3).ramp());
    half_open(&breaker).await;
    let first = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().is_err());
    first.success();
    let next = [breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap()];
    assert!(breaker.try_acquire().is_err());
    next.into_iter().for_each(resilient::Permit::success);
    let share = |breaker: &CircuitBreaker| {
        (0..100).filter(|_| breaker.try_acquire().map(resilient::Permit::success).is_ok()).count()
    };
    for (after, expected) in [(0, 10), (500, 55), (400, 91)] {
        advance(ms(after)).await;
        assert!(share(&breaker).abs_diff(expected) <= 1, "after {after} ms more");
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
    }
    assert_eq!(breaker.stats().share, Some(Ratio::percent(91)));
    advance(ms(100)).await;
    assert_eq!((share(&breaker), breaker.state()), (100, CircuitState::Closed));
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::Ramped);
}

#[tokio::test(start_paused = true)]
async fn shedding_follows_what_succeeds_and_ends_with_the_trouble() {
    let breaker = CircuitBreaker::new(CONFIG.shed(2.0).window_time(ms(3000)).min_calls(10));
    let mut admitted = 0;
    let mut round = async |calls: u32, failing: bool| {
        let mut refusals = 0;
        for _ in 0..calls {
            advance(ms(10)).await;
            match breaker.try_acquire() {
                Ok(permit) if failing => permit.failure(),
                Ok(permit) => permit.success(),
                Err(_) => refusals += 1,
            }
        }
        admitted += calls - refusals;
        refusals
    };
    assert_eq!(round(300, false).await, 0);
    let refused = round(600, true).await;
    assert!((300..500).contains(&refused), "{refused}");
    // The share that passes doubles with each window, at least.
    round(2500, false).await;
    assert_eq!(round(300, false).await, 0);
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.opened), (CircuitState::Closed, 0));
    assert_eq!(u64::from(3700 - admitted), stats.shed);
    assert_eq!(stats.rejected, stats.shed);
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_breaker_opens_well_above_what_is_usual() {
    let breaker = CircuitBreaker::new(CONFIG.window_time(ms(1000)).adaptive());
    for round in 0..2000 {
        advance(ms(2)).await;
        let permit = breaker.try_acquire().unwrap();
        if round % 100 == 0 { permit.failure() } else { permit.success() }
    }
    let baseline = breaker.stats().baseline.unwrap().as_f64();
    assert!((0.005..0.03).contains(&baseline), "{baseline}");
    let mut failures = 0;
    while breaker.state() == CircuitState::Closed {
        advance(ms(2)).await;
        let permit = breaker.try_acquire().unwrap();
        failures += 1;
        if failures % 4 == 0 { permit.failure() } else { permit.success() }
    }
    assert!(failures < 300, "{failures}");
    let cause = breaker.stats().last_change.unwrap().cause;
    assert!(matches!(cause, Cause::AboveBaseline { .. }), "{cause}");
}
