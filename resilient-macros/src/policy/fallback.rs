use super::{Context, Link, Parsed, Policy, name, predicate};
use crate::{
    args::{Alone, Args, Raw, Spec, ident_of, peel},
    diag::{code, err},
};
use syn::{Error, Expr, Lit, Path};

pub(super) const SPEC: Spec = Spec {
    attribute: "fallback",
    keys: &[
        ("when", "|error| error.is_transient()"),
        ("unless", "|error| error.is_not_found()"),
        ("name", "\"cache\""),
    ],
    flags: &[],
    later: &["when_ok", "classify", "mode"],
    alone: Some(Alone {
        what: "what to fall back to",
        example: "Self::cached",
        fits: |raw| link(raw).is_ok(),
        replaced_by: &[],
    }),
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
            Expr::Field(field) if ident_of(&field.base).is_some_and(|word| word == "self" || word == "__self") => {
                let method = code(&field.member);
                return err(expr, format!("a method is given by its path: write `Self::{method}`"));
            }
            Expr::Lit(lit) => {
                if let Some(path) = quoted_path(&lit.lit) {
                    return err(
                        expr,
                        format!("a fallback is no string: write `{path}` without quotes, or `|_| \"{path}\"`"),
                    );
                }
            }
            _ => {}
        }
    }
    // Under `#[async_trait]` it was adopted.
    let value = code(raw).replace("__self", "self");
    err(raw, format!("a fallback is a path or a closure: write `|_| {value}`"))
}

fn quoted_path(lit: &Lit) -> Option<String> {
    let Lit::Str(text) = lit else { return None };
    text.parse::<Path>().is_ok().then(|| text.value())
}
