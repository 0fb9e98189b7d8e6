//! Ratios: `50%`, `0.5%`.

use crate::{
    args::{Form, Given, Raw, Scope, number::Decimal},
    diag::{code, err},
};
use quote::quote;
use syn::{Expr, Lit, parse_quote};

const WANTED: &str = "a ratio such as `50%`";

/// Parts per billion in one percent.
const PERCENT: u128 = 10_000_000;

/// Parts per billion, or a const expression of type `Ratio`.
pub(crate) fn ratio(raw: &Raw, scope: &Scope) -> syn::Result<Given<u32>> {
    if let Raw::Percent(number, percent) = raw {
        let at = quote!(#number #percent);
        let text = format!("{}%", code(number));
        return match parts(number) {
            Ok(parts) => {
                // Only its tokens are ever looked at, for their place.
                let written: Expr = parse_quote!(#number);
                Ok(Given::literal(&written, parts))
            }
            Err(why) => err(&at, format!("`{text}` {why}")),
        };
    }
    let expr = raw.expr(WANTED)?;
    match Form::of(expr, WANTED)? {
        Form::Number { digits, .. } => err(expr, format!("`{}` has no unit: write `{}`", code(expr), guess(&digits))),
        Form::Text(text) => {
            let digits = text.trim().trim_end_matches('%').trim();
            let digits = if digits.parse::<f64>().is_ok() { digits } else { "50" };
            err(expr, format!("a ratio is no string: write `{digits}%` without quotes"))
        }
        Form::Expression(expr) => Given::constant(expr, scope),
    }
}

fn parts(number: &Lit) -> Result<u32, &'static str> {
    let (digits, suffix) = match number {
        Lit::Int(int) => (int.base10_digits(), int.suffix()),
        Lit::Float(float) => (float.base10_digits(), float.suffix()),
        _ => return Err("is no ratio: write for example `50%`"),
    };
    if !suffix.is_empty() {
        return Err("has two units: write for example `50%`");
    }
    if digits.starts_with('-') {
        return Err("is negative: write for example `50%`");
    }
    let Some(decimal) = Decimal::parse(digits) else {
        return Err("has an exponent or too many digits: write for example `50%`");
    };
    match decimal.times(PERCENT) {
        None => Err("has more than seven decimals: write for example `0.5%`"),
        Some(parts) if parts > 100 * PERCENT => Err("is more than everything: write at most `100%`"),
        Some(parts) => u32::try_from(parts).map_err(|_| "is more than everything: write at most `100%`"),
    }
}

/// The ratio that a number without `%` probably means: `0.5` is a half.
fn guess(digits: &str) -> String {
    let share = digits.contains('.').then(|| digits.parse::<f64>().ok()).flatten().filter(|share| *share <= 1.0);
    match share {
        Some(share) => format!("{}%", (share * 1e9).round() / 1e7),
        None => format!("{digits}%"),
    }
}
