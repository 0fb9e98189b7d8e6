//! Who goes first.

use crate::support::{Act, Dependency, Fault, ms, poll_once, settle};
use resilient::{Bulkhead, BulkheadConfig, Order, Priority, bulkhead};
use std::{
    cell::RefCell,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};
use tokio::time::{advance, sleep};

const ALL: [Priority; 5] = [Priority::Low, Priority::Normal, Priority::High, Priority::Critical, Priority::Normal];

/// Five calls come to a place that is taken, a millisecond apart; the order in which they get it.
async fn served(order: Order) -> Vec<usize> {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue_unbounded().order(order));
    let served = RefCell::new(Vec::new());
    let held = places.try_acquire().unwrap();
    let call = async |index: usize| {
        sleep(ms(index as u64)).await;
        let place = places.acquire_as(ALL[index]).await.unwrap();
        served.borrow_mut().push(index);
        sleep(ms(10)).await;
        place.success();
    };
    tokio::join!(call(0), call(1), call(2), call(3), call(4), async {
        sleep(ms(20)).await;
        held.success();
    });
    served.into_inner()
}

#[tokio::test(start_paused = true)]
async fn the_first_the_last_or_the_most_urgent() {
    assert_eq!(served(Order::Fifo).await, [0, 1, 2, 3, 4]);
    assert_eq!(served(Order::Lifo).await, [4, 3, 2, 1, 0]);
    assert_eq!(served(Order::Priority).await, [3, 2, 1, 4, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_class_is_an_expression_over_the_arguments_that_is_evaluated_once() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    fn class(urgent: bool) -> Priority {
        ASKED.fetch_add(1, SeqCst);
        if urgent { Priority::Critical } else { Priority::Low }
    }
    #[bulkhead(1, wait, queue = unbounded, order = priority, priority = class(urgent))]
    async fn classed(urgent: bool, name: &str, served: &RefCell<Vec<String>>) -> Result<u32, Fault> {
        served.borrow_mut().push(name.to_owned());
        sleep(ms(10)).await;
        Ok(1)
    }
    let served = RefCell::new(Vec::new());
    let (a, b, c) = tokio::join!(
        biased;
        classed(false, "first", &served),
        classed(false, "low", &served),
        classed(true, "critical", &served)
    );
    for answer in [a, b, c] {
        answer.unwrap();
    }
    assert_eq!(*served.borrow(), ["first", "critical", "low"]);
    assert_eq!(ASKED.load(SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn a_low_one_is_not_passed_over_for_longer_than_three_seconds() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue_unbounded().order(Order::Priority));
    let held = places.try_acquire().unwrap();
    let mut low = Box::pin(places.acquire_as(Priority::Low));
    assert!(poll_once(&mut low).is_pending());
    advance(ms(2_999)).await;
    let mut sooner = Box::pin(places.acquire_as(Priority::Critical));
    assert!(poll_once(&mut sooner).is_pending());
    advance(ms(2)).await;
    let mut later = Box::pin(places.acquire_as(Priority::Critical));
    assert!(poll_once(&mut later).is_pending());
    drop(held);
    drop(sooner.await.unwrap());
    assert!(poll_once(&mut later).is_pending());
    drop(low.await.unwrap());
    drop(later.await.unwrap());
    assert_eq!(places.available(), 1);
}

#[tokio::test(start_paused = true)]
async fn in_a_full_line_who_would_go_last_is_refused_at_once() {
    for (order, refused) in [(Order::Fifo, 2), (Order::Lifo, 0), (Order::Priority, 1)] {
        let places = Bulkhead::new(BulkheadConfig::new(1).wait(ms(1000)).queue(2).order(order));
        let held = places.try_acquire().unwrap();
        let classes = [Priority::Normal, Priority::Low, Priority::Critical];
        let mut calls: Vec<_> = classes.into_iter().map(|class| Box::pin(places.acquire_as(class))).collect();
        let mut ended: Vec<_> = calls.iter_mut().map(|call| poll_once(call).is_ready()).collect();
        // Who has to make room is told.
        settle().await;
        for (call, ended) in calls.iter_mut().zip(&mut ended).filter(|(_, ended)| !**ended) {
            *ended = poll_once(call).is_ready();
        }
        let found: Vec<_> = (0..3).filter(|index| ended[*index]).collect();
        assert_eq!(found, [refused], "{order:?}");
        assert_eq!((places.stats().queue_full, places.stats().waiting), (1, 2));
        drop(calls);
        drop(held);
        assert_eq!(places.available(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_made_room_is_woken() {
    let places: &'static Bulkhead =
        Box::leak(Box::new(Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue(1).order(Order::Lifo))));
    let held = places.try_acquire().unwrap();
    let oldest = tokio::spawn(places.acquire());
    settle().await;
    let newest = tokio::spawn(places.acquire());
    assert!(oldest.await.unwrap().unwrap_err().is_bulkhead_full());
    drop(held);
    newest.await.unwrap().unwrap().success();
}

#[tokio::test(start_paused = true)]
async fn classes_of_calls_by_hand() {
    let places = Bulkhead::new(BulkheadConfig::new(1).wait_unbounded().queue(5).order(Order::Priority));
    let dependency = Dependency::new([Act::Slow(10)]);
    let (a, b, c) = tokio::join!(
        biased;
        places.call(dependency.run()),
        places.call_as(Priority::Low, dependency.run()),
        places.call_as(Priority::High, async { Err::<u32, Fault>(Fault::BadRequest) })
    );
    assert_eq!((a.is_ok(), b.is_ok(), c), (true, true, Err(Fault::BadRequest)));
    assert!(places.try_acquire_as(Priority::Low).is_ok());
}
