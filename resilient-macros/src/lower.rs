//! Stack and fn to tokens. Never rejects; the only place that knows how the runtime is called.
//!
//! ```text
//! static __RESILIENT_SITE: Site = ..;  static __RESILIENT_0: CircuitBreaker = ..;       // one static per policy
//! let mut call = begin(&__RESILIENT_SITE, view, convert, on(layer 0, on(layer 1, End)));
//! loop {                                                                  // only with a retry
//!     let mut step = Call::turn(&mut call, pin!(Some(async { body }))).await;
//!     if let Step::Fall(1, ended) = step { step = Call::turn(&mut call, pin!(Some(async { answer }))).await; }
//!     if let Step::Again = step { continue } else { break step }
//! }                                                      // fallbacks outside every retry follow the loop
//! ```

mod conversion;
mod fallback;
mod layer;

use crate::{
    item::{Item, SITE},
    stack::{Policy, Stack},
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Type;

/// What the parts of an expansion share.
struct Lowering<'a> {
    item: &'a Item,
    stack: &'a Stack,
    /// The runtime's private door.
    rt: TokenStream,
    /// The output type as an expression may name it: `impl Trait` is `_`.
    output: TokenStream,
    locals: Locals,
}

/// Names that the user's tokens can not see.
struct Locals {
    call: Ident,
    step: Ident,
    view: Ident,
    convert: Ident,
    ended: Ident,
    error: Ident,
    answer: Ident,
}

impl Locals {
    fn new() -> Self {
        let local = |name| Ident::new(name, Span::mixed_site());
        Self {
            call: local("__call"),
            step: local("__step"),
            view: local("__view"),
            convert: local("__convert"),
            ended: local("__ended"),
            error: local("__error"),
            answer: local("__answer"),
        }
    }
}

/// The complete fn.
pub(crate) fn lower(item: &Item, stack: &Stack) -> TokenStream {
    let krate = &stack.site.krate;
    let lowering =
        Lowering { item, stack, rt: quote!(#krate::__private), output: nameable(&item.output), locals: Locals::new() };
    item.with_body(lowering.body())
}

impl Lowering<'_> {
    fn body(&self) -> TokenStream {
        let Self { rt, output, .. } = self;
        let Locals { call, view, convert, .. } = &self.locals;
        let site = Ident::new(SITE, Span::call_site());
        let statics = self.statics(&site);
        let bindings = (0..self.stack.layers.len()).map(|index| self.binding(index));
        let see = self.view();
        let conversion = self.conversion();
        let handed_over = self.conversion_handed_over();
        let layers = (0..self.stack.layers.len()).rev().fold(quote!(#rt::End), |inner, index| {
            let layer = self.layer(index);
            quote!(#rt::on(#layer, #inner))
        });
        let run = self.run();
        quote! {
            #statics
            #(#bindings)*
            let #view = #see;
            #conversion
            let mut #call = #rt::begin::<#output, _, _, _>(&#site, #view, #handed_over, #layers);
            #run
        }
    }

    /// The first that fits: a `Result` whose error has a text, a `Result`, anything.
    fn view(&self) -> TokenStream {
        let Self { rt, output, .. } = self;
        if output.to_string() == "_" {
            return quote!(#rt::PlainView);
        }
        quote!({
            use #rt::{SeePlain as _, SeeResult as _, SeeText as _};
            (&&&#rt::Of::<#output>::output()).view()
        })
    }

    /// Turns, until a step ends the call.
    fn run(&self) -> TokenStream {
        let rt = &self.rt;
        let step = &self.locals.step;
        let attempt = self.turn(&self.attempt());
        let of_kind = |is: fn(&Policy) -> bool| {
            let layers = self.stack.layers.iter().enumerate();
            layers.filter(move |(_, layer)| is(&layer.policy)).map(|(index, _)| index)
        };
        let retry = of_kind(|policy| matches!(policy, Policy::Retry { .. })).next();
        let fallbacks = of_kind(|policy| matches!(policy, Policy::Fallback { .. }));
        let (outside, inside): (Vec<_>, Vec<_>) = fallbacks.partition(|index| retry.is_none_or(|retry| *index < retry));
        // The innermost answers first.
        let outside = outside.into_iter().rev().map(|index| self.fallback(index)).collect::<TokenStream>();
        let inside = inside.into_iter().rev().map(|index| self.fallback(index)).collect::<TokenStream>();
        if retry.is_none() {
            return if outside.is_empty() {
                quote!(#rt::Step::done(#attempt))
            } else {
                quote!(let mut #step = #attempt; #outside #rt::Step::done(#step))
            };
        }
        let mutable = (!inside.is_empty()).then(|| quote!(mut));
        let outer_mutable = (!outside.is_empty()).then(|| quote!(mut));
        quote! {
            let #outer_mutable #step = loop {
                let #mutable #step = #attempt;
                #inside
                if let #rt::Step::Again = #step {} else {
                    break #step;
                }
            };
            #outside
            #rt::Step::done(#step)
        }
    }

    /// One turn with `future` for its body.
    fn turn(&self, future: &TokenStream) -> TokenStream {
        let rt = &self.rt;
        let call = &self.locals.call;
        quote!(#rt::Call::turn(&mut #call, #rt::pin!(#rt::Some(#future))).await)
    }

    /// The body in the user's own tokens, once. The edge that is never taken types it, so that rustc blames the
    /// user's expression for a mismatch.
    fn attempt(&self) -> TokenStream {
        let body = self.item.body();
        let edge = match &self.item.output {
            Type::Never(_) => TokenStream::new(),
            _ => {
                let output = &self.output;
                let edge = Ident::new("__edge", Span::mixed_site());
                let span = output_span(&self.item.output);
                let typed = quote_spanned!(span=> let #edge: #output = loop {};);
                quote! {
                    if false {
                        #[allow(
                            unreachable_code, unknown_lints, clippy::all, clippy::pedantic, clippy::restriction,
                            clippy::nursery
                        )]
                        #typed
                        return #edge;
                    }
                }
            }
        };
        quote!(async { #edge #body })
    }
}

fn output_span(output: &Type) -> Span {
    output
        .to_token_stream()
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |tree| Span::call_site().located_at(tree.span()))
}

/// `impl Trait` and `!` can not be named in an expression: they are left to inference.
fn nameable(output: &Type) -> TokenStream {
    match output {
        Type::ImplTrait(_) | Type::Never(_) => quote!(_),
        other => blank_impl_traits(other.to_token_stream()),
    }
}

/// `Result<impl Trait, E>` becomes `Result<_, E>`.
fn blank_impl_traits(tokens: TokenStream) -> TokenStream {
    if !tokens.clone().into_iter().any(|tree| tree.to_string().contains("impl")) {
        return tokens;
    }
    let Ok(ty) = syn::parse2::<Type>(tokens.clone()) else { return tokens };
    layer::without_impl_trait(ty).to_token_stream()
}
