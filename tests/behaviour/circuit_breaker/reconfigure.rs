//! Another configuration at run time.

use super::{CONFIG, begun, brittle, call, calls, half_open, refused, secs};
use crate::support::{Act, Heard, ms};
use resilient::{CircuitBreaker, CircuitState, Mode, Ratio};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn numbers_that_can_not_work_are_refused_and_nothing_changes() {
    let config = CONFIG.window_calls(4);
    let breaker = CircuitBreaker::new(config);
    calls(&breaker, "FFF").await;
    let [in_flight] = begun(&breaker);
    for (wrong, says) in [
        (CONFIG.failures(0), "failures"),
        (CONFIG.failure_rate(Ratio::percent(0)), "failure_rate"),
        (CONFIG.failures(1).window_calls(9), "failures"),
        (CONFIG.window_calls(5).min_calls(6), "min_calls"),
        (CONFIG.open_for_range(secs(2)..=secs(1)), "open_for"),
        (CONFIG.slow_rate(Ratio::percent(50)), "slow_call"),
    ] {
        let error = breaker.reconfigure(wrong).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert_eq!((breaker.config(), breaker.stats().failures), (config, 3));
    in_flight.failure();
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn another_window_begins_empty_and_its_rule_holds() {
    let of_calls = CONFIG.window_calls(4);
    let configs =
        [of_calls, CONFIG.window_calls(3), CONFIG.failures(3), CONFIG.window_time(secs(9)).min_calls(3), of_calls];
    let breaker = CircuitBreaker::new(of_calls.min_calls(4));
    for (config, needed) in configs.into_iter().zip([4, 3, 3, 3, 4]) {
        calls(&breaker, "FF").await;
        breaker.reconfigure(config).unwrap();
        assert_eq!((breaker.stats().calls, breaker.stats().failures), (0, 0));
        calls(&breaker, &"F".repeat(needed - 1)).await;
        assert_eq!(breaker.state(), CircuitState::Closed);
        calls(&breaker, "F").await;
        assert_eq!(breaker.state(), CircuitState::Open);
        breaker.reset();
    }
}

#[tokio::test(start_paused = true)]
async fn successes_of_the_old_window_of_time_are_not_in_the_new_one() {
    let breaker = CircuitBreaker::new(CONFIG.window_time(secs(60)));
    calls(&breaker, "SSSSSSSSSS").await;
    assert_eq!(breaker.stats().calls, 10);
    breaker.reconfigure(CONFIG.window_time(secs(30))).unwrap();
    assert_eq!(breaker.stats().calls, 0);
    calls(&breaker, "SSS").await;
    assert_eq!(breaker.stats().calls, 3);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_keeps_its_time_and_never_waits_longer_than_the_new_one() {
    let breaker = brittle();
    calls(&breaker, "F").await;
    advance(ms(400)).await;
    breaker.reconfigure(CONFIG.failures(1).open_for(secs(60))).unwrap();
    assert_eq!(refused(&breaker).await, Some(ms(600)));
    breaker.reconfigure(CONFIG.failures(1).open_for(ms(100))).unwrap();
    assert_eq!(refused(&breaker).await, Some(ms(100)));
    advance(ms(100)).await;
    calls(&breaker, "F").await;
    assert_eq!(refused(&breaker).await, Some(ms(100)));
}

#[tokio::test(start_paused = true)]
async fn probes_begin_anew_and_those_in_flight_no_longer_count() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).successes(2));
    half_open(&breaker).await;
    calls(&breaker, "S").await;
    let [probe] = begun(&breaker);
    refused(&breaker).await;
    breaker.reconfigure(CONFIG.failures(1).successes(2).probes(2)).unwrap();
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 0));
    let [first, second] = begun(&breaker);
    probe.failure();
    first.success();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    second.success();
    assert_eq!((breaker.state(), breaker.stats().late), (CircuitState::Closed, 1));
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_no_longer_count_and_say_so() {
    let heard = Heard::of("reconfigured");
    let breaker = CircuitBreaker::new(CONFIG.failures(1).name("reconfigured"));
    let [in_flight] = begun(&breaker);
    breaker.reconfigure(CONFIG.failures(1)).unwrap();
    in_flight.failure();
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(heard.take(), ["reconfigured: a late result was not counted"]);
}

#[tokio::test(start_paused = true)]
async fn it_keeps_its_name_and_what_somebody_said() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).name("mine"));
    breaker.force_open();
    breaker.reconfigure(CONFIG.failures(2).name("another")).unwrap();
    assert_eq!((breaker.name(), breaker.config()), ("mine", CONFIG.failures(2).name("mine")));
    assert_eq!(breaker.state(), CircuitState::ForcedOpen);
}

#[tokio::test(start_paused = true)]
async fn it_may_begin_and_cease_to_watch_for_slow_calls() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(2));
    let [unwatched] = begun(&breaker);
    breaker.reconfigure(CONFIG.window_calls(2).slow_call(ms(100))).unwrap();
    let watched = begun::<2>(&breaker);
    advance(ms(50)).await;
    assert_eq!(breaker.stats().in_flight, Some(2));
    breaker.reconfigure(CONFIG.window_calls(2)).unwrap();
    advance(ms(51)).await;
    unwatched.success();
    for permit in watched {
        permit.success();
    }
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.late, stats.slow), (CircuitState::Closed, 3, 0));
    assert_eq!((stats.in_flight, stats.slow_rate), (Some(0), None));
}

#[tokio::test(start_paused = true)]
async fn the_mode_of_the_new_configuration_holds() {
    let breaker = brittle();
    breaker.reconfigure(CONFIG.failures(1).mode(Mode::Shadow)).unwrap();
    calls(&breaker, "F").await;
    assert_eq!((breaker.state(), call(&breaker, Act::Succeed).await), (CircuitState::Open, Ok(1)));
    breaker.reconfigure(CONFIG.failures(1)).unwrap();
    refused(&breaker).await;
}
