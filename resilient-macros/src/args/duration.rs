//! Durations: `250us`, `100ms`, `2s`, `1.5s`, `5min`, `1h`, `1d`, and ranges of them.

use crate::{
    args::{Form, Given, Raw, Scope, ident_of, number::Decimal, peel},
    diag::{code, err},
};
use syn::{BinOp, Expr, ExprBinary, ExprRange, RangeLimits};

const WANTED: &str = "a duration such as `2s`";

/// Each unit, its length in nanoseconds, and what else people write for it.
const UNITS: &[(&str, u64, &[&str])] = &[
    ("ns", 1, &["nano", "nanos", "nanosecond", "nanoseconds", "nsec"]),
    ("us", 1_000, &["\u{b5}", "micro", "micros", "microsecond", "microseconds", "usec"]),
    ("ms", 1_000_000, &["milli", "millis", "millisecond", "milliseconds", "msec"]),
    ("s", 1_000_000_000, &["sec", "secs", "second", "seconds", "S"]),
    ("min", 60_000_000_000, &["m", "mins", "minute", "minutes", "M"]),
    ("h", 3_600_000_000_000, &["hr", "hrs", "hour", "hours", "H"]),
    ("d", 86_400_000_000_000, &["day", "days", "D"]),
];

/// The length of `unit` in nanoseconds.
pub(crate) fn unit(unit: &str) -> Option<u64> {
    // Both code points that keyboards offer for the micro sign.
    let unit = if matches!(unit, "\u{b5}s" | "\u{3bc}s") { "us" } else { unit };
    UNITS.iter().find(|(name, ..)| *name == unit).map(|(_, nanos, _)| *nanos)
}

/// The unit that `word` probably means.
pub(crate) fn meant(word: &str) -> Option<&'static str> {
    UNITS.iter().find(|(name, _, others)| *name == word || others.contains(&word)).map(|(name, ..)| *name)
}

pub(crate) fn duration(raw: &Raw, scope: &Scope) -> syn::Result<Given<u64>> {
    duration_of(raw.expr(WANTED)?, scope)
}

/// Nanoseconds, or a const expression of type `Duration`.
pub(crate) fn duration_of(expr: &Expr, scope: &Scope) -> syn::Result<Given<u64>> {
    match Form::of(expr, WANTED)? {
        Form::Number { digits, suffix } => match nanos(&digits, &suffix) {
            Ok(nanos) => Ok(Given::literal(expr, nanos)),
            Err(message) => err(expr, message),
        },
        Form::Text(text) => err(expr, quoted(&text)),
        Form::Expression(expr) => match times_unit(expr) {
            Some(duration) => err(expr, one_word(&duration)),
            None => Given::constant(expr, scope),
        },
    }
}

pub(super) fn one_word(duration: &str) -> String {
    format!("a duration is one word: write `{duration}`")
}

/// What `2 * s` means.
fn times_unit(expr: &Expr) -> Option<String> {
    let Expr::Binary(ExprBinary { left, op: BinOp::Mul(_), right, .. }) = expr else { return None };
    let Ok(Form::Number { digits, suffix }) = Form::of(left, WANTED) else { return None };
    let word = ident_of(right)?.to_string();
    // A constant may be called `S`.
    let unit = meant(&word).filter(|_| suffix.is_empty() && word.chars().all(char::is_lowercase))?;
    Some(format!("{digits}{unit}"))
}

/// Whether this is written as a duration.
pub(crate) fn is_duration(expr: &Expr) -> bool {
    matches!(Form::of(expr, WANTED), Ok(Form::Number { suffix, .. }) if unit(&suffix).is_some())
}

fn quoted(text: &str) -> String {
    let text = text.replace(' ', "");
    let split = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_'))).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(split);
    match meant(suffix) {
        Some(unit) if !digits.is_empty() => format!("a duration is no string: write `{digits}{unit}` without quotes"),
        _ => "a duration is no string: write for example `2s`".to_owned(),
    }
}

/// The nanoseconds of `digits` of the unit `suffix`.
fn nanos(digits: &str, suffix: &str) -> Result<u64, String> {
    let written = format!("{digits}{suffix}");
    let is_type = matches!(suffix, "f32" | "f64" | "i32" | "i64" | "i128" | "u32" | "u64" | "u128" | "usize");
    if suffix.is_empty() || is_type {
        return Err(unitless(digits));
    }
    let Some(unit) = unit(suffix) else {
        return Err(match (suffix, meant(suffix)) {
            ("m", _) => format!("`{written}` could mean two things: write `{digits}min` or `{digits}ms`"),
            (_, Some(unit)) => format!("`{suffix}` is no unit: write `{digits}{unit}`"),
            _ => format!("`{suffix}` is no unit of time: write `{digits}s` (or `ns`, `us`, `ms`, `min`, `h`, `d`)"),
        });
    };
    let Some(decimal) = Decimal::parse(digits) else {
        return Err(format!(
            "`{written}` has an exponent or too many digits: write it with plain digits, as in `1.5s`"
        ));
    };
    match decimal.times(u128::from(unit)) {
        None => Err(format!("`{written}` is finer than a nanosecond: write it with fewer decimals")),
        Some(nanos) => u64::try_from(nanos)
            .map_err(|_| format!("`{written}` is longer than 584 years: write a shorter duration, as in `30d`")),
    }
}

fn unitless(digits: &str) -> String {
    let large = digits.parse::<u64>().is_ok_and(|number| number >= 100);
    let [first, second, third] = if large { ["ms", "s", "min"] } else { ["s", "ms", "min"] };
    format!("`{digits}` has no unit: write `{digits}{first}` (or `{digits}{second}`, `{digits}{third}`)")
}

/// Both ends of a range such as `example`.
pub(crate) fn range_of(range: &ExprRange, example: &str, scope: &Scope) -> syn::Result<[Given<u64>; 2]> {
    let (Some(start), Some(end)) = (&range.start, &range.end) else {
        return err(range, format!("a range has both ends: write `{example}`"));
    };
    if matches!(range.limits, RangeLimits::HalfOpen(_)) {
        let (start, end) = (code(start), code(end));
        return err(range, format!("the longest time belongs to the range: write `{start}..={end}`"));
    }
    Ok([duration_of(start, scope)?, duration_of(end, scope)?])
}

/// How a backoff is written.
pub(crate) enum Backoff {
    Constant(Given<u64>),
    /// `MIN..=MAX`.
    Range(Box<[Given<u64>; 2]>),
    /// A const expression of type `Duration` or `Backoff`.
    Expression(Expr),
}

pub(crate) fn backoff(raw: &Raw, scope: &Scope) -> syn::Result<Backoff> {
    let expr = raw.expr("a backoff such as `100ms` or `100ms..=10s`")?;
    match peel(expr) {
        Expr::Range(range) => range_of(range, "100ms..=10s", scope).map(Box::new).map(Backoff::Range),
        Expr::Call(call) => match ident_of(&call.func) {
            Some(name) if matches!(name.to_string().as_str(), "linear" | "fibonacci" | "with") => {
                err(name, format!("`{name}(..)` is not available yet in this version: write `100ms..=10s`"))
            }
            _ => constant(expr, scope),
        },
        _ => constant(expr, scope),
    }
}

fn constant(expr: &Expr, scope: &Scope) -> syn::Result<Backoff> {
    let given = duration_of(expr, scope)?;
    Ok(if given.literal.is_some() { Backoff::Constant(given) } else { Backoff::Expression(given.written) })
}
