//! Stack and fn to tokens. Never rejects; the only place that knows how the runtime is called.
//!
//! ```text
//! static __RESILIENT_SITE: Site = ..;      fn __resilient_site() -> &'static Site { .. }
//! static __RESILIENT_0: Timeout = ..;      fn __resilient_0() -> &'static Timeout { .. }     // for each owned policy
//! let __shared_1: &Retry = &RETRY;         let __cost_2: u32 = ..;                           // what a call evaluates
//! let __view = ..;                         let __convert = ..;               // what errors are, what ours become
//! let mut __call = begin(__resilient_site, __view, __convert, on(layer 0, on(layer 1, End)));
//! let mut __step = loop {                                                                    // only with a retry
//!     let mut __step = Call::turn(&mut __call, pin!(Some(async { body }))).await;
//!     if let Step::Fall(3) = __step { .. }                                    // for each fallback inside a retry
//!     if let Step::Again = __step {} else { break __step; }
//! };
//! if let Step::Fall(0) = __step {                                       // for each fallback outside every retry
//!     let __ended = Call::failed(&mut __call);
//!     __step = Call::turn(&mut __call, pin!(Some(async { answer }))).await;
//! }
//! Step::done(__step)
//! ```

mod closure;
mod conversion;
mod fallback;
mod key;
mod layer;
mod limiter;
mod output;

use self::output::{nameable, output_span};
use crate::{
    item::{Item, SITE},
    span::at,
    stack::{Policy, Stack},
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Token, Type};

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
    of: Ident,
    view: Ident,
    judged: Ident,
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
            of: local("__of"),
            view: local("__view"),
            judged: local("__judged"),
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
        let Locals { call, view, .. } = &self.locals;
        let site = Ident::new(SITE, Span::call_site());
        let statics = self.statics(&site);
        let bindings = (0..self.stack.layers.len()).map(|index| self.binding(index));
        let (see, known) = self.view();
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
            #see
            #conversion
            let mut #call = #rt::begin::<#output, _, _, _, _>(__resilient_site, #view, #handed_over, #layers);
            #known
            #run
        }
    }

    /// The statement that finds the view, the first that fits: a `Result` whose error has a text, a `Result`, anything.
    /// And the one that tells it what an `impl Trait` in the output is.
    fn view(&self) -> (TokenStream, TokenStream) {
        let Self { rt, output, .. } = self;
        let Locals { view, of, call, .. } = &self.locals;
        let text = output.to_string();
        if text == "_" {
            return (quote!(let #view = #rt::PlainView;), TokenStream::new());
        }
        let see = quote! {
            let #of = #rt::Of::<#output>::output();
            let #view = {
                use #rt::{SeePlain as _, SeeResult as _, SeeText as _};
                (&&&#of).__resilient_view()
            };
        };
        let is_inferred = text != self.item.output.to_token_stream().to_string();
        let known = if is_inferred { quote!(#of.is_of(&#call);) } else { TokenStream::new() };
        (see, known)
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
        // rustc underlines the `loop` that an argument consumed by the body does not last for.
        let repeat = Token![loop](retry.map_or_else(Span::call_site, |index| at(&self.stack.layers[index].span)));
        let mutable = (!inside.is_empty()).then(|| quote!(mut));
        let outer_mutable = (!outside.is_empty()).then(|| quote!(mut));
        quote! {
            let #outer_mutable #step = #repeat {
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
        let edge = if let Type::Never(_) = &self.item.output { TokenStream::new() } else { self.edge() };
        // rustc underlines the `async` where the body can not have what it takes.
        let is_async = Token![async](self.item.keyword());
        quote!(#is_async { #edge #body })
    }

    /// Without an `allow`, which a crate's `forbid` would refuse.
    fn edge(&self) -> TokenStream {
        let (rt, output) = (&self.rt, &self.output);
        let edge = Ident::new("__edge", Span::mixed_site());
        quote_spanned! {output_span(&self.item.output)=>
            if let #rt::Some(#edge) = #rt::Option::None::<#output> {
                return #edge;
            }
        }
    }
}
