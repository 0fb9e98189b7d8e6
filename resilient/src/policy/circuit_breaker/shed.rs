//! Client-side throttling: chapter 21 of Google's SRE book, "Handling Overload". Pure.

use super::window::Totals;

const WHOLE: u64 = 1_000_000;

/// However bad it is, one call in ten passes: without results nothing would ever be better.
const AT_MOST: u64 = WHOLE / 10 * 9;

/// The probability, in millionths, with which a call is refused.
pub(super) fn probability(totals: Totals, thousandths: u32, min_calls: u32) -> u32 {
    let requests = totals.calls + totals.shed;
    if requests < min_calls.into() {
        return 0;
    }
    let accepts = totals.calls - totals.failures;
    let excess = (requests * 1000).saturating_sub(accepts * u64::from(thousandths));
    let millionths = (excess * (WHOLE / 1000) / (requests + 1)).min(AT_MOST);
    u32::try_from(millionths).unwrap_or(u32::MAX)
}

/// Whether a call that draws `random` is refused.
pub(super) fn refuses(probability: u32, random: u32) -> bool {
    u64::from(random) * WHOLE < u64::from(probability) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millionths(failures: u64, calls: u64, shed: u64) -> u32 {
        probability(Totals { calls, failures, shed, ..Totals::default() }, 2000, 20)
    }

    #[test]
    fn half_may_fail_before_any_is_refused() {
        assert_eq!(millionths(0, 1000, 0), 0);
        assert_eq!(millionths(500, 1000, 0), 0);
        assert_eq!(millionths(600, 1000, 0), 199_800);
        assert_eq!(millionths(600, 1000, 1000), 599_700);
        assert_eq!(millionths(1000, 1000, 99_000), 900_000);
        assert_eq!(millionths(19, 19, 0), 0);
        assert_eq!(millionths(20, 20, 0), 900_000);
    }

    #[test]
    fn draws_below_the_probability_are_refused() {
        assert!(!refuses(0, 0) && refuses(500_000, u32::MAX / 2) && !refuses(500_000, u32::MAX / 2 + 2));
        assert!(!refuses(900_000, u32::MAX));
    }
}
