//! An `unsafe fn` stays one, and its body is checked as one.

#![deny(warnings, unsafe_op_in_unsafe_fn)]

use resilient::{Error, fallback, retry, timeout};

/// # Safety
/// `at` is readable.
#[fallback(|_| Ok(0))]
#[retry]
#[timeout(1s)]
pub async unsafe fn read(at: *const u32) -> Result<u32, Error> {
    Ok(unsafe { *at })
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let value = 7;
    assert_eq!(runtime.block_on(unsafe { read(&raw const value) }).unwrap(), 7);
}
