//! What a const expression in an attribute may not mention.

use crate::diag::err;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use std::collections::HashMap;
use syn::{Expr, FnArg, GenericParam, Ident, Pat, Signature};

const GENERIC: &str = "a generic parameter";

/// Why the fn's own names are out of reach, and what to write instead of one.
struct Apart {
    why: &'static str,
    write: &'static str,
}

const CONSTANT: Apart = Apart { why: "this is evaluated once, at compile time", write: "the path of a `const`" };
const BACKGROUND: Apart = Apart { why: "this is called in the background", write: "the path of an `async fn`" };

/// The names that exist only inside the fn.
#[derive(Default)]
pub(crate) struct Scope {
    names: HashMap<String, &'static str>,
}

impl Scope {
    pub(crate) fn new(sig: &Signature) -> Self {
        let mut scope = Self::default();
        for param in &sig.generics.params {
            match param {
                GenericParam::Type(param) => scope.add(&param.ident, GENERIC),
                GenericParam::Const(param) => scope.add(&param.ident, GENERIC),
                GenericParam::Lifetime(_) => {}
            }
        }
        for input in &sig.inputs {
            if let FnArg::Typed(input) = input {
                scope.bind(&input.pat);
            }
        }
        scope
    }

    fn add(&mut self, name: &Ident, what: &'static str) {
        self.names.insert(name.to_string(), what);
    }

    fn bind(&mut self, pat: &Pat) {
        match pat {
            Pat::Ident(pat) => self.add(&pat.ident, "an argument of the fn"),
            Pat::Tuple(pat) => pat.elems.iter().for_each(|pat| self.bind(pat)),
            Pat::TupleStruct(pat) => pat.elems.iter().for_each(|pat| self.bind(pat)),
            Pat::Struct(pat) => pat.fields.iter().for_each(|field| self.bind(&field.pat)),
            Pat::Reference(pat) => self.bind(&pat.pat),
            Pat::Paren(pat) => self.bind(&pat.pat),
            _ => {}
        }
    }

    /// Whether `expr` can be evaluated outside the fn, as far as its tokens tell.
    pub(crate) fn allows(&self, expr: &Expr) -> syn::Result<()> {
        self.allows_tokens(expr.to_token_stream(), &CONSTANT)
    }

    /// Whether the fn at `path` can be called when no call of this one runs.
    pub(crate) fn allows_in_background(&self, path: &Expr) -> syn::Result<()> {
        self.allows_tokens(path.to_token_stream(), &BACKGROUND)
    }

    fn allows_tokens(&self, tokens: TokenStream, apart: &Apart) -> syn::Result<()> {
        let trees: Vec<_> = tokens.into_iter().collect();
        for (i, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) => self.allows_tokens(group.stream(), apart)?,
                TokenTree::Ident(ident) if !is_member(&trees, i) => {
                    self.allows_name(ident, starts_path(&trees, i), apart)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn allows_name(&self, ident: &Ident, starts_path: bool, apart: &Apart) -> syn::Result<()> {
        let Apart { why, write } = apart;
        let name = ident.to_string();
        let what = match name.as_str() {
            "Self" => "`Self` can not be used in it: write the type's own path",
            // The module.
            "self" if starts_path => return Ok(()),
            "self" | "__self" => {
                "`self` can not be used in it: name a `const`, or share a policy with `policy = self.x`"
            }
            name => match self.names.get(name) {
                Some(what) if *what == GENERIC || !starts_path => {
                    return err(ident, format!("{why}, and `{name}` is {what}: write {write}"));
                }
                _ => return Ok(()),
            },
        };
        err(ident, format!("{why}, so {what}"))
    }
}

/// Whether the name at `i` is looked up in something else: `.name`, `::name`, `name: value`.
fn is_member(trees: &[TokenTree], i: usize) -> bool {
    let after_dot = i > 0 && is_punct(trees, i - 1, '.') && !(i > 1 && is_punct(trees, i - 2, '.'));
    let in_path = i > 1 && is_punct(trees, i - 1, ':') && is_punct(trees, i - 2, ':');
    after_dot || in_path || (is_punct(trees, i + 1, ':') && !starts_path(trees, i))
}

fn starts_path(trees: &[TokenTree], i: usize) -> bool {
    is_punct(trees, i + 1, ':') && is_punct(trees, i + 2, ':')
}

fn is_punct(trees: &[TokenTree], i: usize, c: char) -> bool {
    matches!(trees.get(i), Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}
