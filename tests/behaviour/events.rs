//! Who listens hears everything, and can break nothing.

use crate::support::{Act, Dependency, Fault, Heard, ms, quietly_panic, site};
use resilient::{
    CircuitBreaker, CircuitBreakerConfig, EventKind, bulkhead, circuit_breaker, fallback, rate_limited, subscribe,
    timeout,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::Relaxed},
};
use tokio::time::advance;

fn breaker(name: &'static str) -> CircuitBreaker {
    CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).open_for(ms(10)).name(name))
}

#[tokio::test(start_paused = true)]
async fn of_a_breakers_whole_life() {
    let heard = Heard::of("life");
    let breaker = breaker("life");
    let late = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap().failure();
    assert!(breaker.try_acquire().is_err());
    late.success();
    advance(ms(10)).await;
    breaker.try_acquire().unwrap().failure();
    advance(ms(10)).await;
    breaker.try_acquire().unwrap().success();
    breaker.force_open();
    breaker.disable();
    breaker.reset();
    assert_eq!(
        heard.take(),
        [
            "life: opened for 10ms: 1 failure in a row",
            "life: rejected: the circuit is open; retry after 10ms",
            "life: a late result was not counted",
            "life: half-opened",
            "life: opened for 10ms: a probe failed",
            "life: half-opened",
            "life: closed: the probes succeeded",
            "life: opened by hand",
            "life: disabled",
            "life: closed: by hand",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn of_rejections_time_outs_and_fallbacks() {
    #[fallback(|_| Ok(0))]
    #[rate_limited(3/h)]
    #[bulkhead(1)]
    #[timeout(10ms)]
    async fn eventful(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let heard = Heard::of("events::eventful");
    let dependency = Dependency::new([Act::Hang]);
    let _ = tokio::join!(biased; eventful(&dependency), eventful(&dependency));
    eventful(&dependency).await.unwrap();
    eventful(&dependency).await.unwrap();
    let heard = heard.take();
    let kinds: Vec<_> = heard.iter().map(|text| text.split_once(':').unwrap().0).collect();
    assert_eq!(
        kinds,
        ["bulkhead", "fallback", "timeout", "fallback", "timeout", "fallback", "rate_limited", "fallback"],
        "{heard:?}"
    );
    assert!(heard[1].contains("answering for"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_is_isolated() {
    let first = subscribe(|event| {
        if event.policy == "isolated" {
            quietly_panic::<()>();
        }
    });
    let heard = Heard::of("isolated");
    let breaker = breaker("isolated");
    breaker.try_acquire().unwrap().failure();
    assert!(breaker.try_acquire().unwrap_err().is_circuit_open());
    assert_eq!(heard.take().len(), 2);
    drop(first);
    advance(ms(10)).await;
    breaker.try_acquire().unwrap().success();
    assert_eq!(heard.take().len(), 2);
}

/// Events are emitted outside any lock.
#[tokio::test(start_paused = true)]
async fn a_subscriber_may_subscribe_and_use_the_policy_that_it_hears_of() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(1).name("reentrant"));
    let inner = Arc::new(Mutex::new(Vec::new()));
    let calls = Arc::new(AtomicU32::new(0));
    let (kept, count) = (inner.clone(), calls.clone());
    let outer = subscribe(move |event| {
        if event.policy == "reentrant" && matches!(event.kind, EventKind::Opened { .. }) {
            let count = count.clone();
            kept.lock().unwrap().push(subscribe(move |event| {
                count.fetch_add(u32::from(event.policy == "reentrant"), Relaxed);
            }));
            let _ = (BREAKER.stats(), BREAKER.state(), BREAKER.try_acquire().is_err());
        }
    });
    BREAKER.try_acquire().unwrap().failure();
    assert_eq!(calls.load(Relaxed), 1);
    drop(outer);
    inner.lock().unwrap().clear();
    assert!(BREAKER.try_acquire().is_err());
    assert_eq!(calls.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_names_the_site() {
    #[circuit_breaker(failures = 1, name = "named")]
    async fn named_site(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let heard = Heard::of("named");
    let dependency = Dependency::new([Act::Fail]);
    named_site(&dependency).await.unwrap_err();
    named_site(&dependency).await.unwrap_err();
    let events = heard.take_events();
    assert!(events.iter().all(|event| event.site == "behaviour::events::named_site"), "{events:?}");
    assert!(events[1].to_string().starts_with("behaviour::events::named_site named: rejected: "));
}

#[test]
fn a_subscriber_that_panics_while_a_call_unwinds_does_not_abort() {
    let _listens = subscribe(|event| {
        if event.policy == "unwinding" {
            quietly_panic::<()>();
        }
    });
    let breaker = breaker("unwinding");
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _permit = breaker.try_acquire().unwrap();
        quietly_panic::<()>();
    }));
    assert!(caught.is_err());
    assert_eq!(breaker.stats().opened, 1);
}

#[test]
fn a_tracing_subscriber_that_panics_is_isolated_too() {
    struct Panicking(Arc<AtomicU32>);
    impl tracing::Subscriber for Panicking {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            metadata.target() == "resilient"
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Relaxed);
            quietly_panic::<()>();
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }
    let traced = Arc::new(AtomicU32::new(0));
    tracing::subscriber::with_default(Panicking(traced.clone()), || {
        let heard = Heard::of("traced");
        let opens_and_rejects = |name| {
            let breaker = breaker(name);
            breaker.try_acquire().unwrap().failure();
            assert!(breaker.try_acquire().is_err());
        };
        // A place that emits belongs to whichever thread emits there first, and other tests have no subscriber.
        opens_and_rejects("not yet traced");
        tracing::callsite::rebuild_interest_cache();
        traced.store(0, Relaxed);
        opens_and_rejects("traced");
        assert_eq!((heard.take().len(), traced.load(Relaxed)), (2, 2));
    });
}

#[tokio::test(start_paused = true)]
async fn statistics_tell_refusals_from_rejections_and_can_be_subtracted() {
    #[fallback(|| Ok(7))]
    #[bulkhead(1)]
    async fn guarded(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Slow(5), Act::Succeed]);
    let _ = tokio::join!(guarded(&dependency), guarded(&dependency));
    let first = site("events::guarded").stats();
    assert_eq!((first.calls, first.succeeded, first.rejected, first.refusals, first.fallbacks), (2, 2, 0, 1, 1));
    guarded(&dependency).await.unwrap();
    let since = site("events::guarded").stats().since(&first);
    assert_eq!((since.calls, since.refusals, since.latency.count()), (1, 0, 0));
    assert_eq!(first.latency.count(), 1);
}
