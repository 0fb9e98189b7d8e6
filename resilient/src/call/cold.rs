//! What only calls need that wait or fail: one box for all layers and the timer.

use crate::time::Timer;
use std::pin::Pin;

pin_project_lite::pin_project! {
    #[project = Parts]
    pub(super) struct Cold<L, F> {
        pub(super) layers: L,
        // The failure that a fallback is to answer for, or that a retry may have to return.
        pub(super) failed: F,
        // That failure is a rejection.
        pub(super) rejected: bool,
        // The call ends with that failure.
        pub(super) gave_up: bool,
        #[pin]
        pub(super) timer: Timer,
    }
}

impl<L: Default, F: Default> Cold<L, F> {
    /// The parts, made where they are not there yet.
    pub(super) fn parts(cold: &mut Option<Pin<Box<Self>>>) -> Parts<'_, L, F> {
        let made = cold.get_or_insert_with(|| {
            Box::pin(Self {
                layers: L::default(),
                failed: F::default(),
                rejected: false,
                gave_up: false,
                timer: Timer::default(),
            })
        });
        made.as_mut().project()
    }
}
