//! Taking tokens from the stocks of a limiter that many threads use at once.

use super::{RateLimiter, Taken, cells::Stock, is_reserved};
use crate::{priority::Priority, time::coarse};

impl RateLimiter {
    /// Takes tokens from this thread's stock, which is filled from the word where it has too few.
    pub(super) fn take_from_stock(&self, class: Priority, tokens: u32) -> Taken {
        let (now, batch) = (coarse(), self.live.batch());
        // The reserve lies in no stock.
        let is_ordinary = is_reserved(class) || self.live.floor(true) == 0;
        if tokens > batch || !is_ordinary {
            return self.take_from_word_or_all(class, tokens);
        }
        if self.cells.take(now, tokens) {
            return Taken::Now;
        }
        if self.take_from_word(class, batch) == Taken::Now {
            let bucket = self.bucket();
            let until = now.saturating_add(bucket.time_of(batch)).saturating_add(1_000_000);
            let left = self.cells.fill(now, Stock::new(batch - tokens, until));
            if left > 0 {
                self.put_back(now, left);
            }
            return Taken::Now;
        }
        match self.take_from_word(class, tokens) {
            Taken::After(_) if self.cells.steal(now, tokens) => Taken::Now,
            taken => taken,
        }
    }

    /// Where the word has not enough, the stocks may have.
    fn take_from_word_or_all(&self, class: Priority, tokens: u32) -> Taken {
        match self.take_from_word(class, tokens) {
            Taken::After(_) if self.cells.tokens(coarse()) > 0 => self.take_gated(class, tokens),
            taken => taken,
        }
    }
}
