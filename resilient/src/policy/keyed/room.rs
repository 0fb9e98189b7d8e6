//! Who goes where there is no room for another, or has been idle for too long.
//!
//! A few are looked at, outside of the lock, and the oldest of these go.

use super::{
    Instance, Keep,
    instances::{Entry, Instances, New},
    ring::Passed,
};
use crate::time::{Nanos, precise};
use std::sync::Arc;

/// Whom room is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Nobody: idle ones are of no use.
    Idle,
    Call,
    /// A hand's order must be kept, whatever it costs.
    Hand,
}

impl Goal {
    fn may_cost(self) -> Keep {
        if self == Self::Hand { Keep::Refusing } else { Keep::No }
    }
}

/// An instance that was looked at.
struct Seen<'m, P> {
    passed: Passed,
    used: Nanos,
    entry: &'m Entry<P>,
}

impl<P: Instance> Instances<P> {
    /// Looks at the next ones and evicts some: all that are idle, and as many of the oldest as are worth the search. A `new`
    /// one takes a place at once. Tells whether the search was in vain: where it was not, another thread may yet have been
    /// faster.
    pub(super) fn evict(&self, looks: usize, now: Nanos, goal: Goal, new: Option<&New>) -> (bool, Option<Arc<P>>) {
        let map = self.map().pin();
        let passed = self.growth().ring.pass(looks);
        let (count, exact) = (passed.len(), precise());
        let seen = passed.into_iter().filter_map(|passed| {
            let entry = map.get(&passed.key)?;
            Some(Seen { passed, used: entry.used(), entry })
        });
        let seen: Vec<_> = seen.collect();
        // Where some have gone meanwhile, another search is worth it.
        let are_all = seen.len() == count;
        // Here time acts on them, and tells of it: without the lock.
        let mut chosen = self.choose(seen, [now, exact], goal);
        chosen.sort_unstable_by_key(|seen| std::cmp::Reverse(seen.passed.slot));
        let found = if are_all { chosen.len() } else { count };
        let (in_vain, mut gone) = (found == 0, Vec::with_capacity(chosen.len()));
        let mut growth = self.growth();
        for seen in chosen {
            let is_same =
                |entry: &Entry<P>| Arc::ptr_eq(&entry.instance, &seen.entry.instance) && entry.used() == seen.used;
            let is_there = growth.ring.holds(seen.passed) && map.get(&seen.passed.key).is_some_and(is_same);
            if is_there && self.keep(&seen, [now, exact]) <= goal.may_cost() {
                map.remove(&seen.passed.key);
                growth.ring.remove(seen.passed.slot);
                growth.evicted += 1;
                gone.push(Arc::clone(&seen.entry.instance));
            }
        }
        if goal == Goal::Call {
            growth.ring.rest(exact, count, found);
        }
        let placed = new.and_then(|new| self.take_place(&mut growth, new, now, goal));
        drop(growth);
        let (instance, idle) = placed.unzip();
        for instance in gone.iter().chain(idle.flatten().as_ref()) {
            instance.evicted();
        }
        (in_vain, instance)
    }

    fn choose<'m>(&self, mut seen: Vec<Seen<'m, P>>, [now, exact]: [Nanos; 2], goal: Goal) -> Vec<Seen<'m, P>> {
        let wanted = match goal {
            Goal::Idle => 0,
            Goal::Call => (seen.len() / 8).max(1),
            Goal::Hand => 1,
        };
        seen.sort_unstable_by_key(|seen| seen.used);
        let (mut chosen, mut kept) = (Vec::new(), Vec::new());
        for one in seen {
            let is_idle = now.saturating_sub(one.used) > self.limits.idle;
            if chosen.len() >= wanted && !is_idle {
                break;
            }
            one.entry.instance.catch_up(exact);
            match self.keep(&one, [now, exact]) {
                Keep::No => chosen.push(one),
                Keep::Refusing => kept.push(one),
                Keep::ByHand => {}
            }
        }
        if goal == Goal::Hand && chosen.is_empty() {
            chosen.extend(kept.into_iter().next());
        }
        chosen
    }

    /// By both clocks.
    fn keep(&self, seen: &Seen<'_, P>, [now, exact]: [Nanos; 2]) -> Keep {
        seen.entry.instance.keep(exact, now.saturating_sub(seen.used), self.limits.idle)
    }
}
