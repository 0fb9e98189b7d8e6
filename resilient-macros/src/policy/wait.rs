//! `wait`: how long a call stands in line before it is refused.

use super::{
    Context,
    config::{Builder, Limits, YEAR},
};
use crate::args::{Args, Given, Raw, Slot, duration};
use proc_macro2::TokenStream;

const WAIT: Limits<u64> =
    Limits { range: 1..=YEAR, text: "which is above `0s` and up to `366d`", example: "wait = 500ms" };

pub(super) enum Wait {
    /// The flag: without a limit of our own.
    Unbounded,
    UpTo(Given<u64>),
}

pub(super) fn wait(args: &mut Args, cx: &mut Context) -> Option<Slot<Wait>> {
    let scope = cx.scope;
    let slot = args.take("wait", cx.diag, |raw| match raw {
        Raw::Flag(_) => Ok(Wait::Unbounded),
        raw => duration(raw, scope).map(Wait::UpTo),
    })?;
    if let Wait::UpTo(time) = &slot.value {
        if time.literal == Some(0) {
            cx.diag.error(
                &time.written,
                "a wait of nothing refuses at once: leave `wait` out, or write for example `wait = 500ms`",
            );
        } else {
            WAIT.check(time, cx);
        }
    }
    Some(slot)
}

impl Builder {
    pub(super) fn wait(&mut self, wait: Option<Slot<Wait>>) {
        match wait.map(|slot| slot.value) {
            None => {}
            Some(Wait::Unbounded) => self.set("wait_unbounded", &TokenStream::new()),
            Some(Wait::UpTo(time)) => {
                let value = self.duration("wait", &time);
                self.set("wait", &value);
            }
        }
    }
}
