//! What a fallback gives, sync or async.

use super::shape::Given;
use std::future::{self, Future};

/// Something that is ready: an output, or a future of it.
///
/// The future has a name, so that its being `Send` is seen of itself: to look into an opaque one rustc would ask this very
/// trait about types without their lifetimes.
#[diagnostic::on_unimplemented(
    message = "the fallback gives `{Self}`, but the fn returns `{R}`",
    label = "not what the fn returns, nor a future of it"
)]
pub trait Ready<R, M> {
    /// The future.
    type Wait: Future;
    /// Waits for it.
    fn ready(self) -> Self::Wait;
}

/// An output.
pub struct Now;

/// A future; whether it is one of the output is asked once, where it is awaited.
pub struct Later;

impl<R> Ready<R, Now> for R {
    type Wait = future::Ready<R>;

    fn ready(self) -> future::Ready<R> {
        future::ready(self)
    }
}

// What is no future would be reported once more, as one that is awaited.
#[diagnostic::do_not_recommend]
impl<R, F: Future> Ready<R, Later> for F {
    type Wait = F;

    fn ready(self) -> F {
        self
    }
}

/// Nothing: it never comes back.
pub struct Never;

/// Names what a fn returns: `!` has no other name in stable Rust.
pub trait Returns {
    /// Its type.
    type Output;
}

impl<R> Returns for fn() -> R {
    type Output = R;
}

#[diagnostic::do_not_recommend]
impl<R> Ready<R, Never> for <fn() -> ! as Returns>::Output {
    type Wait = future::Ready<R>;

    fn ready(self) -> future::Ready<R> {
        self
    }
}

/// Waits for what a path gave.
pub fn given<R, M, A: Ready<R, M>>(answer: Given<A>) -> A::Wait {
    answer.0.ready()
}

/// Waits for an answer, sync or async.
pub fn ready<R, M, A: Ready<R, M>>(answer: A) -> A::Wait {
    answer.ready()
}
