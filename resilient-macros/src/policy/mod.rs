//! The attributes: one file per policy, and what they hand to the lowering.

mod bulkhead;
mod circuit_breaker;
mod config;
mod fallback;
mod keys;
mod mode;
mod predicate;
mod rate_limited;
mod resilient;
mod retry;
mod shared;
mod timeout;
mod wait;

pub(crate) use self::keys::Keys;
pub(crate) use self::rate_limited::Ask;
pub(crate) use self::resilient::{SiteArgs, site};

use crate::{
    args::{Args, Raw, Scope, Slot, Spec},
    diag::{Diagnostics, err},
};
use proc_macro2::{Span, TokenStream};
use syn::{Expr, ExprClosure, Lit, LitStr};

/// One of our attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    CircuitBreaker,
    RateLimited,
    Retry,
    Timeout,
    Bulkhead,
    Fallback,
    Resilient,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::CircuitBreaker,
        Self::RateLimited,
        Self::Retry,
        Self::Timeout,
        Self::Bulkhead,
        Self::Fallback,
        Self::Resilient,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CircuitBreaker => "circuit_breaker",
            Self::RateLimited => "rate_limited",
            Self::Retry => "retry",
            Self::Timeout => "timeout",
            Self::Bulkhead => "bulkhead",
            Self::Fallback => "fallback",
            Self::Resilient => "resilient",
        }
    }

    /// Whether it may end a call with an error of ours.
    pub(crate) fn refuses(self) -> bool {
        match self {
            Self::CircuitBreaker | Self::RateLimited | Self::Timeout | Self::Bulkhead => true,
            Self::Retry | Self::Fallback | Self::Resilient => false,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A checked policy, as the lowering sees it.
pub(crate) enum Policy {
    CircuitBreaker { instance: Instance, judge: Judge, keys: Option<Box<Keys>> },
    RateLimited { instance: Instance, ask: Box<Ask>, keys: Option<Box<Keys>> },
    Retry { instance: Instance, judge: Judge },
    Timeout { instance: Instance },
    Bulkhead { instance: Instance, class: Option<Expr>, keys: Option<Box<Keys>> },
    Fallback { links: Vec<Link>, judge: Judge },
}

/// Whose state machine it is.
pub(crate) enum Instance {
    Owned(Config),
    Shared(Expr),
}

pub(crate) struct Config {
    /// A const expression of the policy's config type.
    pub(crate) config: TokenStream,
    /// The const items that `config` names: one for each argument given as an expression. They stand in a block around it.
    pub(crate) checks: TokenStream,
}

/// How outcomes are told apart.
#[derive(Default)]
pub(crate) struct Judge {
    pub(crate) when: Option<Expr>,
    pub(crate) unless: Option<Expr>,
    pub(crate) failure_if: Option<Expr>,
    pub(crate) ignore_if: Option<Expr>,
}

pub(crate) enum Link {
    Closure(ExprClosure),
    Path(Expr),
}

/// What the parsing of one attribute needs to know, and where it reports.
pub(crate) struct Context<'a> {
    pub(crate) krate: &'a TokenStream,
    pub(crate) scope: &'a Scope,
    pub(crate) diag: &'a mut Diagnostics,
    /// The attribute's place in the stack, from the top.
    pub(crate) layer: usize,
    /// The attribute's path.
    pub(crate) span: Span,
}

/// A policy, with what only the checks across policies want to know.
pub(crate) struct Parsed {
    pub(crate) policy: Policy,
    pub(crate) name: Option<LitStr>,
    /// The nanoseconds of a time-out given as a literal.
    pub(crate) timeout: Option<u64>,
}

impl Parsed {
    fn new(policy: Policy, name: Option<Slot<LitStr>>) -> Self {
        Self { policy, name: name.map(|slot| slot.value), timeout: None }
    }
}

/// The policy of one attribute, `None` after an error or for `#[resilient]`.
pub(crate) fn parse(kind: Kind, tokens: &TokenStream, cx: &mut Context) -> Option<Parsed> {
    let mut read = |spec: &Spec| Args::read(tokens, spec, cx.diag);
    match kind {
        Kind::CircuitBreaker => Some(circuit_breaker::parse(read(&circuit_breaker::SPEC), cx)),
        Kind::RateLimited => rate_limited::parse(read(&rate_limited::SPEC), cx),
        Kind::Retry => Some(retry::parse(read(&retry::SPEC), cx)),
        Kind::Timeout => timeout::parse(read(&timeout::SPEC), cx),
        Kind::Bulkhead => bulkhead::parse(read(&bulkhead::SPEC), cx),
        Kind::Fallback => fallback::parse(read(&fallback::SPEC), cx),
        Kind::Resilient => None,
    }
}

/// The value of `name = ".."`.
fn name(raw: &Raw) -> syn::Result<LitStr> {
    let wanted = "a name in quotes, as in `name = \"payments\"`";
    let expr = raw.expr(wanted)?;
    match crate::args::peel(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(name) if name.value().is_empty() => err(expr, format!("the name is empty: write {wanted}")),
            Lit::Str(name) => Ok(name.clone()),
            _ => err(expr, format!("write {wanted}")),
        },
        _ => err(expr, format!("a name is a string literal: write {wanted}")),
    }
}

#[cfg(test)]
mod tests;
