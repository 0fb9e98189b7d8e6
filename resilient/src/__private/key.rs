//! Keys of policies.

use crate::{
    Checking, Rate,
    policy::keyed::{Birth, Instance, Keyed, Keys},
};
use std::{fmt::Display, future::Future, hash::Hash, sync::Arc};

/// The instance of a key.
#[inline]
pub fn keyed<P: Instance, K: Hash + ?Sized>(keys: &Keys<P>, key: &K, birth: impl FnOnce() -> Birth) -> Arc<P> {
    keys.get_or(key, birth)
}

/// The instance of a key, among those of a `policy` from elsewhere.
#[inline]
pub fn keyed_elsewhere<K: Hash + ?Sized, P: Instance>(policy: &Keyed<K, P>, key: &K) -> Arc<P> {
    policy.get(key)
}

/// The label of a key: as it is displayed, where it is.
#[derive(Debug)]
pub struct Labelled<'a, K: ?Sized>(pub &'a K);

/// The first choice.
pub trait SeeDisplay {
    fn __resilient_label(&self) -> Option<Arc<str>>;
}

/// The other.
pub trait SeeNothing {
    fn __resilient_label(&self) -> Option<Arc<str>>;
}

impl<K: Display + ?Sized> SeeDisplay for &Labelled<'_, K> {
    fn __resilient_label(&self) -> Option<Arc<str>> {
        Some(self.0.to_string().into())
    }
}

impl<K: ?Sized> SeeNothing for Labelled<'_, K> {
    fn __resilient_label(&self) -> Option<Arc<str>> {
        None
    }
}

/// A key of one's own: of what it refers to, or else a clone.
pub trait OwnBorrowed {
    type Owned;
    fn __resilient_owned(&self) -> Self::Owned;
}

/// The other.
pub trait OwnByClone<K> {
    fn __resilient_owned(&self) -> K
    where
        K: Clone;
}

impl<K: ToOwned + ?Sized> OwnBorrowed for &Labelled<'_, &K> {
    type Owned = K::Owned;

    fn __resilient_owned(&self) -> K::Owned {
        (*self.0).to_owned()
    }
}

impl<K> OwnByClone<K> for Labelled<'_, K> {
    fn __resilient_owned(&self) -> K
    where
        K: Clone,
    {
        self.0.clone()
    }
}

/// What `key_label` gives.
pub fn label(label: impl Display) -> Option<Arc<str>> {
    Some(label.to_string().into())
}

/// An instance that is called like this.
#[must_use]
pub fn named(label: Option<Arc<str>>) -> Birth {
    Birth { label, ..Birth::default() }
}

/// And that lets so many calls pass.
#[must_use]
pub fn rated(label: Option<Arc<str>>, rate: Rate) -> Birth {
    Birth { label, check: None, rate: Some(rate) }
}

/// And whose health is asked for by key.
pub fn checked<K, F>(label: Option<Arc<str>>, key: K, check: F) -> Birth
where
    K: Clone + Send + Sync + 'static,
    F: Fn(K) -> Checking + Send + Sync + 'static,
{
    Birth { label, check: Some(Arc::new(move || check(key.clone()))), rate: None }
}

/// What a `health_check` returns.
#[diagnostic::on_unimplemented(
    message = "a `health_check` is an `async fn() -> Result<(), _>`, and this returns `{Self}`",
    label = "no future of a `Result<(), _>`",
    note = "beside `key` it takes the key: `async fn(Key) -> Result<(), _>`"
)]
pub trait Healthy: Future {
    /// Whether all is well.
    fn is_well(answer: &Self::Output) -> bool;
}

#[diagnostic::do_not_recommend]
impl<E, F: Future<Output = Result<(), E>>> Healthy for F {
    fn is_well(answer: &Self::Output) -> bool {
        answer.is_ok()
    }
}

/// Runs one.
pub fn asking<H: Healthy + Send + 'static>(healthy: H) -> Checking {
    Box::pin(async { H::is_well(&healthy.await) })
}
