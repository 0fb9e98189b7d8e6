use crate::{
    call::{
        env::{Env, Hot},
        judge::Judge,
        layer::{Flow, Layer, Seen},
        view::View,
    },
    error::Error,
    event::{self, EventKind},
    outcome::Ending,
    stats::Count,
};
use std::task::Poll;

/// A fallback around a call; the emitted code runs it.
pub struct FallbackLayer<const INDEX: usize, J, V> {
    judge: J,
    view: V,
}

impl<const INDEX: usize, J, V> FallbackLayer<INDEX, J, V> {
    #[inline(always)]
    pub const fn new(judge: J, view: V) -> Self {
        Self { judge, view }
    }
}

/// Whether it answers.
#[derive(Default)]
pub struct Answering {
    now: bool,
    /// For what, if anybody listens.
    error: Option<Box<str>>,
}

impl<R, const INDEX: usize, J: Judge<R>, V: View<R>> Layer<R> for FallbackLayer<INDEX, J, V> {
    type Cold = Answering;

    #[inline(always)]
    fn admit(&mut self, _: Hot) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, ended: Seen<'_, R>, _: Hot) -> Flow {
        let failed = match ended {
            Ok(output) => self.judge.judge(output).is_failure(),
            Err(_) => true,
        };
        if failed { Flow::Failed } else { Flow::Outward }
    }

    fn failed(&mut self, cold: &mut Answering, ended: Seen<'_, R>, _: &mut Env<'_>) -> Flow {
        cold.now = true;
        if event::heard() {
            cold.error = self.view.text_of(ended).map(String::into_boxed_str);
        }
        Flow::Fall(INDEX)
    }

    fn cancel(&mut self, _: Ending, _: Hot) {}

    fn is_answering(cold: &Answering) -> bool {
        cold.now
    }

    fn answered(&mut self, cold: &mut Answering, ended: Seen<'_, R>, env: &Env<'_>) {
        env.hot.site.count(Count::Fallbacks);
        if event::heard() {
            let failed = match ended {
                Ok(output) => self.view.is_err(output),
                Err(_) => true,
            };
            let kind = EventKind::FellBack {
                error: cold.error.take().map(String::from),
                fallback_error: failed.then(|| self.view.text_of(ended).unwrap_or_default()),
            };
            event::emit(env.site(), env.hot.site.policy_name(INDEX, "fallback"), kind);
        }
    }
}
