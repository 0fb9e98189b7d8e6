//! Which attributes of the fn are ours. The macro that runs is the outermost of them; the others follow in written order.

use crate::{diag::Diagnostics, krate, policy::Kind};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Meta, Path, spanned::Spanned as _};

/// One of our attributes.
pub(crate) struct Attr {
    pub(crate) kind: Kind,
    pub(crate) args: TokenStream,
    /// Its path.
    pub(crate) span: Span,
}

pub(crate) struct Gathered {
    /// The outermost first.
    pub(crate) attrs: Vec<Attr>,
    /// The path of our crate in the expansion.
    pub(crate) krate: TokenStream,
    /// The same for messages, where users write no leading `::`.
    pub(crate) krate_text: String,
    /// Items that name each attribute that was taken, or rustc would call its import unused and never look it up.
    pub(crate) mentions: TokenStream,
}

/// The argument of an attribute that was taken and is only mentioned.
const MENTIONED: &str = "__resilient_mentioned";

/// Whether `args` are those of a mention, which expands to nothing.
pub(crate) fn is_mention(args: &TokenStream) -> bool {
    let mut args = args.clone().into_iter();
    let is_word = matches!(args.next(), Some(TokenTree::Ident(word)) if word == MENTIONED);
    is_word && args.next().is_none()
}

fn mention(path: &Path) -> TokenStream {
    let mentioned = Ident::new(MENTIONED, Span::call_site());
    quote!(#[#path(#mentioned)] const _: () = ();)
}

/// Attributes of other crates that read a bare `#[timeout]` on the same fn as theirs.
const OWNERS_OF_TIMEOUT: [&str; 3] = ["rstest", "case", "test_case"];

/// Takes our attributes out of `attrs`, and puts the one that runs before them.
pub(crate) fn gather(kind: Kind, args: TokenStream, attrs: &mut Vec<Attribute>, diag: &mut Diagnostics) -> Gathered {
    let explicit = if kind == Kind::Resilient { krate::explicit(&args) } else { None };
    let explicit = explicit.or_else(|| attrs.iter().find_map(explicit_in));
    let name = krate::name();
    let krate = explicit.as_ref().map_or_else(|| krate::path(&name), quote::ToTokens::to_token_stream);
    let krate_text = explicit.as_ref().map_or_else(|| name.clone(), |path| segments(path).join("::"));
    let ours = [name, krate_text.clone()];

    let foreign_timeout = attrs.iter().any(|attr| {
        attr.path().segments.last().is_some_and(|last| OWNERS_OF_TIMEOUT.iter().any(|owner| last.ident == owner))
    });
    let mut found = vec![Attr { kind, args, span: Span::call_site() }];
    let mut mentions = TokenStream::new();
    attrs.retain(|attr| match recognise(attr.path(), &ours, foreign_timeout) {
        None => true,
        Some(kind) => {
            mentions.extend(mention(attr.path()));
            found.extend(arguments(attr, kind, diag).map(|args| Attr { kind, args, span: attr.path().span() }));
            false
        }
    });
    Gathered { attrs: found, krate, krate_text, mentions }
}

fn recognise(path: &Path, ours: &[String], foreign_timeout: bool) -> Option<Kind> {
    let mut segments = segments(path);
    let kind = Kind::named(&segments.pop()?)?;
    if segments.is_empty() {
        let foreign = kind == Kind::Timeout && foreign_timeout;
        return (path.leading_colon.is_none() && !foreign).then_some(kind);
    }
    ours.contains(&segments.join("::")).then_some(kind)
}

fn segments(path: &Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

fn arguments(attr: &Attribute, kind: Kind, diag: &mut Diagnostics) -> Option<TokenStream> {
    match &attr.meta {
        Meta::Path(_) => Some(TokenStream::new()),
        Meta::List(list) => Some(list.tokens.clone()),
        Meta::NameValue(pair) => {
            let (name, value) = (kind.name(), crate::diag::code(&pair.value));
            diag.error(pair, format!("`#[{name}]` takes its arguments in parentheses: write `#[{name}({value})]`"));
            None
        }
    }
}

/// `crate = path` of an attribute that is `resilient(..)` bare or behind that path.
fn explicit_in(attr: &Attribute) -> Option<Path> {
    let Meta::List(list) = &attr.meta else { return None };
    let mut before = segments(&list.path);
    if before.pop()? != Kind::Resilient.name() {
        return None;
    }
    let path = krate::explicit(&list.tokens)?;
    (before.is_empty() || before == segments(&path) || before.join("::") == krate::name()).then_some(path)
}

#[cfg(test)]
mod tests;
