use crate::{
    call::{
        convert::Convert,
        env::{Env, Hot},
        judge::Judge,
        layer::{Flow, Held, Keeps, Layer, Room, Seen},
        view::View,
    },
    error::Error,
    event::{self, EventKind},
    outcome::Ending,
    stats::Count,
};
use std::task::Poll;

/// A fallback around a call; the emitted code runs it.
pub struct FallbackLayer<const INDEX: usize, J, V, O> {
    judge: J,
    view: V,
    ours: O,
}

impl<const INDEX: usize, J, V, O> FallbackLayer<INDEX, J, V, O> {
    #[inline(always)]
    pub const fn new(judge: J, view: V, ours: O) -> Self {
        Self { judge, view, ours }
    }
}

/// Whether a fallback answers for an error of ours.
pub trait AnswersOurs<R, J> {
    /// Decides.
    fn answers(&self, judge: &J, error: &Error) -> bool;
}

/// It does.
pub struct Always;

impl<R, J> AnswersOurs<R, J> for Always {
    #[inline(always)]
    fn answers(&self, _: &J, _: &Error) -> bool {
        true
    }
}

/// The user's predicates are asked about what it becomes.
pub struct Asking<C>(pub C);

impl<R, J: Judge<R>, C: Convert<R>> AnswersOurs<R, J> for Asking<C> {
    fn answers(&self, judge: &J, error: &Error) -> bool {
        judge.judge(&self.0.convert(error.clone())).is_failure()
    }
}

/// Whether it answers.
#[derive(Default)]
pub struct Answering {
    now: bool,
    /// For what, if anybody listens.
    error: Option<Box<str>>,
}

impl<const INDEX: usize, J, V, O> Keeps for FallbackLayer<INDEX, J, V, O> {
    type Cold = Answering;
    type Room<R, I: Room<R>> = Held<R>;
}

impl<R, const INDEX: usize, J, V, O> Layer<R> for FallbackLayer<INDEX, J, V, O>
where
    J: Judge<R>,
    V: View<R>,
    O: AnswersOurs<R, J>,
{
    #[inline(always)]
    fn admit(&mut self, _: Hot) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, ended: Seen<'_, R>, _: Hot) -> Flow {
        let failed = match ended {
            Ok(output) => self.judge.judge(output).is_failure(),
            Err(error) => self.ours.answers(&self.judge, error),
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
        let failed = match ended {
            Ok(output) => self.view.is_err(output),
            Err(_) => true,
        };
        if !failed {
            env.hot.site.count(Count::Fallbacks);
        }
        if event::heard() {
            let kind = EventKind::FellBack {
                error: cold.error.take().map(String::from),
                fallback_error: failed.then(|| self.view.text_of(ended).unwrap_or_default()),
            };
            event::emit(env.hot.caller(""), env.hot.site.policy_name(INDEX, "fallback"), kind);
        }
    }
}
