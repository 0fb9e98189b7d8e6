//! The unpublished root package: it owns `tests/` and `examples/`.
