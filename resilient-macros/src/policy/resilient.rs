//! `#[resilient(..)]`: what belongs to the site rather than to one policy.

use super::name;
use crate::{
    args::{Args, Raw, Slot, Spec, ident_of, peel},
    diag::{Diagnostics, closest, code, err, list},
};
use proc_macro2::TokenStream;
use syn::{Expr, Ident, LitStr};

pub(super) const SPEC: Spec = Spec {
    attribute: "resilient",
    keys: &[("name", "\"prices\""), ("rejected", "MyError::refused"), ("crate", "::resilient")],
    flags: &[],
    later: &["preset", "stack", "classify", "skip"],
    alone: None,
};

/// The arguments of `#[resilient]`, none of which a policy has.
#[derive(Default)]
pub(crate) struct SiteArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) rejected: Option<Slot<Expr>>,
    /// The checks that are switched off.
    pub(crate) allowed: Vec<Ident>,
}

/// `checks` are the names that `allow(..)` knows.
pub(crate) fn site(tokens: &TokenStream, checks: &[&str], diag: &mut Diagnostics) -> SiteArgs {
    let mut args = Args::read(tokens, &SPEC, diag);
    let name = args.take("name", diag, name).map(|slot| slot.value);
    let rejected = args.take("rejected", diag, rejected);
    // Its value was already looked up; here it is only judged.
    args.take("crate", diag, krate);
    let mut allowed = Vec::new();
    for raw in &args.positional {
        match raw {
            Raw::Value(Expr::Call(call)) if ident_of(&call.func).is_some_and(|word| word == "allow") => {
                allowed.extend(call.args.iter().filter_map(|check| diag.ok(check_name(check, checks))));
            }
            raw => diag.push(stray(raw, checks)),
        }
    }
    SiteArgs { name, rejected, allowed }
}

fn check_name(expr: &Expr, checks: &[&str]) -> syn::Result<Ident> {
    if let Some(check) = ident_of(expr).filter(|check| checks.iter().any(|known| check == known)) {
        return Ok(check.clone());
    }
    let name = code(expr);
    let meant = closest(&name, checks).or(checks.first().copied()).unwrap_or_default();
    err(expr, format!("unknown check `{name}`, there are {}: write `allow({meant})`", list(checks)))
}

fn stray(raw: &Raw, checks: &[&str]) -> syn::Error {
    let word = match raw {
        Raw::Value(expr) => ident_of(expr),
        _ => None,
    };
    let message = match word.map(Ident::to_string) {
        Some(word) if word == "allow" => format!("`allow` names checks, there are {}: write `allow(..)`", list(checks)),
        Some(word) if word.contains(|c: char| c.is_uppercase()) => {
            format!("`{word}`: a stack by name is not available yet in this version: write its attributes one by one")
        }
        _ => match word {
            Some(word) => return SPEC.unknown(word),
            None => format!("`{}` is no argument: write for example `name = \"prices\"`", code(raw)),
        },
    };
    syn::Error::new_spanned(raw, message)
}

fn rejected(raw: &Raw) -> syn::Result<Expr> {
    let wanted = "a path or a closure, as in `rejected = MyError::refused`";
    let expr = raw.expr(wanted)?;
    match peel(expr) {
        Expr::Closure(closure) if closure.inputs.len() != 1 => {
            err(closure, "`rejected` is given our error and nothing else: write `rejected = |error| ..`")
        }
        Expr::Path(_) | Expr::Closure(_) => Ok(expr.clone()),
        _ => err(expr, format!("`{}` maps no error: write {wanted}", code(expr))),
    }
}

fn krate(raw: &Raw) -> syn::Result<()> {
    let wanted = "an absolute path, as in `crate = ::resilient` or `crate = crate::reexports::resilient`";
    let expr = raw.expr(wanted)?;
    let Expr::Path(path) = peel(expr) else {
        let text = code(expr);
        let text = text.trim_matches('"').trim_start_matches("::");
        let text = if syn::parse_str::<syn::Path>(text).is_ok() { text } else { "resilient" };
        return err(expr, format!("the crate is no string or value: write a path, as in `crate = ::{text}`"));
    };
    let first = path.path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    if path.path.leading_colon.is_some() || matches!(first.as_str(), "crate" | "$crate") {
        return Ok(());
    }
    let advice = match first.as_str() {
        "self" | "super" => "crate::reexports::resilient".to_owned(),
        _ => format!("::{}", code(expr)),
    };
    err(
        expr,
        format!(
            "`{}` is not absolute, and would mean something else in every module: write `crate = {advice}`",
            code(expr)
        ),
    )
}
