//! The line beside a list that is sorted anew at each step.

use super::*;
use std::cmp::Reverse;

/// As simple as it can be.
struct Oracle {
    order: Order,
    /// Rank, arrival, weight, id.
    waiting: Vec<(Nanos, u64, u32, WaiterId)>,
    granted: Vec<WaiterId>,
    arrivals: u64,
}

impl Oracle {
    fn push(&mut self, class: Priority, weight: u32, now: Nanos, id: WaiterId) {
        let rank = if self.order == Order::Priority { now + AGE * class.index() as Nanos } else { 0 };
        self.waiting.push((rank, self.arrivals, weight, id));
        self.arrivals += 1;
        match self.order {
            Order::Lifo => self.waiting.sort_by_key(|waiter| Reverse(waiter.1)),
            _ => self.waiting.sort_by_key(|waiter| (waiter.0, waiter.1)),
        }
    }

    fn weight_ahead(&self, id: WaiterId) -> Option<u64> {
        let index = self.waiting.iter().position(|waiter| waiter.3 == id)?;
        Some(self.waiting[..index].iter().map(|waiter| u64::from(waiter.2)).sum())
    }

    fn leave(&mut self, id: WaiterId) -> bool {
        let granted = self.granted.contains(&id);
        self.granted.retain(|waiter| *waiter != id);
        self.waiting.retain(|waiter| waiter.3 != id);
        granted
    }
}

fn run(order: Order, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut queue = Queue::new(order);
    let mut oracle = Oracle { order, waiting: Vec::new(), granted: Vec::new(), arrivals: 0 };
    let (mut ids, mut now) = (Vec::new(), 0);
    let waker = || Waker::noop().clone();
    for _ in 0..400 {
        now += random.u64(..AGE / 3);
        match random.u8(..8) {
            0..4 => {
                let (class, weight) = (Priority::ALL[random.usize(..4)], random.u32(..5));
                let ahead = queue.weight_ahead_of_new(class, now);
                let id = queue.push(class, weight, now, waker());
                oracle.push(class, weight, now, id);
                assert_eq!(Some(ahead), oracle.weight_ahead(id), "of a newcomer");
                ids.push(id);
            }
            4..6 => {
                assert_eq!(queue.grant().is_some(), !oracle.waiting.is_empty());
                if !oracle.waiting.is_empty() {
                    let first = oracle.waiting.remove(0);
                    oracle.granted.push(first.3);
                }
            }
            _ if ids.is_empty() => {}
            _ => {
                // Also of those who are gone.
                let id = ids[random.usize(..ids.len())];
                assert_eq!(queue.leave(id).0, oracle.leave(id));
            }
        }
        assert_eq!(queue.len(), oracle.waiting.len());
        assert_eq!(queue.len(), Priority::ALL.map(|class| queue.len_of(class)).iter().sum::<usize>());
        assert_eq!(queue.weight(), oracle.waiting.iter().map(|waiter| u64::from(waiter.2)).sum::<u64>());
        assert_eq!(queue.front(), oracle.waiting.first().map(|waiter| waiter.3));
        assert_eq!(queue.front_weight(), oracle.waiting.first().map(|waiter| waiter.2));
        if let Some(id) = random.choice(&ids) {
            assert_eq!(queue.weight_ahead(*id), oracle.weight_ahead(*id));
            assert_eq!(queue.watch(*id, waker()).0, oracle.granted.contains(id));
        }
    }
}

#[test]
fn it_does_what_a_sorted_list_does() {
    for seed in 0..300 {
        for order in [Order::Fifo, Order::Lifo, Order::Priority] {
            run(order, seed);
        }
    }
}

/// One place, and twice as many critical calls as it can serve. Without ageing the low ones would wait for ever.
#[test]
fn low_ones_never_starve_under_a_permanent_load_of_critical_ones() {
    const SERVICE: Nanos = 10_000_000;
    let mut queue = Queue::new(Order::Priority);
    let (mut came, mut served_low, mut longest) = (std::collections::HashMap::new(), 0, 0);
    for step in 0..6_000 {
        let now = step * SERVICE;
        for class in [Priority::Critical, Priority::Critical] {
            came.insert(queue.push(class, 1, now, Waker::noop().clone()), (class, now));
        }
        if step % 100 == 0 {
            came.insert(queue.push(Priority::Low, 1, now, Waker::noop().clone()), (Priority::Low, now));
        }
        // Critical ones that nobody serves give up after a second, as calls with a time-out do.
        while let Some((id, _)) = came.iter().find(|(_, came)| came.0 == Priority::Critical && came.1 + AGE <= now) {
            let id = *id;
            came.remove(&id);
            queue.leave(id);
        }
        let front = queue.front().unwrap();
        queue.grant();
        queue.leave(front);
        let (class, came) = came.remove(&front).unwrap();
        if class == Priority::Low {
            served_low += 1;
            longest = longest.max(now - came);
        }
    }
    // It waits as long as three classes cost, and as the critical ones of that time do.
    assert!(served_low >= 55 && longest <= 4 * AGE, "{served_low} served, the longest wait was {longest}");
}
