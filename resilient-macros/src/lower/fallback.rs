//! Fallbacks run in the user's fn, where they see its arguments.

use super::{
    Locals, Lowering,
    closure::{by_reference, typed, without_annotation},
};
use crate::{
    item::Receiver,
    span::{at, placed},
    stack::{Link, Policy},
};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{Expr, ExprClosure, Token};

impl Lowering<'_> {
    /// The turn that answers, if this fallback is asked.
    pub(super) fn fallback(&self, index: usize) -> TokenStream {
        let Policy::Fallback { links, .. } = &self.stack.layers[index].policy else { return TokenStream::new() };
        let Self { rt, output, .. } = self;
        let Locals { call, step, ended, view, answer, .. } = &self.locals;
        let chain = links.iter().enumerate().map(|(place, link)| {
            // A later link answers for the error of the one before, which is the user's already.
            let convert = if place == 0 { self.conversion_borrowed() } else { quote!(#rt::Nothing) };
            let answered = match link {
                Link::Closure(closure) => self.closure(closure, &convert),
                Link::Path(path) => self.path(path, &convert),
            };
            let Some(next) = links.get(place + 1).map(link_span) else { return answered };
            // rustc underlines the first `_` where the next link is never asked.
            let here = placed(rt, next);
            quote_spanned! {next=>
                let #answer: #output = #answered;
                let #ended = match #here::still_failed::<_, _>(#view, #answer) {
                    #rt::Ok(#ended) => #ended,
                    #rt::Err(#answer) => return #answer,
                };
            }
        });
        // rustc underlines the `async` where a fallback wants what is no longer there.
        let is_async = Token![async](links.first().map_or_else(Span::call_site, link_span));
        let turn = self.turn(&quote!(#is_async { #(#chain)* }));
        quote! {
            if let #rt::Step::Fall(#index) = #step {
                let #ended = #rt::Call::failed(&mut #call);
                #step = #turn;
            }
        }
    }

    fn closure(&self, closure: &ExprClosure, convert: &TokenStream) -> TokenStream {
        let output = &self.output;
        let Locals { view, ended, error, answer, .. } = &self.locals;
        let span = at(closure);
        let rt = placed(&self.rt, span);
        let typed = typed(closure, output);
        let closure = typed.as_ref().unwrap_or(closure);
        let Some(param) = closure.inputs.first() else {
            return quote_spanned!(span=> { let _ = #ended; #rt::ready::<#output, _, _>((#closure)()).await });
        };
        let call = if by_reference(param) {
            let closure = without_annotation(closure);
            quote_spanned!(span=> #rt::by_reference(#closure, &#error))
        } else {
            quote_spanned!(span=> #rt::by_value(#closure, #error))
        };
        quote_spanned! {span=> {
            let #error = match #rt::taken::<#output, _, _>(#view, #convert, #ended) {
                #rt::Ok(#error) => #error,
                #rt::Err(#answer) => return #answer,
            };
            #rt::ready::<#output, _, _>(#call).await
        }}
    }

    fn path(&self, path: &Expr, convert: &TokenStream) -> TokenStream {
        let Self { output, item, .. } = self;
        let Locals { view, ended, error, answer, .. } = &self.locals;
        let span = at(path);
        let rt = placed(&self.rt, span);
        let me = match (item.self_token(), item.receiver()) {
            (Some(me), Some(Receiver::Mut)) => quote!(&mut *#me),
            (Some(me), _) => quote!(#me),
            (None, _) => quote!(#rt::NoSelf),
        };
        let args: Option<Vec<_>> = item
            .params()
            .iter()
            .map(|param| {
                let expr = param.expr.as_ref()?;
                Some(if param.is_mut_ref { quote!(&mut *#expr) } else { quote!(#expr) })
            })
            .collect();
        let args = args.map_or_else(|| quote!(#rt::NoArgs), |args| quote!((#(#args,)*)));
        // An argument named `_x` is used here by us, not by the user. Only there: a `forbid` would refuse the `allow`.
        let allowed = names_underscored(&args).then(|| quote!(#[allow(clippy::used_underscore_binding)]));
        let passed = Ident::new("__passed", Span::mixed_site());
        quote_spanned! {span=> {
            #allowed
            let #passed = #args;
            let mut #error = #rt::Option::None;
            let #answer = match #rt::path::<#output, _, _, _, _, _, _>(
                #path, #me, #passed, &mut #error, (#view, #convert, #ended),
            ) {
                #rt::Ok(#answer) => #answer,
                #rt::Err(#answer) => return #answer,
            };
            #rt::given::<#output, _, _>(#answer).await
        }}
    }
}

/// Whether clippy would say that `_x` is used after all.
fn names_underscored(args: &TokenStream) -> bool {
    args.clone().into_iter().any(|tree| match tree {
        TokenTree::Ident(name) => {
            let name = name.to_string();
            name.starts_with('_') && !name.starts_with("__")
        }
        TokenTree::Group(group) => names_underscored(&group.stream()),
        _ => false,
    })
}

fn link_span(link: &Link) -> Span {
    match link {
        Link::Closure(closure) => at(closure),
        Link::Path(path) => at(path),
    }
}
