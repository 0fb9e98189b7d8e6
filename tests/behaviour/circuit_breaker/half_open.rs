//! What lets calls through again, and who may say so.

use super::*;

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

#[tokio::test(start_paused = true)]
async fn a_refusal_while_a_probe_runs_tells_when_probes_end_and_not_the_worst_case() {
    let breaker = brittle();
    half_open(&breaker).await;
    let probe = breaker.try_acquire().unwrap();
    // Nobody knows yet how long one takes.
    assert_eq!(refused(&breaker).await, None);
    advance(ms(40)).await;
    probe.failure();
    advance(ms(1000)).await;
    let _probe = breaker.try_acquire().unwrap();
    let mut told = Vec::new();
    for _ in 0..6 {
        told.push(refused(&breaker).await.unwrap().as_millis());
        advance(ms(10)).await;
    }
    // Once it has taken longer than others did: as long again.
    assert_eq!(told, [40, 30, 20, 10, 40, 50]);
    advance(ms(930)).await;
    // It expires.
    assert_eq!(refused(&breaker).await, Some(ms(10)));
}
