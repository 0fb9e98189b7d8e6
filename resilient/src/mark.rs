//! Tells the site outside that the error which a body returns is a rejection by something inside it.
//!
//! Set when a site exits with a rejection, or a policy refuses by hand; cleared when a site exits otherwise, a policy
//! admits by hand, and when a body is polled. So it holds only where the outer body returns an error in the very poll in
//! which something inside it refused. A fallback that answers for a rejection begins with the mark set: where it fails at
//! once, it has passed the rejection on.

use crate::error::Error;
use std::cell::Cell;

thread_local! {
    static REJECTED: Cell<bool> = const { Cell::new(false) };
}

#[inline]
pub(crate) fn set(rejected: bool) {
    REJECTED.set(rejected);
}

#[inline]
pub(crate) fn is_set() -> bool {
    REJECTED.get()
}

/// A policy refuses by hand.
#[cold]
pub(crate) fn refused(error: Error) -> Error {
    set(error.is_rejection());
    error
}
