//! Places of a bulkhead: never too many, nobody forgotten, none lost.

use super::*;
use crate::{Mode, Order, Priority};

fn waiting(places: u32, order: Order) -> Arc<Bulkhead> {
    Arc::new(Bulkhead::new(BulkheadConfig::new(places).wait_unbounded().queue_unbounded().order(order)))
}

/// Takes places, is inside for a while, and tells if there are ever more than `most`.
async fn visit(places: Arc<Bulkhead>, inside: Arc<AtomicU32>, count: u32, class: Priority, most: u32) {
    let held = if count == 1 { places.acquire_as(class).await } else { places.acquire_many(count).await };
    let held = held.unwrap();
    assert!(inside.fetch_add(count, SeqCst) + count <= most);
    future::yield_now().await;
    inside.fetch_sub(count, SeqCst);
    held.success();
}

/// Dropped in line, or with its turn come, or inside.
fn fickle(places: &Arc<Bulkhead>, count: u32) -> thread::JoinHandle<()> {
    let places = Arc::clone(places);
    thread::spawn(move || {
        let mut call = pin!(places.acquire_many(count));
        let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        thread::yield_now();
    })
}

fn join(calls: Vec<future::JoinHandle<()>>) {
    future::block_on(async {
        for call in calls {
            call.await.unwrap();
        }
    });
}

fn is_empty(places: &Bulkhead) {
    let stats = places.stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
    assert_eq!(stats.available, stats.limit);
}

#[test]
fn a_place_is_never_taken_twice_and_nobody_waits_for_ever() {
    check(|| {
        let places = Arc::new(Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue_unbounded()));
        let inside = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..3)
            .map(|_| {
                let (places, inside) = (Arc::clone(&places), Arc::clone(&inside));
                future::spawn(async move {
                    let place = places.acquire().await.unwrap();
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    future::yield_now().await;
                    inside.fetch_sub(1, SeqCst);
                    place.success();
                })
            })
            .collect();
        let fickle = {
            let places = Arc::clone(&places);
            thread::spawn(move || {
                let mut call = pin!(places.acquire());
                // Dropped in line, or with its turn come, or inside.
                let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                thread::yield_now();
            })
        };
        future::block_on(async {
            for call in calls {
                call.await.unwrap();
            }
        });
        fickle.join().unwrap();
        let stats = places.stats();
        assert_eq!((stats.in_use, stats.waiting), (0, 0));
    });
}

#[test]
fn several_places_are_taken_together_and_nobody_behind_is_forgotten() {
    check(|| {
        let places = waiting(3, Order::Fifo);
        let inside = Arc::new(AtomicU32::new(0));
        let calls = [2, 3, 1]
            .map(|count| future::spawn(visit(Arc::clone(&places), Arc::clone(&inside), count, Priority::Normal, 3)));
        // One whose leave lets a smaller one pass.
        let fickle = fickle(&places, 3);
        join(calls.into());
        fickle.join().unwrap();
        is_empty(&places);
        let stats = places.stats();
        assert!(stats.admitted >= 3 && stats.admitted + stats.gave_up >= 4, "{stats:?}");
    });
}

#[test]
fn in_any_order_everybody_has_a_turn() {
    check(|| {
        for order in [Order::Lifo, Order::Priority] {
            let places = waiting(1, order);
            let inside = Arc::new(AtomicU32::new(0));
            let calls = [Priority::Low, Priority::Critical, Priority::Normal]
                .map(|class| future::spawn(visit(Arc::clone(&places), Arc::clone(&inside), 1, class, 1)));
            let fickle = fickle(&places, 1);
            join(calls.into());
            fickle.join().unwrap();
            is_empty(&places);
        }
    });
}

#[test]
fn one_that_has_to_make_room_is_told_and_takes_nothing_along() {
    check(|| {
        let config = BulkheadConfig::new(1).wait_unbounded().queue(1).order(Order::Lifo);
        let places = Arc::new(Bulkhead::new(config));
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let places = Arc::clone(&places);
                future::spawn(async move {
                    if let Ok(place) = places.acquire().await {
                        future::yield_now().await;
                        place.success();
                    }
                })
            })
            .collect();
        join(calls);
        is_empty(&places);
        let stats = places.stats();
        assert_eq!(stats.admitted + stats.queue_full, 4, "{stats:?}");
    });
}

#[test]
fn a_limit_that_moves_is_never_exceeded_by_who_comes_after_it_and_leaves_nobody_waiting() {
    check(|| {
        let places = waiting(2, Order::Fifo);
        let inside = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..3)
            .map(|_| future::spawn(visit(Arc::clone(&places), Arc::clone(&inside), 1, Priority::Normal, 3)))
            .collect();
        let moved = {
            let places = Arc::clone(&places);
            thread::spawn(move || {
                places.set_max(1).unwrap();
                if places.stats().in_use == 0 {
                    // Nobody who comes from now on sees the larger limit.
                    let first = places.try_acquire();
                    assert!(first.is_err() || places.try_acquire().is_err());
                }
                places.set_max(3).unwrap();
            })
        };
        join(calls);
        moved.join().unwrap();
        is_empty(&places);
    });
}

#[test]
fn a_switch_of_the_mode_leaves_nobody_waiting_and_loses_no_place() {
    check(|| {
        let places = waiting(1, Order::Fifo);
        let calls: Vec<_> =
            (0..3).map(|_| future::spawn(visit(Arc::clone(&places), Arc::default(), 1, Priority::Normal, 3))).collect();
        let switched = {
            let places = Arc::clone(&places);
            thread::spawn(move || {
                places.set_mode(Mode::Off);
                thread::yield_now();
                places.set_mode(Mode::On);
            })
        };
        join(calls);
        switched.join().unwrap();
        is_empty(&places);
        assert!(places.try_acquire().is_ok());
    });
}

#[test]
fn what_is_measured_at_once_closes_one_window_and_loses_no_place() {
    check(|| {
        let places = Arc::new(Bulkhead::new(BulkheadConfig::adaptive(19..=40)));
        for _ in 0..27 {
            places.try_acquire().unwrap().success();
        }
        let calls: Vec<_> = (0..3)
            .map(|_| {
                let places = Arc::clone(&places);
                thread::spawn(move || places.try_acquire().unwrap().success())
            })
            .collect();
        for call in calls {
            call.join().unwrap();
        }
        let stats = places.stats();
        assert_eq!((stats.in_use, stats.admitted), (0, 30));
        assert!(stats.unloaded.is_some());
    });
}

#[test]
fn a_limit_set_by_hand_is_not_undone_by_a_window_that_closes() {
    check(|| {
        let places = Arc::new(Bulkhead::new(BulkheadConfig::adaptive(19..=40)));
        for _ in 0..27 {
            places.try_acquire().unwrap().success();
        }
        let measured = {
            let places = Arc::clone(&places);
            thread::spawn(move || places.try_acquire().unwrap().success())
        };
        places.set_max(25).unwrap();
        measured.join().unwrap();
        assert_eq!((places.stats().limit, places.stats().max), (25, 25));
    });
}
