//! The attributes of `resilient`.
