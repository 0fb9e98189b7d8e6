//! The calls in flight whose time is watched: since when, and which of them have been counted as slow.
//!
//! A thread notes the calls that begin on it in places of its own, and whoever ends a call empties its place; those that
//! find none queue. Looking for those that have become slow happens under the breaker's lock, and no more often than one
//! could have; of a queue it looks only at these.

use super::{
    queue::{Begun, Queue},
    state::Place,
    window::Position,
};
use crate::{
    stats::lines::{Lines, Local},
    sync::{
        Mutex, MutexGuard,
        atomic::{
            AtomicU32, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::{Nanos, TICK, coarse, precise},
};
use std::sync::{OnceLock, PoisonError};

/// Places of a thread. Calls that find none queue.
const PLACES: usize = if cfg!(shuttle) { 2 } else { 30 };

/// Bits of an index that tell the line; those above tell where in it.
const LINE: u32 = 5;

/// The call has been counted, at the position that the other bits tell.
const COUNTED: u64 = 1 << 63;

/// When a call began, or where it was counted; 0 for none.
#[derive(Debug, Default)]
struct Since {
    word: AtomicU64,
    generation: AtomicU32,
}

/// The calls that began on one thread; those of threads without a line of their own all queue in one.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line {
    places: [Since; PLACES],
    queue: OnceLock<Box<Mutex<Queue>>>,
}

impl Line {
    fn queue(&self) -> Option<MutexGuard<'_, Queue>> {
        self.queue.get().map(|queue| queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
pub(super) struct InFlight {
    lines: Lines<Line>,
    /// Before this no call can have become slow.
    due: AtomicU64,
}

/// The clock by which a call is slow: the coarse one where its lag is at most a hundredth.
#[inline]
#[allow(clippy::absurd_extreme_comparisons, reason = "without a coarse clock there is no lag")]
pub(super) fn clock(after: Nanos) -> Nanos {
    if after / 100 >= TICK { coarse() } else { precise() }
}

/// What is known of a call that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// When it began.
    Since(Nanos),
    /// Where it was counted as slow.
    Counted(Position),
}

impl InFlight {
    pub(super) const fn new() -> Self {
        Self { lines: Lines::new(), due: AtomicU64::new(0) }
    }

    /// Whether a call may have become slow.
    #[inline]
    pub(super) fn is_due(&self, now: Nanos) -> bool {
        now > self.due.load(Relaxed)
    }

    /// A call begins, and will be slow `after` that.
    #[inline]
    pub(super) fn begin(
        &self,
        is_one_of_many: impl FnOnce() -> bool,
        generation: u32,
        now: Nanos,
        after: Nanos,
    ) -> Place {
        let now = now.max(1);
        let due = now.saturating_add(after);
        let place = self.note(is_one_of_many, generation, now);
        if self.due.load(Relaxed) > due {
            self.due.fetch_min(due, Relaxed);
        }
        place
    }

    #[inline]
    fn note(&self, is_one_of_many: impl FnOnce() -> bool, generation: u32, now: Nanos) -> Place {
        let Local { line, number, owned } = self.lines.local(is_one_of_many);
        if owned {
            // Only this thread takes places here.
            let free = line.places.iter().position(|since| since.word.load(Acquire) == 0);
            if let Some(free) = free {
                line.places[free].generation.store(generation, Relaxed);
                line.places[free].word.store(now, Release);
                return place(number, free);
            }
        }
        place(number, PLACES + self.enqueue(line, generation, now) as usize)
    }

    #[cold]
    fn enqueue(&self, line: &Line, generation: u32, now: Nanos) -> u32 {
        let queue = line.queue.get_or_init(|| Box::new(Mutex::new(Queue::new())));
        let mut queue = queue.try_lock().unwrap_or_else(|_| {
            self.lines.spread();
            queue.lock().unwrap_or_else(PoisonError::into_inner)
        });
        queue.begin(generation, now)
    }

    /// Looks at a call where it is noted: in a place, or in a queue.
    #[inline]
    fn at<R>(
        &self,
        index: u32,
        in_place: impl FnOnce(&Since) -> R,
        in_queue: impl FnOnce(&mut Queue, u32) -> R,
    ) -> Option<R> {
        let line = self.lines.at((index % (1 << LINE)) as usize)?;
        let index = index >> LINE;
        match line.places.get(index as usize) {
            Some(since) => Some(in_place(since)),
            None => line.queue().map(|mut queue| in_queue(&mut queue, index - PLACES as u32)),
        }
    }

    /// Ends a call that is not slow yet, without the breaker's lock; tells whether that was possible.
    #[inline]
    pub(super) fn end_fast(&self, index: u32, now: Nanos, after: Nanos) -> bool {
        let is_fast = |began: u64| began & COUNTED == 0 && now.saturating_sub(began) <= after;
        let in_place = |since: &Since| {
            let began = since.word.load(Relaxed);
            is_fast(began) && since.word.compare_exchange(began, 0, AcqRel, Relaxed).is_ok()
        };
        let in_queue = |queue: &mut Queue, index| is_fast(queue.word(index)) && queue.end(index) != 0;
        self.at(index, in_place, in_queue).unwrap_or(true)
    }

    /// Ends a call. Under the breaker's lock.
    pub(super) fn end(&self, index: u32) -> Option<Watched> {
        match self.at(index, |since| since.word.swap(0, AcqRel), Queue::end) {
            None | Some(0) => None,
            Some(word) if word & COUNTED != 0 => Some(Watched::Counted(Position(word & !COUNTED))),
            Some(began) => Some(Watched::Since(began)),
        }
    }

    /// Counts those that have become slow, the earliest first; `count` says where, if it does. Under the breaker's
    /// lock.
    pub(super) fn sweep(
        &self,
        generation: u32,
        now: Nanos,
        after: Nanos,
        mut count: impl FnMut(Nanos) -> Option<Position>,
    ) {
        let (mut slow, mut due) = (Vec::new(), now.saturating_add(after));
        for (number, line) in self.lines.numbered() {
            for (index, since) in line.places.iter().enumerate() {
                let began = since.word.load(Acquire);
                if began == 0 || began & COUNTED != 0 || since.generation.load(Relaxed) != generation {
                    continue;
                }
                let becomes_slow = began.saturating_add(after);
                if becomes_slow >= now {
                    due = due.min(becomes_slow);
                } else if since.word.compare_exchange(began, COUNTED | began, AcqRel, Relaxed).is_ok() {
                    // From here on the call needs the lock to end.
                    slow.push((began, index_of(number, index)));
                }
            }
            let Some(mut queue) = line.queue() else { continue };
            // Those of an earlier state are looked at once, too.
            while let Some(Begun { index, at, generation: of }) = queue.take(now.saturating_sub(after)) {
                if of == generation {
                    queue.set(index, COUNTED | at);
                    slow.push((at, index_of(number, PLACES + index as usize)));
                }
            }
            due = queue.oldest().map_or(due, |began| due.min(began.saturating_add(after)));
        }
        slow.sort_unstable();
        for (began, index) in slow {
            let word = count(began.saturating_add(after)).map_or(began, |position| COUNTED | position.0);
            self.at(index, |since| since.word.store(word, Release), |queue, index| queue.set(index, word));
        }
        self.due.store(due, Relaxed);
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        let in_line = |line: &Line| {
            let in_places = line.places.iter().filter(|since| since.word.load(Relaxed) != 0).count() as u64;
            in_places + line.queue().map_or(0, |queue| queue.len())
        };
        self.lines.iter().map(in_line).sum()
    }
}

fn index_of(line: usize, index: usize) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "fewer calls are in flight than there are numbers")]
    let index = (index << LINE | line) as u32;
    index
}

fn place(line: usize, index: usize) -> Place {
    Place::watched(index_of(line, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(calls: &InFlight, now: Nanos) -> Vec<Nanos> {
        let mut found = Vec::new();
        calls.sweep(7, now, 100, |at| {
            found.push(at);
            Some(Position(at))
        });
        found
    }

    #[test]
    fn a_call_is_found_slow_once_and_when_it_ends_it_tells_where_it_was_counted() {
        let calls = InFlight::new();
        let places: Vec<_> = (1..=40).map(|now| calls.begin(|| false, 7, now, 100).as_watched().unwrap()).collect();
        let of_another_state = calls.begin(|| false, 6, 41, 100).as_watched().unwrap();
        assert_eq!(calls.count(), 41);
        assert_eq!(swept(&calls, 101), []);
        assert!(!calls.is_due(101) && calls.is_due(102));
        assert_eq!(swept(&calls, 102), [101]);
        assert!(!calls.is_due(102) && calls.is_due(103));
        assert!(calls.end_fast(places[39], 140, 100) && !calls.end_fast(places[38], 140, 100));
        assert_eq!(swept(&calls, 139), (102..139).collect::<Vec<_>>());
        assert!(!calls.end_fast(places[0], 50, 100));
        assert_eq!(calls.end(places[0]), Some(Watched::Counted(Position(101))));
        assert_eq!(calls.end(places[38]), Some(Watched::Since(39)));
        assert_eq!(calls.end(of_another_state), Some(Watched::Since(41)));
        assert_eq!(calls.count(), 37);
    }

    #[test]
    fn a_call_may_end_on_another_thread() {
        let calls = InFlight::new();
        let place = calls.begin(|| false, 0, 5, 100).as_watched().unwrap();
        std::thread::scope(|scope| scope.spawn(|| assert!(calls.end_fast(place, 6, 100))).join().unwrap());
        assert_eq!(calls.count(), 0);
        assert_eq!(calls.begin(|| false, 0, 7, 100).as_watched(), Some(place));
    }
}
