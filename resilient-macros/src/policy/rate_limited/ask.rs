//! What each call asks of the limiter, and what the limiter learns from it.

use super::quota::literal;
use crate::{
    args::{Args, Raw, Slot, peel},
    diag::{code, err},
    policy::Context,
};
use syn::{Expr, UnOp};

/// Expressions over the fn's arguments, and paths or closures over what it returns.
#[derive(Default)]
pub(crate) struct Ask {
    pub(crate) cost: Option<Expr>,
    pub(crate) priority: Option<Expr>,
    /// Over `&T`: what the call cost in the end.
    pub(crate) charge: Option<Expr>,
    /// Over `&E`: how long to leave the dependency alone.
    pub(crate) delay_hint: Option<Expr>,
    /// How it ends tells the dependency's health.
    pub(crate) measured: bool,
}

impl Ask {
    pub(super) fn take(args: &mut Args, cx: &mut Context) -> (Self, Option<Slot<Expr>>) {
        let cost = args.take("cost", cx.diag, cost);
        let priority = args.take("priority", cx.diag, priority);
        let charge = args.take("charge", cx.diag, |raw| follow(raw, "charge", "the value", "|answer| answer.tokens"));
        let hint = args
            .take("delay_hint", cx.diag, |raw| follow(raw, "delay_hint", "the error", "|error| error.retry_after()"));
        let value = |slot: Option<Slot<Expr>>| slot.map(|slot| slot.value);
        let ask = Self {
            cost: cost.as_ref().map(|slot| slot.value.clone()),
            priority: value(priority),
            charge: value(charge),
            delay_hint: value(hint),
            measured: false,
        };
        (ask, cost)
    }
}

fn cost(raw: &Raw) -> syn::Result<Expr> {
    let expr = raw.expr("a number of tokens such as `items.len()`")?;
    if let Expr::Unary(negated) = peel(expr) {
        if matches!(negated.op, UnOp::Neg(_)) {
            return err(
                expr,
                format!("a cost of `{}` is none: write what a call costs, as in `cost = items.len()`", code(expr)),
            );
        }
    }
    if literal(expr) == Some(0) {
        return err(expr, "a cost of 0 is never refused: leave `cost` out for 1, or write what a call costs");
    }
    Ok(expr.clone())
}

fn priority(raw: &Raw) -> syn::Result<Expr> {
    let wanted = "a `Priority` over the arguments of the fn, such as `request.priority`";
    let expr = raw.expr(wanted)?;
    match peel(expr) {
        Expr::Lit(_) | Expr::Closure(_) => err(expr, format!("`{}` is no priority: write {wanted}", code(expr))),
        _ => Ok(expr.clone()),
    }
}

fn follow(raw: &Raw, key: &str, sees: &str, example: &str) -> syn::Result<Expr> {
    let wanted = format!("a path or a closure, as in `{key} = {example}`");
    let expr = raw.expr(&wanted)?;
    match peel(expr) {
        Expr::Closure(closure) if closure.inputs.len() != 1 => {
            err(closure, format!("`{key}` is given {sees} and nothing else: write `{key} = {example}`"))
        }
        Expr::Lit(_) | Expr::Range(_) | Expr::Binary(_) | Expr::Unary(_) => {
            err(expr, format!("`{}` is no fn: write {wanted}", code(expr)))
        }
        _ => Ok(expr.clone()),
    }
}
