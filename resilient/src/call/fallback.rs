use crate::{
    call::{
        env::Env,
        judge::Judge,
        layer::{Ended, Flow, Layer},
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
    name: &'static str,
    judge: J,
    view: V,
    state: State,
}

enum State {
    Out,
    In,
    /// It answers; for what, if anybody listens.
    Answering(Option<Box<str>>),
}

impl<const INDEX: usize, J, V> FallbackLayer<INDEX, J, V> {
    pub const fn new(name: &'static str, judge: J, view: V) -> Self {
        Self { name, judge, view, state: State::Out }
    }

    #[cold]
    fn answer<R>(&mut self, ended: &Ended<R>) -> Flow
    where
        V: View<R>,
    {
        let text = event::heard().then(|| text(self.view, ended)).flatten();
        self.state = State::Answering(text.map(String::into_boxed_str));
        Flow::Fall(INDEX)
    }

    #[cold]
    fn answered<R>(&mut self, ended: &Ended<R>, env: &Env<'_>)
    where
        V: View<R>,
    {
        let State::Answering(error) = std::mem::replace(&mut self.state, State::Out) else { return };
        env.site.counters.add(Count::Fallbacks);
        if event::heard() {
            let failed = match ended {
                Ended::Output(output) => self.view.is_err(output),
                Ended::Ours(_) => true,
            };
            let kind = EventKind::FellBack {
                error: error.map(String::from),
                fallback_error: failed.then(|| text(self.view, ended).unwrap_or_default()),
            };
            event::emit(env.site.name(), self.name, kind);
        }
    }
}

fn text<R, V: View<R>>(view: V, ended: &Ended<R>) -> Option<String> {
    match ended {
        Ended::Output(output) => view.text(output),
        Ended::Ours(error) => Some(error.to_string()),
    }
}

impl<R, const INDEX: usize, J: Judge<R>, V: View<R>> Layer<R> for FallbackLayer<INDEX, J, V> {
    #[inline(always)]
    fn enter(&mut self, _: &mut Env<'_>) -> Poll<Result<(), Error>> {
        if let State::Out = self.state {
            self.state = State::In;
        }
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, ended: &mut Ended<R>, env: &mut Env<'_>) -> Flow {
        match self.state {
            State::Out => return Flow::Outward,
            State::Answering(_) => {
                self.answered(ended, env);
                return Flow::Outward;
            }
            State::In => {}
        }
        let failed = match ended {
            Ended::Output(output) => self.judge.judge(output).is_failure(),
            Ended::Ours(_) => true,
        };
        if failed {
            return self.answer(ended);
        }
        self.state = State::Out;
        Flow::Outward
    }

    #[inline(always)]
    fn cancel(&mut self, _: Ending, _: &'static str) {
        self.state = State::Out;
    }

    #[inline(always)]
    fn is_answering(&self) -> bool {
        matches!(self.state, State::Answering(_))
    }
}
