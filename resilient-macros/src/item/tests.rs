use super::*;
use quote::ToTokens;

const ASYNC_TRAIT: &str = "
    #[allow(clippy::used_underscore_binding)]
    fn a<'life0, 'life1, 'async_trait>(
        &'life0 mut self, __arg1: (u8, Point), z: String, __arg3: u8, r: &'life1 mut str
    ) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Option<u8>> + ::core::marker::Send + 'async_trait>>
    where 'life0: 'async_trait, Self: 'async_trait
    {
        Box::pin(async move {
            if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<Option<u8>> {
                #[allow(unreachable_code)]
                return __ret;
            }
            let mut __self = self;
            let (x, Point { at, .. }) = { let __arg1 = __arg1; __arg1 };
            let mut z = z;
            let __arg3 = __arg3;
            let __ret: Option<u8> = { let q = __self; None };
            #[allow(unreachable_code)]
            __ret
        })
    }";

const UNIT: &str = "
    fn u<'life0, 'async_trait>(&'life0 self, __arg1: (u8, u8))
        -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = ()> + 'async_trait>>
    { Box::pin(async move { let __self = self; let (a, b) = { let __arg1 = __arg1; __arg1 }; let _: () = { a; }; }) }";

fn item(text: &str) -> syn::Result<Item> {
    let source = Source::parse(text.parse().unwrap()).unwrap();
    Item::new(&source, Head::parse(&source, "retry")?, TokenStream::new(), "retry")
}

fn error(text: &str) -> String {
    item(text).err().map(|error| error.to_string()).unwrap_or_default()
}

fn same(tokens: &impl ToTokens, text: &str) {
    // Printing knows the spacing of parsed text, and not that of syn's nodes.
    let plain = |tokens: TokenStream| tokens.to_string().replace(' ', "");
    assert_eq!(plain(tokens.to_token_stream()), plain(text.parse().unwrap()));
}

fn passed_on(text: &str) -> Vec<String> {
    let shown = |param: Param| param.expr.map_or("-".to_owned(), |expr| expr.to_string().replace(' ', ""));
    item(text).unwrap().params().into_iter().map(shown).collect()
}

#[test]
fn fns_of_every_sort() {
    for text in [
        "async fn f() {}",
        "#[doc = \"x\"] pub(crate) async unsafe extern \"C\" fn f<'a, T: A>(self: Arc<Self>, (a, b): (A, B)) -> impl B + 'a where T: C { a; }",
        "pub default async fn f(&self) -> u8 { 1 }",
        "async fn f(x: impl A, ) -> &'static str { x? }",
    ] {
        let item = item(text).unwrap();
        same(&item.with_body(item.body().stream()), text);
    }
}

#[test]
fn the_body_is_not_parsed() {
    let item = item("async fn f() { let x = ; half written ..== }").unwrap();
    same(item.body(), "{ let x = ; half written ..== }");
}

#[test]
fn inner_attributes_stay_first() {
    let item = item("async fn f() { #![allow(a)] #![allow(b)] #[c] x }").unwrap();
    same(item.body(), "{ #[c] x }");
    same(&item.with_body(quote!(loop {})), "async fn f() { #![allow(a)] #![allow(b)] loop {} }");
}

#[test]
fn what_is_no_async_fn() {
    for (text, expected) in [
        (
            "fn f() {}",
            "`#[retry]` must be on an `async fn`: write `async fn f`, or move this attribute above the one that removed `async`",
        ),
        ("const fn f() {}", "a `const fn` can not wait or fail over: write `async fn f`"),
        ("async fn f();", "a fn under `#[retry]` needs a body: put the attribute on the fn in the `impl`"),
        ("struct S { fn_: u8 }", "`#[retry]` protects a fn, and this is a `struct`: write it on an `async fn`"),
        (
            "pub trait T { fn f(); }",
            "`#[retry]` protects one fn, not a whole `trait`: write it on the methods that have a body",
        ),
        (
            "impl S { async fn f() {} }",
            "`#[retry]` protects one fn, not a whole `impl`: write it on the methods that have a body",
        ),
        ("const X: u8 = 1;", "`#[retry]` protects a fn, and this is a `const`: write it on an `async fn`"),
        ("gen fn f() {}", "`#[retry]` does not know this kind of fn: write it on an `async fn`"),
        (
            "fn f<'async_trait>() { Box::pin(async move { x }) }",
            "this shape of `#[async_trait]` method is not recognised: write an `async fn` in an inherent `impl` and call it from `f`",
        ),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
}

#[test]
fn async_trait_is_recognised() {
    let item = item(ASYNC_TRAIT).unwrap();
    same(&item.output, "Option<u8>");
    same(item.body(), "{ let q = __self; None }");
    same(&item.with_body(quote!(new)), &ASYNC_TRAIT.replace("let q = __self; None", "new"));
    assert_eq!(item.self_token().unwrap(), "__self");
    assert_eq!(item.receiver(), Some(Receiver::Mut));
}

#[test]
fn async_trait_without_output_is_recognised() {
    let item = item(UNIT).unwrap();
    same(&item.output, "()");
    same(item.body(), "{ a; }");
    same(&item.with_body(quote!(new)), &UNIT.replace("{ a; }", "{ new }"));
}

#[test]
fn async_trait_is_recognised_behind_other_macros() {
    let wrapped = ASYNC_TRAIT
        .replace("Box::pin(async move {", "Box::pin(async move { span.wrap(async move {")
        .replace("})\n    }", "}).await })\n }");
    let item = item(&wrapped).unwrap();
    same(&item.with_body(quote!(new)), &wrapped.replace("let q = __self; None", "new"));
}

#[test]
fn a_boxed_future_of_another_make_is_a_sync_fn() {
    assert!(
        error("fn f() -> Pin<Box<dyn Future>> { Box::pin(async move { let _: () = {}; }) }")
            .contains("must be on an `async fn`")
    );
}

#[test]
fn self_in_our_tokens() {
    let tokens = quote!(self.x, self::y, |e| m!(self.z));
    same(&item(ASYNC_TRAIT).unwrap().adopt(tokens.clone()), "__self.x, self::y, |e| m!(__self.z)");
    let plain = item("async fn f(&self) {}").unwrap();
    same(&plain.adopt(tokens), "self.x, self::y, |e| m!(self.z)");
    assert_eq!(plain.self_token().unwrap(), "self");
    assert!(item("async fn f() {}").unwrap().self_token().is_none());
}

#[test]
fn receivers() {
    for (receiver, expected) in [
        ("&self", Receiver::Ref),
        ("&'a mut self", Receiver::Mut),
        ("self", Receiver::Owned),
        ("mut self", Receiver::Owned),
        ("self: Arc<Self>", Receiver::Owned),
        ("self: &Self", Receiver::Ref),
        ("self: &mut Self", Receiver::Mut),
    ] {
        assert_eq!(item(&format!("async fn f({receiver}) {{}}")).unwrap().receiver(), Some(expected), "{receiver}");
    }
}

#[test]
fn arguments_are_passed_on() {
    let plain = "async fn f(&self, a: A, mut b: B, (c, d): X, P(e): P, Q { f, g: h }: Q, &i: &u8, _: J) {}";
    assert_eq!(passed_on(plain), ["a", "b", "(c,d,)", "P(e)", "Q{f:f,g:h}", "&i", "-"]);
    let lost = "async fn f(ref a: A, (b, _): B, Q { c, .. }: C, (d, e): &D, [f, g]: F, h @ 1: u8) {}";
    assert_eq!(passed_on(lost), ["-"; 6]);
    assert_eq!(passed_on(ASYNC_TRAIT), ["-", "z", "__arg3", "r"]);
    assert_eq!(passed_on(UNIT), ["(a,b,)"]);
    let borrowed: Vec<_> = item(ASYNC_TRAIT).unwrap().params().iter().map(|param| param.is_mut_ref).collect();
    assert_eq!(borrowed, [false, false, false, true]);
}

#[test]
fn our_own_output_is_seen() {
    assert!(item("async fn f() { static __RESILIENT_SITE: S = S::new(); loop {} }").unwrap().was_expanded());
    assert!(!item("async fn f() { static OTHER: S = S::new(); }").unwrap().was_expanded());
    assert!(item(&UNIT.replace("{ a; }", "{ static __RESILIENT_SITE: S = S; }")).unwrap().was_expanded());
}
