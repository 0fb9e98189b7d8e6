//! Where our errors become the user's, and whether they do at all.

use super::{Locals, Lowering};
use crate::stack::{Link, Policy};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Expr, spanned::Spanned as _};

/// Who needs the user's error to carry ours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Nobody,
    /// A path given as a fallback, if it takes the error: rustc will know.
    Paths,
    Somebody,
}

impl Lowering<'_> {
    fn need(&self) -> Need {
        let mut need = Need::Nobody;
        // Outward from the innermost layer: does one of our errors come along?
        let mut comes = false;
        for layer in self.stack.layers.iter().rev() {
            match &layer.policy {
                Policy::Retry { .. } => {}
                Policy::Fallback { links, judge } if comes => {
                    comes = judge.when.is_some() || judge.unless.is_some();
                    match links.first() {
                        Some(Link::Closure(closure)) if closure.inputs.is_empty() => {}
                        Some(Link::Path(_)) if need == Need::Nobody => need = Need::Paths,
                        Some(Link::Path(_)) | None => {}
                        Some(Link::Closure(_)) => need = Need::Somebody,
                    }
                }
                Policy::Fallback { .. } => {}
                _ => comes = true,
            }
        }
        if comes { Need::Somebody } else { need }
    }

    /// The statement that makes the conversion.
    pub(super) fn conversion(&self) -> TokenStream {
        let Self { rt, output, stack, .. } = self;
        let convert = &self.locals.convert;
        let made = match (&stack.site.rejected, self.need()) {
            (_, Need::Nobody) => quote!(#rt::Nothing),
            (Some(rejected), _) => {
                let map = match rejected {
                    Expr::Closure(_) => quote!(#rt::mapping(#rejected)),
                    _ => quote!(#rejected),
                };
                quote_spanned!(rejected.span()=> #rt::by_path::<#output, _, _>(#map))
            }
            (None, Need::Paths) => quote!(#rt::WhenWanted),
            (None, Need::Somebody) => {
                let span = super::output_span(&self.item.output);
                quote_spanned!(span=> #rt::by_from::<#output>())
            }
        };
        quote!(let #convert = #made;)
    }

    /// The conversion at the exit: where only fallbacks may want one, none of our errors gets there.
    pub(super) fn conversion_handed_over(&self) -> TokenStream {
        let rt = &self.rt;
        let Locals { convert, .. } = &self.locals;
        match (&self.stack.site.rejected, self.need()) {
            (_, Need::Nobody) => quote!(#convert),
            (Some(_), _) => quote!(&#convert),
            (None, Need::Paths) => quote!(#rt::Nothing),
            (None, Need::Somebody) => quote!(#convert),
        }
    }

    /// The conversion for a fallback.
    pub(super) fn conversion_borrowed(&self) -> TokenStream {
        let convert = &self.locals.convert;
        if self.stack.site.rejected.is_some() { quote!(&#convert) } else { quote!(#convert) }
    }
}
