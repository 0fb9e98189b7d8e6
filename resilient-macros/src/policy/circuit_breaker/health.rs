//! `health_check`: what is asked while the circuit is open.

use super::OPEN_FOR;
use crate::{
    args::{Args, Raw, Scope, duration, peel},
    diag::{code, err},
    policy::{
        Context, Keys,
        config::{Builder, Limits},
    },
    span::{at, placed},
};
use quote::{quote, quote_spanned};
use syn::Expr;

const HEALTH_EVERY: Limits<u64> = Limits { example: "health_every = 5s", ..OPEN_FOR };

/// The path of an async fn, which is called where the fn's arguments are not in sight.
fn health_check(raw: &Raw, scope: &Scope) -> syn::Result<Expr> {
    const WANTED: &str = "the path of an `async fn`, as in `health_check = ping`";
    let expr = raw.expr(WANTED)?;
    match peel(expr) {
        Expr::Path(_) => {
            scope.allows_in_background(expr)?;
            Ok(expr.clone())
        }
        Expr::Call(call) => {
            let path = code(&call.func);
            err(expr, format!("a `health_check` is called when it is needed: write `health_check = {path}`"))
        }
        _ => err(expr, format!("`{}` is no health check: write {WANTED}", code(expr))),
    }
}

impl Builder {
    /// Where there are `keys`, each instance asks about its own.
    pub(super) fn health(&mut self, args: &mut Args, keys: Option<&mut Keys>, cx: &mut Context) {
        let (krate, scope) = (cx.krate, cx.scope);
        let may_check = args.has("health_check");
        let check = args.take("health_check", cx.diag, |raw| health_check(raw, scope));
        if let Some(slot) = args.take("health_every", cx.diag, |raw| duration(raw, scope)) {
            HEALTH_EVERY.check(&slot.value, cx);
            if !may_check {
                cx.diag.error(&slot.key, "`health_every` needs what to ask: write for example `health_check = ping`");
            }
            let value = self.duration("health_every", &slot.value);
            self.set("health_every", &value);
        }
        match (check, keys) {
            (Some(check), Some(keys)) => keys.health_check = Some(check.value),
            (Some(check), None) => {
                let path = &check.value;
                let here = placed(krate, at(path));
                let asking = quote_spanned!(at(path)=> || #here::__private::asking(#path()));
                self.set("health_check", &quote!(#krate::HealthCheck::new(#asking)));
            }
            (None, _) => {}
        }
    }
}
