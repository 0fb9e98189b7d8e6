//! The annotated fn, read lightly: its body stays one group of tokens.

mod async_trait;
mod params;

pub(crate) use self::params::{Param, Receiver};

use self::async_trait::AsyncTrait;
use crate::{diag::err, span::at};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{
    Attribute, Error, FnArg, Signature, Token, Type, Visibility,
    parse::{ParseStream, Parser as _},
    parse_quote_spanned,
};

/// An item whose outer attributes alone were read.
pub(crate) struct Source {
    pub(crate) attrs: Vec<Attribute>,
    rest: TokenStream,
}

impl Source {
    pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Self> {
        let parser = |input: ParseStream| Ok(Self { attrs: Attribute::parse_outer(input)?, rest: input.parse()? });
        parser.parse2(tokens)
    }

    pub(crate) fn into_tokens(self) -> TokenStream {
        let Self { attrs, rest } = self;
        quote!(#(#attrs)* #rest)
    }
}

/// A fn of any sort.
#[derive(Clone)]
pub(crate) struct Head {
    vis: Visibility,
    defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// `None` for a declaration.
    body: Option<Group>,
}

impl Head {
    /// `attribute` names the macro that runs.
    pub(crate) fn parse(source: &Source, attribute: &str) -> syn::Result<Self> {
        let parser = |input: ParseStream| {
            let vis = input.parse()?;
            let defaultness = input.parse()?;
            let sig = input.parse()?;
            let body = input.parse::<TokenStream>().map(body)?;
            Ok(Self { vis, defaultness, sig, body })
        };
        parser
            .parse2(source.rest.clone())
            .or_else(|_| err(&first_tokens(&source.rest), not_a_fn(&source.rest, attribute)))
    }
}

/// Also the body that is a `macro_rules` fragment, in its invisible group.
fn body(tokens: TokenStream) -> Option<Group> {
    match tokens.into_iter().next()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => body(group.stream()),
        _ => None,
    }
}

/// Up to the first group, which is where the error of an item that is no fn stands.
fn first_tokens(rest: &TokenStream) -> TokenStream {
    rest.clone().into_iter().take_while(|tree| !matches!(tree, TokenTree::Group(_))).collect()
}

fn not_a_fn(rest: &TokenStream, attribute: &str) -> String {
    const ITEMS: [&str; 11] =
        ["impl", "trait", "struct", "enum", "union", "mod", "const", "static", "type", "use", "macro_rules"];
    let words = rest.clone().into_iter().filter_map(|tree| match tree {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    match words.into_iter().find(|word| word == "fn" || ITEMS.contains(&word.as_str())).as_deref() {
        Some(word @ ("impl" | "trait")) => {
            format!("`#[{attribute}]` protects one fn, not a whole `{word}`: write it on the methods that have a body")
        }
        Some("fn") => format!("`#[{attribute}]` does not know this kind of fn: write it on an `async fn`"),
        Some(word) => format!("`#[{attribute}]` protects a fn, and this is a `{word}`: write it on an `async fn`"),
        None => format!("`#[{attribute}]` protects a fn: write it on an `async fn`"),
    }
}

/// A fn that we can protect.
pub(crate) struct Item {
    /// Without ours.
    attrs: Vec<Attribute>,
    vis: Visibility,
    defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// What an attempt yields: not the boxed future of `#[async_trait]`.
    pub(crate) output: Type,
    /// The braces of the fn, with inner attributes.
    braces: Group,
    inner_attrs: TokenStream,
    /// The block that makes an attempt.
    body: Group,
    async_trait: Option<AsyncTrait>,
    /// Items for the start of the body that we make.
    mentions: TokenStream,
}

impl Item {
    pub(crate) fn new(source: &Source, head: Head, mentions: TokenStream, attribute: &str) -> syn::Result<Self> {
        let Head { vis, defaultness, sig, body } = head;
        if let Some(constness) = &sig.constness {
            let name = &sig.ident;
            return err(constness, format!("a `const fn` can not wait or fail over: write `async fn {name}`"));
        }
        let Some(braces) = body else {
            return err(
                &sig,
                format!("a fn under `#[{attribute}]` needs a body: put the attribute on the fn in the `impl`"),
            );
        };
        let (inner_attrs, tokens) = split_inner_attrs(braces.stream());
        let (output, body, async_trait) = if sig.asyncness.is_some() {
            (output(&sig), block(tokens, braces.span()), None)
        } else if AsyncTrait::signed(&sig) {
            let found = AsyncTrait::find(&tokens).ok_or_else(|| unrecognised(&sig))?;
            (peeled(found.output.clone()), found.body.clone(), Some(found))
        } else {
            let name = &sig.ident;
            return err(
                &sig.fn_token,
                format!(
                    "`#[{attribute}]` must be on an `async fn`: write `async fn {name}`, \
                     or move this attribute above the one that removed `async`"
                ),
            );
        };
        // The braces are ours, where the user's are: a lint would call those around one line unnecessary.
        let body = block(body.stream(), Span::call_site().located_at(body.span()));
        let attrs = source.attrs.clone();
        Ok(Self { attrs, vis, defaultness, sig, output, braces, inner_attrs, body, async_trait, mentions })
    }

    pub(crate) fn name(&self) -> &Ident {
        &self.sig.ident
    }

    /// Where the fn says that it is `async`, or a fn.
    pub(crate) fn keyword(&self) -> Span {
        at(&self.sig.asyncness.map_or(self.sig.fn_token.span, |keyword| keyword.span))
    }

    /// The block that makes an attempt, in the user's own tokens.
    pub(crate) fn body(&self) -> &Group {
        &self.body
    }

    /// The whole fn with `new` for the statements of the body.
    pub(crate) fn with_body(&self, new: TokenStream) -> TokenStream {
        let Self { attrs, vis, defaultness, sig, inner_attrs, mentions, .. } = self;
        let mut made = mentions.clone();
        made.extend(new);
        let statements = match &self.async_trait {
            None => made,
            Some(found) => {
                let (_, tokens) = split_inner_attrs(self.braces.stream());
                found.replace(tokens, &block(made, self.body.span()))
            }
        };
        let body = block(quote!(#inner_attrs #statements), self.braces.span());
        quote!(#(#attrs)* #vis #defaultness #sig #body)
    }

    /// Whether one of our macros made this body.
    pub(crate) fn was_expanded(&self) -> bool {
        let is_word = |tree: &TokenTree, word: &str| matches!(tree, TokenTree::Ident(ident) if ident == word);
        let trees: Vec<_> = self.body.stream().into_iter().collect();
        trees.windows(2).any(|pair| is_word(&pair[0], "static") && is_word(&pair[1], SITE))
    }

    /// `self` as it is called in the body.
    pub(crate) fn self_token(&self) -> Option<Ident> {
        let span = self.sig.receiver()?.self_token.span;
        Some(Ident::new(if self.async_trait.is_some() { "__self" } else { "self" }, span))
    }

    pub(crate) fn receiver(&self) -> Option<Receiver> {
        self.sig.receiver().map(Receiver::of)
    }

    /// What a fallback is given besides the receiver and the error.
    pub(crate) fn params(&self) -> Vec<Param> {
        let moved = self.async_trait.as_ref().map(|found| found.patterns.as_slice()).unwrap_or_default();
        self.sig
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Receiver(_) => None,
                FnArg::Typed(input) => Some(Param::of(input, moved)),
            })
            .collect()
    }

    /// The user's tokens from an attribute as they must stand in the body.
    pub(crate) fn adopt(&self, tokens: TokenStream) -> TokenStream {
        if self.async_trait.is_some() { rename_self(tokens) } else { tokens }
    }
}

/// The item that marks a body that we made.
pub(crate) const SITE: &str = "__RESILIENT_SITE";

fn unrecognised(sig: &Signature) -> Error {
    let name = &sig.ident;
    Error::new_spanned(
        name,
        format!(
            "this shape of `#[async_trait]` method is not recognised: write an `async fn` in an inherent `impl` and call it from `{name}`"
        ),
    )
}

fn output(sig: &Signature) -> Type {
    match &sig.output {
        syn::ReturnType::Default => parse_quote_spanned!(at(&sig.ident)=> ()),
        syn::ReturnType::Type(_, output) => peeled((**output).clone()),
    }
}

/// Without parentheses, and without the invisible groups around `macro_rules` fragments.
fn peeled(output: Type) -> Type {
    match output {
        Type::Group(group) => peeled(*group.elem),
        Type::Paren(paren) => peeled(*paren.elem),
        other => other,
    }
}

fn block(tokens: TokenStream, span: Span) -> Group {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(span);
    block
}

/// `#![..]` at the start of a body, and the rest.
fn split_inner_attrs(body: TokenStream) -> (TokenStream, TokenStream) {
    let is_punct = |tree: &TokenTree, c| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == c);
    let trees: Vec<_> = body.into_iter().collect();
    let attrs = trees
        .chunks(3)
        .take_while(|chunk| {
            matches!(chunk, [hash, bang, TokenTree::Group(group)]
                if is_punct(hash, '#') && is_punct(bang, '!') && group.delimiter() == Delimiter::Bracket)
        })
        .count();
    let (attrs, rest) = trees.split_at(attrs * 3);
    (attrs.iter().cloned().collect(), rest.iter().cloned().collect())
}

/// `#[async_trait]` moves `self` into `__self`; `self::path` is something else.
fn rename_self(tokens: TokenStream) -> TokenStream {
    let trees: Vec<_> = tokens.into_iter().collect();
    let starts_path = |i: usize| {
        let colon = |i| matches!(trees.get(i), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        colon(i + 1) && colon(i + 2)
    };
    trees
        .iter()
        .enumerate()
        .map(|(i, tree)| match tree {
            TokenTree::Ident(ident) if ident == "self" && !starts_path(i) => Ident::new("__self", ident.span()).into(),
            TokenTree::Group(group) => {
                let mut renamed = Group::new(group.delimiter(), rename_self(group.stream()));
                renamed.set_span(group.span());
                renamed.into()
            }
            other => other.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
