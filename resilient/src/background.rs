//! The only door to tasks.

use std::future::Future;
use tokio::{runtime::Handle, task::AbortHandle};

/// Something that runs beside the calls. It ends when this is dropped, or its runtime shuts down.
#[derive(Debug)]
pub(crate) struct Task(AbortHandle);

/// Runs `future` on the present runtime; `None` outside of one.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Option<Task> {
    let runtime = Handle::try_current().ok()?;
    Some(Task(runtime.spawn(future).abort_handle()))
}

/// Whether there is one.
pub(crate) fn has_runtime() -> bool {
    Handle::try_current().is_ok()
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
