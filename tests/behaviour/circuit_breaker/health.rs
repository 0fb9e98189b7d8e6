//! Asking the dependency, instead of risking calls.

use super::{CONFIG, calls, refused};
use crate::support::{Heard, ms, quietly_panic, settle};
use resilient::{Cause, Checking, CircuitBreaker, CircuitBreakerConfig, CircuitState, HealthCheck};
use std::{
    future::pending,
    sync::{
        Mutex,
        atomic::{
            AtomicBool, AtomicU32,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, advance, sleep},
};

/// Opens at the first failure and asks after a second at first, after 8 seconds at last.
const CHECKED: CircuitBreakerConfig =
    CONFIG.failures(1).open_for_range(Duration::from_secs(1)..=Duration::from_secs(8));

const fn checked(check: fn() -> Checking) -> CircuitBreakerConfig {
    CHECKED.health_check(HealthCheck::new(check)).health_every(Duration::from_secs(1))
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_closes_when_the_dependency_is_well_and_no_call_is_at_risk() {
    static WELL: AtomicBool = AtomicBool::new(false);
    let heard = Heard::of("well");
    let breaker = CircuitBreaker::new(checked(|| Box::pin(async { WELL.load(Relaxed) })).name("well"));
    calls(&breaker, "F").await;
    for _ in 0..60 {
        sleep(ms(1000)).await;
        assert_eq!(refused(&breaker).await, None);
    }
    assert_eq!(breaker.stats().retry_after, None);
    WELL.store(true, Relaxed);
    sleep(ms(8000)).await;
    calls(&breaker, "S").await;
    let stats = breaker.stats();
    assert_eq!((stats.state, stats.last_change.unwrap().cause), (CircuitState::Closed, Cause::Healthy));
    let heard = heard.take();
    assert!(heard.iter().all(|text| !text.contains("half-opened") && !text.contains("no runtime")), "{heard:?}");
    assert_eq!(heard.last().unwrap(), "well: closed: the health check succeeded");
}

#[tokio::test(start_paused = true)]
async fn so_many_good_answers_in_a_row_close_it() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let check: fn() -> Checking = || {
        let asked = ASKED.fetch_add(1, Relaxed) + 1;
        Box::pin(async move { asked != 3 })
    };
    let breaker = CircuitBreaker::new(checked(check).successes(3));
    calls(&breaker, "F").await;
    // Good, good, bad, and twice good: the bad one begins it anew.
    sleep(ms(6500)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (5, CircuitState::Open));
    sleep(ms(1000)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (6, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn the_pause_doubles_after_bad_answers_up_to_the_longest_open_time() {
    static ASKED: Mutex<Vec<Instant>> = Mutex::new(Vec::new());
    let check: fn() -> Checking = || {
        ASKED.lock().unwrap().push(Instant::now());
        Box::pin(async { false })
    };
    let breaker = CircuitBreaker::new(checked(check));
    let began = Instant::now();
    calls(&breaker, "F").await;
    sleep(Duration::from_secs(32)).await;
    let asked: Vec<_> = ASKED.lock().unwrap().iter().map(|at| (*at - began).as_secs_f64().round()).collect();
    assert_eq!(asked, [1.0, 3.0, 7.0, 15.0, 23.0, 31.0]);
}

#[tokio::test(start_paused = true)]
async fn it_asks_every_five_seconds_by_default() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let check: fn() -> Checking = || {
        ASKED.fetch_add(1, Relaxed);
        Box::pin(async { true })
    };
    let breaker = CircuitBreaker::new(CHECKED.health_check(HealthCheck::new(check)));
    calls(&breaker, "F").await;
    sleep(ms(4900)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (0, CircuitState::Open));
    sleep(ms(200)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (1, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_is_a_bad_answer_after_the_time_of_a_probe() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let check: fn() -> Checking = || {
        if ASKED.fetch_add(1, Relaxed) == 0 { Box::pin(pending()) } else { Box::pin(async { true }) }
    };
    let breaker = CircuitBreaker::new(checked(check).probe_timeout(ms(300)));
    calls(&breaker, "F").await;
    // One second, 300 ms until it is bad, and two seconds.
    sleep(ms(3200)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (1, CircuitState::Open));
    sleep(ms(200)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (2, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_a_bad_answer() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let check: fn() -> Checking = || match ASKED.fetch_add(1, Relaxed) {
        0 => quietly_panic(),
        1 => Box::pin(async { quietly_panic() }),
        2 => Box::pin(async {
            sleep(ms(1)).await;
            quietly_panic()
        }),
        _ => Box::pin(async { true }),
    };
    let breaker = CircuitBreaker::new(checked(check));
    calls(&breaker, "F").await;
    sleep(ms(14_900)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (3, CircuitState::Open));
    sleep(ms(200)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (4, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_unless_it_is_open() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    static WELL: AtomicBool = AtomicBool::new(false);
    let check: fn() -> Checking = || {
        ASKED.fetch_add(1, Relaxed);
        Box::pin(async { WELL.load(Relaxed) })
    };
    let heard = Heard::of("quiet");
    let breaker = CircuitBreaker::new(checked(check).name("quiet"));
    let quiet = || async {
        let before = ASKED.load(Relaxed);
        sleep(Duration::from_secs(100)).await;
        assert_eq!(ASKED.load(Relaxed), before);
    };
    calls(&breaker, "S").await;
    quiet().await;
    for end in
        [CircuitBreaker::reset, CircuitBreaker::force_open, CircuitBreaker::force_closed, CircuitBreaker::disable]
    {
        breaker.reset();
        let before = ASKED.load(Relaxed);
        calls(&breaker, "F").await;
        sleep(ms(1500)).await;
        assert_eq!(ASKED.load(Relaxed), before + 1);
        end(&breaker);
        quiet().await;
    }
    breaker.reset();
    calls(&breaker, "F").await;
    WELL.store(true, Relaxed);
    sleep(ms(1500)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    quiet().await;
    // It ended because it was not needed, and nobody has to hear of that.
    let heard = heard.take();
    assert!(heard.iter().all(|text| !text.contains("no runtime")), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_breaker_asks_no_more() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let check: fn() -> Checking = || {
        ASKED.fetch_add(1, Relaxed);
        Box::pin(async { false })
    };
    let breaker = CircuitBreaker::new(checked(check));
    calls(&breaker, "F").await;
    sleep(ms(1500)).await;
    drop(breaker);
    sleep(Duration::from_secs(100)).await;
    assert_eq!(ASKED.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_follows_a_good_answer() {
    let breaker = CircuitBreaker::new(checked(|| Box::pin(async { true })).ramp());
    calls(&breaker, "F").await;
    sleep(ms(1000)).await;
    settle().await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    assert!(breaker.stats().share.is_some());
    advance(ms(1000)).await;
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::Ramped);
}

#[test]
fn when_the_runtime_that_asks_has_shut_down_probes_decide() {
    let heard = Heard::of("orphan");
    let breaker = CircuitBreaker::new(checked(|| Box::pin(async { false })).name("orphan"));
    let first = paused();
    first.block_on(async {
        calls(&breaker, "F").await;
        settle().await;
        assert_eq!(refused(&breaker).await, None);
    });
    drop(first);
    paused().block_on(async {
        assert!(refused(&breaker).await.unwrap() <= ms(1000));
        advance(ms(1000)).await;
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        calls(&breaker, "S").await;
        assert_eq!(breaker.state(), CircuitState::Closed);
    });
    let heard = heard.take();
    assert_eq!(heard.iter().filter(|text| text.contains("no runtime")).count(), 1, "{heard:?}");
}

#[test]
fn without_a_runtime_probes_decide() {
    let heard = Heard::of("threaded");
    let config = checked(|| Box::pin(async { false })).open_for(ms(1)).name("threaded");
    let breaker = CircuitBreaker::new(config);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            breaker.try_acquire().unwrap().failure();
            while breaker.state() != CircuitState::HalfOpen {
                std::thread::yield_now();
            }
            breaker.try_acquire().unwrap().success();
        });
    });
    assert_eq!(breaker.state(), CircuitState::Closed);
    let heard = heard.take();
    assert_eq!(heard[1], "threaded: the health check has no runtime: probes decide instead", "{heard:?}");
    assert_eq!(heard.iter().filter(|text| text.contains("no runtime")).count(), 1, "{heard:?}");
}

/// The old task is gone and there is no new one.
#[test]
fn reconfigured_without_a_runtime_probes_decide() {
    let heard = Heard::of("moved");
    let config = checked(|| Box::pin(async { false })).name("moved");
    let breaker = CircuitBreaker::new(config);
    let runtime = paused();
    runtime.block_on(async {
        calls(&breaker, "F").await;
        settle().await;
    });
    breaker.reconfigure(config).unwrap();
    runtime.block_on(async {
        assert!(breaker.stats().retry_after.is_some());
        advance(ms(1000)).await;
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
    });
    let heard = heard.take();
    assert_eq!(heard.iter().filter(|text| text.contains("no runtime")).count(), 1, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn reconfigured_while_open_it_goes_on_asking() {
    static WELL: AtomicBool = AtomicBool::new(false);
    let config = checked(|| Box::pin(async { WELL.load(Relaxed) }));
    let breaker = CircuitBreaker::new(config);
    calls(&breaker, "F").await;
    sleep(ms(1500)).await;
    breaker.reconfigure(config.health_every(ms(100))).unwrap();
    sleep(ms(10_000)).await;
    assert_eq!(refused(&breaker).await, None);
    WELL.store(true, Relaxed);
    sleep(ms(8000)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_runtime_that_nobody_drives_does_not_keep_it_open_for_ever() {
    let heard = Heard::of("undriven");
    let breaker = CircuitBreaker::new(checked(|| Box::pin(async { true })).probe_timeout(ms(500)).name("undriven"));
    let undriven = paused();
    paused().block_on(async {
        let there = undriven.enter();
        breaker.try_acquire().unwrap().failure();
        drop(there);
        // A pause of a second, the time of a probe, and five seconds for a runtime that has much to do.
        advance(ms(6400)).await;
        assert_eq!(refused(&breaker).await, None);
        advance(ms(200)).await;
        calls(&breaker, "F").await;
        assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::ProbeFailed);
        // Here it is run.
        sleep(ms(1100)).await;
        assert_eq!(breaker.state(), CircuitState::Closed);
        assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::Healthy);
    });
    drop(undriven);
    assert_eq!(breaker.state(), CircuitState::Closed);
    let heard = heard.take();
    assert_eq!(heard.iter().filter(|text| text.contains("no runtime")).count(), 1, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn pauses_that_grow_and_checks_that_hang_are_not_taken_for_a_runtime_that_nobody_drives() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let check: fn() -> Checking = || {
        ASKED.fetch_add(1, Relaxed);
        Box::pin(pending())
    };
    let config = checked(check).open_for_range(Duration::from_secs(1)..=Duration::from_secs(3600));
    let breaker = CircuitBreaker::new(config.probe_timeout(Duration::from_secs(60)));
    calls(&breaker, "F").await;
    for _ in 0..40_000 {
        sleep(ms(1000)).await;
        assert_eq!((refused(&breaker).await, breaker.state()), (None, CircuitState::Open));
    }
    assert!(ASKED.load(Relaxed) > 12);
}

#[tokio::test(start_paused = true)]
async fn a_check_without_a_runtime_when_it_opened_begins_with_the_first_call_that_has_one() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let check: fn() -> Checking = || {
        ASKED.fetch_add(1, Relaxed);
        Box::pin(async { ASKED.load(Relaxed) > 1 })
    };
    let breaker = CircuitBreaker::new(checked(check).open_for(Duration::from_secs(60)));
    std::thread::scope(|scope| {
        scope.spawn(|| breaker.try_acquire().unwrap().failure()).join().unwrap();
        // This one has none, either.
        scope.spawn(|| breaker.try_acquire().unwrap_err().retry_after().unwrap()).join().unwrap();
    });
    assert!(refused(&breaker).await.is_some());
    assert_eq!(refused(&breaker).await, None);
    sleep(ms(2900)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (1, CircuitState::Open));
    sleep(ms(200)).await;
    assert_eq!((ASKED.load(Relaxed), breaker.state()), (2, CircuitState::Closed));
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::Healthy);
}

/// The check of an earlier opening ends after that of a later one, for it blocks its thread.
#[test]
fn the_answer_of_an_earlier_opening_does_not_hide_that_of_a_later_one() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    static RELEASED: AtomicBool = AtomicBool::new(false);
    static ENDED: AtomicBool = AtomicBool::new(false);
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            ENDED.store(true, SeqCst);
        }
    }
    let check: fn() -> Checking = || {
        if ASKED.fetch_add(1, SeqCst) > 0 {
            return Box::pin(async { true });
        }
        let ends = Ends;
        Box::pin(async move {
            let _ends = ends;
            while !RELEASED.load(SeqCst) {
                std::thread::yield_now();
            }
            pending().await
        })
    };
    let runtime = Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    let breaker = CircuitBreaker::new(CHECKED.health_check(HealthCheck::new(check)).health_every(ms(1)));
    let asked = |times| {
        while ASKED.load(SeqCst) < times {
            std::thread::yield_now();
        }
    };
    runtime.block_on(async { breaker.try_acquire().unwrap().failure() });
    asked(1);
    breaker.reset();
    runtime.block_on(async { breaker.try_acquire().unwrap().failure() });
    asked(2);
    // Its answer is on its way, and nobody has read it.
    let deadline = std::time::Instant::now() + ms(20);
    while std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    RELEASED.store(true, SeqCst);
    while !ENDED.load(SeqCst) {
        std::thread::yield_now();
    }
    drop(runtime);
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::Healthy);
}
