//! `order` and `priority`: who goes first of those who wait.

use super::PerCall;
use crate::{
    args::{Raw, Scope, Slot, ident_of, peel},
    diag::{closest, code, err},
    policy::{Context, config::Builder},
};
use quote::{format_ident, quote};
use syn::{Expr, Lit};

pub(super) enum Order {
    /// A variant of `Order`.
    Named(&'static str),
    /// A const expression of that type.
    Expression(Expr),
}

const ORDERS: [(&str, &str); 3] = [("fifo", "Fifo"), ("lifo", "Lifo"), ("priority", "Priority")];

pub(super) fn order(raw: &Raw, scope: &Scope) -> syn::Result<Order> {
    let expr = raw.expr("`fifo`, `lifo` or `priority`")?;
    let known = ORDERS.map(|(keyword, _)| keyword);
    let word = match peel(expr) {
        Expr::Lit(lit) => {
            return match &lit.lit {
                Lit::Str(text) if known.contains(&text.value().as_str()) => {
                    err(expr, format!("an order is no string: write `{}` without quotes", text.value()))
                }
                _ => err(expr, format!("`{}` is no order: write `fifo`, `lifo` or `priority`", code(expr))),
            };
        }
        expr => ident_of(expr).filter(|word| !word.to_string().contains(char::is_uppercase)),
    };
    let Some(word) = word else {
        scope.allows(expr)?;
        return Ok(Order::Expression(expr.clone()));
    };
    let name = word.to_string();
    if let Some((_, variant)) = ORDERS.iter().find(|(keyword, _)| *keyword == name) {
        return Ok(Order::Named(variant));
    }
    let meant = closest(&name, &known).unwrap_or("priority");
    let message =
        format!("unknown order `{name}`, which is `fifo`, `lifo` or `priority`: write for example `order = {meant}`");
    err(word, message)
}

/// The class of a call: an expression over the arguments of the fn.
pub(super) fn class(raw: &Raw) -> syn::Result<Expr> {
    const WANTED: &str = "an expression of type `resilient::Priority`, such as `request.priority()`";
    let expr = raw.expr(WANTED)?;
    match peel(expr) {
        Expr::Lit(_) | Expr::Range(_) => err(expr, format!("`{}` is no class: write {WANTED}", code(expr))),
        Expr::Closure(_) => err(expr, format!("a closure is no class: write {WANTED}")),
        // An argument may have that name, so only rustc knows better, and says so.
        _ => Ok(expr.clone()),
    }
}

pub(super) fn check(
    order: Option<&Slot<Order>>,
    may_have_order: bool,
    may_wait: bool,
    given: &PerCall<'_>,
    cx: &mut Context,
) {
    if let (Some(order), false) = (order, may_wait) {
        cx.diag.error(&order.key, "nobody queues without `wait`: write for example `wait = 100ms` beside `order`");
    }
    match (order.map(|slot| &slot.value), given.class) {
        (Some(Order::Named("Fifo" | "Lifo")), Some(class)) => {
            cx.diag.error(&class.key, "`priority` counts only in a line of that order: write `order = priority`");
        }
        (None, Some(class)) if !may_have_order => {
            cx.diag.error(
                &class.key,
                "`priority` counts only in a line of that order: write `order = priority` beside it, and for example `wait = 100ms`",
            );
        }
        (Some(Order::Named("Priority")), None) if !given.may_have_class => {
            if let Some(slot) = order {
                let message =
                    "`order = priority` needs the class of a call: write for example `priority = request.priority()`";
                cx.diag.error(&slot.key, message);
            }
        }
        _ => {}
    }
}

impl Builder {
    pub(super) fn order(&mut self, order: Option<Order>, cx: &Context) {
        let krate = cx.krate;
        let value = match order {
            None => return,
            Some(Order::Named(variant)) => {
                let variant = format_ident!("{variant}");
                quote!(#krate::Order::#variant)
            }
            Some(Order::Expression(expr)) => self.constant("order", &quote!(#krate::Order), &expr),
        };
        self.set("order", &value);
    }
}
