//! Values as written, before anything is known about what they should be.

use crate::{
    args::{Scope, ident_of},
    diag::{code, err},
};
use proc_macro2::TokenStream;
use quote::{ToTokens, TokenStreamExt as _};
use syn::{Expr, Ident, Lit, Token, UnOp};

/// A value as it stands in the attribute.
pub(crate) enum Raw {
    /// The key alone.
    Flag(Ident),
    /// A literal with `%` behind it.
    Percent(Lit, Token![%]),
    Value(Expr),
}

impl ToTokens for Raw {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Flag(word) => word.to_tokens(tokens),
            Self::Value(expr) => expr.to_tokens(tokens),
            Self::Percent(number, percent) => {
                number.to_tokens(tokens);
                tokens.append_all([percent]);
            }
        }
    }
}

impl Raw {
    /// The word that it consists of.
    pub(crate) fn word(&self) -> Option<&Ident> {
        match self {
            Self::Value(expr) => ident_of(expr),
            _ => None,
        }
    }

    /// The expression, where `wanted` is expected.
    pub(crate) fn expr(&self, wanted: &str) -> syn::Result<&Expr> {
        match self {
            Self::Value(expr) => Ok(expr),
            other => err(other, format!("`{}` does not fit: write {wanted}", code(other))),
        }
    }
}

/// What was asked for: a literal whose value we know, or a const expression that rustc evaluates.
pub(crate) struct Given<T> {
    pub(crate) written: Expr,
    pub(crate) literal: Option<T>,
}

impl<T> Given<T> {
    pub(crate) fn literal(written: &Expr, value: T) -> Self {
        Self { written: written.clone(), literal: Some(value) }
    }

    /// `written` as a const expression, unless it can not be one.
    pub(crate) fn constant(written: &Expr, scope: &Scope) -> syn::Result<Self> {
        scope.allows(written)?;
        Ok(Self { written: written.clone(), literal: None })
    }
}

/// The shapes that are told apart wherever a literal may stand.
pub(crate) enum Form<'a> {
    /// Digits and suffix of a number.
    Number {
        digits: String,
        suffix: String,
    },
    Text(String),
    Expression(&'a Expr),
}

impl<'a> Form<'a> {
    /// Sorts `expr` where `wanted` (``a duration such as `2s` ``) is expected; what can be neither is an error.
    pub(crate) fn of(expr: &'a Expr, wanted: &str) -> syn::Result<Self> {
        match peel(expr) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Int(int) => {
                    Ok(Self::Number { digits: int.base10_digits().to_owned(), suffix: int.suffix().to_owned() })
                }
                Lit::Float(float) => {
                    Ok(Self::Number { digits: float.base10_digits().to_owned(), suffix: float.suffix().to_owned() })
                }
                Lit::Str(text) => Ok(Self::Text(text.value())),
                _ => err(expr, format!("`{}` does not fit: write {wanted}", code(expr))),
            },
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) && matches!(peel(&unary.expr), Expr::Lit(_)) => {
                err(expr, format!("`{}` is negative: write {wanted}", code(expr)))
            }
            // rustc reads `2.s` as the field `s` of `2`.
            Expr::Field(field) if matches!(peel(&field.base), Expr::Lit(_)) => {
                let (number, unit) = (code(&field.base), code(&field.member));
                let number = number.trim_end_matches('.');
                err(expr, format!("`{number}.{unit}` has a stray dot: write `{number}{unit}`"))
            }
            Expr::Range(_) => err(expr, format!("`{}` is a range: write {wanted}", code(expr))),
            Expr::Closure(_) => err(expr, format!("a closure does not fit: write {wanted}")),
            expr => Ok(Self::Expression(expr)),
        }
    }
}

/// Whether `expr` mentions what is written like a constant or a type, which an argument of the fn is not.
pub(crate) fn names_constant(expr: &Expr) -> bool {
    code(expr).contains(char::is_uppercase)
}

/// Without the invisible groups around `macro_rules` fragments, and without parentheses.
pub(crate) fn peel(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Group(group) => &group.expr,
            Expr::Paren(paren) => &paren.expr,
            other => return other,
        }
    }
}
