//! Where rustc underlines what we emit.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;

/// Where `tokens` begin, with our own hygiene.
pub(crate) fn at(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}

/// `path` as if it stood at `span`: rustc underlines a call from its first token on.
pub(crate) fn placed(path: &TokenStream, span: Span) -> TokenStream {
    let place = |mut tree: TokenTree| {
        tree.set_span(tree.span().located_at(span));
        tree
    };
    path.clone().into_iter().map(place).collect()
}

/// `path` as if the user had written it at `span`: rustc takes errors at one place for one mistake only then.
pub(crate) fn written_at(path: &TokenStream, span: Span) -> TokenStream {
    let write = |mut tree: TokenTree| {
        tree.set_span(span);
        tree
    };
    path.clone().into_iter().map(write).collect()
}
