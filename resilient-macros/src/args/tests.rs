use super::*;
use crate::diag::Diagnostics;

const SPEC: Spec = Spec {
    attribute: "retry",
    keys: &[("attempts", "3"), ("backoff", "100ms"), ("wait", "1s")],
    flags: &["wait"],
    later: &["budget"],
    alone: None,
};

fn read(text: &str) -> (Args, Vec<String>) {
    let mut diag = Diagnostics::default();
    let args = Args::read(&text.parse().unwrap(), &SPEC, &mut diag);
    (args, diag.texts())
}

fn value(text: &str) -> Raw {
    let (mut args, errors) = read(text);
    assert!(errors.is_empty(), "{text}: {errors:?}");
    args.positional.remove(0)
}

fn scope() -> Scope {
    Scope::new(&syn::parse_str("async fn f<T, const N: usize>(limit: u32, (a, b): (u8, u8))").unwrap())
}

fn text<T>(result: syn::Result<T>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

fn nanos(text: &str) -> Option<u64> {
    duration(&value(text), &scope()).unwrap_or_else(|error| panic!("{text}: {error}")).literal
}

#[test]
fn durations_are_exact() {
    for (text, expected) in [
        ("7ns", 7),
        ("250us", 250_000),
        ("250\u{b5}s", 250_000),
        ("100ms", 100_000_000),
        ("1_000ms", 1_000_000_000),
        ("2s", 2_000_000_000),
        ("1.5s", 1_500_000_000),
        ("0.1s", 100_000_000),
        ("1.000000001s", 1_000_000_001),
        ("5min", 300_000_000_000),
        ("1.5h", 5_400_000_000_000),
        ("1d", 86_400_000_000_000),
        ("(2s)", 2_000_000_000),
        ("0s", 0),
    ] {
        assert_eq!(nanos(text), Some(expected), "{text}");
    }
    assert_eq!(nanos("TIMEOUT"), None);
    assert_eq!(nanos("config::TIMEOUT * 2"), None);
    assert_eq!(nanos("2 * S"), None);
}

#[test]
fn durations_that_are_none() {
    for (written, expected) in [
        ("2", "`2` has no unit: write `2s` (or `2ms`, `2min`)"),
        ("500", "`500` has no unit: write `500ms` (or `500s`, `500min`)"),
        ("2u64", "`2` has no unit: write `2s` (or `2ms`, `2min`)"),
        ("2.5f64", "`2.5` has no unit: write `2.5s` (or `2.5ms`, `2.5min`)"),
        ("2sec", "`sec` is no unit: write `2s`"),
        ("2m", "`2m` could mean two things: write `2min` or `2ms`"),
        ("2parsec", "`parsec` is no unit of time: write `2s` (or `ns`, `us`, `ms`, `min`, `h`, `d`)"),
        ("\"2s\"", "a duration is no string: write `2s` without quotes"),
        ("\"100 millis\"", "a duration is no string: write `100ms` without quotes"),
        ("\"soon\"", "a duration is no string: write for example `2s`"),
        ("-1s", "`-1s` is negative: write a duration such as `2s`"),
        ("2 * s", "a duration is one word: write `2s`"),
        ("100 * millis", "a duration is one word: write `100ms`"),
        ("2.s", "`2.s` has a stray dot: write `2s`"),
        ("1e3s", "`1e3s` has an exponent or too many digits: write it with plain digits, as in `1.5s`"),
        ("0.5ns", "`0.5ns` is finer than a nanosecond: write it with fewer decimals"),
        ("99999999999d", "`99999999999d` is longer than 584 years: write a shorter duration, as in `30d`"),
        (
            "99999999999999999999999999999999999999999s",
            "`99999999999999999999999999999999999999999s` has an exponent or too many digits: write it with plain digits, as in `1.5s`",
        ),
        ("50%", "`50%` does not fit: write a duration such as `2s`"),
        ("1s..=2s", "`1s..=2s` is a range: write a duration such as `2s`"),
        ("true", "`true` does not fit: write a duration such as `2s`"),
        ("|e| e", "a closure does not fit: write a duration such as `2s`"),
    ] {
        assert_eq!(text(duration(&value(written), &scope())), expected, "{written}");
    }
}

#[test]
fn const_expressions_stand_outside_of_the_fn() {
    for (written, expected) in [
        (
            "Self::T",
            "this is evaluated once, at compile time, so `Self` can not be used in it: write the type's own path",
        ),
        (
            "self.time",
            "this is evaluated once, at compile time, so `self` can not be used in it: \
             name a `const`, or share a policy with `policy = self.x`",
        ),
        (
            "T::TIME",
            "this is evaluated once, at compile time, and `T` is a generic parameter: write the path of a `const`",
        ),
        (
            "f(N)",
            "this is evaluated once, at compile time, and `N` is a generic parameter: write the path of a `const`",
        ),
        (
            "limit",
            "this is evaluated once, at compile time, and `limit` is an argument of the fn: write the path of a `const`",
        ),
        (
            "X * b",
            "this is evaluated once, at compile time, and `b` is an argument of the fn: write the path of a `const`",
        ),
    ] {
        assert_eq!(text(duration(&value(written), &scope())), expected, "{written}");
    }
    for fine in ["self::LIMIT", "CONFIG.limit", "config::limit", "Config { limit: X }.x", "x::T"] {
        assert!(duration(&value(fine), &scope()).is_ok(), "{fine}");
    }
}

#[test]
fn backoffs() {
    let scope = scope();
    assert!(matches!(backoff(&value("100ms"), &scope), Ok(Backoff::Constant(_))));
    assert!(matches!(backoff(&value("100ms..=2s"), &scope), Ok(Backoff::Range(_))));
    assert!(matches!(backoff(&value("A..=B"), &scope), Ok(Backoff::Range(_))));
    assert!(matches!(backoff(&value("GENTLE"), &scope), Ok(Backoff::Expression(_))));
    for (written, expected) in [
        ("1s..2s", "the longest time belongs to the range: write `1s..=2s`"),
        ("1s..", "a range has both ends: write `100ms..=10s`"),
        ("linear(1s..=2s)", "`linear(..)` is not available yet in this version: write `100ms..=10s`"),
        ("1..=2s", "`1` has no unit: write `1s` (or `1ms`, `1min`)"),
    ] {
        assert_eq!(text(backoff(&value(written), &scope)), expected, "{written}");
    }
}

#[test]
fn counts() {
    let count = |text: &str| count(&value(text), &scope());
    assert_eq!(count("10_000").unwrap().literal, Some(10_000));
    assert_eq!(count("0b1").unwrap().literal, Some(1));
    assert_eq!(count("LIMIT").unwrap().literal, None);
    for (written, expected) in [
        ("20s", "`20s` counts calls and has no unit: write `20`"),
        ("20u32", "`20u32` counts calls and has no unit: write `20`"),
        ("1.5", "`1.5` is no whole number: write a whole number such as `20`"),
        ("-3", "`-3` is negative: write a whole number such as `20`"),
        ("4_294_967_296", "`4_294_967_296` is too large: write at most `4_294_967_295`"),
        ("\"3\"", "a count is no string: write `3` without quotes"),
        ("\"1_0\"", "a count is no string: write `1_0` without quotes"),
        ("\"many\"", "a count is no string: write a whole number such as `20`"),
        ("\"\"", "a count is no string: write a whole number such as `20`"),
    ] {
        assert_eq!(text(count(written)), expected, "{written}");
    }
}

#[test]
fn ratios_are_exact() {
    let ratio = |text: &str| ratio(&value(text), &scope());
    for (written, parts) in
        [("50%", 500_000_000), ("0.5%", 5_000_000), ("100%", 1_000_000_000), ("33.3333333%", 333_333_333)]
    {
        assert_eq!(ratio(written).unwrap().literal, Some(parts), "{written}");
    }
    assert_eq!(ratio("50 % X").unwrap().literal, None);
    assert_eq!(ratio("RATE").unwrap().literal, None);
    for (written, expected) in [
        ("50", "`50` has no unit: write `50%`"),
        ("0.5", "`0.5` has no unit: write `50%`"),
        ("0.07", "`0.07` has no unit: write `7%`"),
        ("101%", "`101%` is more than everything: write at most `100%`"),
        ("-5%", "`-5%` is negative: write for example `50%`"),
        ("5s%", "`5s%` has two units: write for example `50%`"),
        ("0.00000001%", "`0.00000001%` has more than seven decimals: write for example `0.5%`"),
        ("\"50%\"", "a ratio is no string: write `50%` without quotes"),
    ] {
        assert_eq!(text(ratio(written)), expected, "{written}");
    }
}

#[test]
fn rates() {
    let rate = |text: &str| rate(&value(text), &scope());
    for (written, limit, nanos) in [
        ("100/s", Some(100), 1_000_000_000),
        ("6000/min", Some(6000), 60_000_000_000),
        ("10/250ms", Some(10), 250_000_000),
        ("1/d", Some(1), 86_400_000_000_000),
        ("LIMIT/s", None, 1_000_000_000),
        ("a::LIMIT * 2/h", None, 3_600_000_000_000),
    ] {
        let Ok(RateArg::Written { limit: found, period }) = rate(written) else { panic!("{written}") };
        assert_eq!((found.literal, period), (limit, nanos), "{written}");
    }
    assert!(matches!(rate("Rate::per_second(100)"), Ok(RateArg::Expression(_))));
    for (written, expected) in [
        ("100", "`100` has no period: write `100/s`"),
        ("100min", "`100min` has no period: write `100/min`"),
        ("100/sec", "`sec` is no period: write `100/s` (or `/ms`, `/min`, `/h`, `/d`, `/250ms`)"),
        ("100/5", "`5` has no unit: write `5s` (or `5ms`, `5min`)"),
        ("100/(A + B)", "the period of a rate is a unit or a literal: write `100/s` or `100/250ms`"),
        ("0.5/s", "`0.5` is no whole number of calls: write for example `100/s`, or `30/min` for a slow rate"),
        (
            "limit/s",
            "this is evaluated once, at compile time, and `limit` is an argument of the fn: write the path of a `const`",
        ),
        ("\"100 / s\"", "a rate is no string: write `100/s` without quotes"),
    ] {
        assert_eq!(text(rate(written)), expected, "{written}");
    }
}

/// What a `$x:literal` or `$x:expr` of `macro_rules` looks like.
fn grouped(text: &str) -> TokenTree {
    proc_macro2::Group::new(proc_macro2::Delimiter::None, text.parse().unwrap()).into()
}

#[test]
fn fragments_of_macro_rules_are_peeled() {
    let mut diag = Diagnostics::default();
    let (time, share, limit) = (grouped("100ms"), grouped("50"), grouped("10/250ms"));
    let tokens = quote!(#time, #share %, #limit, #time ..= 5min);
    let args = Args::read(&tokens, &SPEC, &mut diag);
    assert_eq!(diag.texts(), [""; 0]);
    let [time, share, limit, range] = args.positional.as_slice() else { panic!() };
    assert_eq!(duration(time, &scope()).unwrap().literal, Some(100_000_000));
    assert_eq!(ratio(share, &scope()).unwrap().literal, Some(500_000_000));
    assert!(matches!(rate(limit, &scope()), Ok(RateArg::Written { period: 250_000_000, .. })));
    assert!(matches!(backoff(range, &scope()), Ok(Backoff::Range(_))));
}

#[test]
fn every_mistake_is_one_error() {
    for (written, expected) in [
        (
            "atempts = 3",
            "unknown argument `atempts`, did you mean `attempts`? `#[retry]` takes `attempts`, `backoff` and `wait`",
        ),
        ("colour = 3", "unknown argument `colour`: `#[retry]` takes `attempts`, `backoff` and `wait`"),
        ("attempts = 3, attempts = 5", "`attempts` is given twice: keep one of `attempts = 3` and `attempts = 5`"),
        ("wait, wait = 1s", "`wait` is given twice: keep one of `wait` and `wait = 1s`"),
        ("budget = 20%", "`budget` is not available yet in this version: leave it out"),
        ("budget", "`budget` is not available yet in this version: leave it out"),
        ("attempts", "`attempts` needs a value: write `attempts = 3`"),
        ("attempts = ", "`attempts` needs a value: write `attempts = 3`"),
        ("attempts = , wait", "`attempts` needs a value: write `attempts = 3`"),
        ("attempts(3)", "`attempts` needs a value: write `attempts = 3`"),
        ("attempts: 3", "an argument is given with `=`: write `attempts = 3`"),
        ("2 s", "a duration is one word: write `2s`"),
        ("backoff = 1s..=2.5 sec", "a duration is one word: write `2.5s`"),
        ("10/250 ms", "a duration is one word: write `250ms`"),
        ("wait = MAX s", "unexpected `s`: separate the arguments with `,`"),
        ("attempts = 3 backoff = 2s", "unexpected `backoff`: separate the arguments with `,`"),
    ] {
        assert_eq!(read(written).1, [expected], "{written}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let (args, errors) = read("atempts = 3, backoff = , budget = 1, |a, b| a < b, wait");
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert_eq!(args.positional.len(), 1);
    assert!(args.unreadable);
}

#[test]
fn commas_inside_of_values() {
    let (args, errors) = read("Vec::<A, B>::new, m!(a, b), (a, b), async move |_| Ok(1), backoff = |a, b| a < b,");
    assert_eq!((args.positional.len(), errors.len()), (4, 0));
}
