//! The fn's output type, as an expression may name it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree, token_stream::IntoIter};
use quote::{ToTokens as _, quote};
use std::iter::Peekable;
use syn::Type;

/// Where the type begins.
pub(super) fn output_span(output: &Type) -> Span {
    let first = output.to_token_stream().into_iter().next();
    first.map_or_else(Span::call_site, |tree| Span::call_site().located_at(tree.span()))
}

/// `impl Trait` and `!` have no name in an expression: they are left to inference.
pub(super) fn nameable(output: &Type) -> TokenStream {
    match output {
        Type::Never(_) => quote!(_),
        output => blank(output.to_token_stream()),
    }
}

/// `Result<[impl Trait; 2], E>` becomes `Result<[_; 2], E>`.
fn blank(ty: TokenStream) -> TokenStream {
    let mut blanked = TokenStream::new();
    let mut trees = ty.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Ident(word) if word == "impl" => {
                skip_bounds(&mut trees);
                blanked.extend(quote!(_));
            }
            TokenTree::Group(group) => blanked.extend(blank_group(&group)),
            other => blanked.extend([other]),
        }
    }
    blanked
}

/// Parentheses around `impl A + B` are not needed around `_`, and a lint would say so.
fn blank_group(group: &Group) -> TokenStream {
    let inner = blank(group.stream());
    let encloses_nothing_else = matches!(group.delimiter(), Delimiter::Parenthesis | Delimiter::None);
    if encloses_nothing_else && inner.to_string() == "_" {
        return inner;
    }
    let mut blanked = Group::new(group.delimiter(), inner);
    blanked.set_span(group.span());
    blanked.into_token_stream()
}

/// Moves behind the bounds of an `impl Trait`, which end with a comma, a semicolon or what encloses them.
fn skip_bounds(trees: &mut Peekable<IntoIter>) {
    let (mut depth, mut is_arrow) = (0_u32, false);
    while let Some(tree) = trees.peek() {
        let sign = if let TokenTree::Punct(sign) = tree { sign.as_char() } else { ' ' };
        match sign {
            '>' if is_arrow => {}
            ',' | ';' | '>' if depth == 0 => return,
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        is_arrow = sign == '-';
        trees.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::code;

    #[test]
    fn what_has_no_name_is_inferred() {
        for (written, expected) in [
            ("!", "_"),
            ("impl A + use<'a, T>", "_"),
            ("(impl A)", "_"),
            ("Result<&'a (impl A + B), E>", "Result<&'a _, E>"),
            ("Box<[impl Fn(X<Y>) -> Z<Y> + A<B = C<D>>]>", "Box<[_]>"),
            ("([impl A; 2], (impl B,), *const impl C)", "([_; 2], (_,), *const _)"),
            ("Box<dyn A<B = impl C> + D>", "Box<dyn A<B = _> + D>"),
            ("(fn(impl A, B) -> impl C, D)", "(fn(_, B) -> _, D)"),
            ("Result<(Implied, r#impl), E>", "Result<(Implied, r#impl), E>"),
        ] {
            let expected: TokenStream = expected.parse().unwrap();
            assert_eq!(code(&nameable(&syn::parse_str(written).unwrap())), code(&expected));
        }
    }
}
