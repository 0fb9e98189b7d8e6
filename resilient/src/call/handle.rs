//! How a layer reaches its policy: owned by the site, borrowed, or shared.

use std::sync::Arc;

/// Leads to a policy.
pub trait Handle<T> {
    /// The policy.
    fn get(&self) -> &T;
}

/// A policy of the site: the closure takes no room in the future.
impl<T: 'static, F: Fn() -> &'static T> Handle<T> for F {
    #[inline]
    fn get(&self) -> &T {
        self()
    }
}

/// A policy from elsewhere.
pub struct Borrowed<'a, T>(pub &'a T);

impl<T> Handle<T> for Borrowed<'_, T> {
    #[inline]
    fn get(&self) -> &T {
        self.0
    }
}

/// A policy whose owner is not borrowed while the call runs.
pub struct Shared<T>(pub Arc<T>);

impl<T> Handle<T> for Shared<T> {
    #[inline]
    fn get(&self) -> &T {
        &self.0
    }
}
