//! Answers in place of what failed.

/// Answers in place of a call that failed or was refused, by hand.
///
/// As an attribute a fallback is written `#[fallback(path)]` and sees the fn's arguments.
///
/// ```
/// # use resilient::Fallback;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let cached = Fallback::new(|error: &str| Ok::<_, &str>(error.len()));
/// assert_eq!(cached.call(async { Err("down") }).await, Ok(4));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fallback<F> {
    pub(crate) answer: F,
}

impl<F> Fallback<F> {
    /// Answers with `answer`, a fn of the error, sync or async.
    pub const fn new(answer: F) -> Self {
        Self { answer }
    }
}
