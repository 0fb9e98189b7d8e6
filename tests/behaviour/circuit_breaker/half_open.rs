//! The way from open to closed, by probes.

use super::{CONFIG, brittle, calls, half_open, refused};
use crate::support::{Fault, ms, poll_once};
use resilient::{CircuitBreaker, CircuitState};
use std::{
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};
use tokio::time::{advance, sleep};

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
