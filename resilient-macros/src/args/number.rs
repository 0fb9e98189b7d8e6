//! Numbers without a unit, and exact decimals for those with one.

use crate::{
    args::{Form, Given, Raw, Scope},
    diag::{code, err},
};
use syn::Expr;

/// A decimal number, exactly: `units / 10^decimals`.
#[derive(Clone, Copy)]
pub(crate) struct Decimal {
    units: u128,
    decimals: u32,
}

impl Decimal {
    /// `None` for exponents, signs, and more digits than a `u64` has.
    pub(crate) fn parse(digits: &str) -> Option<Self> {
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        let all = format!("{whole}{fraction}");
        if all.len() > 25 || !all.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let decimals = u32::try_from(fraction.len()).ok()?;
        Some(Self { units: all.parse().ok()?, decimals })
    }

    /// `self * factor`, unless that is no whole number.
    pub(crate) fn times(self, factor: u128) -> Option<u128> {
        let product = self.units.checked_mul(factor)?;
        let divisor = 10u128.checked_pow(self.decimals)?;
        (product % divisor == 0).then_some(product / divisor)
    }
}

const WANTED: &str = "a whole number such as `20`";

pub(crate) fn count(raw: &Raw, scope: &Scope) -> syn::Result<Given<u32>> {
    count_of(raw.expr(WANTED)?, scope)
}

/// A count, or a const expression of type `u32`.
pub(crate) fn count_of(expr: &Expr, scope: &Scope) -> syn::Result<Given<u32>> {
    let (digits, suffix) = match Form::of(expr, WANTED)? {
        Form::Number { digits, suffix } => (digits, suffix),
        Form::Text(text) => {
            let is_count =
                text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') && text.contains(char::is_numeric);
            let count = if is_count { format!("`{text}` without quotes") } else { WANTED.to_owned() };
            return err(expr, format!("a count is no string: write {count}"));
        }
        Form::Expression(expr) => return Given::constant(expr, scope),
    };
    if !suffix.is_empty() {
        let number = digits.split('.').next().unwrap_or_default();
        return err(expr, format!("`{}` counts calls and has no unit: write `{number}`", code(expr)));
    }
    if digits.contains(['.', 'e', 'E']) {
        return err(expr, format!("`{}` is no whole number: write {WANTED}", code(expr)));
    }
    match digits.parse() {
        Ok(count) => Ok(Given::literal(expr, count)),
        Err(_) => err(expr, format!("`{}` is too large: write at most `4_294_967_295`", code(expr))),
    }
}

/// A plain number, or a const expression of type `f64`.
pub(crate) fn factor(raw: &Raw, scope: &Scope) -> syn::Result<Given<f64>> {
    const WANTED: &str = "a plain number such as `2` or `1.5`";
    let expr = raw.expr(WANTED)?;
    match Form::of(expr, WANTED)? {
        Form::Number { digits, suffix } if suffix.is_empty() => match digits.parse() {
            Ok(number) => Ok(Given::literal(expr, number)),
            Err(_) => err(expr, format!("`{}` does not fit: write {WANTED}", code(expr))),
        },
        Form::Expression(expr) => Given::constant(expr, scope),
        Form::Number { .. } | Form::Text(_) => err(expr, format!("`{}` does not fit: write {WANTED}", code(expr))),
    }
}
