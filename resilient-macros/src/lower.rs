//! Stack and fn to tokens.

use crate::{item::Item, stack::Stack};
use proc_macro2::TokenStream;

/// The complete fn.
pub(crate) fn lower(item: &Item, _stack: &Stack) -> TokenStream {
    item.with_body(item.body().stream())
}
