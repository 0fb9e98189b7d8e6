//! The statics of a site, and its layers.

use super::{Locals, Lowering};
use crate::{
    item::Receiver,
    span::{at, placed, written_at},
    stack::{Instance, Judge, Keys, Layer, Policy},
};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{Expr, spanned::Spanned as _};

impl Lowering<'_> {
    /// The site and its own policies: const, so that nothing is looked up or made when the fn is called.
    pub(super) fn statics(&self, site: &Ident) -> TokenStream {
        let Self { rt, stack, item, .. } = self;
        let krate = &stack.site.krate;
        let site_name = if let Some(name) = &stack.site.name {
            name.to_token_stream()
        } else {
            let name = item.name().to_string();
            let name = name.strip_prefix("r#").unwrap_or(&name);
            quote!(#rt::concat!(#rt::module_path!(), "::", #name))
        };
        let listed = stack.layers.iter().enumerate().map(|(index, layer)| {
            let name = &layer.name;
            match (&layer.policy, kind(&layer.policy)) {
                (Policy::Fallback { .. }, _) => quote!(#rt::SitePolicy::fallback(#name)),
                (policy, Some(kind)) if matches!(instance(policy), Some(Instance::Owned(_))) => {
                    let kind = match keys(policy) {
                        Some(keys) if keys.is_table => format_ident!("RateSlots"),
                        Some(_) => format_ident!("Keyed{kind}"),
                        None => kind,
                    };
                    let policy = static_name(index);
                    quote!(#rt::SitePolicy::#kind(&#policy))
                }
                (policy, _) => {
                    let kind = attribute(policy);
                    quote!(#rt::SitePolicy::shared(#kind, #name))
                }
            }
        });
        let policies = stack.layers.iter().enumerate().filter_map(|(index, layer)| {
            let Some(Instance::Owned(config)) = instance(&layer.policy) else { return None };
            let (name, kind) = (static_name(index), kind(&layer.policy)?);
            let (checks, config) = (&config.checks, &config.config);
            let handle = handle_name(index);
            if let Some(keys) = keys(&layer.policy) {
                let bounds = &keys.bounds;
                if keys.is_table {
                    return Some(quote_spanned! {at(&layer.span)=>
                        static #name: #rt::RateSlots = { #checks #rt::RateSlots::new(#config)#bounds };
                        fn #handle() -> &'static #rt::RateSlots { &#name }
                    });
                }
                return Some(quote_spanned! {at(&layer.span)=>
                    static #name: #rt::Keys<#krate::#kind> = {
                        #checks
                        #rt::Keys::owned(#config.checked(), #site_name)#bounds
                    };
                    fn #handle() -> &'static #rt::Keys<#krate::#kind> { &#name }
                });
            }
            // These also report what no call of the fn causes.
            let made = if let Policy::CircuitBreaker { .. } | Policy::Bulkhead { .. } = layer.policy {
                quote!(owned(#config, #site_name))
            } else {
                quote!(new(#config))
            };
            Some(quote_spanned! {at(&layer.span)=>
                static #name: #krate::#kind = { #checks #krate::#kind::#made };
                fn #handle() -> &'static #krate::#kind { &#name }
            })
        });
        quote! {
            static #site: #rt::Site = #rt::Site::new(#site_name, #rt::file!(), #rt::line!(), &[#(#listed),*]);
            fn __resilient_site() -> &'static #rt::Site { &#site }
            #(#policies)*
        }
    }

    /// What a layer needs from outside the stack, evaluated once per call.
    pub(super) fn binding(&self, index: usize) -> TokenStream {
        let rt = &self.rt;
        let layer = &self.stack.layers[index];
        let class = self.class(index);
        if let (Some(keys), Some(instance)) = (keys(&layer.policy), instance(&layer.policy)) {
            let name = local("__keyed", index);
            let made = if keys.is_table { keys.hash(rt) } else { keys.instance(rt, instance, &handle_name(index)) };
            let asked = match &layer.policy {
                Policy::RateLimited { ask, .. } => self.asked(index, ask),
                _ => TokenStream::new(),
            };
            return quote!(let #name = #made; #asked #class);
        }
        let shared = match (instance(&layer.policy), kind(&layer.policy)) {
            (Some(Instance::Shared(expr)), Some(kind)) => {
                let krate = &self.stack.site.krate;
                // With our own hygiene: clippy would call the borrow of a borrow needless.
                let (name, here) = (local("__shared", index), placed(rt, at(expr)));
                if self.outlives_no_borrow(expr) {
                    quote_spanned!(at(expr)=> let #name = #here::counted::<#krate::#kind, _>(&#expr);)
                } else {
                    quote_spanned!(at(expr)=> let #name: &#krate::#kind = &#expr;)
                }
            }
            _ => TokenStream::new(),
        };
        let cost = match &layer.policy {
            Policy::RateLimited { ask, .. } => self.asked(index, ask),
            _ => TokenStream::new(),
        };
        quote!(#shared #cost #class)
    }

    /// The class of a call, where one is given.
    fn class(&self, index: usize) -> TokenStream {
        let Policy::Bulkhead { class: Some(class), .. } = &self.stack.layers[index].policy else {
            return TokenStream::new();
        };
        let (name, here) = (local("__class", index), written_at(&self.stack.site.krate, class.span()));
        quote_spanned!(class.span()=> let #name: #here::Priority = #class;)
    }

    /// Whether a policy reached through `self` can not stay borrowed while the body has `self`.
    fn outlives_no_borrow(&self, expr: &Expr) -> bool {
        let is_borrowed_for_good = self.item.receiver().is_none_or(|receiver| receiver == Receiver::Ref);
        !is_borrowed_for_good && self.item.self_token().is_some_and(|me| mentions(expr.to_token_stream(), &me))
    }

    pub(super) fn layer(&self, index: usize) -> TokenStream {
        let rt = &self.rt;
        let layer = &self.stack.layers[index];
        let handle = self.handle(index);
        let view = &self.locals.view;
        match &layer.policy {
            Policy::CircuitBreaker { judge, .. } => {
                let judge = self.judge(layer, judge);
                quote!(#rt::CircuitBreakerLayer::new(#handle, #judge))
            }
            Policy::RateLimited { ask, .. } => {
                let cost = ask.cost.as_ref().map(|_| local("__cost", index));
                if keys(&layer.policy).is_some_and(|keys| keys.is_table) {
                    let (handle, key) = (handle_name(index), local("__keyed", index));
                    let cost = cost.map_or(quote!(1), |cost| quote!(#cost));
                    return quote!(#rt::RateSlotsLayer::new(#handle, #key, #cost));
                }
                let class = ask.priority.as_ref().map(|_| local("__priority", index));
                let asked = match (cost, class) {
                    (None, None) => quote!(()),
                    (Some(cost), Some(class)) => quote!((#cost, #class)),
                    (cost, class) => quote!(#cost #class),
                };
                let is_shared = matches!(instance(&layer.policy), Some(Instance::Shared(_)));
                let follow = self.follow(ask, is_shared);
                quote!(#rt::RateLimiterLayer::new(#handle, #asked, #follow))
            }
            Policy::Retry { judge, .. } => {
                let judge = self.judge(layer, judge);
                quote!(#rt::RetryLayer::new(#handle, #judge, #view))
            }
            Policy::Timeout { .. } => quote!(#rt::TimeoutLayer::new(#handle)),
            Policy::Bulkhead { class, .. } => {
                let class = class.is_some().then(|| {
                    let class = local("__class", index);
                    quote!(.of_class(#class))
                });
                quote!(#rt::BulkheadLayer::new(#handle, #view)#class)
            }
            Policy::Fallback { judge, .. } => {
                let ours = if judge.when.is_some() || judge.unless.is_some() {
                    let convert = self.conversion_handed_over();
                    quote!(#rt::Asking(#convert))
                } else {
                    quote!(#rt::Always)
                };
                let judge = self.judge(layer, judge);
                quote!(#rt::FallbackLayer::<#index, _, _, _>::new(#judge, #view, #ours))
            }
        }
    }

    fn handle(&self, index: usize) -> TokenStream {
        let rt = &self.rt;
        let layer = &self.stack.layers[index];
        if keys(&layer.policy).is_some() {
            let (name, alias) = (local("__keyed", index), &layer.name);
            let is_alias = layer.is_named && matches!(instance(&layer.policy), Some(Instance::Shared(_)));
            return if is_alias { quote!(#rt::Alias(#rt::Shared(#name), #alias)) } else { quote!(#rt::Shared(#name)) };
        }
        match instance(&layer.policy) {
            Some(Instance::Owned(_)) | None => {
                let name = handle_name(index);
                quote!(#name)
            }
            Some(Instance::Shared(expr)) => {
                let name = local("__shared", index);
                let handle = if self.outlives_no_borrow(expr) {
                    quote!(#rt::Shared(#name))
                } else {
                    quote!(#rt::Borrowed(#name))
                };
                let alias = &layer.name;
                if layer.is_named { quote!(#rt::Alias(#handle, #alias)) } else { handle }
            }
        }
    }

    /// A closure around the user's predicates: what is wrong with them is said once, where they are written.
    fn judge(&self, layer: &Layer, judge: &Judge) -> TokenStream {
        let Self { rt, output, .. } = self;
        let Locals { view, judged, .. } = &self.locals;
        let Judge { when, unless, failure_if, ignore_if } = judge;
        let span = at(&layer.span);
        let given = |expr: &Expr| (expr.span(), written_at(rt, expr.span()));
        let ending = match (failure_if, when, unless) {
            (Some(failed), ..) => {
                let (span, here) = given(failed);
                quote_spanned!(span=> #here::failure_if::<#output, _>(#judged, #failed))
            }
            (_, Some(when), Some(unless)) => {
                let (span, here) = given(when);
                quote_spanned!(span=> #here::when_unless::<#output, _, _, _>(#judged, #view, #when, #unless))
            }
            (_, Some(when), None) => {
                let (span, here) = given(when);
                quote_spanned!(span=> #here::when::<#output, _, _>(#judged, #view, #when))
            }
            (_, None, Some(unless)) => {
                let (span, here) = given(unless);
                quote_spanned!(span=> #here::unless::<#output, _, _>(#judged, #view, #unless))
            }
            _ if matches!(layer.policy, Policy::Fallback { .. }) => {
                quote!(#rt::by_view::<#output, _>(#judged, #view))
            }
            _ => {
                let here = placed(rt, span);
                quote_spanned!(span=> #here::errors::<#output>(#judged))
            }
        };
        let ending = ignore_if.as_ref().map_or(ending.clone(), |ignored| {
            let (span, here) = given(ignored);
            let ignored = quote_spanned!(span=> #here::ignore_if::<#output, _>(#judged, #ignored));
            quote!(if #ignored { #rt::Ending::Ignored } else { #ending })
        });
        quote!(#rt::judging::<#output, _, _>(#view, |#judged, #view| #ending))
    }
}

fn static_name(index: usize) -> Ident {
    format_ident!("__RESILIENT_{index}")
}

/// The fn that leads to it. Its type takes no room in the future, and unlike a closure's it does not name the lifetime
/// of what it returns, over which rustc stumbles when it asks whether the future is `Send`.
fn handle_name(index: usize) -> Ident {
    format_ident!("__resilient_{index}")
}

pub(super) fn local(name: &str, index: usize) -> Ident {
    Ident::new(&format!("{name}_{index}"), Span::mixed_site())
}

fn instance(policy: &Policy) -> Option<&Instance> {
    match policy {
        Policy::CircuitBreaker { instance, .. }
        | Policy::RateLimited { instance, .. }
        | Policy::Retry { instance, .. }
        | Policy::Timeout { instance }
        | Policy::Bulkhead { instance, .. } => Some(instance),
        Policy::Fallback { .. } => None,
    }
}

/// What tells its instances apart, if there are several.
fn keys(policy: &Policy) -> Option<&Keys> {
    match policy {
        Policy::CircuitBreaker { keys, .. } | Policy::RateLimited { keys, .. } | Policy::Bulkhead { keys, .. } => {
            keys.as_deref()
        }
        _ => None,
    }
}

/// The policy's type, and the site's variant for it.
fn kind(policy: &Policy) -> Option<Ident> {
    let name = match policy {
        Policy::CircuitBreaker { .. } => "CircuitBreaker",
        Policy::RateLimited { .. } => "RateLimiter",
        Policy::Retry { .. } => "Retry",
        Policy::Timeout { .. } => "Timeout",
        Policy::Bulkhead { .. } => "Bulkhead",
        Policy::Fallback { .. } => return None,
    };
    Some(Ident::new(name, Span::call_site()))
}

fn attribute(policy: &Policy) -> &'static str {
    match policy {
        Policy::CircuitBreaker { .. } => "circuit_breaker",
        Policy::RateLimited { .. } => "rate_limited",
        Policy::Retry { .. } => "retry",
        Policy::Timeout { .. } => "timeout",
        Policy::Bulkhead { .. } => "bulkhead",
        Policy::Fallback { .. } => "fallback",
    }
}

fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}
