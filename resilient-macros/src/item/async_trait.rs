//! What `#[async_trait]` makes of an async fn, which is what we see: it expands on the `impl`, before us.
//!
//! ```text
//! Box::pin(async move {
//!     if let Some(__ret) = None::<T> { return __ret; }
//!     let __self = self;
//!     let x = x;
//!     let (a, b) = { let __arg1 = __arg1; __arg1 };
//!     let __ret: T = { body };                          // `let _: () = { body };` and nothing behind it for ()
//!     __ret
//! })
//! ```

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Block, Expr, GenericParam, Ident, Pat, Signature, Stmt, Type, parse::Parser as _, parse2};

pub(super) struct AsyncTrait {
    /// What the user declared to return.
    pub(super) output: Type,
    /// The user's own block.
    pub(super) body: Group,
    /// The patterns that `__argN` was taken apart into.
    pub(super) patterns: Vec<(Ident, Pat)>,
    /// The index of each group on the way to `body`.
    path: Vec<usize>,
}

impl AsyncTrait {
    /// Whether the signature is one of its making.
    pub(super) fn signed(sig: &Signature) -> bool {
        sig.generics.params.iter().any(|param| match param {
            GenericParam::Lifetime(param) => param.lifetime.ident == "async_trait",
            _ => false,
        })
    }

    /// Also behind what other macros (`tracing::instrument`) put around it.
    pub(super) fn find(body: &TokenStream) -> Option<Self> {
        let trees: Vec<_> = body.clone().into_iter().collect();
        trees.iter().enumerate().find_map(|(i, tree)| {
            let TokenTree::Group(group) = tree else { return None };
            let mut found = if follows_async_move(&trees, i) { shape(group) } else { None };
            found = found.or_else(|| Self::find(&group.stream()));
            found.as_mut()?.path.insert(0, i);
            found
        })
    }

    /// `tokens`, in which `find` found this, with `new` for the user's block.
    pub(super) fn replace(&self, tokens: TokenStream, new: &Group) -> TokenStream {
        replace(tokens, &self.path, new)
    }
}

fn replace(tokens: TokenStream, path: &[usize], new: &Group) -> TokenStream {
    let Some((index, path)) = path.split_first() else { return tokens };
    tokens
        .into_iter()
        .enumerate()
        .map(|(i, tree)| match tree {
            TokenTree::Group(_) if i == *index && path.is_empty() => new.clone().into(),
            TokenTree::Group(group) if i == *index => {
                let mut outer = Group::new(group.delimiter(), replace(group.stream(), path, new));
                outer.set_span(group.span());
                outer.into()
            }
            other => other,
        })
        .collect()
}

fn follows_async_move(trees: &[TokenTree], i: usize) -> bool {
    i >= 2 && is_word(trees, i - 2, "async") && is_word(trees, i - 1, "move")
}

fn is_word(trees: &[TokenTree], i: usize, word: &str) -> bool {
    matches!(trees.get(i), Some(TokenTree::Ident(ident)) if ident == word)
}

fn is_punct(trees: &[TokenTree], i: usize, c: char) -> bool {
    matches!(trees.get(i), Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}

/// Recognises the content of the `async move` block from its end, where nothing is the user's.
fn shape(block: &Group) -> Option<AsyncTrait> {
    let trees: Vec<_> = block.stream().into_iter().collect();
    let (name, end) = if is_word(&trees, trees.len().checked_sub(1)?, "__ret") {
        let attr = trees.len().checked_sub(3).filter(|i| is_punct(&trees, *i, '#'));
        ("__ret", attr.unwrap_or(trees.len() - 1))
    } else {
        ("_", trees.len())
    };
    let (at, equals) = (end.checked_sub(2)?, end.checked_sub(3)?);
    let TokenTree::Group(body) = trees.get(at)? else { return None };
    if body.delimiter() != Delimiter::Brace || !is_punct(&trees, end - 1, ';') || !is_punct(&trees, equals, '=') {
        return None;
    }
    let start = (0..equals).rev().find(|i| is_word(&trees, *i, "let"))?;
    let is_name = is_word(&trees, start + 1, name) || (name == "_" && is_punct(&trees, start + 1, '_'));
    if !is_name || !is_punct(&trees, start + 2, ':') {
        return None;
    }
    let output: Type = parse2(trees.get(start + 3..equals)?.iter().cloned().collect()).ok()?;
    if name == "_" && !matches!(&output, Type::Tuple(tuple) if tuple.elems.is_empty()) {
        return None;
    }
    let preamble = trees.get(..start)?.iter().cloned().collect();
    Some(AsyncTrait { output, body: body.clone(), patterns: patterns(preamble), path: vec![at] })
}

/// `let PAT = { let __argN = __argN; __argN };`
fn patterns(preamble: TokenStream) -> Vec<(Ident, Pat)> {
    let statements = Block::parse_within.parse2(preamble).unwrap_or_default();
    let moved = statements.into_iter().filter_map(|statement| {
        let Stmt::Local(local) = statement else { return None };
        let Expr::Block(init) = *local.init?.expr else { return None };
        let ident = parse2(init.block.stmts.last()?.to_token_stream()).ok()?;
        Some((ident, local.pat))
    });
    moved.collect()
}
