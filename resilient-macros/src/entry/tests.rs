use super::*;
use quote::quote;

fn expanded(kind: Kind, args: TokenStream, item: TokenStream) -> String {
    expand(kind, args, item).to_string()
}

#[test]
fn a_fn_with_mistakes_survives_without_our_attributes() {
    let item = quote!(#[a] #[timeout(2)] #[b] pub async fn f(&self) { half = ; });
    let tokens = expanded(Kind::Retry, quote!(attempts = 1), item);
    assert_eq!(tokens.matches("compile_error").count(), 2, "{tokens}");
    assert!(tokens.ends_with(&quote!(#[a] #[b] pub async fn f(&self) { half = ; }).to_string()), "{tokens}");
}

#[test]
fn a_sync_fn_still_has_its_arguments_checked() {
    let tokens = expanded(
        Kind::Retry,
        quote!(attempts = 1),
        quote!(
            fn f() {}
        ),
    );
    assert!(tokens.contains("must be on an `async fn`") && tokens.contains("makes no retry"), "{tokens}");
}

#[test]
fn an_item_that_is_no_fn_is_one_mistake() {
    let tokens = expanded(
        Kind::Retry,
        quote!(attempts = 1),
        quote!(
            #[timeout(2)]
            struct S;
        ),
    );
    assert_eq!(tokens.matches("compile_error").count(), 1, "{tokens}");
    assert!(
        tokens.ends_with(
            &quote!(
                struct S;
            )
            .to_string()
        ),
        "{tokens}"
    );
}

#[test]
fn an_attribute_that_expanded_apart_is_one_mistake() {
    let item = quote!(
        async fn f() {
            static __RESILIENT_SITE: u8 = 0;
            loop {}
        }
    );
    let tokens = expanded(Kind::Retry, quote!(attempts = 1), item.clone());
    assert_eq!(tokens.matches("compile_error").count(), 1, "{tokens}");
    assert!(tokens.contains("write it as `#[resilient::retry]`"), "{tokens}");
    assert!(tokens.ends_with(&item.to_string()), "{tokens}");
}

#[test]
fn a_mention_expands_to_nothing() {
    assert_eq!(
        expanded(
            Kind::Retry,
            quote!(__resilient_mentioned),
            quote!(
                const _: () = ();
            )
        ),
        ""
    );
}
