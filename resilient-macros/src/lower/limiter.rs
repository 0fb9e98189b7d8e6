//! What a call asks of a rate limiter, and what the limiter learns from it.

use super::{Locals, Lowering, layer::local};
use crate::{span::written_at, stack::Ask};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

impl Lowering<'_> {
    /// Its cost and its class, evaluated once per call.
    pub(super) fn asked(&self, index: usize, ask: &Ask) -> TokenStream {
        let rt = &self.rt;
        let cost = ask.cost.as_ref().map(|cost| {
            let (name, here) = (local("__cost", index), written_at(rt, cost.span()));
            quote_spanned!(cost.span()=> let #name: #here::u32 = #here::cost(#cost).tokens();)
        });
        let class = ask.priority.as_ref().map(|class| {
            let (name, here) = (local("__priority", index), written_at(rt, class.span()));
            quote_spanned!(class.span()=> let #name: #here::Priority = #class;)
        });
        quote!(#cost #class)
    }

    /// What sees how it ends. A limiter from elsewhere knows itself whether it measures.
    pub(super) fn follow(&self, ask: &Ask, is_shared: bool) -> TokenStream {
        let Self { rt, output, .. } = self;
        let Locals { view, judged, .. } = &self.locals;
        let mut follow = quote!(());
        if ask.measured || is_shared {
            follow = quote!((#rt::measuring(#view), #follow));
        }
        if let Some(hint) = &ask.delay_hint {
            let here = written_at(rt, hint.span());
            let said = quote_spanned!(hint.span()=> #here::delay_hint::<#output, _, _>(#judged, #view, #hint));
            follow = quote!((#rt::hinting::<#output, _, _>(#view, |#judged, #view| #said), #follow));
        }
        if let Some(charge) = &ask.charge {
            let here = written_at(rt, charge.span());
            let cost = quote_spanned!(charge.span()=> #here::charge(#judged, #charge));
            follow = quote!((#rt::charging::<#output, _>(|#judged| #cost), #follow));
        }
        follow
    }
}
