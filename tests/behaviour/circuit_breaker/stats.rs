//! What a breaker tells of itself.

use super::{CONFIG, brittle, call, calls, half_open, refused, secs};
use crate::support::{Act, Dependency, Heard, caught, ms};
use resilient::{Cause, CircuitBreaker, CircuitBreakerConfig, CircuitState, Keyed, LastChange, Ratio};
use std::time::Duration;
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn rates_are_absent_below_min_calls() {
    for config in [CONFIG.window_calls(10), CONFIG.window_time(Duration::from_secs(10))] {
        let breaker = CircuitBreaker::new(config.min_calls(4).failure_rate(Ratio::percent(60)).slow_call(ms(100)));
        calls(&breaker, "SSF").await;
        assert_eq!((breaker.stats().failure_rate, breaker.stats().slow_rate), (None, None));
        calls(&breaker, "S").await;
        let (failed, slow) = (breaker.stats().failure_rate, breaker.stats().slow_rate);
        assert_eq!((failed, slow), (Some(Ratio::percent(25)), Some(Ratio::percent(0))));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_breaker_does_not_know_is_absent() {
    let breaker = CircuitBreaker::new(CONFIG.failures(3));
    calls(&breaker, "FF").await;
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.failures, stats.failure_rate, stats.slow_rate), (2, 2, None, None));
    assert_eq!((stats.baseline, stats.share, stats.in_flight), (None, None, None));
    assert_eq!((stats.in_state_for, stats.retry_after, stats.last_change), (None, None, None));
}

#[tokio::test(start_paused = true)]
async fn the_last_change_tells_its_cause_and_its_age() {
    let breaker = CircuitBreaker::new(CONFIG.failures(2));
    let last = || {
        let last = breaker.stats().last_change.unwrap();
        (last.from, last.to, last.cause.to_string(), last.ago)
    };
    calls(&breaker, "FF").await;
    advance(ms(300)).await;
    let cause = breaker.stats().last_change.unwrap().cause;
    assert!(matches!(cause, Cause::Failures { failures: 2, .. }));
    assert_eq!(last(), (CircuitState::Closed, CircuitState::Open, "2 failures in a row".into(), ms(300)));
    advance(ms(700)).await;
    assert_eq!(last(), (CircuitState::Open, CircuitState::HalfOpen, "the time is over".into(), ms(0)));
    calls(&breaker, "F").await;
    assert_eq!(last(), (CircuitState::HalfOpen, CircuitState::Open, "a probe failed".into(), ms(0)));
    advance(ms(1000)).await;
    calls(&breaker, "S").await;
    advance(ms(5)).await;
    assert_eq!(last(), (CircuitState::HalfOpen, CircuitState::Closed, "the probes succeeded".into(), ms(5)));
    breaker.force_open();
    assert_eq!(last(), (CircuitState::Closed, CircuitState::ForcedOpen, "by hand".into(), ms(0)));
}

#[tokio::test(start_paused = true)]
async fn the_time_in_each_state_adds_up() {
    let breaker = brittle();
    assert_eq!(breaker.state(), CircuitState::Closed);
    advance(ms(7000)).await;
    calls(&breaker, "F").await;
    advance(ms(1000)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    advance(ms(200)).await;
    calls(&breaker, "S").await;
    breaker.force_open();
    advance(ms(10)).await;
    breaker.force_closed();
    advance(ms(20)).await;
    breaker.disable();
    advance(ms(30)).await;
    breaker.reset();
    advance(ms(40)).await;
    let time = breaker.stats().time_in;
    assert_eq!((time.closed, time.open, time.half_open), (ms(7040), ms(1000), ms(200)));
    assert_eq!((time.forced_open, time.forced_closed, time.disabled), (ms(10), ms(20), ms(30)));
}

#[tokio::test(start_paused = true)]
async fn every_call_that_does_not_count_has_its_own_count() {
    let breaker = brittle();
    let late = [(); 2].map(|()| breaker.try_acquire().unwrap());
    breaker.try_acquire().unwrap().ignore();
    for _ in 0..2 {
        drop(breaker.try_acquire().unwrap());
    }
    calls(&breaker, "F").await;
    for _ in 0..3 {
        refused(&breaker).await;
    }
    late.into_iter().for_each(resilient::Permit::success);
    let stats = breaker.stats();
    assert_eq!((stats.ignored, stats.cancelled, stats.late, stats.rejected, stats.shed), (1, 2, 2, 3, 0));
    assert_eq!((stats.opened, stats.total_failures, stats.total_slow), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn probes_in_flight_are_counted() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).probes(2));
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    let other = breaker.try_acquire().unwrap();
    assert_eq!(breaker.stats().probes_in_flight, 2);
    drop(probe);
    assert_eq!(breaker.stats().probes_in_flight, 1);
    other.success();
    assert_eq!(breaker.stats().probes_in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn totals_outlive_states_and_windows() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(2).slow_call(ms(10)));
    for _ in 0..3 {
        breaker.reset();
        call(&breaker, Act::SlowFail(20)).await.unwrap_err();
    }
    let stats = breaker.stats();
    assert_eq!((stats.failures, stats.total_failures, stats.total_slow), (1, 3, 3));
}

#[tokio::test(start_paused = true)]
async fn the_last_sixteen_changes_are_remembered_with_their_causes() {
    let breaker = brittle();
    calls(&breaker, "F").await;
    advance(ms(1000)).await;
    assert_eq!(breaker.stats().changes.len(), 2);
    let mut expected = Vec::new();
    for _ in 0..10 {
        calls(&breaker, "F").await;
        advance(ms(1000)).await;
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        expected.push((CircuitState::HalfOpen, CircuitState::Open, Cause::ProbeFailed));
        expected.push((CircuitState::Open, CircuitState::HalfOpen, Cause::TimeOver));
    }
    let stats = breaker.stats();
    let told = |change: &LastChange| (change.from, change.to, change.cause);
    assert_eq!(stats.changes.iter().map(told).collect::<Vec<_>>(), expected[4..]);
    assert_eq!(stats.changes.iter().map(|change| change.ago.as_secs()).collect::<Vec<_>>()[..3], [8, 7, 7]);
    assert_eq!(stats.last_change, stats.changes.last().copied());
}

#[tokio::test(start_paused = true)]
async fn successes_and_panics_are_counted_since_it_was_made() {
    let breaker = CircuitBreaker::new(CONFIG.window_time(secs(3)).min_calls(3).slow_call(ms(50)));
    for _ in 0..200 {
        calls(&breaker, "S").await;
        advance(ms(70)).await;
    }
    call(&breaker, Act::Slow(60)).await.unwrap();
    let panics = Dependency::new([Act::Panic]);
    caught(breaker.call(panics.run())).await;
    let late = breaker.try_acquire().unwrap();
    breaker.reset();
    late.success();
    calls(&breaker, "FFF").await;
    advance(secs(1)).await;
    calls(&breaker, "S").await;
    breaker.force_closed();
    calls(&breaker, "SF").await;
    let stats = breaker.stats();
    assert_eq!((stats.total_successes, stats.total_failures, stats.total_panics), (Some(203), 5, 1));
    assert_eq!((stats.late, stats.total_slow), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn where_successes_leave_no_trace_their_number_is_absent() {
    for config in [CONFIG.failures(3), CONFIG.window_calls(3)] {
        let breaker = CircuitBreaker::new(config);
        calls(&breaker, "SSSS").await;
        assert_eq!(breaker.stats().total_successes, None);
    }
}

/// What is told while a breaker of this configuration opens at once, and closes by a probe.
async fn told(name: &'static str, config: CircuitBreakerConfig, acts: &str) -> Vec<String> {
    let heard = Heard::of(name);
    let breaker = CircuitBreaker::new(config.name(name));
    calls(&breaker, acts).await;
    advance(ms(1000)).await;
    calls(&breaker, "S").await;
    heard.take()
}

#[tokio::test(start_paused = true)]
async fn events_tell_why_it_opened_and_closed() {
    let closed = |name: &str| [format!("{name}: half-opened"), format!("{name}: closed: the probes succeeded")];
    let heard = told("row", CONFIG.failures(3), "FFF").await;
    assert_eq!(heard[0], "row: opened for 1s: 3 failures in a row");
    assert_eq!(heard[1..], closed("row"));
    let heard = told("one", CONFIG.failures(1), "F").await;
    assert_eq!(heard[0], "one: opened for 1s: 1 failure in a row");
    let heard = told("rate", CONFIG.window_calls(4), "SSFF").await;
    assert_eq!(heard[0], "rate: opened for 1s: 2 failures in 4 calls");
    assert_eq!(heard[1..], closed("rate"));
}

#[tokio::test(start_paused = true)]
async fn events_tell_of_slow_calls_and_of_what_usually_fails() {
    let heard = Heard::of("sluggish");
    let breaker = CircuitBreaker::new(CONFIG.window_calls(2).slow_call(ms(10)).name("sluggish"));
    for _ in 0..2 {
        call(&breaker, Act::Slow(11)).await.unwrap();
    }
    advance(ms(1000)).await;
    call(&breaker, Act::Slow(11)).await.unwrap();
    let opened = ["sluggish: opened for 1s: 2 slow calls in 2 calls", "sluggish: half-opened"];
    let heard = heard.take();
    assert_eq!(heard[..2], opened);
    assert_eq!(heard[2], "sluggish: opened for 1s: the probes were slow");

    let heard = Heard::of("unusual");
    let breaker = CircuitBreaker::new(CONFIG.window_calls(100).adaptive().name("unusual"));
    calls(&breaker, "F").await;
    for _ in 0..99 {
        breaker.try_acquire().unwrap().success();
    }
    while breaker.state() == CircuitState::Closed {
        breaker.try_acquire().unwrap().failure();
    }
    assert_eq!(heard.take(), ["unusual: opened for 1s: 11 failures in 100 calls, of which 1.0% usually fail"]);
}

#[tokio::test(start_paused = true)]
async fn events_tell_what_was_done_by_hand() {
    let heard = Heard::of("manual");
    let breaker = CircuitBreaker::new(CONFIG.failures(1).name("manual"));
    breaker.force_open();
    breaker.force_closed();
    breaker.disable();
    breaker.reset();
    let expected = ["manual: opened by hand", "manual: closed: by hand", "manual: disabled", "manual: closed: by hand"];
    assert_eq!(heard.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn events_tell_of_which_key_they_are() {
    static HOSTS: Keyed<str, CircuitBreaker> =
        Keyed::new(CircuitBreakerConfig::new().failures(1).open_for(Duration::from_secs(1)).name("labelled").checked())
            .displayed();
    let heard = Heard::of("labelled");
    let late = HOSTS.get("a.example");
    let late = late.try_acquire().unwrap();
    calls(&HOSTS.get("a.example"), "F").await;
    late.success();
    refused(&HOSTS.get("a.example")).await;
    let events = heard.take_events();
    assert!(events.iter().all(|event| event.key.as_deref() == Some("a.example")), "{events:?}");
    let texts: Vec<_> = events.iter().map(ToString::to_string).collect();
    assert_eq!(texts[0], "labelled of a.example: opened for 1s: 1 failure in a row");
    assert_eq!(texts[1], "labelled of a.example: a late result was not counted");
    assert!(texts[2].starts_with("labelled of a.example: rejected: "), "{texts:?}");
    let plain = CircuitBreaker::new(CONFIG.failures(1).name("labelled"));
    calls(&plain, "F").await;
    assert_eq!(heard.take_events()[0].key, None);
}
