//! What is done to a limiter at run time, by hand and by what its calls report.

use super::{TEN, admitted, retry_after};
use crate::support::{Fault, ms};
use resilient::{
    Algorithm, Error, Mode, Priority, Rate, RateLimiter, RateLimiterConfig, Ratio, rate_limited, subscribe,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{advance, sleep};

#[tokio::test(start_paused = true)]
async fn what_a_call_cost_in_the_end_is_charged_or_given_back() {
    #[derive(Debug)]
    struct Answer {
        tokens: u64,
    }

    #[rate_limited(100/s, cost = 10, charge = |answer: &Answer| answer.tokens)]
    async fn metered(tokens: Option<u64>) -> Result<Answer, Fault> {
        tokens.map(|tokens| Answer { tokens }).ok_or(Fault::BadRequest)
    }

    let limiter = || {
        let path = "metered";
        resilient::registry().site(path).unwrap().rate_limiter().unwrap().stats()
    };
    metered(Some(4)).await.unwrap();
    assert_eq!(limiter().tokens, 96);
    metered(Some(30)).await.unwrap();
    assert_eq!(limiter().tokens, 66);
    // What failed costs what was said.
    metered(None).await.unwrap_err();
    assert_eq!(limiter().tokens, 56);
    metered(Some(256)).await.unwrap();
    assert_eq!((limiter().tokens, limiter().debt), (0, 200));
    let error = metered(Some(1)).await.unwrap_err();
    assert_eq!(error.ours().retry_after(), Some(ms(2100)));
    advance(ms(2100)).await;
    assert!(metered(Some(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_wait_counts_what_is_owed() {
    let limiter = RateLimiter::new(TEN.wait(ms(500)));
    limiter.charge(13);
    assert_eq!((limiter.stats().tokens, limiter.stats().debt), (0, 3));
    let start = tokio::time::Instant::now();
    limiter.acquire().await.unwrap().success();
    assert_eq!(start.elapsed(), ms(400));
    limiter.charge(5);
    assert_eq!(limiter.acquire().await.unwrap_err().retry_after(), Some(ms(600)));
    limiter.refund(7);
    assert_eq!((limiter.stats().tokens, limiter.stats().debt), (2, 0));
    limiter.refund(100);
    assert_eq!(limiter.stats().tokens, 10);
}

#[tokio::test(start_paused = true)]
async fn a_servers_delay_holds_everybody_until_then() {
    #[derive(Debug)]
    enum Answer {
        TooMany(Duration),
        Ours(Error),
    }

    impl From<Error> for Answer {
        fn from(error: Error) -> Self {
            Self::Ours(error)
        }
    }

    impl Answer {
        fn retry_after(&self) -> Option<Duration> {
            if let Self::TooMany(time) = self { Some(*time) } else { None }
        }
    }

    #[rate_limited(100/s, delay_hint = Answer::retry_after)]
    async fn throttled(answer: Result<u32, Answer>) -> Result<u32, Answer> {
        answer
    }

    throttled(Ok(1)).await.unwrap();
    throttled(Err(Answer::TooMany(ms(1500)))).await.unwrap_err();
    // A shorter one does not shorten it.
    let path = "throttled";
    let limiter = resilient::registry().site(path).unwrap().rate_limiter().unwrap();
    limiter.hold_for(ms(100));
    assert_eq!(limiter.stats().held_for, Some(ms(1500)));
    advance(ms(1499)).await;
    match throttled(Ok(1)).await.unwrap_err() {
        Answer::Ours(error) => assert_eq!(error.retry_after(), Some(ms(1))),
        other @ Answer::TooMany(_) => panic!("{other:?}"),
    }
    advance(ms(1)).await;
    // It begins to fill, with one token: nobody is run over.
    assert_eq!(admitted(limiter, 200), 1);
    assert_eq!(limiter.stats().held_for, None);
}

#[tokio::test(start_paused = true)]
async fn those_in_line_wait_for_a_hold_to_end() {
    let limiter = RateLimiter::new(TEN.wait_unbounded());
    limiter.hold_for(Duration::from_secs(3));
    let start = tokio::time::Instant::now();
    limiter.acquire().await.unwrap().success();
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    let window = RateLimiter::new(TEN.algorithm(Algorithm::SlidingWindow));
    window.hold_for(ms(10));
    assert_eq!(retry_after(&window, 3), ms(10));
    window.reset();
    assert_eq!(admitted(&window, 20), 10);
}

#[tokio::test(start_paused = true)]
async fn the_pace_follows_health_down_at_once_and_up_over_time() {
    for algorithm in [Algorithm::TokenBucket, Algorithm::SlidingWindow, Algorithm::FixedWindow] {
        let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(100)).algorithm(algorithm));
        admitted(&limiter, 1000);
        for _ in 0..20 {
            limiter.adjust(0.2);
        }
        assert_eq!(limiter.stats().pace, Ratio::percent(20));
        let mut passed = 0;
        for _ in 0..100 {
            advance(ms(100)).await;
            passed += admitted(&limiter, 100);
        }
        assert!((190..=220).contains(&passed), "{algorithm:?}: {passed} in 10 s at a fifth of 100/s");
        limiter.adjust(1.0);
        advance(Duration::from_secs(4)).await;
        admitted(&limiter, 1000);
        let pace = limiter.stats().pace;
        assert!(pace > Ratio::percent(50) && pace < Ratio::percent(70), "{pace}");
        advance(Duration::from_secs(4)).await;
        admitted(&limiter, 1000);
        assert_eq!(limiter.stats().pace, Ratio::percent(100));
        advance(Duration::from_secs(1)).await;
        assert_eq!(admitted(&limiter, 1000), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limiter_measures_the_health_of_what_it_lets_through() {
    #[rate_limited(100/s, adaptive)]
    async fn measured(fails: bool, takes: Duration) -> Result<u32, Fault> {
        sleep(takes).await;
        if fails { Err(Fault::Down(1)) } else { Ok(1) }
    }

    let slowed = Arc::new(Mutex::new(Vec::new()));
    let _subscription = subscribe({
        let slowed = Arc::clone(&slowed);
        move |event| {
            if event.kind.name() == "slowed" && event.site.ends_with("measured") {
                slowed.lock().unwrap().push(event.kind.to_string());
            }
        }
    });
    let pace = || {
        let path = "control::measured";
        resilient::registry().site(path).unwrap().rate_limiter().unwrap().stats().pace
    };
    for _ in 0..50 {
        measured(false, ms(50)).await.unwrap();
    }
    assert_eq!(pace(), Ratio::percent(100));
    for _ in 0..100 {
        let _ = measured(true, ms(50)).await;
    }
    assert!(pace() < Ratio::percent(20), "{}", pace());
    assert!(slowed.lock().unwrap()[0].starts_with("slowed to "));
    for _ in 0..400 {
        let _ = measured(false, ms(50)).await;
    }
    assert_eq!(pace(), Ratio::percent(100));
    // Slow is not well either.
    for _ in 0..10 {
        let _ = measured(false, ms(400)).await;
    }
    assert!(pace() < Ratio::percent(90), "{}", pace());
}

#[tokio::test(start_paused = true)]
async fn in_the_shadow_it_only_says_what_it_would_refuse_and_off_it_counts_nothing() {
    let limiter = RateLimiter::new(TEN.wait_unbounded().mode(Mode::Shadow));
    assert_eq!(admitted(&limiter, 25), 25);
    assert_eq!((limiter.stats().admitted, limiter.stats().rejected), (10, 15));
    // Nobody waits for what is not refused.
    limiter.acquire().await.unwrap().success();
    limiter.set_mode(Mode::Off);
    assert_eq!(admitted(&limiter, 25), 25);
    limiter.set_mode(Mode::On);
    assert_eq!(limiter.stats().tokens, 0);
    assert!(limiter.try_acquire().is_err());
}

#[tokio::test(start_paused = true)]
async fn another_configuration_holds_what_the_former_held() {
    let limiter = RateLimiter::new(TEN);
    assert_eq!(admitted(&limiter, 4), 4);
    limiter.reconfigure(RateLimiterConfig::new(Rate::per_second(100)).burst(50)).unwrap();
    assert_eq!((limiter.stats().tokens, limiter.stats().burst), (6, 50));
    advance(ms(100)).await;
    assert_eq!(limiter.stats().tokens, 16);
    limiter.reconfigure(TEN.burst(5)).unwrap();
    assert_eq!(admitted(&limiter, 20), 5);
    assert!(limiter.reconfigure(TEN.burst(0)).is_err());
    assert_eq!(limiter.config(), TEN.burst(5));
    // From a bucket to windows and back.
    limiter.reconfigure(TEN.algorithm(Algorithm::FixedWindow)).unwrap();
    assert_eq!(admitted(&limiter, 20), 0);
    advance(Duration::from_secs(1)).await;
    assert_eq!(admitted(&limiter, 7), 7);
    limiter.reconfigure(TEN.and(Rate::per_day(9))).unwrap();
    assert_eq!(admitted(&limiter, 20), 3);
    limiter.reconfigure(RateLimiterConfig::new(Rate::per_second(1_000_000))).unwrap();
    advance(Duration::from_secs(1)).await;
    assert_eq!(limiter.stats().tokens, 1_000_000);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_the_limit_and_what_remains() {
    let limiter = RateLimiter::new(TEN);
    limiter.try_acquire_as(Priority::Normal, 7).unwrap().success();
    match limiter.try_acquire_many(5).unwrap_err() {
        Error::RateLimited { limit, remaining, .. } => assert_eq!((limit, remaining), (10, 3)),
        other => panic!("{other}"),
    }
    let standing = limiter.standing();
    assert_eq!((standing.limit, standing.remaining, standing.reset_after), (10, 3, ms(700)));
}

#[tokio::test(start_paused = true)]
async fn a_reduced_pace_takes_no_tokens_away_and_gives_none() {
    let limiter = RateLimiter::new(TEN);
    assert_eq!(admitted(&limiter, 4), 4);
    limiter.adjust(0.0);
    assert_eq!(limiter.stats().tokens, 6);
    limiter.adjust(1.0);
    assert_eq!(limiter.stats().tokens, 6);
}

#[test]
fn shards_give_what_one_bucket_gives() {
    let config = RateLimiterConfig::new(Rate::per_hour(1024)).shards(8);
    let limiter = RateLimiter::new(config);
    let taken = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (limiter, taken) = (&limiter, &taken);
            scope.spawn(move || {
                for call in 0..200 {
                    let tokens = if (call + thread) % 7 == 0 { 3 } else { 1 };
                    if limiter.try_acquire_many(tokens).is_ok() {
                        taken.fetch_add(tokens, Relaxed);
                    }
                }
            });
        }
    });
    let stats = limiter.stats();
    assert_eq!(taken.into_inner() + stats.tokens, 1024);
    // None is kept back while a call wants it.
    while limiter.try_acquire().is_ok() {}
    assert_eq!(limiter.stats().tokens, 0);
    assert!(RateLimiterConfig::new(Rate::per_second(100)).shards(8).check().is_err());
    assert!(config.shards(1).check().is_err());
    assert!(config.and(Rate::per_day(5)).check().is_err());
}

#[tokio::test(start_paused = true)]
async fn shards_forget_what_lies_for_too_long() {
    #[rate_limited(1000/s, burst = 256, shards = 8)]
    async fn hot() -> Result<u32, Fault> {
        Ok(1)
    }

    for _ in 0..20 {
        hot().await.unwrap();
        advance(Duration::from_secs(10)).await;
    }
    let mut passed = 0;
    while hot().await.is_ok() {
        passed += 1;
    }
    assert!((256..=256 + 16).contains(&passed), "{passed}");
    let path = "control::hot";
    let limiter = resilient::registry().site(path).unwrap().rate_limiter().unwrap();
    // What else it does goes by the word.
    limiter.charge(100);
    assert!(hot().await.is_err());
    advance(ms(150)).await;
    assert_eq!(limiter.stats().debt, 0);
    limiter.reset();
    assert_eq!(limiter.stats().tokens, 256);
    limiter.reconfigure(RateLimiterConfig::new(Rate::per_second(2000))).unwrap();
    assert_eq!(limiter.stats().tokens, 256);
}
