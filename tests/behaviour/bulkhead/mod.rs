//! So many at once.

mod adaptive;
mod control;
mod defects;
mod keyed;
mod many;
mod orders;
mod stats;

use crate::support::{Act, Dependency, Fault, adds_up, caught, cut, ms, poll_once, settle, site};
use resilient::{Bulkhead, BulkheadConfig, bulkhead, timeout};
use std::{cell::RefCell, future::pending, sync::Arc, time::Duration};
use tokio::time::{Instant, advance, sleep};

#[tokio::test(start_paused = true)]
async fn so_many_run_at_once_and_more_are_refused_at_once() {
    #[bulkhead(2)]
    async fn two(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Slow(10)]);
    let (a, b, c) = tokio::join!(two(&dependency), two(&dependency), two(&dependency));
    assert_eq!([a.is_ok(), b.is_ok(), c.is_ok()].iter().filter(|ok| **ok).count(), 2);
    two(&dependency).await.unwrap();
    assert_eq!(site("bulkhead::two").bulkhead().unwrap().stats().rejected, 1);
    adds_up("bulkhead::two");
}

#[tokio::test(start_paused = true)]
async fn a_place_is_taken_when_the_future_first_runs_and_given_back_at_its_end_drop_or_panic() {
    let places = Bulkhead::new(BulkheadConfig::new(1));
    let dependency = Dependency::new([Act::Fail, Act::Hang, Act::Panic, Act::YieldPanic(1), Act::Succeed]);
    let idle = places.call(dependency.run());
    assert_eq!(places.available(), 1);
    drop(idle);
    places.call(dependency.run()).await.unwrap_err();
    assert_eq!(places.available(), 1);
    let mut hung = Box::pin(places.call(dependency.run()));
    assert!(poll_once(&mut hung).is_pending());
    assert_eq!(places.available(), 0);
    drop(hung);
    assert_eq!(places.available(), 1);
    for _ in 0..2 {
        assert!(caught(places.call(dependency.run())).await.is_none());
        assert_eq!(places.available(), 1);
    }
    assert_eq!(places.call(dependency.run()).await, Ok(5));
}

#[tokio::test(start_paused = true)]
async fn waiters_are_served_in_order() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue(5));
    let order = RefCell::new(Vec::new());
    let work = async |number: u64| {
        sleep(ms(number)).await;
        let place = places.acquire().await.unwrap();
        order.borrow_mut().push(number);
        sleep(ms(100)).await;
        drop(place);
    };
    tokio::join!(work(3), work(1), work(4), work(0), work(2));
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_as_long_as_there_are_places_unless_told_otherwise() {
    for (config, length) in [
        (BulkheadConfig::new(3).wait(ms(50)), 3),
        (BulkheadConfig::new(1).wait(ms(50)).queue(2), 2),
        (BulkheadConfig::new(1).wait(ms(50)).queue_unbounded(), 100),
    ] {
        let places = Bulkhead::new(config);
        let held: Vec<_> = (0..places.stats().max).map(|_| places.try_acquire().unwrap()).collect();
        let mut waiting: Vec<_> = (0..length).map(|_| Box::pin(places.acquire())).collect();
        for call in &mut waiting {
            assert!(poll_once(call).is_pending());
        }
        assert_eq!(places.stats().waiting, length);
        if length < 100 {
            assert!(places.acquire().await.unwrap_err().is_bulkhead_full());
        }
        let start = Instant::now();
        for call in waiting {
            assert!(call.await.unwrap_err().is_bulkhead_full());
        }
        assert_eq!(start.elapsed(), ms(50));
        drop(held);
        assert_eq!((places.stats().in_use, places.stats().waiting), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_overtake_and_a_place_is_handed_over() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded());
    let held = places.try_acquire().unwrap();
    let mut first = Box::pin(places.acquire());
    assert!(poll_once(&mut first).is_pending());
    drop(held);
    // It is the waiter's already, though that has not run since.
    assert_eq!((places.available(), places.stats().in_use), (0, 1));
    assert!(places.try_acquire().is_err());
    drop(first.await.unwrap());
    assert_eq!(places.available(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_waiter_passes_its_turn_on() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue(3));
    let held = places.try_acquire().unwrap();
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(places.acquire())).collect();
    for call in &mut waiting {
        assert!(poll_once(call).is_pending());
    }
    // One that never got a place, and one that was handed a place but never ran again.
    drop(waiting.remove(1));
    drop(held);
    drop(waiting.remove(0));
    drop(waiting.remove(0).await.unwrap());
    assert_eq!((places.stats().in_use, places.stats().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_woken_by_every_way_of_leaving() {
    let places = Arc::new(Bulkhead::new(BulkheadConfig::new(1).wait_unbounded()));
    for act in [Act::Slow(10), Act::SlowFail(10), Act::YieldPanic(3), Act::Hang] {
        let dependency = Arc::new(Dependency::new([act]));
        let (held, run) = (places.clone(), dependency.clone());
        let first = tokio::spawn(async move { held.call(run.run()).await });
        settle_until(|| dependency.runs() == 1 || first.is_finished()).await;
        let waits = places.clone();
        let second = tokio::spawn(async move { waits.call(async { Ok::<_, Fault>(()) }).await });
        sleep(ms(20)).await;
        first.abort();
        second.await.unwrap().unwrap();
        assert_eq!(places.available(), 1, "{act:?}");
    }
}

async fn settle_until(done: impl Fn() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
    }
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_limit_or_at_the_deadline_around_it() {
    #[bulkhead(1, wait = 100ms)]
    async fn patient(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Slow(150)]);
    let start = Instant::now();
    let (first, second) = tokio::join!(biased; patient(&dependency), async {
        let ended = patient(&dependency).await;
        (ended, start.elapsed())
    });
    first.unwrap();
    assert!(second.0.unwrap_err().ours().is_bulkhead_full());
    assert_eq!(second.1, ms(100));

    #[timeout(50ms)]
    #[bulkhead(1, wait = 100ms)]
    async fn hurried(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Hang]);
    let (first, second) = tokio::join!(biased; hurried(&dependency), hurried(&dependency));
    assert!(first.unwrap_err().ours().is_timeout());
    assert!(matches!(second.unwrap_err().ours(), resilient::Error::DeadlineExceeded { .. }));
    let stats = site("bulkhead::hurried").bulkhead().unwrap().stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn two_bulkheads_give_the_outer_place_back_when_the_inner_refuses() {
    #[bulkhead(5, name = "outer")]
    #[bulkhead(1, name = "inner")]
    async fn two_deep(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Slow(10)]);
    let (first, second) = tokio::join!(biased; two_deep(&dependency), two_deep(&dependency));
    first.unwrap();
    assert_eq!(second.unwrap_err().ours().policy(), "inner");
    let outer = site("bulkhead::two_deep").bulkhead().unwrap();
    assert_eq!((outer.name(), outer.stats().in_use), ("outer", 0));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_moved_to_another_task_is_still_woken() {
    let places: &'static Bulkhead = Box::leak(Box::new(Bulkhead::new(BulkheadConfig::new(1).wait_unbounded())));
    let held = places.try_acquire().unwrap();
    let mut call = Box::pin(places.acquire());
    assert!(poll_once(&mut call).is_pending());
    let moved = tokio::spawn(call);
    settle().await;
    drop(held);
    moved.await.unwrap().unwrap().success();
    advance(Duration::from_secs(1)).await;
    assert!(cut(places.call(pending::<Result<(), Fault>>()), 1).await.is_none());
    assert_eq!(places.available(), 1);
}

#[test]
fn never_more_than_max_on_many_threads_and_nobody_is_left_waiting() {
    static PLACES: Bulkhead = Bulkhead::new(BulkheadConfig::new(3).wait_unbounded().queue_unbounded());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let dependency = Arc::new(Dependency::new([Act::Yield(2)]));
        let tasks: Vec<_> = (0..200)
            .map(|index| {
                let dependency = dependency.clone();
                tokio::spawn(async move {
                    if index % 4 == 0 {
                        let _ = cut(PLACES.call(dependency.run()), index % 5).await;
                    } else {
                        PLACES.call(dependency.run()).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(dependency.most_running.load(std::sync::atomic::Ordering::Relaxed) <= 3);
    });
    assert_eq!((PLACES.stats().in_use, PLACES.stats().waiting), (0, 0));
}
