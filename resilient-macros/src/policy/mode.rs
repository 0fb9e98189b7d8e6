//! `mode`: whether a policy acts.

use super::{Context, config::Builder};
use crate::{
    args::{Args, Raw, Scope, ident_of, peel},
    diag::{closest, code, err},
};
use quote::{format_ident, quote};
use syn::{Expr, Lit};

enum Mode {
    /// A variant of `Mode`.
    Named(&'static str),
    /// A const expression of that type.
    Expression(Expr),
}

const MODES: [(&str, &str); 3] = [("on", "On"), ("shadow", "Shadow"), ("off", "Off")];

fn mode(raw: &Raw, scope: &Scope) -> syn::Result<Mode> {
    let expr = raw.expr("`on`, `shadow` or `off`")?;
    let known = MODES.map(|(keyword, _)| keyword);
    let word = match peel(expr) {
        Expr::Lit(lit) => {
            return match &lit.lit {
                Lit::Str(text) if known.contains(&text.value().as_str()) => {
                    err(expr, format!("a mode is no string: write `{}` without quotes", text.value()))
                }
                _ => err(expr, format!("`{}` is no mode: write `on`, `shadow` or `off`", code(expr))),
            };
        }
        expr => ident_of(expr).filter(|word| !word.to_string().contains(char::is_uppercase)),
    };
    let Some(word) = word else {
        scope.allows(expr)?;
        return Ok(Mode::Expression(expr.clone()));
    };
    let name = word.to_string();
    if let Some((_, variant)) = MODES.iter().find(|(keyword, _)| *keyword == name) {
        return Ok(Mode::Named(variant));
    }
    let meant = closest(&name, &known).unwrap_or("shadow");
    err(word, format!("unknown mode `{name}`, which is `on`, `shadow` or `off`: write for example `mode = {meant}`"))
}

impl Builder {
    pub(super) fn mode(&mut self, args: &mut Args, cx: &mut Context) {
        let (krate, scope) = (cx.krate, cx.scope);
        let Some(slot) = args.take("mode", cx.diag, |raw| mode(raw, scope)) else { return };
        let value = match slot.value {
            Mode::Named(variant) => {
                let variant = format_ident!("{variant}");
                quote!(#krate::Mode::#variant)
            }
            Mode::Expression(expr) => self.constant("mode", &quote!(#krate::Mode), &expr),
        };
        self.set("mode", &value);
    }
}
