//! The user's own names beside ours: a module called like an attribute, and an attribute behind its path.

/// Not the attribute.
pub mod timeout {
    use ::tough::timeout;

    /// The attribute in a module of its name.
    ///
    /// # Errors
    /// Those of the policy.
    #[timeout(1s)]
    pub async fn after() -> crate::Result<u8, ::tough::Error> {
        ::std::future::ready(()).await;
        crate::Ok(1)
    }
}
