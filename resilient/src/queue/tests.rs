use super::*;

fn push(queue: &mut Queue, class: Priority, weight: u32, now: Nanos) -> WaiterId {
    queue.push(class, weight, now, Waker::noop().clone())
}

fn entries(queue: &Queue) -> usize {
    queue.lines.iter().map(|line| line.waiters.len()).sum::<usize>() + queue.granted.len()
}

#[test]
fn turns_come_in_order_and_those_who_left_are_passed_over() {
    let mut queue = Queue::new(Order::Fifo);
    let ids: Vec<_> = (1..=4).map(|weight| push(&mut queue, Priority::Normal, weight, 0)).collect();
    assert_eq!((queue.len(), queue.weight(), queue.front()), (4, 10, Some(ids[0])));
    assert!(!queue.leave(ids[1]).0);
    assert!(queue.grant().is_some());
    assert_eq!((queue.len(), queue.weight(), queue.front()), (2, 7, Some(ids[2])));
    assert!(queue.watch(ids[0], Waker::noop().clone()).0);
    assert!(!queue.watch(ids[2], Waker::noop().clone()).0);
    assert!(queue.leave(ids[0]).0);
    assert_eq!(entries(&queue), 2);
    assert!(!queue.leave(ids[3]).0 && !queue.leave(ids[2]).0);
    assert_eq!((queue.len(), queue.weight(), entries(&queue)), (0, 0, 0));
}

#[test]
fn waiters_that_leave_behind_one_that_stays_do_not_pile_up() {
    for order in [Order::Fifo, Order::Lifo, Order::Priority] {
        let mut queue = Queue::new(order);
        let stays = push(&mut queue, Priority::Critical, 1, 0);
        for now in 0..10_000 {
            let id = push(&mut queue, Priority::Low, 1, now);
            let last = push(&mut queue, Priority::Low, 1, now);
            queue.leave(id);
            queue.leave(last);
            assert!(entries(&queue) < 64);
        }
        assert_eq!((queue.len(), queue.front()), (1, Some(stays)));
    }
}

#[test]
fn who_waits_for_longer_than_a_class_costs_goes_first() {
    let mut queue = Queue::new(Order::Priority);
    let low = push(&mut queue, Priority::Low, 1, 0);
    push(&mut queue, Priority::Critical, 2, 3 * AGE - 1);
    let late = push(&mut queue, Priority::Critical, 4, 3 * AGE);
    assert_eq!(queue.weight_ahead(low), Some(2));
    assert_eq!(queue.weight_ahead(late), Some(3));
    assert_eq!(queue.weight_ahead_of_new(Priority::Critical, 3 * AGE), 7);
    assert_eq!(queue.weight_ahead_of_new(Priority::Low, 3 * AGE), 7);
    queue.grant();
    assert_eq!(queue.front(), Some(low));
}

#[test]
fn a_clock_that_steps_back_does_not_reorder_a_class() {
    let mut queue = Queue::new(Order::Priority);
    let first = push(&mut queue, Priority::High, 1, 50);
    push(&mut queue, Priority::High, 1, 10);
    assert_eq!(queue.front(), Some(first));
    queue.grant();
    assert!(queue.leave(first).0);
    assert_eq!(queue.len(), 1);
}

#[test]
fn what_is_not_said_to_be_urgent_is_normal_where_classes_do_not_count() {
    let mut queue = Queue::new(Order::Lifo);
    push(&mut queue, Priority::Critical, 3, 0);
    assert_eq!(Priority::ALL.map(|class| queue.len_of(class)), [0, 0, 1, 0]);
    assert_eq!(queue.weight_ahead_of_new(Priority::Low, 0), 0);
}
