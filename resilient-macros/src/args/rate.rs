//! Rates: `100/s`, `6000/min`, `10/250ms`, `LIMIT/s`.

use crate::{
    args::{Form, Given, Raw, Scope, count_of, duration, duration_of, ident_of, peel},
    diag::{code, err},
};
use syn::{BinOp, Expr};

pub(crate) enum RateArg {
    /// A limit per so many nanoseconds.
    Written { limit: Given<u32>, period: u64 },
    /// A const expression of type `Rate`.
    Expression(Expr),
}

const WANTED: &str = "a rate such as `100/s`";

pub(crate) fn rate(raw: &Raw, scope: &Scope) -> syn::Result<RateArg> {
    let expr = raw.expr(WANTED)?;
    if let Expr::Binary(division) = peel(expr) {
        if matches!(division.op, BinOp::Div(_)) {
            return written(&division.left, &division.right, scope);
        }
    }
    match Form::of(expr, WANTED)? {
        Form::Number { digits, suffix } => {
            let unit = duration::meant(&suffix).unwrap_or("s");
            err(expr, format!("`{}` has no period: write `{digits}/{unit}`", code(expr)))
        }
        Form::Text(text) => {
            let text = if text.contains('/') { text.replace(' ', "") } else { "100/s".to_owned() };
            err(expr, format!("a rate is no string: write `{text}` without quotes"))
        }
        Form::Expression(expr) => Ok(RateArg::Expression(Given::<()>::constant(expr, scope)?.written)),
    }
}

fn written(limit: &Expr, period: &Expr, scope: &Scope) -> syn::Result<RateArg> {
    if let Form::Number { digits, suffix } = Form::of(limit, "a whole number of calls, as in `100/s`")? {
        if !suffix.is_empty() || digits.contains('.') {
            let text = format!("`{}` is no whole number of calls", code(limit));
            return err(limit, format!("{text}: write for example `100/s`, or `30/min` for a slow rate"));
        }
    }
    let limit = count_of(limit, scope)?;
    Ok(RateArg::Written { period: length(period, &limit.written)?, limit })
}

fn length(period: &Expr, limit: &Expr) -> syn::Result<u64> {
    let limit = code(limit);
    if let Some(word) = ident_of(period) {
        let name = word.to_string();
        return duration::unit(&name).map_or_else(
            || {
                let unit = duration::meant(&name).unwrap_or("s");
                err(
                    word,
                    format!("`{name}` is no period: write `{limit}/{unit}` (or `/ms`, `/min`, `/h`, `/d`, `/250ms`)"),
                )
            },
            Ok,
        );
    }
    let nothing_in_scope = Scope::default();
    match duration_of(period, &nothing_in_scope)?.literal {
        Some(nanos) => Ok(nanos),
        None => {
            err(period, format!("the period of a rate is a unit or a literal: write `{limit}/s` or `{limit}/250ms`"))
        }
    }
}
