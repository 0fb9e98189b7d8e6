//! What annotated fns do, on the paused clock.

mod stacks;
