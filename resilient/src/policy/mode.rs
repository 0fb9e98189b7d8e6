//! Whether a policy acts.

/// What a policy does with its decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// It acts on them.
    #[default]
    On,
    /// It decides, records and reports, but lets every call pass.
    Shadow,
    /// It lets every call pass and records nothing.
    Off,
}
