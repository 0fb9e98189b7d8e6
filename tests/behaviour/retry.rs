use crate::support::{Act, Dependency, Fault, Heard, adds_up, ms, site};
use resilient::{
    Backoff, Jitter, Ratio, Retry, RetryConfig, StopReason, bulkhead, circuit_breaker, rate_limited, retry, timeout,
};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn attempts_count_runs_and_the_last_real_error_is_returned() {
    #[retry(attempts = 4, backoff = 10ms, jitter = none)]
    async fn four(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    let start = Instant::now();
    assert_eq!(four(&dependency).await, Err(Fault::Down(4)));
    // No pause after the last.
    assert_eq!((dependency.runs(), start.elapsed()), (4, ms(30)));
    // Nothing is carried over to another call.
    assert_eq!(four(&dependency).await, Err(Fault::Down(8)));
    dependency.act([Act::Fail, Act::Fail, Act::Fail, Act::Succeed]);
    assert_eq!(four(&dependency).await, Ok(12));
    let stats = site("retry::four").stats();
    assert_eq!((stats.calls, stats.succeeded, stats.failed, stats.retries), (3, 1, 2, 9));
}

#[tokio::test(start_paused = true)]
async fn only_what_when_accepts_and_unless_does_not_is_run_again() {
    #[retry(attempts = 3, backoff = 1ms, when = Fault::is_down)]
    async fn when_down(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    #[retry(attempts = 3, backoff = 1ms, unless = |fault| *fault == Fault::BadRequest)]
    async fn unless_bad(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail, Act::Refuse]);
    assert_eq!(when_down(&dependency).await, Err(Fault::BadRequest));
    assert_eq!(dependency.runs(), 2);
    dependency.act([Act::Fail, Act::Refuse]);
    assert_eq!(unless_bad(&dependency).await, Err(Fault::BadRequest));
    assert_eq!(dependency.runs(), 4);
}

/// Gaps between the starts of attempts, in milliseconds.
async fn gaps(config: RetryConfig) -> Vec<u128> {
    let retry = Retry::new(config);
    let dependency = Dependency::new([Act::Fail]);
    retry.call(|| dependency.run()).await.unwrap_err();
    dependency.starts().windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_up_to_the_cap() {
    let config = RetryConfig::new().attempts(7).jitter(Jitter::None);
    let growing = Backoff::exponential(ms(100), ms(1000));
    assert_eq!(gaps(config.backoff(growing)).await, [100, 200, 400, 800, 1000, 1000]);
    assert_eq!(gaps(config.backoff(growing.factor(3.0))).await, [100, 300, 900, 1000, 1000, 1000]);
    assert_eq!(gaps(config.backoff(Backoff::constant(ms(7)))).await, [7; 6]);
    assert_eq!(gaps(config.backoff(Backoff::constant(ms(0)))).await, [0; 6]);
}

#[tokio::test(start_paused = true)]
async fn jitter_stays_within_its_bounds_and_below_the_cap() {
    let backoff = Backoff::exponential(ms(100), ms(400));
    let config = RetryConfig::new().attempts(5).backoff(backoff);
    // Timers round up to a millisecond.
    for _ in 0..50 {
        for (gap, most) in gaps(config.jitter(Jitter::Full)).await.into_iter().zip([100, 200, 400, 400]) {
            assert!(gap <= most + 1, "{gap}");
        }
        for (gap, most) in gaps(config.jitter(Jitter::Equal)).await.into_iter().zip([100, 200, 400, 400]) {
            assert!((most / 2..=most + 1).contains(&gap), "{gap}");
        }
        let part = Jitter::Proportional(Ratio::percent(10));
        for (gap, mid) in gaps(config.jitter(part)).await.into_iter().zip([100, 200, 400, 400]) {
            assert!((mid * 9 / 10..=(mid * 11 / 10).min(400) + 1).contains(&gap), "{gap}");
        }
        let mut previous = 100;
        for gap in gaps(config.jitter(Jitter::Decorrelated)).await {
            assert!((100..=(3 * previous).min(400) + 1).contains(&gap), "{gap} after {previous}");
            previous = gap;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_there_are_three_attempts_with_full_jitter() {
    #[retry]
    async fn by_default(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    by_default(&dependency).await.unwrap_err();
    let starts = dependency.starts();
    assert_eq!(starts.len(), 3);
    assert!(starts[1] <= 51 && starts[2] - starts[1] <= 101, "{starts:?}");
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_after_max_duration() {
    #[retry(attempts = 100, backoff = 100ms, jitter = none, max_duration = 250ms)]
    async fn within(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let heard = Heard::of("retry::within");
    let dependency = Dependency::new([Act::Fail]);
    let start = Instant::now();
    assert_eq!(within(&dependency).await, Err(Fault::Down(3)));
    // It gives up at once instead of sleeping first.
    assert_eq!((start.elapsed(), dependency.starts()), (ms(200), vec![0, 100, 200]));
    assert_eq!(
        heard.take().pop().unwrap(),
        "retry: gave up after 3 attempts, for the next would start too late: Down(3)"
    );
    // A slow attempt uses the time up too.
    let dependency = Dependency::new([Act::SlowFail(200)]);
    assert_eq!(within(&dependency).await, Err(Fault::Down(1)));
}

#[tokio::test(start_paused = true)]
async fn it_never_sleeps_past_a_deadline_and_returns_the_last_real_error() {
    #[timeout(250ms)]
    #[retry(attempts = 100, backoff = 100ms, jitter = none)]
    async fn bounded(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let heard = Heard::of("retry::bounded");
    let dependency = Dependency::new([Act::Fail]);
    let start = Instant::now();
    assert_eq!(bounded(&dependency).await, Err(Fault::Down(3)));
    assert_eq!(start.elapsed(), ms(200));
    let last = heard.take_events().pop().unwrap().kind;
    let expected =
        matches!(last, resilient::EventKind::RetriesExhausted { attempts: 3, reason: StopReason::Deadline, .. });
    assert!(expected, "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn rejections_are_not_retried_and_end_a_retry_as_they_are() {
    #[retry(attempts = 5, backoff = 1ms, when = |_| true)]
    #[rate_limited(2/h)]
    async fn limited(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    assert!(limited(&dependency).await.unwrap_err().ours().is_rate_limited());
    assert_eq!(dependency.runs(), 2);
    let stats = site("retry::limited").stats();
    assert_eq!((stats.rejected, stats.failed), (1, 0));

    #[retry(attempts = 5, backoff = 1ms)]
    #[circuit_breaker(failures = 2)]
    async fn broken(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    assert!(broken(&dependency).await.unwrap_err().ours().is_circuit_open());
    assert_eq!(dependency.runs(), 2);
    let start = Instant::now();
    assert!(broken(&dependency).await.unwrap_err().ours().is_circuit_open());
    assert_eq!((dependency.runs(), start.elapsed()), (2, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_time_out_inside_is_retried_without_asking_when() {
    #[retry(attempts = 3, backoff = 1ms, jitter = none, when = |_| panic!("not one of the user's errors"))]
    #[timeout(10ms)]
    async fn timed(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Hang]);
    assert!(timed(&dependency).await.unwrap_err().ours().is_timeout());
    assert_eq!(dependency.starts(), [0, 11, 22]);
}

#[tokio::test(start_paused = true)]
async fn retries_multiply_when_nested() {
    #[retry(attempts = 3, backoff = 1ms)]
    #[retry(attempts = 2, backoff = 1ms)]
    async fn six(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    assert_eq!(six(&dependency).await, Err(Fault::Down(6)));
    assert_eq!(site("retry::six").stats().retries, 5);
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_no_place_of_a_bulkhead_below() {
    #[retry(attempts = 2, backoff = 100ms, jitter = none)]
    #[bulkhead(1)]
    async fn below(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail, Act::Slow(50), Act::Succeed]);
    let (first, second) = tokio::join!(biased; below(&dependency), async {
        tokio::time::sleep(ms(10)).await;
        below(&dependency).await
    });
    assert_eq!((first, second), (Ok(3), Ok(2)));

    #[bulkhead(1)]
    #[retry(attempts = 2, backoff = 100ms, jitter = none)]
    async fn above(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail, Act::Succeed]);
    let (first, second) = tokio::join!(biased; above(&dependency), async {
        tokio::time::sleep(ms(10)).await;
        above(&dependency).await
    });
    assert_eq!(first, Ok(2));
    assert!(second.unwrap_err().ours().is_bulkhead_full());
}

#[tokio::test(start_paused = true)]
async fn by_hand_the_closure_runs_when_the_attempt_does() {
    let retry = Retry::new(RetryConfig::new().attempts(3).backoff(Backoff::constant(ms(100))).jitter(Jitter::None));
    let start = Instant::now();
    let mut made = Vec::new();
    let ended: Result<(), _> = retry
        .call(|| {
            made.push(start.elapsed().as_millis());
            async { Err("down") }
        })
        .await;
    assert_eq!((ended, made), (Err("down"), vec![0, 100, 200]));
    assert_eq!((retry.stats().retries, retry.stats().exhausted), (2, 1));
    let mut runs = 0;
    let ended: Result<(), _> = retry
        .call_when(
            || {
                runs += 1;
                async move { Err(runs) }
            },
            |error| *error < 2,
        )
        .await;
    assert_eq!((ended, runs), (Err(2), 2));
}

#[tokio::test(start_paused = true)]
async fn events_tell_attempts_pauses_and_errors() {
    #[retry(attempts = 3, backoff = 100ms..=1s, jitter = none)]
    async fn told(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let heard = Heard::of("retry::told");
    told(&Dependency::new([Act::Fail])).await.unwrap_err();
    assert_eq!(
        heard.take(),
        [
            "retry: attempt 1 failed, retry in 100ms: Down(1)",
            "retry: attempt 2 failed, retry in 200ms: Down(2)",
            "retry: gave up after 3 attempts, which are all: Down(3)",
        ]
    );
    adds_up("retry::told");
}
