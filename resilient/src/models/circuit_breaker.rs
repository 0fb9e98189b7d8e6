//! States, windows and probes of a breaker.

use super::*;

#[test]
fn half_open_admits_exactly_its_probes_under_any_race() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let breaker = Arc::new(open_breaker(&clock, CircuitBreakerConfig::new().failures(1).probes(2).successes(2)));
        let admitted = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let (breaker, admitted) = (Arc::clone(&breaker), Arc::clone(&admitted));
                thread::spawn(move || {
                    let permit = breaker.try_acquire();
                    admitted.fetch_add(u32::from(permit.is_ok()), SeqCst);
                    // Held until all have asked.
                    permit.ok().map(std::mem::forget)
                })
            })
            .collect();
        for call in calls {
            call.join().unwrap();
        }
        assert_eq!(admitted.load(SeqCst), 2);
        let stats = breaker.stats();
        assert_eq!((stats.probes_in_flight, stats.rejected), (2, 2));
    });
}

#[test]
fn a_late_result_never_decides_and_every_probe_gives_its_place_back() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let breaker = Arc::new(CircuitBreaker::new(
            CircuitBreakerConfig::new()
                .failures(1)
                .open_for(Duration::from_millis(1))
                .probe_timeout(Duration::from_secs(3600)),
        ));
        let early = breaker.try_acquire().unwrap();
        breaker.try_acquire().unwrap().failure();
        clock.advance(2);
        let probe = breaker.try_acquire().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| early.success());
            scope.spawn(|| drop(probe));
            scope.spawn(|| {
                if let Ok(permit) = breaker.try_acquire() {
                    permit.ignore();
                }
            });
        });
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.probes_in_flight), (CircuitState::HalfOpen, 0));
    });
}

#[test]
fn failures_that_race_with_successes_open_where_some_order_would() {
    check(|| {
        let breaker = Arc::new(CircuitBreaker::new(CircuitBreakerConfig::new().failures(2)));
        thread::scope(|scope| {
            scope.spawn(|| breaker.try_acquire().unwrap().failure());
            scope.spawn(|| drop(breaker.try_acquire().map(Permit::failure)));
            scope.spawn(|| drop(breaker.try_acquire().map(Permit::success)));
        });
        // First what calls may do without the lock, as the last result has left it; then the machine itself.
        let admitted = breaker.try_acquire().is_ok();
        let stats = breaker.stats();
        assert_eq!(admitted, stats.state == CircuitState::Closed);
        // Two failures in a row open it; a success between them, or after the first, does not let them be two.
        match stats.state {
            CircuitState::Closed => assert!(stats.failures <= 1),
            state => assert_eq!(state, CircuitState::Open),
        }
    });
}

/// All are counted, and none of them twice.
fn successes_are_counted() {
    let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().min_calls(100));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..3 {
                    breaker.try_acquire().unwrap().success();
                }
            });
        }
    });
    assert_eq!(breaker.stats().calls, 9);
}

#[test]
fn successes_in_a_line_that_threads_share_are_all_counted() {
    check(successes_are_counted);
}

#[test]
fn successes_in_lines_of_their_own_are_all_counted() {
    check_with_own_lines(successes_are_counted);
}

#[test]
fn enough_failures_open_it_under_every_schedule() {
    let clock = Clock::new();
    check_with_own_lines(move || failures_open(&clock, CircuitBreakerConfig::new()));
}

#[test]
fn enough_failures_in_a_window_of_calls_open_it() {
    let clock = Clock::new();
    check_with_own_lines(move || failures_open(&clock, CircuitBreakerConfig::new().window_calls(6)));
}

#[test]
fn a_ramp_begins_with_one_probe_and_goes_on_with_so_many() {
    let clock = Clock::new();
    check(move || {
        let _here = clock.0.enter();
        let breaker = open_breaker(&clock, CircuitBreakerConfig::new().failures(1).probes(2).successes(4).ramp());
        let first = breaker.try_acquire().unwrap();
        assert_eq!(admitted(&breaker), 0);
        first.success();
        assert_eq!(admitted(&breaker), 2);
        assert_eq!(breaker.stats().probes_in_flight, 2);
    });
}

#[test]
fn hands_that_race_with_results_leave_no_more_probes_than_there_may_be() {
    let clock = Clock::new();
    check_with_own_lines(move || {
        let _here = clock.0.enter();
        let config = CircuitBreakerConfig::new().failure_rate(Ratio::percent(50)).min_calls(1).probes(2).successes(2);
        let breaker = open_breaker(&clock, config);
        let [succeeds, fails] = [(); 2].map(|()| breaker.try_acquire().unwrap());
        thread::scope(|scope| {
            scope.spawn(|| succeeds.success());
            scope.spawn(|| fails.failure());
            scope.spawn(|| {
                breaker.reset();
                breaker.try_acquire().map(Permit::failure)
            });
            scope.spawn(|| {
                let permit = breaker.try_acquire();
                assert!(breaker.stats().probes_in_flight <= 2);
                drop(permit);
            });
        });
        // The last word had the failure after the reset, unless a look after that let time act.
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.probes_in_flight), (CircuitState::Open, 0));
        clock.advance(2);
        assert_eq!(admitted(&breaker), 2);
    });
}
