//! What is wrong with a stack whose policies are right each by itself.

use super::Entry;
use crate::{
    diag::Diagnostics,
    policy::{Kind, SiteArgs},
};
use syn::{Error, Ident};

const FALLBACK_INSIDE_RETRY: &str = "fallback_inside_retry";
const FALLBACK_INSIDE_CIRCUIT_BREAKER: &str = "fallback_inside_circuit_breaker";
const TIMEOUT_NOT_SHORTER: &str = "timeout_not_shorter";

/// What `allow(..)` may name.
pub(super) const CHECKS: [&str; 3] = [FALLBACK_INSIDE_RETRY, FALLBACK_INSIDE_CIRCUIT_BREAKER, TIMEOUT_NOT_SHORTER];

/// Reports, once for each policy, what defeats it and is not allowed; the checks that had something to say.
pub(super) fn check_order(entries: &[Entry], allowed: &[Ident], diag: &mut Diagnostics) -> Vec<&'static str> {
    let is_off = |check: &str| allowed.iter().any(|name| name == check);
    let mut found = Vec::new();
    for (depth, inner) in entries.iter().enumerate() {
        let defeats: Vec<_> = entries[..depth].iter().filter_map(|outer| Defeat::of(outer, inner)).collect();
        found.extend(defeats.iter().map(|defeat| defeat.check));
        let mut reported = defeats.into_iter().filter(|defeat| !is_off(defeat.check));
        if let Some(message) = reported.find_map(|defeat| defeat.message) {
            diag.push(Error::new(inner.span, message));
        }
    }
    found
}

/// An order of two policies that defeats one of them.
struct Defeat {
    check: &'static str,
    /// `None` where only rustc knows whether it does.
    message: Option<String>,
}

impl Defeat {
    fn of(outer: &Entry, inner: &Entry) -> Option<Self> {
        match (outer.kind, inner.kind) {
            (Kind::Retry, Kind::Fallback) => {
                let why = "that retry only sees what the fallback returns, and has nothing left to retry";
                Some(Self::hidden(FALLBACK_INSIDE_RETRY, outer.kind, why))
            }
            (Kind::CircuitBreaker, Kind::Fallback) => {
                let why = "that breaker only sees what the fallback returns, and would not open when the body fails";
                Some(Self::hidden(FALLBACK_INSIDE_CIRCUIT_BREAKER, outer.kind, why))
            }
            (Kind::Timeout, Kind::Timeout) => Self::late(outer.parsed.timeout, inner.parsed.timeout),
            _ => None,
        }
    }

    fn hidden(check: &'static str, outer: Kind, why: &str) -> Self {
        let outer = outer.name();
        let message = format!(
            "this fallback is inside `#[{outer}]`: {why}; \
             move `#[fallback]` above `#[{outer}]`, or write `#[resilient(allow({check}))]`"
        );
        Self { check, message: Some(message) }
    }

    fn late(outer: Option<u64>, inner: Option<u64>) -> Option<Self> {
        let check = TIMEOUT_NOT_SHORTER;
        let message = match outer.zip(inner) {
            Some((outer, inner)) if outer > inner => return None,
            Some(_) => Some(format!(
                "this time-out never fires, for one above it is not longer: \
                 write a shorter one here, or `#[resilient(allow({check}))]`"
            )),
            None => None,
        };
        Some(Self { check, message })
    }
}

/// Reports what `#[resilient]` says in vain.
pub(super) fn check_effect(site: &SiteArgs, entries: &[Entry], found: &[&str], diag: &mut Diagnostics) {
    if let (Some(rejected), false) = (&site.rejected, entries.iter().any(|entry| entry.kind.refuses())) {
        diag.error(&rejected.key, "`rejected` has no effect: no policy of this fn rejects or times out; remove it");
    }
    for check in site.allowed.iter().filter(|check| !found.iter().any(|found| check == found)) {
        diag.error(check, format!("`allow({check})` has no effect: that check finds nothing on this fn; remove it"));
    }
}
