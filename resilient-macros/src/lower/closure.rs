//! Closures given as fallbacks.

use crate::{args::peel, span::at};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Expr, ExprClosure, Pat, Path, ReturnType, Stmt, Type, parse_quote_spanned};

/// `|e: &E|` and `|&e|` take the error by reference.
pub(super) fn by_reference(param: &Pat) -> bool {
    match param {
        Pat::Type(typed) => matches!(&*typed.ty, Type::Reference(_)),
        Pat::Reference(_) => true,
        _ => false,
    }
}

fn is_async(closure: &ExprClosure) -> bool {
    let first = closure.body.to_token_stream().into_iter().next();
    closure.asyncness.is_some() || matches!(first, Some(TokenTree::Ident(word)) if word == "async")
}

/// A closure that only panics, with its type: before edition 2024 it would give `()`.
pub(super) fn typed(closure: &ExprClosure, output: &TokenStream) -> Option<ExprClosure> {
    let is_typed = matches!(closure.output, ReturnType::Type(..));
    if is_typed || is_async(closure) || !panics(&closure.body) {
        return None;
    }
    let mut closure = closure.clone();
    let (span, body) = (at(&closure.body), &closure.body);
    closure.output = parse_quote_spanned!(span=> -> #output);
    if !matches!(**body, Expr::Block(_)) {
        closure.body = parse_quote_spanned!(span=> { #body });
    }
    Some(closure)
}

fn panics(body: &Expr) -> bool {
    match peel(body) {
        Expr::Block(body) => match body.block.stmts.as_slice() {
            [Stmt::Expr(body, _)] => panics(body),
            [Stmt::Macro(body)] => is_panic(&body.mac.path),
            _ => false,
        },
        Expr::Macro(body) => is_panic(&body.mac.path),
        _ => false,
    }
}

fn is_panic(path: &Path) -> bool {
    path.segments
        .last()
        .is_some_and(|name| ["panic", "todo", "unimplemented", "unreachable"].iter().any(|panic| name.ident == panic))
}

/// An annotated reference would be of any lifetime, which the future of an async closure can not be.
pub(super) fn without_annotation(closure: &ExprClosure) -> TokenStream {
    let mut closure = closure.clone();
    if is_async(&closure) {
        for input in &mut closure.inputs {
            if let Pat::Type(typed) = input {
                *input = (*typed.pat).clone();
            }
        }
    }
    closure.to_token_stream()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn closures_that_only_panic_are_typed() {
        let typed = |text: &str| {
            let closure = typed(&syn::parse_str(text).unwrap(), &quote!(Result<u8, E>));
            closure.map(|closure| closure.to_token_stream().to_string())
        };
        let expected = |text: &str| Some(text.parse::<TokenStream>().unwrap().to_string());
        assert_eq!(typed("|_| panic!()"), expected("|_| -> Result<u8, E> { panic!() }"));
        assert_eq!(typed("|e| { std::todo!(\"{e}\") }"), expected("|e| -> Result<u8, E> { std::todo!(\"{e}\") }"));
        for other in [
            "|_| -> X { panic!() }",
            "async |_| panic!()",
            "|_| async { panic!() }",
            "|_| f()",
            "|_| { f(); panic!() }",
        ] {
            assert_eq!(typed(other), None, "{other}");
        }
    }
}
