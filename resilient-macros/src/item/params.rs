//! How the fn's receiver and arguments are passed on.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Ident, Member, Pat, PatType, ReceiverKind, Type};

/// What `self` is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Receiver {
    /// `&self`
    Ref,
    /// `&mut self`
    Mut,
    /// `self`, `self: Arc<Self>`
    Owned,
}

impl Receiver {
    pub(super) fn of(receiver: &syn::Receiver) -> Self {
        match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) if mutability.is_some() => Self::Mut,
            ReceiverKind::Reference(..) => Self::Ref,
            ReceiverKind::Typed(_, ty) => match &**ty {
                Type::Reference(ty) if ty.mutability.is_some() => Self::Mut,
                Type::Reference(_) => Self::Ref,
                _ => Self::Owned,
            },
            _ => Self::Owned,
        }
    }
}

/// An argument of the fn besides the receiver.
pub(crate) struct Param {
    /// The expression that passes it on; `None` when its pattern can not be put together again.
    pub(crate) expr: Option<TokenStream>,
    /// Its type is written `&mut ..`.
    pub(crate) is_mut_ref: bool,
}

impl Param {
    /// `moved` are the patterns that arguments called `__argN` were taken apart into.
    pub(super) fn of(param: &PatType, moved: &[(Ident, Pat)]) -> Self {
        let is_reference = matches!(&*param.ty, Type::Reference(_));
        let is_mut_ref = matches!(&*param.ty, Type::Reference(ty) if ty.mutability.is_some());
        let pat = match &*param.pat {
            Pat::Ident(pat) => moved.iter().find(|(name, _)| *name == pat.ident).map(|(_, pat)| pat),
            _ => None,
        };
        let pat = pat.unwrap_or(&param.pat);
        // Below a reference a pattern binds references: what it is put together to is of another type.
        let through = is_reference && !matches!(pat, Pat::Ident(_) | Pat::Reference(_));
        let expr = if through { None } else { rebuilt(pat) };
        Self { expr, is_mut_ref }
    }
}

/// The expression of the value that `pat` took apart.
fn rebuilt(pat: &Pat) -> Option<TokenStream> {
    match pat {
        // `ref x` is a reference to what was passed, and `x @ ..` may have been moved out of.
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(pat.ident.to_token_stream()),
        Pat::Paren(pat) => rebuilt(&pat.pat),
        Pat::Reference(pat) if pat.mutability.is_none() => rebuilt(&pat.pat).map(|inner| quote!(&#inner)),
        Pat::Tuple(pat) => {
            let elems = pat.elems.iter().map(rebuilt).collect::<Option<Vec<_>>>()?;
            Some(quote!((#(#elems,)*)))
        }
        Pat::TupleStruct(pat) if pat.qself.is_none() => {
            let path = &pat.path;
            let elems = pat.elems.iter().map(rebuilt).collect::<Option<Vec<_>>>()?;
            Some(quote!(#path(#(#elems),*)))
        }
        Pat::Struct(pat) if pat.qself.is_none() && pat.rest.is_none() => {
            let path = &pat.path;
            let fields = pat.fields.iter().map(|field| {
                let (member, value): (&Member, _) = (&field.member, rebuilt(&field.pat)?);
                Some(quote!(#member: #value))
            });
            let fields = fields.collect::<Option<Vec<_>>>()?;
            Some(quote!(#path { #(#fields),* }))
        }
        _ => None,
    }
}
