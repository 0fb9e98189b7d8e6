//! Instances that are picked by key.

use crate::{
    args::peel,
    span::{at, placed},
    stack::{Instance, Keys},
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, ExprReference, Index, Token};

impl Keys {
    /// What stands for the key in a table.
    pub(super) fn hash(&self, rt: &TokenStream) -> TokenStream {
        let (span, key) = (at(&self.key), borrowed(self.key.clone()));
        let here = placed(rt, span);
        quote_spanned!(span=> #here::RateSlots::key(#key))
    }

    /// The expression of the instance that this call uses. The key is evaluated once, and only looked at.
    pub(super) fn instance(&self, rt: &TokenStream, instance: &Instance, handle: &Ident) -> TokenStream {
        let key = &self.key;
        let span = at(key);
        let (here, name) = (placed(rt, span), Ident::new("__key", Span::mixed_site().located_at(span)));
        let found = match instance {
            Instance::Shared(policy) => {
                let here = placed(rt, at(policy));
                let policy = quote_spanned!(at(policy)=> &#policy);
                quote_spanned!(span=> #here::keyed_elsewhere(#policy, #name))
            }
            Instance::Owned(_) => {
                let birth = self.birth(rt, &name);
                quote_spanned!(span=> #here::keyed(#handle(), #name, || #birth))
            }
        };
        let key = borrowed(key.clone());
        quote_spanned! {span=> {
            let #name = #key;
            #found
        }}
    }

    /// What an instance is made from, when it is.
    fn birth(&self, rt: &TokenStream, key: &Ident) -> TokenStream {
        let label = if let Some(label) = &self.label {
            let here = placed(rt, at(label));
            quote_spanned!(at(label)=> #here::label(#label))
        } else {
            quote! {{
                use #rt::{SeeDisplay as _, SeeNothing as _};
                (&&#rt::Labelled(#key)).__resilient_label()
            }}
        };
        if let Some(rate) = &self.rate {
            let here = placed(rt, at(rate));
            return quote_spanned!(at(rate)=> #here::rated(#label, #rate));
        }
        let Some(check) = &self.health_check else { return quote!(#rt::named(#label)) };
        let here = placed(rt, at(check));
        let owned = owned(rt, &self.key, &quote!(#key), &quote!(#key), key.span());
        // rustc underlines the path for whatever is wrong with it.
        quote_spanned!(at(check)=> #here::checked(#label, #owned, |#key| #here::asking(#check(#key))))
    }
}

/// A key of the instance's own, from a `reference` to it, which is at `place`: of what it borrows, each part of a tuple by
/// itself.
fn owned(rt: &TokenStream, key: &Expr, reference: &TokenStream, place: &TokenStream, span: Span) -> TokenStream {
    if let Expr::Tuple(tuple) = peel(key) {
        let parts = tuple.elems.iter().enumerate().map(|(index, part)| {
            let index = Index { index: index as u32, span };
            let place = quote_spanned!(span=> #place.#index);
            owned(rt, part, &quote_spanned!(span=> &#place), &place, span)
        });
        return quote_spanned!(span=> (#(#parts,)*));
    }
    // All of it at one place, where rustc takes what follows from a key that is no `Clone` for one mistake.
    let own = Ident::new("__resilient_owned", span);
    let owned = quote! {
        use #rt::{OwnByClone as _, OwnBorrowed as _};
        (&&#rt::Labelled(#reference)).#own()
    };
    quote_spanned!(span=> { #owned })
}

/// `&key`, in parentheses where operators need them.
fn borrowed(key: Expr) -> ExprReference {
    let and_token = Token![&](at(&key));
    ExprReference { attrs: Vec::new(), and_token, mutability: None, expr: Box::new(key) }
}
