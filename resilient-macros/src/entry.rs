//! The driver: item, siblings, arguments, checks, expansion. The only place that turns mistakes into tokens.

use crate::{
    args::Scope,
    diag::Diagnostics,
    gather::{Gathered, gather, is_mention},
    item::{Head, Item, Source},
    lower,
    policy::Kind,
    stack::Stack,
};
use proc_macro2::{Span, TokenStream};
use syn::Error;

/// Expands the attribute `kind` with all of our attributes below it.
pub(crate) fn expand(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    if is_mention(&args) {
        return TokenStream::new();
    }
    let mut diag = Diagnostics::default();
    let mut source = match Source::parse(item.clone()) {
        Ok(source) => source,
        Err(error) => {
            let mut tokens = error.to_compile_error();
            tokens.extend(item);
            return tokens;
        }
    };
    let gathered = gather(kind, args, &mut source.attrs, &mut diag);
    match understand(kind, gathered, &source, &mut diag) {
        Some((item, stack)) if diag.is_empty() => lower::lower(&item, &stack),
        // The item without our attributes: nothing else shall break, and editors go on completing in it.
        _ => {
            let mut tokens = diag.into_compile_errors();
            tokens.extend(source.into_tokens());
            tokens
        }
    }
}

fn understand(kind: Kind, mut gathered: Gathered, source: &Source, diag: &mut Diagnostics) -> Option<(Item, Stack)> {
    let head = diag.ok(Head::parse(source, kind.name()))?;
    let item = Item::new(source, head.clone(), gathered.mentions.clone(), kind.name());
    if item.as_ref().is_ok_and(Item::was_expanded) {
        diag.push(Error::new(
            Span::call_site(),
            format!(
                "this attribute expanded separately from the other policies of the fn: write it as `#[{}::{}]`",
                gathered.krate_text,
                kind.name()
            ),
        ));
        return None;
    }
    if let Ok(item) = &item {
        for attr in &mut gathered.attrs {
            attr.args = item.adopt(std::mem::take(&mut attr.args));
        }
    }
    // A fn that can not be protected still has its arguments checked.
    let item = diag.ok(item);
    let stack = Stack::parse(&gathered, &Scope::new(&head.sig), diag);
    item.zip(stack)
}

#[cfg(test)]
mod tests;
