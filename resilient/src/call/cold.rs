//! What only calls need that wait or fail: one box for all layers and the timer.

use crate::time::Timer;
use std::pin::Pin;

pin_project_lite::pin_project! {
    #[project = Parts]
    pub(super) struct Cold<L, F> {
        pub(super) layers: L,
        // What a fallback is to answer for.
        pub(super) failed: Option<F>,
        #[pin]
        pub(super) timer: Timer,
    }
}

impl<L: Default, F> Cold<L, F> {
    /// The parts, made where they are not there yet.
    pub(super) fn parts(cold: &mut Option<Pin<Box<Self>>>) -> Parts<'_, L, F> {
        let made =
            cold.get_or_insert_with(|| Box::pin(Self { layers: L::default(), failed: None, timer: Timer::default() }));
        made.as_mut().project()
    }
}
