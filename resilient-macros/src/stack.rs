//! All policies of one fn, in order: what the lowering is given, and the checks across policies.

mod checks;

pub(crate) use crate::policy::{Ask, Instance, Judge, Keys, Link, Policy};

use self::checks::{CHECKS, check_effect, check_order};
use crate::{
    args::Scope,
    diag::Diagnostics,
    gather::Gathered,
    policy::{Context, Kind, Parsed, SiteArgs, parse, site},
};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use std::collections::HashSet;
use syn::{Error, Expr, LitStr};

pub(crate) struct Stack {
    pub(crate) site: Site,
    /// The outermost first.
    pub(crate) layers: Vec<Layer>,
}

pub(crate) struct Site {
    pub(crate) name: Option<LitStr>,
    pub(crate) rejected: Option<Expr>,
    /// The path of our crate in the expansion.
    pub(crate) krate: TokenStream,
}

pub(crate) struct Layer {
    /// The attribute's path.
    pub(crate) span: Span,
    pub(crate) name: String,
    /// The user gave the name.
    pub(crate) is_named: bool,
    pub(crate) policy: Policy,
}

/// One policy, with what its own attribute says.
struct Entry {
    kind: Kind,
    span: Span,
    parsed: Parsed,
}

impl Stack {
    /// Reads the attributes; `None` when there were mistakes, all of which are reported.
    pub(crate) fn parse(gathered: &Gathered, scope: &Scope, diag: &mut Diagnostics) -> Option<Self> {
        let mut site_args: Option<SiteArgs> = None;
        let mut entries = Vec::new();
        for (layer, attr) in gathered.attrs.iter().enumerate() {
            if attr.kind == Kind::Resilient {
                if site_args.is_some() {
                    diag.push(Error::new(
                        attr.span,
                        "a second `#[resilient]` on one fn: write its arguments into the first",
                    ));
                } else {
                    site_args = Some(site(&attr.args, &CHECKS, diag));
                }
                continue;
            }
            let mut cx = Context { krate: &gathered.krate, scope, diag, layer, span: attr.span };
            if let Some(parsed) = parse(attr.kind, &attr.args, &mut cx) {
                entries.push(Entry { kind: attr.kind, span: attr.span, parsed });
            }
        }
        let site_args = site_args.unwrap_or_default();
        if let [only] = gathered.attrs.as_slice() {
            if only.kind == Kind::Resilient {
                diag.push(Error::new(
                    only.span,
                    "no policy on this fn: write for example `#[retry]` below `#[resilient]`",
                ));
            }
        }
        let is_complete = diag.is_empty();
        let found = check_order(&entries, &site_args.allowed, diag);
        if is_complete && !entries.is_empty() {
            check_effect(&site_args, &entries, &found, diag);
        }
        let layers = name_layers(entries, diag);
        diag.is_empty().then(|| Self {
            site: Site {
                name: site_args.name,
                rejected: site_args.rejected.map(|slot| slot.value),
                krate: gathered.krate.clone(),
            },
            layers,
        })
    }
}

/// Gives every layer a name of its own: as asked, else its attribute's, numbered from the second of a kind on.
fn name_layers(entries: Vec<Entry>, diag: &mut Diagnostics) -> Vec<Layer> {
    let mut taken = HashSet::new();
    for name in entries.iter().filter_map(|entry| entry.parsed.name.as_ref()) {
        if !taken.insert(name.value()) {
            let name_value = name.value();
            diag.error(name, format!("a second policy of this fn is named `{name_value}`: write another name"));
        }
    }
    entries
        .into_iter()
        .map(|Entry { kind, span, parsed }| {
            let name = match &parsed.name {
                Some(name) => name.value(),
                None => free_name(kind.name(), &mut taken),
            };
            Layer { span, policy: named(parsed.policy, &name), is_named: parsed.name.is_some(), name }
        })
        .collect()
}

fn free_name(base: &str, taken: &mut HashSet<String>) -> String {
    let numbered = (2_u32..).map(|number| format!("{base}_{number}"));
    let mut names = std::iter::once(base.to_owned()).chain(numbered);
    names.find(|name| taken.insert(name.clone())).unwrap_or_default()
}

fn named(mut policy: Policy, name: &str) -> Policy {
    match &mut policy {
        Policy::CircuitBreaker { instance: Instance::Owned(config), .. }
        | Policy::RateLimited { instance: Instance::Owned(config), .. }
        | Policy::Retry { instance: Instance::Owned(config), .. }
        | Policy::Timeout { instance: Instance::Owned(config) }
        | Policy::Bulkhead { instance: Instance::Owned(config), .. } => config.config.extend(quote!(.name(#name))),
        _ => {}
    }
    policy
}

#[cfg(test)]
mod tests;
