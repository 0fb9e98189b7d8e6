//! Lints that nobody may allow again: an expansion needs no `allow`.

#![forbid(unreachable_code, unknown_lints, unused, clippy::all, clippy::pedantic, clippy::nursery)]
#![forbid(clippy::diverging_sub_expression, clippy::empty_loop, clippy::used_underscore_binding)]

use crate::{Fault, Ok, Result, String};
use ::std::{convert::Infallible, string::ToString as _};
use ::tough::{bulkhead, fallback, resilient, retry};

/// Every sort of output.
#[derive(::std::fmt::Debug)]
pub struct Forbidding;

impl Forbidding {
    /// A result.
    ///
    /// # Errors
    /// Those of the fallback.
    #[fallback(Self::spare, |_| Ok(String::new()))]
    #[retry(when = Fault::is_broken)]
    #[::tough::timeout(1s)]
    pub async fn result(&self, text: &str) -> Result<String, Fault> {
        ::std::future::ready(()).await;
        Ok(text.to_string())
    }

    async fn spare(&self, text: &str) -> Result<String, Fault> {
        ::std::future::ready(()).await;
        Ok(text.to_string())
    }

    /// A result that is always an error.
    ///
    /// # Errors
    /// Those of the policies.
    #[retry]
    pub async fn fails(&self) -> Result<Infallible, Fault> {
        ::std::future::ready(()).await;
        ::std::result::Result::Err(Fault::Broken)
    }

    /// Never.
    #[resilient(rejected = |_| crate::loop_forever())]
    #[bulkhead(1)]
    pub async fn never(&self) -> ! {
        loop {
            ::std::future::ready(()).await;
        }
    }

    /// Nothing that there is.
    #[resilient(rejected = |_| crate::loop_forever())]
    #[bulkhead(1)]
    pub async fn infallible(&self) -> Infallible {
        loop {
            ::std::future::ready(()).await;
        }
    }

    /// Nothing.
    #[resilient(rejected = ::std::mem::drop)]
    #[bulkhead(1)]
    pub async fn unit(&self) {
        ::std::future::ready(()).await;
    }
}
