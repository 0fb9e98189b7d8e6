//! Asking the dependency, instead of risking calls.

use super::*;
use resilient::{Cause, HealthCheck};
use std::sync::atomic::AtomicBool;

macro_rules! check {
    ($asked:ident, $body:expr) => {{
        static $asked: AtomicU32 = AtomicU32::new(0);
        (
            CONFIG.failures(1).health_every(ms(100)).health_check(HealthCheck::new(|| {
                Box::pin(async {
                    $asked.fetch_add(1, Relaxed);
                    $body
                })
            })),
            &$asked,
        )
    }};
}

#[tokio::test(start_paused = true)]
async fn good_answers_close_it_without_a_call_at_risk() {
    let (config, asked) = check!(ASKED, true);
    let breaker = CircuitBreaker::new(config.successes(3));
    calls(&breaker, "F").await;
    assert_eq!(refused(&breaker).await, None);
    sleep(ms(250)).await;
    assert_eq!((breaker.state(), asked.load(Relaxed)), (CircuitState::Open, 2));
    sleep(ms(100)).await;
    calls(&breaker, "S").await;
    assert_eq!((breaker.state(), asked.load(Relaxed)), (CircuitState::Closed, 3));
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::Healthy);
    sleep(ms(5000)).await;
    assert_eq!(asked.load(Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn bad_answers_double_the_pause_up_to_the_longest_open_time() {
    let (config, asked) = check!(ASKED, false);
    let breaker = CircuitBreaker::new(config);
    calls(&breaker, "F").await;
    // After 100, 200, 400, 800, and then every 1000 ms.
    for (at, expected) in [(100, 1), (300, 2), (700, 3), (1500, 4), (2500, 5), (3500, 6)] {
        let before = asked.load(Relaxed);
        sleep(ms(if at == 100 { 110 } else { at - [100, 300, 700, 1500, 2500][before as usize - 1] })).await;
        assert_eq!(asked.load(Relaxed), expected, "at {at} ms");
    }
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_or_panics_is_a_bad_answer() {
    static MODE: AtomicU32 = AtomicU32::new(0);
    let (config, asked) = check!(
        ASKED,
        match MODE.fetch_add(1, Relaxed) {
            0 => std::future::pending().await,
            1 => crate::support::quietly_panic(),
            _ => true,
        }
    );
    let breaker = CircuitBreaker::new(config.probe_timeout(ms(50)));
    calls(&breaker, "F").await;
    sleep(ms(1000)).await;
    assert_eq!((breaker.state(), asked.load(Relaxed)), (CircuitState::Closed, 3));
}

#[tokio::test(start_paused = true)]
async fn it_stops_when_somebody_says_otherwise_and_when_the_breaker_goes() {
    let (config, asked) = check!(ASKED, false);
    for stop in [CircuitBreaker::reset, CircuitBreaker::force_open, CircuitBreaker::disable] {
        let breaker = CircuitBreaker::new(config);
        calls(&breaker, "F").await;
        sleep(ms(110)).await;
        let before = asked.load(Relaxed);
        stop(&breaker);
        sleep(ms(5000)).await;
        assert_eq!(asked.load(Relaxed), before);
    }
    let breaker = CircuitBreaker::new(config);
    calls(&breaker, "F").await;
    drop(breaker);
    let before = asked.load(Relaxed);
    sleep(ms(5000)).await;
    assert_eq!(asked.load(Relaxed), before);
}

#[test]
fn without_a_runtime_probes_decide_and_it_is_said() {
    let (config, asked) = check!(ASKED, true);
    let breaker = CircuitBreaker::new(config.name("no runtime").open_for(ms(20)));
    let heard = Heard::of("no runtime");
    breaker.try_acquire().unwrap().failure();
    let said = heard.take();
    assert!(
        said.contains(&"no runtime: the health check has no runtime: probes decide instead".to_owned()),
        "{said:?}"
    );
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while breaker.try_acquire().map(resilient::Permit::success).is_err() {
        assert!(std::time::Instant::now() < end, "never half-open");
        std::thread::yield_now();
    }
    assert_eq!((breaker.state(), asked.load(Relaxed)), (CircuitState::Closed, 0));
}

#[test]
fn when_its_runtime_shuts_down_probes_decide() {
    static DOWN: AtomicBool = AtomicBool::new(true);
    let (config, _) = check!(ASKED, !DOWN.load(Relaxed));
    let breaker = CircuitBreaker::new(config.open_for(ms(1)));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let first = runtime();
    first.block_on(calls(&breaker, "F"));
    drop(first);
    runtime().block_on(async {
        // The first asks what the task left behind.
        let _ = breaker.try_acquire().map(drop);
        sleep(ms(2)).await;
        calls(&breaker, "S").await;
    });
    assert_eq!(breaker.state(), CircuitState::Closed);
}
