//! Calls in flight whose time a breaker watches. A thread has two places here; the calls beyond them queue.

use super::*;
use crate::Keyed;

fn watching() -> CircuitBreakerConfig {
    CircuitBreakerConfig::new().min_calls(100).slow_call(Duration::from_millis(1))
}

fn alone() -> CircuitBreaker {
    CircuitBreaker::new(watching())
}

/// That of a key: all threads but the first share a line, until they meet there.
fn of_a_key() -> Arc<CircuitBreaker> {
    Keyed::<str, _>::new(watching()).get("key")
}

/// Ends of slow calls, on other threads than they began on, race with looks that find them slow.
fn slow_calls_are_counted_once(clock: &Clock, breaker: &CircuitBreaker) {
    let _here = clock.0.enter();
    let [succeeds, fails, drops, _stays] = [(); 4].map(|()| breaker.try_acquire().unwrap());
    clock.advance(2);
    thread::scope(|scope| {
        scope.spawn(|| succeeds.success());
        scope.spawn(|| fails.failure());
        scope.spawn(|| drop(drops));
        scope.spawn(|| breaker.try_acquire().unwrap().success());
        scope.spawn(|| {
            let stats = breaker.stats();
            assert_eq!(stats.slow, 4);
            assert!(stats.calls >= stats.slow && stats.failures <= stats.calls);
        });
    });
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.failures, stats.slow), (5, 1, 4));
    assert_eq!((stats.total_failures, stats.total_slow, stats.late), (1, 4, 0));
    assert_eq!((stats.cancelled, stats.in_flight), (1, Some(1)));
}

#[test]
fn a_slow_call_is_counted_once_whatever_finds_it() {
    let clock = Clock::new();
    check_with_own_lines(move || slow_calls_are_counted_once(&clock, &alone()));
}

#[test]
fn a_slow_call_is_counted_once_in_a_list_that_threads_share() {
    let clock = Clock::new();
    check(move || slow_calls_are_counted_once(&clock, &alone()));
}

#[test]
fn a_slow_call_of_a_key_is_counted_once() {
    let clock = Clock::new();
    check_with_own_lines(move || slow_calls_are_counted_once(&clock, &of_a_key()));
}

#[test]
fn the_queue_of_a_key_shrinks_while_it_is_looked_through() {
    let clock = Clock::new();
    check_with_own_lines(move || queues_shrink(&clock, &of_a_key()));
}

#[test]
fn no_result_of_a_key_is_lost_while_threads_spread() {
    let clock = Clock::new();
    check_with_own_lines(move || {
        let _here = clock.0.enter();
        let breaker = of_a_key();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..2 {
                        breaker.try_acquire().unwrap().success();
                    }
                    drop(breaker.try_acquire().unwrap());
                });
            }
            breaker.try_acquire().unwrap().success();
        });
        let stats = breaker.stats();
        assert_eq!((stats.calls, stats.total_successes, stats.cancelled, stats.in_flight), (7, Some(7), 3, Some(0)));
    });
}

/// Calls end, on other threads than they began on, just as they become slow.
fn calls_are_slow_or_not(clock: &Clock) {
    let _here = clock.0.enter();
    let breaker = CircuitBreaker::new(watching());
    let [succeeds, fails, drops] = [(); 3].map(|()| breaker.try_acquire().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| succeeds.success());
        scope.spawn(|| fails.failure());
        scope.spawn(|| drop(drops));
        scope.spawn(|| {
            clock.advance(2);
            let stats = breaker.stats();
            assert!(stats.slow <= stats.calls && stats.failures <= stats.calls, "{stats:?}");
        });
    });
    let stats = breaker.stats();
    assert_eq!(stats.slow, stats.total_slow);
    // The one that is dropped counts where it was found slow before.
    assert!((2..=3).contains(&stats.calls) && stats.slow <= stats.calls, "{stats:?}");
    assert!(stats.calls == 2 || stats.slow > 0, "{stats:?}");
    assert_eq!((stats.failures, stats.total_failures, stats.late), (1, 1, 0));
    assert_eq!((stats.cancelled, stats.in_flight), (1, Some(0)));
}

#[test]
fn a_call_that_ends_just_as_it_becomes_slow_is_counted_once() {
    let clock = Clock::new();
    check_with_own_lines(move || calls_are_slow_or_not(&clock));
}

#[test]
fn a_call_in_a_shared_list_that_ends_just_as_it_becomes_slow_is_counted_once() {
    let clock = Clock::new();
    check(move || calls_are_slow_or_not(&clock));
}

/// Places are taken by their owner while other threads empty them, and no call is lost or found in the place of another.
fn places_are_used_again(clock: &Clock) {
    let _here = clock.0.enter();
    let breaker = CircuitBreaker::new(watching());
    let early = [(); 3].map(|()| breaker.try_acquire().unwrap());
    let ended = AtomicU32::new(0);
    thread::scope(|scope| {
        let ended = &ended;
        for permit in early {
            scope.spawn(move || {
                permit.success();
                ended.fetch_add(1, SeqCst);
            });
        }
        scope.spawn(|| {
            let mine = breaker.try_acquire().unwrap();
            scope.spawn(move || drop(mine));
        });
        // These would become slow.
        for _ in 0..2 {
            std::mem::forget(breaker.try_acquire().unwrap());
        }
        let in_flight = breaker.stats().in_flight.unwrap();
        assert!((2..=6).contains(&in_flight), "{in_flight}");
    });
    assert_eq!(breaker.stats().in_flight, Some(2));
    clock.advance(2);
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.slow, stats.cancelled, stats.in_flight), (5, 2, 1, Some(2)));
}

#[test]
fn places_that_other_threads_empty_are_used_again() {
    let clock = Clock::new();
    check_with_own_lines(move || places_are_used_again(&clock));
}

#[test]
fn places_in_a_list_that_threads_share_are_used_again() {
    let clock = Clock::new();
    check(move || places_are_used_again(&clock));
}

/// A queue gives slots back and hands them out anew while others look for slow calls in it.
fn queues_shrink(clock: &Clock, breaker: &CircuitBreaker) {
    let _here = clock.0.enter();
    let mut early: Vec<_> = (0..6).map(|_| breaker.try_acquire().unwrap()).collect();
    let (hangs, later) = (early.remove(3), early.split_off(3));
    clock.advance(2);
    thread::scope(|scope| {
        for permits in [early, later] {
            scope.spawn(|| permits.into_iter().for_each(Permit::success));
        }
        scope.spawn(|| assert_eq!(breaker.stats().slow, 6));
        for _ in 0..3 {
            breaker.try_acquire().unwrap().success();
        }
    });
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.slow, stats.total_slow, stats.in_flight), (9, 6, 6, Some(1)));
    hangs.failure();
    let stats = breaker.stats();
    assert_eq!((stats.calls, stats.failures, stats.slow, stats.in_flight), (9, 1, 6, Some(0)));
}

#[test]
fn a_queue_behind_the_places_of_a_thread_shrinks_while_it_is_looked_through() {
    let clock = Clock::new();
    check_with_own_lines(move || queues_shrink(&clock, &alone()));
}

#[test]
fn a_queue_that_threads_share_shrinks_while_it_is_looked_through() {
    let clock = Clock::new();
    check(move || queues_shrink(&clock, &alone()));
}

#[test]
fn a_call_that_begins_while_others_are_found_slow_is_found_in_its_turn() {
    let clock = Clock::new();
    check_with_own_lines(move || {
        let _here = clock.0.enter();
        let breaker = CircuitBreaker::new(watching());
        std::mem::forget(breaker.try_acquire().unwrap());
        clock.advance(2);
        thread::scope(|scope| {
            scope.spawn(|| std::mem::forget(breaker.try_acquire().unwrap()));
            scope.spawn(|| std::mem::forget(breaker.try_acquire().unwrap()));
            scope.spawn(|| breaker.stats());
        });
        assert_eq!(breaker.stats().slow, 1);
        clock.advance(2);
        // Its end alone finds the two.
        breaker.try_acquire().unwrap().success();
        assert_eq!(breaker.stats().slow, 3);
    });
}

#[test]
fn enough_failures_open_it_where_time_is_watched() {
    let clock = Clock::new();
    check_with_own_lines(move || failures_open(&clock, watching()));
}

#[test]
fn enough_slow_calls_open_it_once_though_all_end_fast_enough_to_race() {
    let clock = Clock::new();
    check_with_own_lines(move || {
        let _here = clock.0.enter();
        let breaker = CircuitBreaker::new(watching().min_calls(3));
        let permits = [(); 3].map(|()| breaker.try_acquire().unwrap());
        clock.advance(2);
        thread::scope(|scope| {
            for permit in permits {
                scope.spawn(move || permit.success());
            }
            scope.spawn(|| drop(breaker.try_acquire()));
        });
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.opened, stats.total_slow), (CircuitState::Open, 1, 3));
        assert_eq!(stats.in_flight, Some(0));
    });
}

#[test]
fn a_reset_that_races_with_results_loses_no_place_and_counts_none_of_them_twice() {
    let clock = Clock::new();
    check_with_own_lines(move || {
        let _here = clock.0.enter();
        let breaker = CircuitBreaker::new(watching());
        let [succeeds, fails] = [(); 2].map(|()| breaker.try_acquire().unwrap());
        thread::scope(|scope| {
            scope.spawn(|| succeeds.success());
            scope.spawn(|| fails.failure());
            scope.spawn(|| breaker.try_acquire().unwrap().failure());
            scope.spawn(|| {
                clock.advance(2);
                breaker.reset();
            });
        });
        let stats = breaker.stats();
        assert!(stats.calls + stats.late <= 3, "{stats:?}");
        assert!(stats.failures <= stats.calls && stats.slow <= stats.calls, "{stats:?}");
        assert_eq!((stats.state, stats.in_flight), (CircuitState::Closed, Some(0)));
        // The window of the new state is a sound one.
        breaker.try_acquire().unwrap().failure();
        let after = breaker.stats();
        assert_eq!((after.calls, after.failures), (stats.calls + 1, stats.failures + 1));
    });
}
