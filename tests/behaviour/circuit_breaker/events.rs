//! What a breaker reports, and why.

use super::{CONFIG, begun, calls, half_open, refused};
use crate::support::{Heard, ms};
use resilient::{Cause, CircuitBreaker, CircuitState, EventKind, Mode, Ratio};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn a_life_in_events() {
    let heard = Heard::of("life");
    let breaker =
        CircuitBreaker::new(CONFIG.window_calls(4).failure_rate(Ratio::percent(75)).successes(2).name("life"));
    calls(&breaker, "FFSF").await;
    assert_eq!(heard.take(), ["life: opened for 1s: 3 failures in 4 calls"]);
    advance(ms(250)).await;
    refused(&breaker).await;
    assert_eq!(heard.take(), ["life: rejected: the circuit is open; retry after 750ms"]);
    advance(ms(750)).await;
    calls(&breaker, "S").await;
    assert_eq!(heard.take(), ["life: half-opened"]);
    calls(&breaker, "F").await;
    assert_eq!(heard.take(), ["life: opened for 1s: a probe failed"]);
    advance(ms(1000)).await;
    calls(&breaker, "SS").await;
    assert_eq!(heard.take(), ["life: half-opened", "life: closed: the probes succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_done_by_hand_says_so() {
    let heard = Heard::of("hand");
    let breaker = CircuitBreaker::new(CONFIG.failures(1).name("hand"));
    breaker.force_open();
    refused(&breaker).await;
    breaker.force_closed();
    breaker.disable();
    breaker.reset();
    breaker.reset();
    assert_eq!(
        heard.take(),
        [
            "hand: opened by hand",
            "hand: rejected: the circuit is open",
            "hand: closed: by hand",
            "hand: disabled",
            "hand: closed: by hand",
            "hand: closed: by hand",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn slow_calls_and_probes_are_causes() {
    let heard = Heard::of("slow");
    let breaker = CircuitBreaker::new(CONFIG.window_calls(2).slow_call(ms(100)).name("slow"));
    let _hung = begun::<2>(&breaker);
    advance(ms(101)).await;
    // Whoever comes next reports what time has done.
    refused(&breaker).await;
    assert_eq!(
        heard.take(),
        ["slow: opened for 1s: 2 slow calls in 2 calls", "slow: rejected: the circuit is open; retry after 999ms"]
    );
    advance(ms(999)).await;
    let [probe] = begun(&breaker);
    advance(ms(101)).await;
    probe.success();
    assert_eq!(heard.take(), ["slow: half-opened", "slow: opened for 1s: the probes were slow"]);
    advance(ms(1000)).await;
    let [_hung] = begun(&breaker);
    advance(ms(2500)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    assert_eq!(heard.take(), ["slow: half-opened", "slow: opened for 1s: a probe timed out", "slow: half-opened"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_carries_the_numbers() {
    let heard = Heard::of("numbers");
    let breaker = CircuitBreaker::new(CONFIG.window_calls(2).name("numbers"));
    calls(&breaker, "SF").await;
    let events = heard.take_events();
    let EventKind::Opened { failures, calls, open_for, cause, .. } = events[0].kind else { panic!("{events:?}") };
    assert_eq!((failures, calls, open_for), (1, 2, Some(ms(1000))));
    assert!(matches!(cause, Cause::FailureRate { failures: 1, calls: 2, .. }));
    assert_eq!((events[0].site, events[0].policy, events[0].key.as_deref()), ("", "numbers", None));
}

#[tokio::test(start_paused = true)]
async fn a_grown_time_is_told() {
    let heard = Heard::of("grown");
    let config = CONFIG.failures(1).open_for_range(ms(1000)..=ms(4000)).open_jitter(Ratio::percent(0));
    let breaker = CircuitBreaker::new(config.name("grown"));
    half_open(&breaker).await;
    calls(&breaker, "F").await;
    let opened: Vec<_> = heard.take().into_iter().filter(|text| text.contains("opened for")).collect();
    assert_eq!(opened, ["grown: opened for 1s: 1 failure in a row", "grown: opened for 2s: a probe failed"]);
}

#[tokio::test(start_paused = true)]
async fn ignored_and_dropped_calls_from_before_are_not_late_results() {
    let heard = Heard::of("quiet");
    let breaker = CircuitBreaker::new(CONFIG.failures(1).name("quiet"));
    let [ignored, dropped] = begun(&breaker);
    calls(&breaker, "F").await;
    ignored.ignore();
    drop(dropped);
    assert_eq!(heard.take(), ["quiet: opened for 1s: 1 failure in a row"]);
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_closes_it_is_a_change_by_hand() {
    let heard = Heard::of("switch");
    let breaker = CircuitBreaker::new(CONFIG.failures(1).name("switch"));
    calls(&breaker, "F").await;
    breaker.set_mode(Mode::Shadow);
    breaker.set_mode(Mode::Off);
    assert_eq!(heard.take(), ["switch: opened for 1s: 1 failure in a row", "switch: closed: by hand"]);
}
