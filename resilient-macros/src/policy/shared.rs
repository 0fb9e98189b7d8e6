//! Instances that live elsewhere: `policy = EXPR`, or a path where the policy has no positional value.

use super::{Context, Instance, Judge, name, predicate};
use crate::{
    args::{Args, Raw, Slot, Spec, ident_of, peel},
    diag::{code, err},
};
use syn::{Expr, Lit, LitStr};

/// The shared instance of `policy = EXPR`.
pub(super) fn named(args: &mut Args, cx: &mut Context) -> Option<Expr> {
    args.take("policy", cx.diag, |raw| {
        let expr = raw.expr("a policy such as `policy = PAYMENTS` or `policy = self.breaker`")?;
        match peel(expr) {
            Expr::Lit(_) | Expr::Closure(_) | Expr::Range(_) => err(
                expr,
                format!(
                    "`{}` is no policy: write the path of one, as in `policy = PAYMENTS` or `policy = self.breaker`",
                    code(expr)
                ),
            ),
            _ => Ok(expr.clone()),
        }
    })
    .map(|slot| slot.value)
}

/// What a positional value of an attribute that has none was probably meant to be.
pub(super) type Hint = fn(&Raw) -> Option<&'static str>;

/// The parts of a policy that judges outcomes: one of its own, made by `owned`, or a shared one.
pub(super) fn judged(
    mut args: Args,
    spec: &Spec,
    hint: Hint,
    owned: impl FnOnce(Args, &mut Context) -> Instance,
    cx: &mut Context,
) -> (Instance, Judge, Option<Slot<LitStr>>) {
    let shared = named_or_path(&mut args, spec, hint, cx);
    let judge = predicate::judge(&mut args, cx);
    let name = args.take("name", cx.diag, name);
    let instance = match shared {
        Some(shared) => instance(shared, args, cx),
        None => owned(args, cx),
    };
    (instance, judge, name)
}

/// The shared instance of an attribute without a positional value, as `policy = EXPR` or as a path.
fn named_or_path(args: &mut Args, spec: &Spec, hint: Hint, cx: &mut Context) -> Option<Expr> {
    let mut shared = named(args, cx);
    for raw in std::mem::take(&mut args.positional) {
        match &raw {
            Raw::Value(expr) if is_path(expr) => {
                if let Some(first) = &shared {
                    cx.diag.error(&raw, format!("a second policy: keep one of `{}` and `{}`", code(first), code(&raw)));
                } else {
                    shared = Some(expr.clone());
                }
            }
            Raw::Value(expr) if ident_of(expr).is_some() => {
                if let Some(word) = ident_of(expr) {
                    cx.diag.push(spec.unknown(word));
                }
            }
            _ => cx.diag.error(&raw, nameless(&raw, spec.attribute, hint(&raw))),
        }
    }
    shared
}

fn nameless(raw: &Raw, attribute: &str, key: Option<&'static str>) -> String {
    let value = code(raw);
    match key {
        Some(key) => format!("`#[{attribute}]` takes no value without a name: write `{key} = {value}`"),
        None => format!("`{value}` is no path: a shared policy that is none is written `policy = {value}`"),
    }
}

/// Several segments, or upper case: what can not be mistaken for a flag.
fn is_path(expr: &Expr) -> bool {
    match (ident_of(expr), peel(expr)) {
        (Some(word), _) => {
            let word = word.to_string();
            word.contains(|c: char| c.is_uppercase()) && !word.contains(|c: char| c.is_lowercase())
        }
        (None, Expr::Path(_)) => true,
        _ => false,
    }
}

/// The shared instance, after what may not stand beside it was reported.
pub(super) fn instance(shared: Expr, args: Args, cx: &mut Context) -> Instance {
    let policy = code(&shared);
    for raw in &args.positional {
        cx.diag.error(raw, format!("`{}` belongs to the shared policy: set it where `{policy}` is made", code(raw)));
    }
    for slot in args.rest() {
        cx.diag
            .error(&slot.key, format!("`{}` belongs to the shared policy: set it where `{policy}` is made", slot.key));
    }
    Instance::Shared(shared)
}

/// Whether a literal is a plain whole number, for hints.
pub(super) fn is_count(raw: &Raw) -> bool {
    match raw {
        Raw::Value(expr) => {
            matches!(peel(expr), Expr::Lit(lit) if matches!(&lit.lit, Lit::Int(int) if int.suffix().is_empty()))
        }
        _ => false,
    }
}
