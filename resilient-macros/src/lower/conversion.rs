//! Where our errors become the user's, and whether they do at all.

use super::{Locals, Lowering, output::output_span};
use crate::{
    span::{at, placed},
    stack::{Link, Policy},
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Expr;

/// Who needs the user's error to carry ours.
#[derive(Default)]
struct Need {
    /// The caller, or a fallback that asks its predicates about what our error becomes.
    exit: bool,
    /// A fallback's closure.
    closures: bool,
    /// A path given as a fallback, if it takes the error: rustc will know.
    paths: bool,
}

impl Lowering<'_> {
    fn need(&self) -> Need {
        let mut need = Need::default();
        // Outward from the innermost layer: does one of our errors come along?
        let (mut comes, mut asked) = (false, false);
        for layer in self.stack.layers.iter().rev() {
            match &layer.policy {
                Policy::Fallback { links, judge } if comes => {
                    comes = judge.when.is_some() || judge.unless.is_some();
                    asked |= comes;
                    match links.first() {
                        Some(Link::Closure(closure)) => need.closures |= !closure.inputs.is_empty(),
                        Some(Link::Path(_)) => need.paths = true,
                        None => {}
                    }
                }
                // Neither makes an error of its own.
                Policy::Fallback { .. } | Policy::Retry { .. } => {}
                _ => comes = true,
            }
        }
        need.exit = comes || asked;
        need
    }

    /// The statement that makes the conversion. Its bound stands at the type that the fn returns.
    pub(super) fn conversion(&self) -> TokenStream {
        let Self { rt, output, stack, .. } = self;
        let Locals { convert, view, error, .. } = &self.locals;
        let need = self.need();
        let span = output_span(&self.item.output);
        let here = placed(rt, span);
        let made = match &stack.site.rejected {
            Some(rejected) => {
                let span = at(rejected);
                let here = placed(rt, span);
                let map = if let Expr::Closure(_) = rejected {
                    quote_spanned!(span=> #here::mapping(#rejected))
                } else {
                    quote!(#rejected)
                };
                quote_spanned!(span=> #here::converting::<#output, _, _>(#view, |#error, _| #here::by_path::<#output, _, _>(#map, #error)))
            }
            None if need.exit => {
                quote_spanned!(span=> #here::converting::<#output, _, _>(#view, |#error, _| #here::by_from::<#output>(#error)))
            }
            None if need.closures => {
                quote_spanned!(span=> #here::converting::<#output, _, _>(#view, |#error, #view| #here::supplied::<#output, _>(#view, #error)))
            }
            None if need.paths => quote!(#rt::ByFrom(#view)),
            None => quote!(#rt::Nothing),
        };
        quote!(let #convert = #made;)
    }

    /// The conversion at the exit: where only fallbacks may want one, none of our errors gets there.
    pub(super) fn conversion_handed_over(&self) -> TokenStream {
        let rt = &self.rt;
        if self.stack.site.rejected.is_some() || self.need().exit {
            self.conversion_borrowed()
        } else {
            quote!(#rt::Nothing)
        }
    }

    /// The conversion for a fallback. A closure of the user's may not be `Copy`.
    pub(super) fn conversion_borrowed(&self) -> TokenStream {
        let convert = &self.locals.convert;
        if self.stack.site.rejected.is_some() { quote!(&#convert) } else { quote!(#convert) }
    }
}
