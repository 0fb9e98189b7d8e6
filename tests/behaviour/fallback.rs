use crate::support::{Act, Dependency, Fault, Heard, adds_up, caught, cut, ms, site};
use resilient::{Error, Fallback, bulkhead, circuit_breaker, fallback, rate_limited, resilient, retry, timeout};
use tokio::time::Instant;

#[fallback(|_| Ok(0))]
async fn zero(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[tokio::test(start_paused = true)]
async fn it_answers_for_failures_and_stays_out_of_successes() {
    let dependency = Dependency::new([Act::Succeed, Act::Fail]);
    assert_eq!(zero(&dependency).await, Ok(1));
    assert_eq!(zero(&dependency).await, Ok(0));
    let stats = site("fallback::zero").stats();
    assert_eq!((stats.calls, stats.succeeded, stats.failed, stats.fallbacks), (2, 2, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn it_answers_for_every_rejection_and_time_out() {
    #[fallback(|error: Fault| Ok(describe(&error)))]
    #[rate_limited(3/h)]
    #[bulkhead(1)]
    #[timeout(10ms)]
    async fn described(dependency: &Dependency) -> Result<&'static str, Fault> {
        dependency.run().await.map(|_| "body")
    }
    fn describe(error: &Fault) -> &'static str {
        match error.ours() {
            Error::RateLimited { .. } => "rate",
            Error::BulkheadFull { .. } => "bulkhead",
            Error::TimedOut { .. } => "timeout",
            _ => "other",
        }
    }
    let dependency = Dependency::new([Act::Slow(5), Act::Hang]);
    let (first, second) = tokio::join!(biased; described(&dependency), described(&dependency));
    assert_eq!((first, second), (Ok("body"), Ok("bulkhead")));
    assert_eq!(described(&dependency).await, Ok("timeout"));
    assert_eq!(described(&dependency).await, Ok("rate"));
    let stats = site("fallback::described").stats();
    assert_eq!((stats.succeeded, stats.rejected, stats.fallbacks), (4, 0, 3));
}

#[tokio::test(start_paused = true)]
async fn it_never_runs_for_a_cancelled_call_or_a_panic() {
    let dependency = Dependency::new([Act::Hang, Act::Panic]);
    #[fallback(|_| Err(Fault::BadRequest))]
    async fn untouched(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    assert!(cut(untouched(&dependency), 1).await.is_none());
    assert!(caught(untouched(&dependency)).await.is_none());
    let stats = site("fallback::untouched").stats();
    assert_eq!((stats.cancelled, stats.panicked, stats.fallbacks), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn its_own_error_is_returned_and_both_are_in_the_event() {
    #[fallback(|_| Err(Fault::BadRequest))]
    async fn failing(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let heard = Heard::of("fallback::failing");
    assert_eq!(failing(&Dependency::new([Act::Fail])).await, Err(Fault::BadRequest));
    assert_eq!(heard.take(), ["fallback: the fallback failed, answering for Down(1), with BadRequest"]);
    let stats = site("fallback::failing").stats();
    // Only answers count.
    assert_eq!((stats.failed, stats.fallbacks), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn links_of_a_chain_get_the_error_of_the_one_before() {
    #[fallback(|error: Fault| { assert!(error.is_down()); Err(Fault::BadRequest) }, |error: Fault| {
        assert_eq!(error, Fault::BadRequest);
        Ok(7)
    })]
    async fn chain(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let heard = Heard::of("fallback::chain");
    assert_eq!(chain(&Dependency::new([Act::Fail])).await, Ok(7));
    assert_eq!(heard.take(), ["fallback: fell back, answering for Down(1)"]);
}

#[tokio::test(start_paused = true)]
async fn several_fallbacks_answer_for_one_another_outwards() {
    #[fallback(|error: Fault| { assert_eq!(error, Fault::BadRequest); Ok(8) }, name = "last")]
    #[fallback(|_| Err(Fault::BadRequest))]
    async fn two(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    assert_eq!(two(&Dependency::new([Act::Fail])).await, Ok(8));
    assert_eq!(site("fallback::two").stats().fallbacks, 1);
}

#[tokio::test(start_paused = true)]
async fn when_says_for_which_errors_it_runs_rejections_and_time_outs_included() {
    #[fallback(|_| Ok(0), when = Fault::is_down)]
    #[rate_limited(2/h)]
    async fn when_down(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Refuse, Act::Fail]);
    assert_eq!(when_down(&dependency).await, Err(Fault::BadRequest));
    assert_eq!(when_down(&dependency).await, Ok(0));
    assert!(when_down(&dependency).await.unwrap_err().ours().is_rate_limited());
    assert_eq!(dependency.runs(), 2);

    #[fallback(|error: Fault| Ok(u32::from(error.ours().is_timeout())), unless = Fault::is_down)]
    #[timeout(10ms)]
    async fn unless_down(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Hang, Act::Fail]);
    assert_eq!(unless_down(&dependency).await, Ok(1));
    assert_eq!(unless_down(&dependency).await, Err(Fault::Down(2)));
}

#[tokio::test(start_paused = true)]
async fn outer_deadlines_bound_it_and_inner_ones_do_not() {
    #[timeout(100ms)]
    #[fallback(|_| async { tokio::time::sleep(ms(1000)).await; Ok(0) })]
    async fn cut_off(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let start = Instant::now();
    let error = cut_off(&Dependency::new([Act::SlowFail(20)])).await.unwrap_err();
    assert!(error.ours().is_timeout());
    assert_eq!(start.elapsed(), ms(100));

    #[fallback(|_| async { tokio::time::sleep(ms(1000)).await; Ok(0) })]
    #[timeout(100ms)]
    async fn at_leisure(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let start = Instant::now();
    assert_eq!(at_leisure(&Dependency::new([Act::Hang])).await, Ok(0));
    assert_eq!(start.elapsed(), ms(1100));
}

#[tokio::test(start_paused = true)]
async fn it_answers_while_places_inside_are_given_back_and_those_outside_are_held() {
    #[bulkhead(1, name = "outside")]
    #[fallback(|_| async { held(); Ok(0) })]
    #[bulkhead(1, name = "inside")]
    async fn between(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    fn held() {
        let in_use = site("fallback::between").policies().iter().filter_map(|policy| match policy {
            resilient::SitePolicy::Bulkhead(places) => Some(places.stats().in_use),
            _ => None,
        });
        assert_eq!(in_use.collect::<Vec<_>>(), [1, 0]);
    }
    assert_eq!(between(&Dependency::new([Act::Fail])).await, Ok(0));
    assert_eq!(site("fallback::between").bulkhead().unwrap().available(), 1);
}

#[tokio::test(start_paused = true)]
async fn inside_a_retry_its_error_is_retried_where_that_is_allowed() {
    #[resilient(allow(fallback_inside_retry))]
    #[retry(attempts = 3, backoff = 1ms)]
    #[fallback(|error: Fault| if error == Fault::Down(3) { Ok(33) } else { Err(error) })]
    async fn inside(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    assert_eq!(inside(&dependency).await, Ok(33));
    let stats = site("fallback::inside").stats();
    assert_eq!((stats.retries, stats.fallbacks), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn inside_a_breaker_its_answer_is_what_the_breaker_sees_where_that_is_allowed() {
    #[resilient(allow(fallback_inside_circuit_breaker))]
    #[circuit_breaker(failures = 1)]
    #[fallback(|_| Ok(0))]
    async fn hidden(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    for _ in 0..3 {
        assert_eq!(hidden(&dependency).await, Ok(0));
    }
    assert_eq!(dependency.runs(), 3);
}

#[tokio::test(start_paused = true)]
async fn by_hand_it_answers_sync_or_async_and_returns_its_own_error() {
    let dependency = Dependency::new([Act::Fail]);
    let sync = Fallback::new(|error: Fault| if error.is_down() { Ok(1) } else { Err(error) });
    assert_eq!(sync.call(dependency.run()).await, Ok(1));
    let later = Fallback::new(|_: Fault| async { Err::<u32, _>(Fault::BadRequest) });
    assert_eq!(later.call(|| dependency.run()).await, Err(Fault::BadRequest));
}

#[tokio::test(start_paused = true)]
async fn by_hand_it_counts_what_it_answered() {
    let dependency = Dependency::new([Act::Fail, Act::Succeed, Act::Fail, Act::Refuse, Act::Fail]);
    let cached = Fallback::new(|error: Fault| async move {
        tokio::task::yield_now().await;
        if error.is_down() { Ok(1) } else { Err(error) }
    });
    for _ in 0..4 {
        let _ = cached.call(|| dependency.run()).await;
    }
    assert!(cut(cached.call(|| dependency.run()), 1).await.is_none());
    let stats = cached.stats();
    assert_eq!((stats.answered, stats.failed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn counts_add_up_when_it_is_dropped_or_panics() {
    #[fallback(|_| async { tokio::task::yield_now().await; crate::support::quietly_panic() })]
    async fn broken(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    assert!(cut(broken(&dependency), 1).await.is_none());
    assert!(caught(broken(&dependency)).await.is_none());
    let stats = site("fallback::broken").stats();
    assert_eq!((stats.cancelled, stats.panicked, stats.fallbacks), (1, 1, 0));
    adds_up("fallback::broken");
}
