//! What a breaker remembers, and when it opens.

use super::*;

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

/// Of so many calls in a full window so many failures open it, and one less does not.
#[tokio::test(start_paused = true)]
async fn the_threshold_is_reached_exactly() {
    for (percent, window, failures) in [
        (50.0, 10, 5),
        (50.0, 3, 2),
        (33.3, 3, 1),
        (33.4, 3, 2),
        (10.0, 10, 1),
        (29.0, 100, 29),
        (57.0, 100, 57),
        (100.0, 7, 7),
        (0.1, 1000, 1),
    ] {
        for config in [CONFIG.window_calls(window), CONFIG.window_time(secs(60))] {
            let rate = Ratio::new(percent / 100.0).unwrap();
            let breaker = CircuitBreaker::new(config.min_calls(window).failure_rate(rate));
            let successes = window as usize - failures;
            calls(&breaker, &("F".repeat(failures - 1) + &"S".repeat(successes))).await;
            assert_eq!(breaker.state(), CircuitState::Closed);
            calls(&breaker, "F").await;
            assert_eq!(breaker.state(), CircuitState::Open, "{failures} of {window} at {percent}%");

            let breaker = CircuitBreaker::new(config.min_calls(window).failure_rate(rate));
            calls(&breaker, &("F".repeat(failures - 1) + &"S".repeat(successes + 1))).await;
            assert_eq!(breaker.state(), CircuitState::Closed, "{failures} of {window} at {percent}%");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_long_idle_time_a_window_of_time_is_empty_and_one_of_calls_is_not() {
    let (of_time, of_calls) = (CONFIG.window_time(secs(10)).min_calls(4), CONFIG.window_calls(4));
    for idle in [secs(10), secs(11), secs(100), secs(86_400), secs(86_400 * 300)] {
        let [of_time, of_calls] = [of_time, of_calls].map(CircuitBreaker::new);
        for breaker in [&of_time, &of_calls] {
            calls(breaker, "SFF").await;
        }
        advance(idle).await;
        assert_eq!((of_time.stats().calls, of_calls.stats().calls), (0, 3));
        for breaker in [&of_time, &of_calls] {
            calls(breaker, "F").await;
        }
        assert_eq!((of_time.stats().calls, of_time.state()), (1, CircuitState::Closed));
        assert_eq!(of_calls.state(), CircuitState::Open);
    }
}
