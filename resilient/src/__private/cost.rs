//! What a call costs: any unsigned integer.

use crate::call::follow::Unsigned;
use std::ops::Deref;

/// An expression over the fn's arguments.
///
/// A `u32` has an inherent method, which is what makes `2 * 3` one; every other type goes through the bound.
#[derive(Debug)]
pub struct Cost<T>(Amount<T>);

/// One that is no `u32`.
#[derive(Debug)]
pub struct Amount<T>(T);

/// The cost of a call.
#[inline]
pub const fn cost<T>(cost: T) -> Cost<T> {
    Cost(Amount(cost))
}

impl Cost<u32> {
    /// Its number of tokens.
    #[inline]
    pub const fn tokens(&self) -> u32 {
        self.0.0
    }
}

impl<T> Deref for Cost<T> {
    type Target = Amount<T>;

    #[inline]
    fn deref(&self) -> &Amount<T> {
        &self.0
    }
}

impl<T> Amount<T> {
    /// Its number of tokens.
    #[inline]
    pub fn tokens(&self) -> u32
    where
        T: Unsigned,
    {
        self.0.saturate()
    }
}

#[cfg(test)]
mod tests {
    use super::cost;

    #[test]
    fn any_unsigned_integer() {
        assert_eq!(cost(2 * 3).tokens(), 6);
        assert_eq!(cost(7_u8).tokens(), 7);
        assert_eq!(cost([1, 2].len()).tokens(), 2);
        assert_eq!(cost(u64::from(u32::MAX) + 1).tokens(), u32::MAX);
        assert_eq!(cost(usize::MAX).tokens(), u32::MAX);
    }
}
