//! Tells the site outside that the error which a body returns is a rejection by a site inside it.
//!
//! Set when a site exits with a rejection, cleared when it exits otherwise and when a body is polled: so it holds only
//! where the outer body returns an error in the very poll in which the inner one did.

use std::cell::Cell;

thread_local! {
    static REJECTED: Cell<bool> = const { Cell::new(false) };
}

#[inline]
pub(super) fn set(rejected: bool) {
    REJECTED.set(rejected);
}

#[inline]
pub(super) fn is_set() -> bool {
    REJECTED.get()
}
