//! `key`: which of many instances a call uses.

use super::{
    Context,
    config::{Builder, Limits, MILLISECOND, YEAR},
};
use crate::{
    args::{Args, Raw, count, duration, peel},
    diag::{code, err},
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Expr;

/// One instance for each key.
pub(crate) struct Keys {
    pub(crate) key: Expr,
    /// What an instance of the fn's own is called.
    pub(crate) label: Option<Expr>,
    /// The path of a fn that takes the key.
    pub(crate) health_check: Option<Expr>,
    /// The rate of a limiter's instance.
    pub(crate) rate: Option<Expr>,
    /// A table of hashes is enough for them.
    pub(crate) is_table: bool,
    /// Setters, of how many there are and for how long.
    pub(crate) bounds: TokenStream,
}

const MAX_KEYS: Limits<u32> =
    Limits { range: 1..=100_000_000, text: "which is `1` to `100_000_000`", example: "max_keys = 10_000" };
const IDLE: Limits<u64> =
    Limits { range: MILLISECOND..=YEAR, text: "which is `1ms` to `366d`", example: "idle = 10min" };

/// The key, whoever owns the instances.
pub(super) fn key(args: &mut Args, cx: &mut Context) -> Option<Keys> {
    let slot = args.take("key", cx.diag, |raw| expression(raw, "key"))?;
    Some(Keys {
        key: slot.value,
        label: None,
        health_check: None,
        rate: None,
        is_table: false,
        bounds: TokenStream::new(),
    })
}

/// What only instances of the fn's own are told.
pub(super) fn own_keys(
    args: &mut Args,
    may_have_key: bool,
    keys: Option<&mut Keys>,
    build: &mut Builder,
    cx: &mut Context,
) {
    let scope = cx.scope;
    let label = args.take("key_label", cx.diag, |raw| expression(raw, "key_label"));
    let max_keys = args.take("max_keys", cx.diag, |raw| count(raw, scope));
    let idle = args.take("idle", cx.diag, |raw| duration(raw, scope));
    MAX_KEYS.check_slot(max_keys.as_ref(), cx);
    IDLE.check_slot(idle.as_ref(), cx);
    let given = [
        label.as_ref().map(|slot| &slot.key),
        max_keys.as_ref().map(|slot| &slot.key),
        idle.as_ref().map(|slot| &slot.key),
    ];
    if let (false, Some(stray)) = (may_have_key, given.into_iter().flatten().next()) {
        cx.diag
            .error(stray, format!("`{stray}` needs a `key` to tell calls apart: write for example `key = self.host`"));
    }
    let Some(keys) = keys else { return };
    keys.label = label.map(|slot| slot.value);
    if let Some(slot) = max_keys {
        let value = build.count("max_keys", &slot.value);
        keys.bounds.extend(quote!(.max_keys(#value)));
    }
    if let Some(slot) = idle {
        let value = build.duration("idle", &slot.value);
        keys.bounds.extend(quote!(.idle(#value)));
    }
}

fn expression(raw: &Raw, argument: &str) -> syn::Result<Expr> {
    let wanted = "an expression over the arguments of the fn, such as `self.host` or `(tenant, region)`";
    let expr = raw.expr(wanted)?;
    match peel(expr) {
        Expr::Lit(_) => err(expr, format!("`{}` is the same for every call: write {wanted}", code(expr))),
        Expr::Closure(_) => err(expr, format!("a closure is no `{argument}`: write {wanted}")),
        _ => Ok(expr.clone()),
    }
}
