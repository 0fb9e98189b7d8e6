use super::{Context, Link, Parsed, Policy, name, predicate};
use crate::{
    args::{Args, Raw, Spec, peel},
    diag::{code, err},
};
use syn::{Error, Expr};

pub(super) const SPEC: Spec = Spec {
    attribute: "fallback",
    keys: &[
        ("when", "|error| error.is_transient()"),
        ("unless", "|error| error.is_not_found()"),
        ("name", "\"cache\""),
    ],
    flags: &[],
    later: &["when_ok", "classify", "mode"],
};

pub(super) fn parse(mut args: Args, cx: &mut Context) -> Option<Parsed> {
    let judge = predicate::judge(&mut args, cx);
    let name = args.take("name", cx.diag, name);
    if args.positional.is_empty() && !args.unreadable {
        cx.diag.push(Error::new(
            cx.span,
            "`#[fallback]` needs something to fall back to: write for example `#[fallback(|_| Ok(0))]` or `#[fallback(Self::cached)]`",
        ));
        return None;
    }
    let links = args.positional.iter().filter_map(|raw| cx.diag.ok(link(raw))).collect();
    Some(Parsed::new(Policy::Fallback { links, judge }, name))
}

fn link(raw: &Raw) -> syn::Result<Link> {
    if let Raw::Value(expr) = raw {
        match peel(expr) {
            Expr::Path(_) => return Ok(Link::Path(peel(expr).clone())),
            Expr::Closure(closure) if closure.inputs.len() > 1 => {
                return err(
                    &closure.inputs,
                    "a fallback closure takes nothing or the error, and sees the fn's arguments by their names: write `|error| ..`",
                );
            }
            Expr::Closure(closure) => return Ok(Link::Closure(closure.clone())),
            _ => {}
        }
    }
    let value = code(raw);
    err(raw, format!("a fallback is a path or a closure: write `|_| {value}`"))
}
