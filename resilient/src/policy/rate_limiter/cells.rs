//! Small stocks of tokens, one for some of the threads each, so that threads do not meet at the limiter's word.
//!
//! A stock is filled from the word, so together they never give more than it does. What lies in a stock for longer than it
//! takes to come is forgotten: it would be a burst on top of a full bucket.

use crate::{
    stats::thread_index,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire},
    },
    time::Nanos,
};
use std::sync::OnceLock;

/// A line of memory for itself, and its neighbour, which processors fetch with it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cell(AtomicU64);

/// Tokens in the low bits, and above them until when they are good, in [`GRAIN`]s.
const TOKENS: u32 = 24;
const GRAIN: Nanos = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stock {
    pub(super) tokens: u32,
    until: u64,
}

impl Stock {
    pub(super) fn new(tokens: u32, until: Nanos) -> Self {
        Self { tokens, until: until / GRAIN }
    }

    const fn of(word: u64) -> Self {
        Self { tokens: (word & ((1 << TOKENS) - 1)) as u32, until: word >> TOKENS }
    }

    const fn word(self) -> u64 {
        self.until << TOKENS | self.tokens as u64
    }

    /// Nothing, where it is too old.
    pub(super) const fn at(self, now: Nanos) -> u32 {
        if now / GRAIN <= self.until { self.tokens } else { 0 }
    }
}

#[derive(Debug)]
pub(super) struct Cells {
    count: u32,
    cells: OnceLock<Box<[Cell]>>,
}

impl Cells {
    pub(super) const fn new(count: u32) -> Self {
        Self { count, cells: OnceLock::new() }
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    fn all(&self) -> &[Cell] {
        self.cells.get_or_init(|| (0..self.count).map(|_| Cell::default()).collect())
    }

    fn own(&self) -> &Cell {
        let cells = self.all();
        &cells[thread_index() % cells.len()]
    }

    /// Takes tokens from this thread's stock.
    #[inline]
    pub(super) fn take(&self, now: Nanos, tokens: u32) -> bool {
        take(self.own(), now, tokens)
    }

    /// Takes them from any of the others.
    pub(super) fn steal(&self, now: Nanos, tokens: u32) -> bool {
        self.all().iter().any(|cell| take(cell, now, tokens))
    }

    /// Puts a new stock in the place of this thread's; what was left of the old one, which comes back to the word.
    pub(super) fn fill(&self, now: Nanos, stock: Stock) -> u32 {
        Stock::of(self.own().0.swap(stock.word(), AcqRel)).at(now)
    }

    /// Takes all that there is.
    pub(super) fn drain(&self, now: Nanos) -> u32 {
        let cells = self.cells.get().map_or(&[][..], |cells| cells);
        cells.iter().map(|cell| Stock::of(cell.0.swap(0, AcqRel)).at(now)).sum()
    }

    pub(super) fn tokens(&self, now: Nanos) -> u32 {
        let cells = self.cells.get().map_or(&[][..], |cells| cells);
        cells.iter().map(|cell| Stock::of(cell.0.load(Acquire)).at(now)).sum()
    }
}

fn take(cell: &Cell, now: Nanos, tokens: u32) -> bool {
    let mut word = cell.0.load(Acquire);
    loop {
        let stock = Stock::of(word);
        if stock.at(now) < tokens {
            return false;
        }
        let rest = Stock { tokens: stock.tokens - tokens, ..stock };
        match cell.0.compare_exchange_weak(word, rest.word(), AcqRel, Acquire) {
            Ok(_) => return true,
            Err(found) => word = found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_for_too_long_is_forgotten() {
        let cells = Cells::new(4);
        assert_eq!(cells.fill(0, Stock::new(10, 5 * GRAIN)), 0);
        assert!(cells.take(GRAIN, 3) && !cells.take(GRAIN, 8));
        assert_eq!(cells.tokens(5 * GRAIN), 7);
        assert!(!cells.take(6 * GRAIN, 1) && !cells.steal(6 * GRAIN, 1));
        assert_eq!(cells.fill(5 * GRAIN, Stock::new(2, 9 * GRAIN)), 7);
        assert_eq!((cells.drain(9 * GRAIN), cells.drain(9 * GRAIN)), (2, 0));
    }
}
