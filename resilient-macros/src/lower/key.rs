//! Instances that are picked by key.

use crate::{
    args::peel,
    span::{at, placed},
    stack::{Instance, Keys},
};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Expr;

impl Keys {
    /// The setters of the bounds that were given.
    pub(super) fn bounds(&self, rt: &TokenStream) -> TokenStream {
        let mut bounds = TokenStream::new();
        if let Some(max) = &self.most {
            let value = max.literal.map_or_else(
                || max.written.to_token_stream(),
                |number| Literal::u32_suffixed(number).into_token_stream(),
            );
            bounds.extend(quote_spanned!(at(&max.written)=> .max_keys(#value)));
        }
        if let Some(idle) = &self.idle {
            let value = idle
                .literal
                .map_or_else(|| idle.written.to_token_stream(), |nanos| quote!(#rt::Duration::from_nanos(#nanos)));
            bounds.extend(quote_spanned!(at(&idle.written)=> .idle(#value)));
        }
        bounds
    }

    /// The expression of the instance that this call uses. The key is evaluated once, and only looked at.
    pub(super) fn instance(&self, rt: &TokenStream, instance: &Instance, handle: &Ident) -> TokenStream {
        let key = &self.key;
        let span = at(key);
        let (here, name) = (placed(rt, span), Ident::new("__key", Span::mixed_site().located_at(span)));
        let found = match instance {
            Instance::Shared(policy) => {
                let here = placed(rt, at(policy));
                quote_spanned!(span=> #here::keyed_elsewhere(&#policy, #name))
            }
            Instance::Owned(_) => {
                let birth = self.birth(rt, &name);
                quote_spanned!(span=> #here::keyed(#handle(), #name, || #birth))
            }
        };
        // A `&` binds tighter than operators do.
        let key = match peel(key) {
            Expr::Binary(_) | Expr::Cast(_) | Expr::Unary(_) => quote!((#key)),
            _ => key.to_token_stream(),
        };
        quote_spanned! {span=> {
            let #name = &#key;
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
        let Some(check) = &self.health_check else { return quote!(#rt::named(#label)) };
        let here = placed(rt, at(check));
        let owned = quote! {{
            use #rt::{OwnByClone as _, OwnBorrowed as _};
            (&&#rt::Labelled(#key)).__resilient_owned()
        }};
        quote_spanned!(at(check)=> #here::checked(#label, #owned, #check))
    }
}
