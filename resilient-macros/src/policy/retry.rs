use super::{
    Context, Instance, Parsed, Policy,
    config::{Builder, Limits, MILLISECOND, YEAR, check_upside_down},
    shared::{is_count, judged},
};
use crate::span::{at, placed};
use crate::{
    args::{
        Args, Backoff, Given, Raw, Scope, Slot, Spec, backoff, count, duration, factor, ident_of, is_duration, peel,
        ratio,
    },
    diag::{closest, code, err, list},
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Expr, Lit};

pub(super) const SPEC: Spec = Spec {
    attribute: "retry",
    keys: &[
        ("attempts", "3"),
        ("backoff", "100ms..=10s"),
        ("factor", "2"),
        ("jitter", "full"),
        ("when", "|error| error.is_transient()"),
        ("unless", "|error| error.is_permanent()"),
        ("max_duration", "30s"),
        ("name", "\"reads\""),
        ("policy", "READS"),
    ],
    flags: &[],
    later: &[
        "when_ok",
        "classify",
        "budget",
        "delay_hint",
        "hint_max",
        "idempotent",
        "retry_rejections",
        "retry_timeouts",
        "nested",
        "mode",
    ],
    alone: None,
};

const PAUSE: Limits<u64> = Limits { range: 0..=YEAR, text: "which is up to `366d`", example: "backoff = 100ms..=10s" };
const MAX_DURATION: Limits<u64> =
    Limits { range: MILLISECOND..=YEAR, text: "which is `1ms` to `366d`", example: "max_duration = 30s" };

pub(super) fn parse(args: Args, cx: &mut Context) -> Parsed {
    let (instance, judge, name) = judged(args, &SPEC, hint, owned, cx);
    Parsed::new(Policy::Retry { instance, judge }, name)
}

fn hint(raw: &Raw) -> Option<&'static str> {
    match raw {
        Raw::Percent(..) => Some("jitter"),
        Raw::Value(expr) if is_duration(expr) || matches!(peel(expr), Expr::Range(_)) => Some("backoff"),
        raw => is_count(raw).then_some("attempts"),
    }
}

fn owned(mut args: Args, cx: &mut Context) -> Instance {
    let scope = cx.scope;
    let mut build = Builder::new(cx);
    build.start(&quote!(RetryConfig::new()));
    if let Some(attempts) = args.take("attempts", cx.diag, |raw| count(raw, scope)) {
        check_attempts(&attempts.value, cx);
        let value = build.count("attempts", &attempts.value);
        build.set("attempts", &value);
    }
    pauses(&mut args, &mut build, cx);
    if let Some(jitter) = args.take("jitter", cx.diag, |raw| jitter(raw, scope)) {
        if let Jitter::Share(share) = &jitter.value {
            if share.literal == Some(0) {
                cx.diag.error(&share.written, "a jitter of `0%` is none: write `jitter = none`");
            }
        }
        let value = build.jitter(&jitter.value, cx);
        build.set("jitter", &value);
    }
    if let Some(time) = args.take("max_duration", cx.diag, |raw| duration(raw, scope)) {
        MAX_DURATION.check(&time.value, cx);
        let value = build.duration("max_duration", &time.value);
        build.set("max_duration", &value);
    }
    build.finish()
}

fn check_attempts(attempts: &Given<u32>, cx: &mut Context) {
    match attempts.literal {
        Some(0) => cx.diag.error(
            &attempts.written,
            "`attempts` counts every run of the body, the first too, so 0 never runs it: write `attempts = 2` or more",
        ),
        Some(1) => cx.diag.error(
            &attempts.written,
            "`attempts` counts every run of the body, the first too, so 1 makes no retry: write `attempts = 2` or more",
        ),
        _ => {}
    }
}

fn pauses(args: &mut Args, build: &mut Builder, cx: &mut Context) {
    let scope = cx.scope;
    let asked = args.has("backoff");
    let backoff = args.take("backoff", cx.diag, |raw| backoff(raw, scope));
    let factor = args.take("factor", cx.diag, |raw| factor(raw, scope));
    if let Some(factor) = &factor {
        check_factor(factor, asked, backoff.as_ref(), cx);
    }
    if let Some(backoff) = backoff {
        check_backoff(&backoff.value, cx);
        let value = build.backoff(&backoff.value, factor.as_ref(), cx);
        build.set("backoff", &value);
    }
}

fn check_factor(factor: &Slot<Given<f64>>, asked: bool, backoff: Option<&Slot<Backoff>>, cx: &mut Context) {
    if factor.value.literal.is_some_and(|factor| !(factor > 1.0 && factor <= 1000.0)) {
        let written = code(&factor.value.written);
        let message =
            format!("`{written}` is out of range, which is above `1` and up to `1000`: write for example `factor = 2`");
        cx.diag.error(&factor.value.written, message);
    }
    let pause = match backoff.map(|slot| &slot.value) {
        Some(Backoff::Range(_)) => return,
        Some(Backoff::Constant(pause)) => code(&pause.written),
        // A backoff that could not be read was reported.
        None if asked => return,
        Some(Backoff::Expression(_)) | None => "50ms".to_owned(),
    };
    let factor = &factor.key;
    cx.diag.error(factor, format!("`factor` needs a range to grow in: write for example `backoff = {pause}..=20s`"));
}

fn check_backoff(backoff: &Backoff, cx: &mut Context) {
    match backoff {
        Backoff::Constant(pause) => PAUSE.check(pause, cx),
        Backoff::Range(ends) => {
            let [min, max] = &**ends;
            PAUSE.check(min, cx);
            PAUSE.check(max, cx);
            check_upside_down(ends, cx);
            match (min.literal, max.literal) {
                (Some(0), Some(0)) => {
                    cx.diag.error(&min.written, "a range of nothing never grows: write `backoff = 0s`");
                }
                (Some(0), Some(_)) => {
                    let last = code(&max.written);
                    let message = format!("a pause of nothing never grows: write for example `1ms..={last}`");
                    cx.diag.error(&min.written, message);
                }
                _ => {}
            }
        }
        Backoff::Expression(_) => {}
    }
}

/// How pauses are spread.
enum Jitter {
    /// A variant of `Jitter`.
    Named(&'static str),
    Share(Given<u32>),
}

const JITTERS: [(&str, &str); 4] =
    [("full", "Full"), ("equal", "Equal"), ("decorrelated", "Decorrelated"), ("none", "None")];

fn jitter(raw: &Raw, scope: &Scope) -> syn::Result<Jitter> {
    let Raw::Value(expr) = raw else { return ratio(raw, scope).map(Jitter::Share) };
    let known = JITTERS.map(|(keyword, _)| keyword);
    let Some(word) = ident_of(expr) else {
        return match peel(expr) {
            Expr::Lit(lit) if !matches!(lit.lit, Lit::Int(_) | Lit::Float(_)) => err(expr, no_jitter(&lit.lit, &known)),
            _ => ratio(raw, scope).map(Jitter::Share),
        };
    };
    let name = word.to_string();
    if let Some((_, variant)) = JITTERS.iter().find(|(keyword, _)| *keyword == name) {
        return Ok(Jitter::Named(variant));
    }
    if name.contains(|c: char| c.is_uppercase()) {
        return ratio(raw, scope).map(Jitter::Share);
    }
    let meant = closest(&name, &known).unwrap_or("full");
    err(
        word,
        format!(
            "unknown jitter `{name}`, which is {} or a share such as `10%`: write `jitter = {meant}`",
            list(&known)
        ),
    )
}

fn no_jitter(lit: &Lit, known: &[&str]) -> String {
    if let Lit::Str(text) = lit {
        let text = text.value();
        let is_share = text.strip_suffix('%').is_some_and(|share| share.parse::<f64>().is_ok());
        if is_share || known.contains(&text.as_str()) {
            return format!("a jitter is no string: write `{text}` without quotes");
        }
    }
    let (lit, known) = (code(lit), known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "));
    format!("`{lit}` is no jitter: write {known}, or a share such as `10%`")
}

impl Builder {
    fn jitter(&mut self, jitter: &Jitter, cx: &Context) -> TokenStream {
        let krate = cx.krate;
        match jitter {
            Jitter::Named(variant) => {
                let variant = quote::format_ident!("{variant}");
                quote!(#krate::Jitter::#variant)
            }
            Jitter::Share(share) if share.literal.is_some() => {
                let share = self.ratio("jitter", share);
                quote!(#krate::Jitter::Proportional(#share))
            }
            Jitter::Share(Given { written, .. }) => {
                let here = placed(krate, at(written));
                let jitter = quote_spanned!(at(written)=> #here::Jitter::Proportional(#written));
                self.constant_at("jitter", &quote!(#krate::Jitter), &jitter, at(written))
            }
        }
    }

    fn backoff(&mut self, backoff: &Backoff, factor: Option<&Slot<Given<f64>>>, cx: &Context) -> TokenStream {
        let krate = cx.krate;
        match backoff {
            Backoff::Constant(pause) => {
                let pause = self.duration("backoff", pause);
                quote!(#krate::Backoff::constant(#pause))
            }
            Backoff::Range(ends) => {
                let [min, max] = &**ends;
                let (min, max) = (self.duration("backoff", min), self.duration("backoff", max));
                let factor = factor.map(|factor| {
                    let factor = self.number("factor", &factor.value);
                    quote!(.factor(#factor))
                });
                quote!(#krate::Backoff::exponential(#min, #max) #factor)
            }
            // Only rustc knows whether it is a `Duration` or a `Backoff`.
            Backoff::Expression(expr) => {
                let here = placed(krate, at(expr));
                let value = quote_spanned!(at(expr)=> #here::__private::DurationOrBackoff(#expr).backoff());
                self.item("backoff", &quote!(#krate::Backoff), &value, at(expr))
            }
        }
    }
}
