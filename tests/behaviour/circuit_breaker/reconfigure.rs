//! Another configuration at run time.

use super::{CONFIG, begun, brittle, call, calls, refused, secs};
use crate::support::{Act, Heard, ms};
use resilient::{CircuitBreaker, CircuitState, Mode};
use tokio::time::advance;

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

/// A new configuration made from the present one switches nothing back.
#[tokio::test(start_paused = true)]
async fn the_configuration_tells_the_mode_that_it_was_switched_to() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1));
    breaker.set_mode(Mode::Shadow);
    assert_eq!(breaker.config(), CONFIG.failures(1).mode(Mode::Shadow));
    breaker.reconfigure(breaker.config().failures(2)).unwrap();
    calls(&breaker, "FFS").await;
    assert_eq!((breaker.state(), breaker.stats().mode), (CircuitState::Open, Mode::Shadow));
}
