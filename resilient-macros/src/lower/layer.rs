//! The statics of a site, and its layers.

use super::Lowering;
use crate::{
    item::Receiver,
    stack::{Instance, Judge, Layer, Policy},
};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{Expr, GenericArgument, PathArguments, Type, spanned::Spanned as _};

impl Lowering<'_> {
    /// The site and its own policies: const, so that nothing is looked up or made when the fn is called.
    pub(super) fn statics(&self, site: &Ident) -> TokenStream {
        let Self { rt, stack, item, .. } = self;
        let krate = &stack.site.krate;
        let name = match &stack.site.name {
            Some(name) => name.to_token_stream(),
            None => {
                let name = item.name().to_string();
                let name = name.strip_prefix("r#").unwrap_or(&name);
                quote!(#rt::concat!(#rt::module_path!(), "::", #name))
            }
        };
        let listed = stack.layers.iter().enumerate().map(|(index, layer)| {
            let name = &layer.name;
            match (&layer.policy, kind(&layer.policy)) {
                (Policy::Fallback { .. }, _) => quote!(#rt::SitePolicy::fallback(#name)),
                (policy, Some(kind)) if matches!(instance(policy), Some(Instance::Owned(_))) => {
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
            Some(quote_spanned! {layer.span.resolved_at(Span::call_site())=>
                static #name: #krate::#kind = { #checks #krate::#kind::new(#config) };
            })
        });
        quote! {
            static #site: #rt::Site = #rt::Site::new(#name, #rt::file!(), #rt::line!(), &[#(#listed),*]);
            #(#policies)*
        }
    }

    /// What a layer needs from outside the stack, evaluated once per call.
    pub(super) fn binding(&self, index: usize) -> TokenStream {
        let rt = &self.rt;
        let layer = &self.stack.layers[index];
        let shared = match (instance(&layer.policy), kind(&layer.policy)) {
            (Some(Instance::Shared(expr)), Some(kind)) => {
                let krate = &self.stack.site.krate;
                let name = local("__shared", index);
                if self.outlives_no_borrow(expr) {
                    quote_spanned!(expr.span()=> let #name: #rt::Arc<#krate::#kind> = #rt::Arc::clone(&#expr);)
                } else {
                    quote_spanned!(expr.span()=> let #name: &#krate::#kind = &#expr;)
                }
            }
            _ => TokenStream::new(),
        };
        let cost = match &layer.policy {
            Policy::RateLimited { cost: Some(cost), .. } => {
                let name = local("__cost", index);
                quote_spanned!(cost.span()=> let #name: #rt::u32 = #cost;)
            }
            _ => TokenStream::new(),
        };
        quote!(#shared #cost)
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
            Policy::RateLimited { cost, .. } => {
                let cost = if cost.is_some() { local("__cost", index).to_token_stream() } else { quote!(1) };
                quote!(#rt::RateLimiterLayer::new(#handle, #cost))
            }
            Policy::Retry { judge, .. } => {
                let judge = self.judge(layer, judge);
                quote!(#rt::RetryLayer::new(#handle, #judge, #view))
            }
            Policy::Timeout { .. } => quote!(#rt::TimeoutLayer::new(#handle)),
            Policy::Bulkhead { .. } => quote!(#rt::BulkheadLayer::<_, false>::new(#handle)),
            Policy::Fallback { judge, .. } => {
                let name = &layer.name;
                let judge = self.judge(layer, judge);
                quote!(#rt::FallbackLayer::<#index, _, _>::new(#name, #judge, #view))
            }
        }
    }

    fn handle(&self, index: usize) -> TokenStream {
        let rt = &self.rt;
        match instance(&self.stack.layers[index].policy) {
            Some(Instance::Owned(_)) | None => {
                let name = static_name(index);
                quote!(|| &#name)
            }
            Some(Instance::Shared(expr)) => {
                let name = local("__shared", index);
                if self.outlives_no_borrow(expr) { quote!(#rt::Shared(#name)) } else { quote!(#rt::Borrowed(#name)) }
            }
        }
    }

    fn judge(&self, layer: &Layer, judge: &Judge) -> TokenStream {
        let Self { rt, output, .. } = self;
        let view = &self.locals.view;
        let span = layer.span.resolved_at(Span::call_site());
        let Judge { when, unless, failure_if, ignore_if } = judge;
        let judged = match (failure_if, when, unless) {
            (Some(failed), ..) => quote!(#rt::failure_if::<#output, _>(#failed)),
            (_, Some(when), Some(unless)) => {
                quote_spanned!(span=> #rt::when_unless::<#output, _, _>(#when, #unless))
            }
            (_, Some(when), None) => quote_spanned!(span=> #rt::when::<#output, _>(#when)),
            (_, None, Some(unless)) => quote_spanned!(span=> #rt::unless::<#output, _>(#unless)),
            _ if matches!(layer.policy, Policy::Fallback { .. }) => quote!(#rt::by_view::<#output, _>(#view)),
            _ => quote_spanned!(span=> #rt::errors::<#output>()),
        };
        match ignore_if {
            Some(ignored) => quote!(#rt::ignore_if::<#output, _, _>(#ignored, #judged)),
            None => judged,
        }
    }
}

fn static_name(index: usize) -> Ident {
    format_ident!("__RESILIENT_{index}")
}

fn local(name: &str, index: usize) -> Ident {
    Ident::new(&format!("{name}_{index}"), Span::mixed_site())
}

fn instance(policy: &Policy) -> Option<&Instance> {
    match policy {
        Policy::CircuitBreaker { instance, .. }
        | Policy::RateLimited { instance, .. }
        | Policy::Retry { instance, .. }
        | Policy::Timeout { instance }
        | Policy::Bulkhead { instance } => Some(instance),
        Policy::Fallback { .. } => None,
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

/// Leaves what can not be named in an expression to inference.
pub(super) fn without_impl_trait(ty: Type) -> Type {
    match ty {
        Type::ImplTrait(_) => Type::Verbatim(quote!(_)),
        Type::Path(mut path) => {
            for segment in &mut path.path.segments {
                if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                    for argument in &mut arguments.args {
                        if let GenericArgument::Type(ty) = argument {
                            *ty = without_impl_trait(ty.clone());
                        }
                    }
                }
            }
            Type::Path(path)
        }
        Type::Tuple(mut tuple) => {
            for ty in &mut tuple.elems {
                *ty = without_impl_trait(ty.clone());
            }
            Type::Tuple(tuple)
        }
        Type::Reference(mut reference) => {
            *reference.elem = without_impl_trait((*reference.elem).clone());
            Type::Reference(reference)
        }
        other => other,
    }
}
