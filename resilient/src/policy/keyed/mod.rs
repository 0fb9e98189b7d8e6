//! One instance of a policy for each key.

mod error;
mod fingerprint;
mod instance;
mod instances;
mod key_of;
mod key_type;
mod keys;
mod limits;
mod ring;
mod room;
#[cfg(test)]
mod tests;
mod typed;

pub use error::KeyError;
pub(crate) use instance::{Birth, Check, Identity, Keep};
pub use instance::{Checking, Instance};
pub use key_of::KeyOf;
pub use keys::Keys;
pub use limits::KeyedStats;
pub use typed::Keyed;
