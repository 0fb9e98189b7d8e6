//! `when`, `unless`, `failure_if`, `ignore_if`: paths and closures, typed by rustc.

use super::{Context, Judge};
use crate::{
    args::{Args, Raw, peel},
    diag::{code, err},
};
use syn::Expr;

pub(super) fn judge(args: &mut Args, cx: &mut Context) -> Judge {
    let mut take = |key: &str| args.take(key, cx.diag, |raw| predicate(raw, key)).map(|slot| (slot.key, slot.value));
    let (when, unless, failure_if, ignore_if) = (take("when"), take("unless"), take("failure_if"), take("ignore_if"));
    if let (Some((key, _)), Some((other, _))) = (&failure_if, when.as_ref().or(unless.as_ref())) {
        cx.diag.error(
            key,
            format!(
                "`failure_if` sees the whole output and replaces `{other}`, which sees the error: write one of them"
            ),
        );
    }
    let value = |pair: Option<(syn::Ident, Expr)>| pair.map(|(_, value)| value);
    Judge { when: value(when), unless: value(unless), failure_if: value(failure_if), ignore_if: value(ignore_if) }
}

fn predicate(raw: &Raw, key: &str) -> syn::Result<Expr> {
    let (sees, example) = match key {
        "when" | "unless" => ("the error", "|error| error.is_transient()"),
        _ => ("the output", "|output| output.is_err()"),
    };
    let wanted = format!("a path or a closure, as in `{key} = {example}`");
    let expr = raw.expr(&wanted)?;
    match peel(expr) {
        Expr::Closure(closure) if closure.inputs.len() != 1 => {
            err(closure, format!("`{key}` is given {sees} and nothing else: write `{key} = {example}`"))
        }
        Expr::Lit(_) | Expr::Range(_) | Expr::Binary(_) | Expr::Unary(_) => {
            err(expr, format!("`{}` is no predicate: write {wanted}", code(expr)))
        }
        _ => Ok(expr.clone()),
    }
}
