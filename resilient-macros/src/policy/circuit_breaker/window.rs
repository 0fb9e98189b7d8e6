//! `window`: what the failure rate is taken over.

use crate::{
    args::{Given, Raw, Scope, count_of, duration_of},
    policy::{
        Context,
        config::{Builder, Limits, MILLISECOND, YEAR},
        shared::is_count,
    },
    span::{at, placed},
};
use proc_macro2::{Ident, Span};
use quote::{quote, quote_spanned};
use syn::Expr;

const CALLS: Limits<u32> =
    Limits { range: 1..=1_000_000, text: "which is `1` to `1_000_000`", example: "window = 100" };
const TIME: Limits<u64> =
    Limits { range: 100 * MILLISECOND..=YEAR, text: "which is `100ms` to `366d`", example: "window = 30s" };

/// The extent of the sliding window.
pub(super) enum Window {
    Calls(Given<u32>),
    Time(Given<u64>),
    /// Of type `u32` or `Duration`.
    Expression(Expr),
}

pub(super) fn window(raw: &Raw, scope: &Scope) -> syn::Result<Window> {
    let expr = raw.expr("a number of calls such as `100` or a time such as `30s`")?;
    if is_count(raw) {
        return count_of(expr, scope).map(Window::Calls);
    }
    let given = duration_of(expr, scope)?;
    Ok(if given.literal.is_some() { Window::Time(given) } else { Window::Expression(given.written) })
}

impl Window {
    pub(super) fn check(&self, cx: &mut Context) {
        match self {
            Self::Calls(calls) => CALLS.check(calls, cx),
            Self::Time(time) => TIME.check(time, cx),
            Self::Expression(_) => {}
        }
    }
}

impl Builder {
    pub(super) fn window(&mut self, window: &Window, cx: &Context) {
        match window {
            Window::Calls(calls) => {
                let value = self.count("window", calls);
                self.set("window_calls", &value);
            }
            Window::Time(time) => {
                let value = self.duration("window", time);
                self.set("window_time", &value);
            }
            Window::Expression(expr) => self.window_of(expr, cx),
        }
    }

    /// The item holds a whole config, for only rustc knows whether `expr` is a number of calls or a time.
    fn window_of(&mut self, expr: &Expr, cx: &Context) {
        let krate = cx.krate;
        let here = placed(krate, at(expr));
        let window = Ident::new("window", Span::mixed_site().located_at(at(expr)));
        let value = quote_spanned!(at(expr)=> {
            let #window = #here::__private::CallsOrDuration(#expr).window();
            #here::__private::check::window(#window);
            #here::CircuitBreakerConfig::new().window(#window)
        });
        let name = self.item("window", &quote!(#krate::CircuitBreakerConfig), &value, at(expr));
        self.replace(name);
    }
}
