//! `key`: which of many instances a call uses.

use super::{
    Context,
    config::{Limits, MILLISECOND, YEAR},
};
use crate::{
    args::{Args, Given, Raw, count, duration, peel},
    diag::{code, err},
};
use syn::Expr;

/// One instance for each key.
pub(crate) struct Keys {
    pub(crate) key: Expr,
    pub(crate) label: Option<Expr>,
    pub(crate) most: Option<Given<u32>>,
    pub(crate) idle: Option<Given<u64>>,
    /// The path of a fn that takes the key.
    pub(crate) health_check: Option<Expr>,
}

const MAX_KEYS: Limits<u32> =
    Limits { range: 1..=100_000_000, text: "which is `1` to `100_000_000`", example: "max_keys = 10_000" };
const IDLE: Limits<u64> =
    Limits { range: MILLISECOND..=YEAR, text: "which is `1ms` to `366d`", example: "idle = 10min" };

/// Where the policy is shared, the bounds belong to it: they stay where they are.
pub(super) fn keys(args: &mut Args, cx: &mut Context) -> Option<Keys> {
    let scope = cx.scope;
    let is_asked = args.has("key");
    let is_shared = args.has("policy") || !args.positional.is_empty();
    let key = args.take("key", cx.diag, |raw| expression(raw, "key"));
    let label = args.take("key_label", cx.diag, |raw| expression(raw, "key_label"));
    let (mut max_keys, mut idle) = (None, None);
    if !is_shared {
        max_keys = args.take("max_keys", cx.diag, |raw| count(raw, scope));
        idle = args.take("idle", cx.diag, |raw| duration(raw, scope));
        MAX_KEYS.check_slot(max_keys.as_ref(), cx);
        IDLE.check_slot(idle.as_ref(), cx);
    }
    if !is_asked {
        let strays = [
            label.as_ref().map(|slot| &slot.key),
            max_keys.as_ref().map(|slot| &slot.key),
            idle.as_ref().map(|slot| &slot.key),
        ];
        for stray in strays.into_iter().flatten() {
            cx.diag.error(
                stray,
                format!("`{stray}` belongs to a policy that there is one of for each key: write for example `key = self.host`"),
            );
        }
    }
    if let (Some(label), true) = (&label, is_shared && is_asked) {
        cx.diag.error(&label.key, "`key_label` belongs to the shared policy: set it where that is made");
    }
    Some(Keys {
        key: key?.value,
        label: label.map(|slot| slot.value),
        most: max_keys.map(|slot| slot.value),
        idle: idle.map(|slot| slot.value),
        health_check: None,
    })
}

fn expression(raw: &Raw, argument: &str) -> syn::Result<Expr> {
    let wanted = "an expression over the arguments of the fn, such as `self.host` or `(tenant, region)`";
    let expr = raw.expr(wanted)?;
    match peel(expr) {
        Expr::Lit(_) if argument == "key" => {
            err(expr, format!("`{}` is the same for every call: write {wanted}", code(expr)))
        }
        Expr::Closure(_) => err(expr, format!("a closure is no `{argument}`: write {wanted}")),
        _ => Ok(expr.clone()),
    }
}
