//! Asking for the dependency's health while the circuit is open.

use super::{CONFIG, call, calls, refused, secs};
use crate::support::{Act, Heard, OnDrop, ms, quietly_panic, settle, yields};
use resilient::{Cause, Checking, CircuitBreaker, CircuitBreakerConfig, CircuitState, HealthCheck, Ratio};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    time::Duration,
};
use tokio::time::{Instant, advance, sleep};

#[derive(Clone, Copy)]
enum Answer {
    Well,
    Ill,
    Hang,
    Panic,
    PanicAtOnce,
}

use Answer::{Hang, Ill, Panic, PanicAtOnce, Well};

// A check is a plain fn; each test has a thread.
thread_local! {
    static ANSWERS: RefCell<VecDeque<Answer>> = const { RefCell::new(VecDeque::new()) };
    static ASKED: RefCell<Vec<Instant>> = const { RefCell::new(Vec::new()) };
    static DROPPED: Cell<u32> = const { Cell::new(0) };
}

/// The last answer repeats.
fn scripted() -> Checking {
    ASKED.with_borrow_mut(|asked| asked.push(Instant::now()));
    let answer = ANSWERS.with_borrow_mut(|answers| match answers.len() {
        0 => Ill,
        1 => answers[0],
        _ => answers.pop_front().unwrap(),
    });
    if let PanicAtOnce = answer {
        quietly_panic::<()>();
    }
    let dropped = OnDrop(|| DROPPED.set(DROPPED.get() + 1));
    Box::pin(async move {
        let _dropped = dropped;
        yields(1).await;
        match answer {
            Well => true,
            Hang => std::future::pending().await,
            Panic => quietly_panic(),
            Ill | PanicAtOnce => false,
        }
    })
}

const ASKING: CircuitBreakerConfig =
    CONFIG.failures(1).health_check(HealthCheck::new(scripted)).health_every(Duration::from_millis(100));

/// Opens, and waits until all of these have been given.
async fn opened(breaker: &CircuitBreaker, answers: &[Answer]) -> Instant {
    ANSWERS.with_borrow_mut(|held| *held = answers.iter().copied().collect());
    ASKED.with_borrow_mut(Vec::clear);
    calls(breaker, "F").await;
    Instant::now()
}

/// When it was asked, in milliseconds.
fn asked(since: Instant) -> Vec<u128> {
    ASKED.with_borrow(|asked| asked.iter().map(|at| (*at - since).as_millis()).collect())
}

#[tokio::test(start_paused = true)]
async fn it_closes_without_risking_a_call() {
    let heard = Heard::of("asking");
    let breaker = CircuitBreaker::new(ASKING.name("asking"));
    let opened = opened(&breaker, &[Ill, Ill, Ill, Ill, Well]).await;
    // Well beyond `open_for`.
    for _ in 0..24 {
        assert_eq!(refused(&breaker).await, None);
        assert_eq!((breaker.state(), breaker.stats().retry_after), (CircuitState::Open, None));
        sleep(ms(100)).await;
    }
    sleep(ms(101)).await;
    // Whoever calls first finds it closed.
    assert_eq!(call(&breaker, Act::Succeed).await, Ok(1));
    assert_eq!(asked(opened), [100, 300, 700, 1500, 2500]);
    assert_eq!((breaker.state(), breaker.stats().last_change.unwrap().cause), (CircuitState::Closed, Cause::Healthy));
    let changes = heard.take().into_iter().filter(|text| !text.contains("rejected")).collect::<Vec<_>>();
    assert_eq!(changes, ["asking: opened for 1s: 1 failure in a row", "asking: closed: the health check succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn the_pause_doubles_after_bad_answers_up_to_the_longest_open_time_and_begins_anew_after_a_good_one() {
    let config = ASKING.open_for_range(ms(200)..=ms(800)).successes(2);
    let breaker = CircuitBreaker::new(config);
    let opened = opened(&breaker, &[Ill, Ill, Ill, Ill, Ill, Well, Ill, Well, Well]).await;
    sleep(secs(10)).await;
    assert_eq!(asked(opened), [100, 300, 700, 1500, 2300, 3100, 3200, 3400, 3500]);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_or_panics_is_a_bad_answer() {
    let breaker = CircuitBreaker::new(ASKING.probe_timeout(ms(300)));
    let opened = opened(&breaker, &[Hang, Panic, PanicAtOnce, Well]).await;
    sleep(ms(1799)).await;
    assert_eq!((breaker.state(), DROPPED.get()), (CircuitState::Open, 2));
    sleep(ms(2)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(asked(opened), [100, 600, 1000, 1800]);
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_no_longer_once_somebody_has_said_what_to_do() {
    let says: [(fn(&CircuitBreaker), _); 4] = [
        (CircuitBreaker::reset, CircuitState::Closed),
        (CircuitBreaker::force_closed, CircuitState::ForcedClosed),
        (CircuitBreaker::force_open, CircuitState::ForcedOpen),
        (CircuitBreaker::disable, CircuitState::Disabled),
    ];
    for (say, state) in says {
        let breaker = CircuitBreaker::new(ASKING);
        let opened = opened(&breaker, &[Ill, Well]).await;
        sleep(ms(150)).await;
        say(&breaker);
        sleep(secs(60)).await;
        assert_eq!((breaker.state(), asked(opened)), (state, vec![100]));
    }
}

#[tokio::test(start_paused = true)]
async fn each_opening_asks_anew() {
    let breaker = CircuitBreaker::new(ASKING);
    for _ in 0..3 {
        let opened = opened(&breaker, &[Ill, Well]).await;
        sleep(ms(301)).await;
        assert_eq!((breaker.state(), asked(opened)), (CircuitState::Closed, vec![100, 300]));
        sleep(secs(60)).await;
        assert_eq!(asked(opened).len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_circuit_opened_by_hand_asks_nobody() {
    let breaker = CircuitBreaker::new(ASKING);
    ANSWERS.with_borrow_mut(|held| held.push_back(Well));
    breaker.force_open();
    sleep(secs(60)).await;
    assert_eq!((breaker.state(), ASKED.with_borrow(Vec::len)), (CircuitState::ForcedOpen, 0));
}

#[tokio::test(start_paused = true)]
async fn with_a_ramp_a_good_answer_begins_the_growing_share() {
    let breaker = CircuitBreaker::new(ASKING.ramp());
    opened(&breaker, &[Well]).await;
    sleep(ms(101)).await;
    assert_eq!((breaker.state(), breaker.stats().share), (CircuitState::HalfOpen, Some(Ratio::percent(10))));
    advance(secs(1)).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_when_the_breaker_is_dropped() {
    let breaker = CircuitBreaker::new(ASKING);
    let opened = opened(&breaker, &[Hang]).await;
    sleep(ms(150)).await;
    assert_eq!((asked(opened).len(), DROPPED.get()), (1, 0));
    drop(breaker);
    settle().await;
    assert_eq!(DROPPED.get(), 1);
    sleep(secs(60)).await;
    assert_eq!(asked(opened).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reconfigured_while_open_it_asks_by_the_new_numbers() {
    let breaker = CircuitBreaker::new(ASKING);
    let opened = opened(&breaker, &[Well]).await;
    breaker.reconfigure(ASKING.health_every(ms(500))).unwrap();
    sleep(ms(400)).await;
    assert_eq!((breaker.state(), asked(opened)), (CircuitState::Open, vec![]));
    sleep(ms(101)).await;
    assert_eq!((breaker.state(), asked(opened)), (CircuitState::Closed, vec![500]));
}

/// Waits until the time open is over, on the clock of the machine, and lets a probe decide.
fn probes_decide(breaker: &CircuitBreaker) {
    let began = std::time::Instant::now();
    while breaker.state() == CircuitState::Open {
        assert!(began.elapsed() < secs(20));
        std::thread::yield_now();
    }
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.stats().last_change.unwrap().cause, Cause::ProbesSucceeded);
}

#[test]
fn without_a_runtime_it_says_so_and_probes_decide() {
    let heard = Heard::of("no runtime");
    let breaker = CircuitBreaker::new(ASKING.open_for(ms(50)).name("no runtime"));
    breaker.try_acquire().unwrap().failure();
    assert!(breaker.stats().retry_after.is_some());
    probes_decide(&breaker);
    assert_eq!(
        heard.take(),
        [
            "no runtime: opened for 50ms: 1 failure in a row",
            "no runtime: the health check has no runtime: probes decide instead",
            "no runtime: half-opened",
            "no runtime: closed: the probes succeeded",
        ]
    );
}

#[test]
fn when_its_runtime_shuts_down_it_says_so_and_probes_decide() {
    let heard = Heard::of("shut down");
    let breaker = CircuitBreaker::new(ASKING.open_for(ms(50)).name("shut down"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        calls(&breaker, "F").await;
        assert_eq!(breaker.stats().retry_after, None);
    });
    drop(runtime);
    probes_decide(&breaker);
    assert_eq!(
        heard.take(),
        [
            "shut down: opened for 50ms: 1 failure in a row",
            "shut down: the health check has no runtime: probes decide instead",
            "shut down: half-opened",
            "shut down: closed: the probes succeeded",
        ]
    );
}
