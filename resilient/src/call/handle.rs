//! How a layer reaches its policy: owned by the site, borrowed, or shared.

use std::sync::Arc;

/// Leads to a policy.
pub trait Handle<T> {
    /// The policy.
    fn get(&self) -> &T;

    /// What the site calls it, if not by its own name.
    #[inline(always)]
    fn alias(&self) -> &'static str {
        ""
    }
}

/// A policy from elsewhere that the site gives a name of its own.
pub struct Alias<H>(pub H, pub &'static str);

impl<T, H: Handle<T>> Handle<T> for Alias<H> {
    #[inline]
    fn get(&self) -> &T {
        self.0.get()
    }

    fn alias(&self) -> &'static str {
        self.1
    }
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

/// A policy that can be used while the fn has `self` for itself.
#[diagnostic::on_unimplemented(
    message = "the policy must be an `Arc<{P}>` here, not `{Self}`",
    label = "not an `Arc<{P}>`",
    note = "the body has `self` by value or as `&mut self`, so the policy can not stay borrowed from it: keep it in an \
            `Arc`, which is cloned for each call"
)]
pub trait Counted<P> {
    /// The policy.
    fn counted(&self) -> Arc<P>;
}

impl<P> Counted<P> for Arc<P> {
    #[inline]
    fn counted(&self) -> Self {
        Self::clone(self)
    }
}

impl<P, T: Counted<P>> Counted<P> for &T {
    #[inline]
    fn counted(&self) -> Arc<P> {
        (**self).counted()
    }
}

/// Clones the `Arc`.
pub fn counted<P, T: Counted<P>>(policy: &T) -> Arc<P> {
    policy.counted()
}
