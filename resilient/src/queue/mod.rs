//! A line of waiters: first come, last come, or by priority. Pure but for the wakers that it keeps.
//!
//! A waker may run anything when it is cloned, called or dropped, also what locks this very line: it comes in by value
//! and goes out the same way, for the caller to deal with outside the lock.
//!
//! Classes grow older without being sorted again: a waiter's rank is its arrival plus [`AGE`] for each class above its own,
//! and the lowest rank goes first. Ranks never change, and those of one class come in order, so there is one line for each
//! class, and only the heads are compared.

#[cfg(test)]
mod oracle;

use crate::{priority::Priority, time::Nanos};
use std::{collections::VecDeque, task::Waker};

/// Names a waiter: its line in the low bits, and above them a number that grows.
pub(crate) type WaiterId = u64;

/// The head start of each class before the next less urgent one. So a waiter is passed over only by those who come less than
/// this time after it, for each class between them: nobody starves.
pub(crate) const AGE: Nanos = 1_000_000_000;

/// Who goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// Who came first.
    #[default]
    Fifo,
    /// Who came last: under overload, those who have not given up yet.
    Lifo,
    /// The most urgent class, where each second of waiting counts for one class: see [`Priority`].
    Priority,
}

#[derive(Debug)]
struct Waiter {
    id: WaiterId,
    rank: Nanos,
    weight: u32,
    /// It left; its entry goes when it reaches an end, or when most are of this kind.
    gone: bool,
    waker: Option<Waker>,
}

/// Those of one class. Both ends are waiting, not gone.
#[derive(Debug, Default)]
struct Line {
    waiters: VecDeque<Waiter>,
    waiting: usize,
    weight: u64,
}

#[derive(Debug)]
pub(crate) struct Queue {
    order: Order,
    next: WaiterId,
    /// None before the first waiter; then one, or one for each class.
    lines: Vec<Line>,
    /// Whose turn has come, but who do not know yet: in the order of their ids.
    granted: VecDeque<WaiterId>,
}

/// The bits of an id that tell the line.
const LINES: u32 = 2;

const fn line_of(id: WaiterId) -> usize {
    (id & ((1 << LINES) - 1)) as usize
}

impl Queue {
    pub(crate) const fn new(order: Order) -> Self {
        Self { order, next: 0, lines: Vec::new(), granted: VecDeque::new() }
    }

    /// Those whose turn has not come.
    pub(crate) fn len(&self) -> usize {
        self.lines.iter().map(|line| line.waiting).sum()
    }

    /// Those of one class whose turn has not come. Where classes do not count, all are [`Priority::Normal`].
    #[allow(dead_code, reason = "for limits that keep a share for some classes")]
    pub(crate) fn len_of(&self, class: Priority) -> usize {
        match self.order {
            Order::Priority => self.lines.get(class.index()).map_or(0, |line| line.waiting),
            Order::Fifo | Order::Lifo if class == Priority::Normal => self.len(),
            Order::Fifo | Order::Lifo => 0,
        }
    }

    /// What those whose turn has not come ask for, together.
    pub(crate) fn weight(&self) -> u64 {
        self.lines.iter().map(|line| line.weight).sum()
    }

    /// What those ask for who would go before a waiter that came now. Where classes count, this looks at each of a less
    /// urgent class who has waited for longer than its class costs.
    #[allow(dead_code, reason = "for limits that tell how long a wait would be")]
    pub(crate) fn weight_ahead_of_new(&self, class: Priority, now: Nanos) -> u64 {
        match self.order {
            Order::Fifo => self.weight(),
            Order::Lifo => 0,
            Order::Priority => self.before(class.index(), self.rank(class.index(), now), WaiterId::MAX),
        }
    }

    /// What those ask for who go before this waiter; absent where it does not wait. This looks at each of them.
    #[allow(dead_code, reason = "for limits that tell how long a wait would be")]
    pub(crate) fn weight_ahead(&self, id: WaiterId) -> Option<u64> {
        let line = self.lines.get(line_of(id))?;
        let index = line.find(id).filter(|index| !line.waiters[*index].gone)?;
        Some(match self.order {
            Order::Lifo => weight(line.waiters.range(index + 1..)),
            Order::Fifo => weight(line.waiters.range(..index)),
            Order::Priority => self.before(line_of(id), line.waiters[index].rank, id),
        })
    }

    /// What those of all lines ask for who come before a waiter of this one.
    fn before(&self, own: usize, rank: Nanos, id: WaiterId) -> u64 {
        let is_new = id == WaiterId::MAX;
        let before = |(index, line): (usize, &Line)| {
            // A newcomer stands behind all of its own class, and behind who is more urgent and here already.
            if is_new && index <= own {
                return line.weight;
            }
            let end = line.waiters.partition_point(|waiter| (waiter.rank, waiter.id) < (rank, id));
            weight(line.waiters.range(..end))
        };
        self.lines.iter().enumerate().map(before).sum()
    }

    /// The rank of a waiter that comes now. In its line it is never less than that of those who came before, though clocks
    /// that several threads read may be.
    fn rank(&self, line: usize, now: Nanos) -> Nanos {
        let rank = now.saturating_add(AGE * line as Nanos);
        let last = self.lines.get(line).and_then(|line| line.waiters.back());
        last.map_or(rank, |last| last.rank.max(rank))
    }

    pub(crate) fn push(&mut self, class: Priority, weight: u32, now: Nanos, waker: Waker) -> WaiterId {
        let (line, lines) = match self.order {
            Order::Priority => (class.index(), Priority::ALL.len()),
            Order::Fifo | Order::Lifo => (0, 1),
        };
        if self.lines.is_empty() {
            self.lines.resize_with(lines, Line::default);
        }
        let (id, rank) = (self.next << LINES | line as WaiterId, self.rank(line, now));
        self.next += 1;
        let line = &mut self.lines[line];
        line.waiters.push_back(Waiter { id, rank, weight, gone: false, waker: Some(waker) });
        line.waiting += 1;
        line.weight += u64::from(weight);
        id
    }

    /// The line whose head goes first.
    fn first(&self) -> Option<usize> {
        let heads = self.lines.iter().enumerate().filter_map(|(index, line)| Some((index, line.waiters.front()?)));
        heads.min_by_key(|(_, head)| (head.rank, head.id)).map(|(index, _)| index)
    }

    fn front_waiter(&self) -> Option<&Waiter> {
        let line = &self.lines[self.first()?];
        if self.order == Order::Lifo { line.waiters.back() } else { line.waiters.front() }
    }

    /// Who goes first.
    pub(crate) fn front(&self) -> Option<WaiterId> {
        self.front_waiter().map(|front| front.id)
    }

    /// What who goes first asks for.
    pub(crate) fn front_weight(&self) -> Option<u32> {
        self.front_waiter().map(|front| front.weight)
    }

    /// Whom to call when the front may have changed.
    pub(crate) fn front_waker(&mut self) -> Option<Waker> {
        let (first, order) = (self.first()?, self.order);
        let waiters = &mut self.lines[first].waiters;
        let front = if order == Order::Lifo { waiters.back_mut() } else { waiters.front_mut() };
        front?.waker.take()
    }

    /// Gives the front its turn. Tells whom to call.
    pub(crate) fn grant(&mut self) -> Option<Waker> {
        let (first, order) = (self.first()?, self.order);
        let line = &mut self.lines[first];
        let front = if order == Order::Lifo { line.waiters.pop_back() } else { line.waiters.pop_front() }?;
        line.passes(front.weight);
        let place = self.granted.partition_point(|granted| *granted < front.id);
        self.granted.insert(place, front.id);
        front.waker
    }

    /// Keeps whom to call when something changes for this waiter; tells whether its turn has come, and gives back
    /// whom it would have called before.
    pub(crate) fn watch(&mut self, id: WaiterId, waker: Waker) -> (bool, Option<Waker>) {
        if self.granted.binary_search(&id).is_ok() {
            return (true, Some(waker));
        }
        let waiter = self.lines.get_mut(line_of(id)).and_then(|line| line.get(id));
        match waiter {
            Some(waiter) => (false, waiter.waker.replace(waker)),
            None => (false, Some(waker)),
        }
    }

    /// Whether this waiter waits: its turn has not come, and it has not left.
    pub(crate) fn contains(&self, id: WaiterId) -> bool {
        let line = self.lines.get(line_of(id));
        line.is_some_and(|line| line.find(id).is_some_and(|index| !line.waiters[index].gone))
    }

    /// Who has to make room for one of this class who comes now, where too many wait: nobody, where the newcomer would go
    /// last.
    pub(crate) fn last_behind(&self, class: Priority, now: Nanos) -> Option<WaiterId> {
        match self.order {
            Order::Fifo => None,
            Order::Lifo => self.lines.first()?.waiters.front().map(|oldest| oldest.id),
            Order::Priority => {
                let lasts = self.lines.iter().filter_map(|line| line.waiters.back());
                let last = lasts.max_by_key(|last| (last.rank, last.id))?;
                (last.rank > self.rank(class.index(), now)).then_some(last.id)
            }
        }
    }

    /// Whom to call for all who wait.
    pub(crate) fn all_wakers(&mut self) -> Vec<Waker> {
        let waiters = self.lines.iter_mut().flat_map(|line| &mut line.waiters);
        waiters.filter_map(|waiter| waiter.waker.take()).collect()
    }

    /// Takes out a waiter whose turn has come; tells whether it had.
    pub(crate) fn leave_granted(&mut self, id: WaiterId) -> bool {
        match self.granted.binary_search(&id) {
            Ok(index) => self.granted.remove(index).is_some(),
            Err(_) => false,
        }
    }

    /// Takes a waiter out of the line; tells whether its turn had come, and gives back whom it would have called.
    pub(crate) fn leave(&mut self, id: WaiterId) -> (bool, Option<Waker>) {
        if self.leave_granted(id) {
            return (true, None);
        }
        let Some(line) = self.lines.get_mut(line_of(id)) else { return (false, None) };
        let Some(waiter) = line.get(id) else { return (false, None) };
        let (weight, waker) = (waiter.weight, waiter.waker.take());
        waiter.gone = true;
        line.passes(weight);
        (false, waker)
    }
}

impl Line {
    fn find(&self, id: WaiterId) -> Option<usize> {
        self.waiters.binary_search_by_key(&id, |waiter| waiter.id).ok()
    }

    fn get(&mut self, id: WaiterId) -> Option<&mut Waiter> {
        let index = self.find(id)?;
        self.waiters.get_mut(index).filter(|waiter| !waiter.gone)
    }

    /// One who asked for so much waits no longer.
    fn passes(&mut self, weight: u32) {
        self.waiting -= 1;
        self.weight -= u64::from(weight);
        while self.waiters.front().is_some_and(|waiter| waiter.gone) {
            self.waiters.pop_front();
        }
        while self.waiters.back().is_some_and(|waiter| waiter.gone) {
            self.waiters.pop_back();
        }
        // Entries of those who left never outnumber the others for long.
        let gone = self.waiters.len() - self.waiting;
        if gone > 16 && gone > self.waiting {
            self.waiters.retain(|waiter| !waiter.gone);
        }
    }
}

fn weight<'a>(waiters: impl Iterator<Item = &'a Waiter>) -> u64 {
    waiters.filter(|waiter| !waiter.gone).map(|waiter| u64::from(waiter.weight)).sum()
}

#[cfg(test)]
mod tests;
