//! Shadows, switches, and other configurations.

use crate::support::{Act, Dependency, Fault, Heard, ms, poll_once, settle};
use resilient::{Bulkhead, BulkheadConfig, EventKind, Mode, bulkhead, registry};
use std::sync::Arc;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn in_the_shadow_it_never_rejects_and_says_what_it_would_have() {
    #[bulkhead(1, wait, mode = shadow, name = "shade of places")]
    async fn shaded(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let heard = Heard::of("shade of places");
    let dependency = Dependency::new([Act::Slow(10)]);
    let (a, b, c) = tokio::join!(biased; shaded(&dependency), shaded(&dependency), shaded(&dependency));
    for answer in [a, b, c] {
        answer.unwrap();
    }
    let events = heard.take_events();
    assert_eq!(events.len(), 2);
    for event in events {
        assert!(matches!(event.kind, EventKind::Rejected { shadow: true, .. }), "{event}");
    }
    let stats = registry().bulkhead("shade of places").unwrap().stats();
    assert_eq!((stats.mode, stats.in_use, stats.admitted, stats.full), (Mode::Shadow, 0, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn switched_off_it_lets_all_pass_and_counts_nothing() {
    let places = Bulkhead::new(BulkheadConfig::new(1).mode(Mode::Off));
    let permits: Vec<_> = (0..5).map(|_| places.try_acquire().unwrap()).collect();
    assert!(places.try_acquire_many(7).is_ok());
    assert_eq!((places.stats().in_use, places.stats().admitted, places.stats().rejected), (0, 0, 0));
    places.set_mode(Mode::On);
    let held = places.try_acquire().unwrap();
    // What was let through holds nothing.
    drop(permits);
    assert_eq!((places.available(), places.stats().in_use), (0, 1));
    drop(held);
    assert_eq!(places.available(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_when_it_is_switched_passes() {
    for mode in [Mode::Shadow, Mode::Off] {
        let places = Arc::new(Bulkhead::new(BulkheadConfig::new(1).wait_unbounded()));
        let held = places.try_acquire().unwrap();
        let waits = tokio::spawn(Arc::clone(&places).acquire_owned());
        settle().await;
        assert_eq!(places.stats().waiting, 1);
        places.set_mode(mode);
        waits.await.unwrap().unwrap().success();
        assert_eq!((places.stats().waiting, places.stats().in_use), (0, 1), "{mode:?}");
        places.set_mode(Mode::On);
        assert!(places.try_acquire().is_err());
        drop(held);
        assert!(places.try_acquire().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_smaller_maximum_lets_those_inside_finish_and_a_larger_one_lets_waiters_in() {
    let places = Bulkhead::new(BulkheadConfig::new(4).wait_unbounded());
    let mut held: Vec<_> = (0..4).map(|_| places.try_acquire().unwrap()).collect();
    places.set_max(2).unwrap();
    assert_eq!((places.stats().in_use, places.available(), places.stats().limit), (4, 0, 2));
    let mut waits = Box::pin(places.acquire());
    assert!(poll_once(&mut waits).is_pending());
    held.truncate(2);
    assert!(poll_once(&mut waits).is_pending());
    held.truncate(1);
    drop(waits.await.unwrap());
    assert_eq!((places.stats().in_use, places.available()), (1, 1));
    let mut one = Box::pin(places.acquire());
    let mut other = Box::pin(places.acquire());
    assert!(poll_once(&mut one).is_ready() && poll_once(&mut other).is_ready());
    let more = [places.try_acquire(), places.try_acquire()].map(Result::ok);
    let mut waits = Box::pin(places.acquire());
    assert!(poll_once(&mut waits).is_pending());
    places.set_max(9).unwrap();
    drop(waits.await.unwrap());
    drop(more);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_more_than_a_maximum_that_came_down_goes_alone() {
    let places = Bulkhead::new(BulkheadConfig::new(4).wait_unbounded());
    let held = places.try_acquire().unwrap();
    let mut many = Box::pin(places.acquire_many(4));
    assert!(poll_once(&mut many).is_pending());
    places.set_max(2).unwrap();
    drop(held);
    let many = many.await.unwrap();
    assert!(places.try_acquire().is_err());
    drop(many);
    assert!(places.try_acquire_many(3).is_err());
    assert_eq!(places.available(), 2);
}

#[tokio::test(start_paused = true)]
async fn another_configuration_is_obeyed_and_a_wrong_one_changes_nothing() {
    let heard = Heard::of("reports by hand");
    let born = BulkheadConfig::new(1).name("reports by hand");
    let places = Bulkhead::new(born);
    assert!(places.reconfigure(BulkheadConfig::new(0)).is_err() && places.set_max(0).is_err());
    assert_eq!(places.config(), born);
    let next = BulkheadConfig::new(2).wait(ms(20)).queue(1);
    places.reconfigure(next).unwrap();
    assert_eq!(places.config(), next.name("reports by hand"));
    assert_eq!(heard.take(), ["reports by hand: the limit went from 1 to 2"]);
    let held = places.try_acquire_many(2).unwrap();
    let (waited, ()) = tokio::join!(places.acquire(), async {
        sleep(ms(10)).await;
        drop(held);
    });
    drop(waited.unwrap());
    places.reset();
    assert_eq!((places.config(), places.available()), (born, 1));
}
