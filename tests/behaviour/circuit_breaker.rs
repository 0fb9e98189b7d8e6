use crate::support::{Act, Dependency, Fault, Heard, adds_up, caught, ms, poll_once, site};
use resilient::{
    CircuitBreaker, CircuitBreakerConfig, CircuitState, Ratio, bulkhead, circuit_breaker, rate_limited, registry,
    timeout,
};
use std::{
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};
use tokio::time::{advance, sleep};

const CONFIG: CircuitBreakerConfig = CircuitBreakerConfig::new().open_for(Duration::from_secs(1));

/// Opens at the first failure, for a second.
fn brittle() -> CircuitBreaker {
    CircuitBreaker::new(CONFIG.failures(1))
}

async fn call(breaker: &CircuitBreaker, act: Act) -> Result<u32, Fault> {
    let dependency = Dependency::new([act]);
    breaker.call(dependency.run()).await
}

async fn calls(breaker: &CircuitBreaker, acts: &str) {
    for act in acts.chars() {
        let act = if act == 'S' { Act::Succeed } else { Act::Fail };
        let ended = call(breaker, act).await;
        assert!(!matches!(ended, Err(Fault::Refused(_))), "refused: {acts}");
    }
}

async fn half_open(breaker: &CircuitBreaker) {
    calls(breaker, "F").await;
    advance(ms(1000)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

async fn refused(breaker: &CircuitBreaker) -> Option<Duration> {
    let error = call(breaker, Act::Succeed).await.unwrap_err();
    assert!(error.ours().is_circuit_open());
    error.ours().retry_after()
}

#[tokio::test(start_paused = true)]
async fn it_opens_at_the_threshold_and_not_below() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(10).failure_rate(Ratio::percent(50)));
    calls(&breaker, "SSSSSSFFFF").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    // A success leaves the window: five of ten.
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(refused(&breaker).await, Some(ms(1000)));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_decided_below_min_calls_and_a_success_may_complete_them() {
    for window in [CONFIG.window_calls(5), CONFIG.window_time(Duration::from_secs(60))] {
        let breaker = CircuitBreaker::new(window.min_calls(5).failure_rate(Ratio::percent(60)));
        calls(&breaker, "FFFS").await;
        assert_eq!(breaker.state(), CircuitState::Closed);
        calls(&breaker, "S").await;
        assert_eq!(breaker.state(), CircuitState::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_that_pushes_another_out_of_the_window_is_judged() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(4).min_calls(4).failure_rate(Ratio::percent(50)));
    calls(&breaker, "SSSF").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    calls(&breaker, "SSS").await;
    assert_eq!(breaker.stats().failures, 1);
    calls(&breaker, "S").await;
    assert_eq!(breaker.stats().failures, 0);
}

#[tokio::test(start_paused = true)]
async fn successes_that_grow_old_leave_a_time_window_and_the_next_success_is_judged() {
    let window = CONFIG.window_time(Duration::from_secs(10)).min_calls(4).failure_rate(Ratio::percent(50));
    let breaker = CircuitBreaker::new(window);
    calls(&breaker, "SSSSS").await;
    advance(ms(5000)).await;
    calls(&breaker, "FFFS").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    advance(ms(6000)).await;
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_time_window_holds_nothing_older_and_at_least_its_newest_nine_tenths() {
    let breaker = CircuitBreaker::new(CONFIG.window_time(Duration::from_secs(10)).min_calls(100));
    for _ in 0..40 {
        calls(&breaker, "F").await;
        advance(ms(500)).await;
    }
    let held = breaker.stats().failures;
    assert!((18..=20).contains(&held), "{held}");
    advance(ms(10_000)).await;
    assert_eq!(breaker.stats().failures, 0);
}

#[tokio::test(start_paused = true)]
async fn a_result_is_dated_when_the_call_ends() {
    let breaker = CircuitBreaker::new(CONFIG.window_time(Duration::from_secs(10)).min_calls(100));
    call(&breaker, Act::SlowFail(30_000)).await.unwrap_err();
    assert_eq!(breaker.stats().failures, 1);
}

#[tokio::test(start_paused = true)]
async fn open_ends_exactly_after_open_for_and_refusals_do_not_prolong_it() {
    let breaker = brittle();
    calls(&breaker, "F").await;
    for left in (1..=1000).rev().step_by(111) {
        assert_eq!(refused(&breaker).await, Some(ms(left)));
        advance(ms(if left > 111 { 111 } else { left })).await;
    }
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_window_is_empty_after_a_transition() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(3).failure_rate(Ratio::percent(100)));
    calls(&breaker, "FFF").await;
    advance(ms(1000)).await;
    calls(&breaker, "S").await;
    assert_eq!((breaker.stats().calls, breaker.stats().failures), (0, 0));
    calls(&breaker, "FF").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_reopens_for_the_full_time() {
    let breaker = brittle();
    half_open(&breaker).await;
    calls(&breaker, "F").await;
    assert_eq!(refused(&breaker).await, Some(ms(1000)));
    advance(ms(999)).await;
    refused(&breaker).await;
    advance(ms(1)).await;
    calls(&breaker, "S").await;
    assert_eq!(breaker.stats().opened, 2);
}

#[tokio::test(start_paused = true)]
async fn so_many_successes_close_it_and_earlier_ones_do_not_carry_over() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).successes(3));
    half_open(&breaker).await;
    calls(&breaker, "SSF").await;
    advance(ms(1000)).await;
    calls(&breaker, "SS").await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn only_failures_in_a_row_count_in_that_mode_and_neutral_results_do_not_break_the_row() {
    let breaker = CircuitBreaker::new(CONFIG.failures(3));
    calls(&breaker, "FFSFF").await;
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    assert_eq!(breaker.state(), CircuitState::Closed);
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn outcome_table_ignored_and_cancelled_are_recorded_as_neither() {
    let breaker = CircuitBreaker::new(CONFIG.window_calls(10));
    breaker.try_acquire().unwrap().ignore();
    drop(breaker.try_acquire().unwrap());
    drop(poll_once(&mut Box::pin(call(&breaker, Act::Hang))));
    assert_eq!((breaker.stats().calls, breaker.stats().failures), (0, 0));
    breaker.try_acquire().unwrap().success();
    breaker.try_acquire().unwrap().failure();
    breaker.try_acquire().unwrap().record(&Err::<(), _>(Fault::BadRequest));
    assert_eq!((breaker.stats().calls, breaker.stats().failures), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn outcome_table_ignored_and_cancelled_probes_give_their_place_back_at_once() {
    let breaker = brittle();
    half_open(&breaker).await;
    let mut hung = Box::pin(call(&breaker, Act::Hang));
    assert!(poll_once(&mut hung).is_pending());
    refused(&breaker).await;
    drop(hung);
    breaker.try_acquire().unwrap().ignore();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    assert_eq!(breaker.stats().probes_in_flight, 0);
    calls(&breaker, "S").await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn outcome_table_a_panic_is_a_failure_and_gives_the_place_back() {
    let breaker = brittle();
    assert_eq!(caught(call(&breaker, Act::Panic)).await, None);
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(ms(1000)).await;
    assert_eq!(caught(call(&breaker, Act::YieldPanic(2))).await, None);
    assert_eq!((breaker.state(), breaker.stats().opened), (CircuitState::Open, 2));
    advance(ms(1000)).await;
    calls(&breaker, "S").await;
}

/// A call that waits while another future of its task panics was dropped, not broken.
#[tokio::test(start_paused = true)]
async fn a_neighbours_panic_is_not_held_against_the_call_that_it_drops() {
    let breaker = brittle();
    let together = async {
        let _ = tokio::join!(call(&breaker, Act::Hang), crate::support::quietly_panic_later());
    };
    assert_eq!(caught(together).await, None);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn outcome_table_a_time_out_inside_is_a_failure() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker)]
    #[timeout(10ms)]
    async fn timed_inside(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        std::future::pending().await
    }
    assert!(timed_inside(&breaker).await.unwrap_err().ours().is_timeout());
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn outcome_table_a_time_out_outside_is_a_cancellation() {
    let breaker = brittle();
    #[timeout(10ms)]
    #[circuit_breaker(policy = breaker)]
    async fn timed_outside(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        std::future::pending().await
    }
    assert!(timed_outside(&breaker).await.unwrap_err().ours().is_timeout());
    assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::Closed, 0));
    half_open(&breaker).await;
    assert!(timed_outside(&breaker).await.unwrap_err().ours().is_timeout());
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 0));
}

#[tokio::test(start_paused = true)]
async fn rejections_below_a_breaker_are_neutral() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker)]
    #[bulkhead(1)]
    #[rate_limited(1/h)]
    async fn guarded(breaker: &CircuitBreaker, dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Slow(10), Act::Succeed]);
    let (first, second) = tokio::join!(guarded(&breaker, &dependency), guarded(&breaker, &dependency));
    first.unwrap();
    assert!(second.unwrap_err().ours().is_bulkhead_full());
    assert!(guarded(&breaker, &dependency).await.unwrap_err().ours().is_rate_limited());
    assert_eq!(breaker.state(), CircuitState::Closed);
    half_open(&breaker).await;
    assert!(guarded(&breaker, &dependency).await.unwrap_err().ours().is_rate_limited());
    assert_eq!((breaker.state(), breaker.stats().probes_in_flight), (CircuitState::HalfOpen, 0));
    adds_up("circuit_breaker::guarded");
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_inside_another_is_neutral_for_it() {
    let (outer, inner) = (brittle(), brittle());
    #[circuit_breaker(policy = outer)]
    #[circuit_breaker(policy = inner)]
    async fn two_breakers(outer: &CircuitBreaker, inner: &CircuitBreaker) -> Result<u32, Fault> {
        Ok(1)
    }
    inner.force_open();
    for _ in 0..3 {
        let error = two_breakers(&outer, &inner).await.unwrap_err();
        assert_eq!(error.ours().policy(), "circuit_breaker");
    }
    assert_eq!((outer.state(), outer.stats().failures), (CircuitState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_before_the_body_runs_is_neutral() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker)]
    #[timeout(10ms)]
    #[bulkhead(1, wait)]
    async fn queued(breaker: &CircuitBreaker, dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let slow = Dependency::new([Act::Hang]);
    let (first, second) = tokio::join!(biased; queued(&breaker, &slow), queued(&breaker, &slow));
    assert!(first.unwrap_err().ours().is_timeout());
    assert!(matches!(second.unwrap_err().ours(), resilient::Error::DeadlineExceeded { .. }));
    assert_eq!(slow.runs(), 1);
    assert_eq!(breaker.stats().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_result_never_changes_the_state() {
    let heard = Heard::of("late");
    let breaker = CircuitBreaker::new(CONFIG.failures(1).name("late"));
    let old = [(); 4].map(|()| breaker.try_acquire().unwrap());
    let [success, failure, ignored, last] = old;
    calls(&breaker, "F").await;
    success.success();
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(ms(1000)).await;
    let probe = breaker.try_acquire().unwrap();
    failure.failure();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    ignored.ignore();
    refused(&breaker).await;
    probe.success();
    last.failure();
    assert_eq!(breaker.state(), CircuitState::Closed);
    let heard = heard.take();
    assert_eq!(heard.iter().filter(|text| text.contains("late result")).count(), 3, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_result_from_before_a_reset_no_longer_counts() {
    let breaker = brittle();
    let old = breaker.try_acquire().unwrap();
    breaker.reset();
    old.failure();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_counts_as_failed_at_its_time_out() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).probe_timeout(ms(400)));
    half_open(&breaker).await;
    let hung = breaker.try_acquire().unwrap();
    advance(ms(399)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    // It was open again from 400 ms on, which nobody saw before now.
    advance(ms(301)).await;
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(refused(&breaker).await, Some(ms(700)));
    advance(ms(700)).await;
    let probe = breaker.try_acquire().unwrap();
    hung.failure();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    probe.success();
    assert_eq!((breaker.state(), breaker.stats().opened), (CircuitState::Closed, 2));
}

#[tokio::test(start_paused = true)]
async fn half_open_admits_exactly_the_probes_of_sixty_four_tasks() {
    let breaker = CircuitBreaker::new(CONFIG.failures(1).probes(3).successes(3));
    half_open(&breaker).await;
    let bodies = AtomicU32::new(0);
    let run = || async {
        bodies.fetch_add(1, Relaxed);
        sleep(ms(10)).await;
        Ok::<_, Fault>(())
    };
    let mut calls: Vec<_> = (0..64).map(|_| Box::pin(breaker.call(run))).collect();
    let mut admitted = 0;
    for call in &mut calls {
        match poll_once(call) {
            Poll::Pending => admitted += 1,
            Poll::Ready(ended) => assert!(ended.unwrap_err().ours().is_circuit_open()),
        }
    }
    assert_eq!(admitted, 3);
    assert_eq!(bodies.load(Relaxed), 3);
    advance(ms(10)).await;
    for call in &mut calls[..3] {
        assert!(poll_once(call).is_ready());
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn half_open_admits_exactly_the_probes_of_many_threads() {
    let breaker =
        CircuitBreaker::new(CONFIG.open_for(ms(1)).probe_timeout(Duration::from_secs(600)).failures(1).probes(3));
    breaker.try_acquire().unwrap().failure();
    while breaker.state() != CircuitState::HalfOpen {
        std::thread::yield_now();
    }
    let (barrier, admitted) = (Barrier::new(16), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                let probe = breaker.try_acquire();
                admitted.fetch_add(u32::from(probe.is_ok()), Relaxed);
                barrier.wait();
                drop(probe);
            });
        }
    });
    assert_eq!(admitted.load(Relaxed), 3);
    assert_eq!(breaker.stats().probes_in_flight, 0);
}

#[test]
fn results_of_all_threads_add_up() {
    let window = CONFIG.window_time(Duration::from_secs(3600)).min_calls(u32::MAX);
    let breaker = CircuitBreaker::new(window);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for run in 0..500 {
                    let permit = breaker.try_acquire().unwrap();
                    if run % 5 == 0 { permit.failure() } else { permit.success() }
                }
            });
        }
    });
    assert_eq!((breaker.stats().calls, breaker.stats().failures), (4000, 800));
}

#[tokio::test(start_paused = true)]
async fn an_operator_may_overrule_it() {
    let breaker = brittle();
    breaker.force_open();
    advance(Duration::from_secs(3600)).await;
    assert_eq!(refused(&breaker).await, None);
    breaker.force_closed();
    calls(&breaker, "FFF").await;
    assert_eq!((breaker.state(), breaker.stats().failures), (CircuitState::ForcedClosed, 3));
    breaker.disable();
    calls(&breaker, "FFF").await;
    assert_eq!((breaker.state(), breaker.stats().calls), (CircuitState::Disabled, 0));
    breaker.reset();
    calls(&breaker, "F").await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[circuit_breaker(failures = 1, open_for = 1s, when = Fault::is_down)]
async fn when_down(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[circuit_breaker(failures = 1, unless = |fault| *fault == Fault::BadRequest)]
async fn unless_bad(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[circuit_breaker(failures = 2, failure_if = |output| matches!(output, Ok(2..)))]
async fn failing_values(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[circuit_breaker(window = 4, failure_rate = 50%, ignore_if = |output| matches!(output, Err(Fault::BadRequest)))]
async fn ignoring(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

fn breaker_of(name: &str) -> &'static CircuitBreaker {
    registry().circuit_breaker(name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn predicates_say_what_a_failure_is() {
    let dependency = Dependency::new([Act::Refuse, Act::Fail]);
    assert_eq!(when_down(&dependency).await, Err(Fault::BadRequest));
    assert_eq!(breaker_of("circuit_breaker::when_down").state(), CircuitState::Closed);
    assert_eq!(when_down(&dependency).await, Err(Fault::Down(2)));
    assert_eq!(breaker_of("circuit_breaker::when_down").state(), CircuitState::Open);

    let dependency = Dependency::new([Act::Refuse, Act::Fail]);
    unless_bad(&dependency).await.unwrap_err();
    assert_eq!(breaker_of("circuit_breaker::unless_bad").state(), CircuitState::Closed);
    unless_bad(&dependency).await.unwrap_err();
    assert_eq!(breaker_of("circuit_breaker::unless_bad").state(), CircuitState::Open);

    let dependency = Dependency::new([Act::Fail, Act::Succeed]);
    failing_values(&dependency).await.unwrap_err();
    for _ in 0..2 {
        failing_values(&dependency).await.unwrap();
    }
    assert_eq!(breaker_of("circuit_breaker::failing_values").state(), CircuitState::Open);
}

/// An error that `when` refuses is an answer: a probe that gets it closes the circuit.
#[tokio::test(start_paused = true)]
async fn an_answer_closes_it_and_a_neutral_result_does_not() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker, when = Fault::is_down)]
    async fn answered(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        Err(Fault::BadRequest)
    }
    half_open(&breaker).await;
    answered(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), CircuitState::Closed);

    let dependency = Dependency::new([Act::Refuse]);
    for _ in 0..10 {
        ignoring(&dependency).await.unwrap_err();
    }
    assert_eq!(breaker_of("circuit_breaker::ignoring").stats().calls, 0);
}

#[tokio::test(start_paused = true)]
async fn without_arguments_it_has_the_documented_defaults() {
    #[circuit_breaker]
    async fn by_default(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    for _ in 0..19 {
        by_default(&dependency).await.unwrap_err();
    }
    let breaker = breaker_of("circuit_breaker::by_default");
    assert_eq!(breaker.state(), CircuitState::Closed);
    by_default(&dependency).await.unwrap_err();
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(breaker.stats().retry_after, Some(Duration::from_secs(30)));
    assert!(by_default(&dependency).await.unwrap_err().ours().is_circuit_open());
    let stats = site("circuit_breaker::by_default").stats();
    assert_eq!((stats.failed, stats.rejected), (20, 1));
}
