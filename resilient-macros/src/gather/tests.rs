use super::*;
use crate::item::Source;
use quote::quote;

fn gathered(attrs: &str) -> (Vec<(Kind, String)>, String, String, Vec<String>) {
    let mut source = Source::parse(format!("{attrs} async fn f() {{}}").parse().unwrap()).unwrap();
    let mut diag = Diagnostics::default();
    let found = gather(Kind::Retry, quote!(first), &mut source.attrs, &mut diag);
    let ours = found.attrs.into_iter().map(|attr| (attr.kind, attr.args.to_string())).collect();
    let attrs = source.attrs;
    (ours, quote!(#(#attrs)*).to_string(), found.krate.to_string(), diag.texts())
}

fn kinds(attrs: &str) -> Vec<Kind> {
    gathered(attrs).0.into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn siblings_in_written_order_and_the_rest_as_it_was() {
    let (ours, rest, krate, errors) = gathered(
        "#[a] #[timeout(2s)] #[doc = \"x\"] #[resilient::bulkhead(10)] #[::resilient::fallback(f)] #[b] #[retry]",
    );
    let ours: Vec<_> = ours.iter().map(|(kind, args)| (kind.name(), args.as_str())).collect();
    assert_eq!(ours, [("retry", "first"), ("timeout", "2s"), ("bulkhead", "10"), ("fallback", "f"), ("retry", "")]);
    assert_eq!(rest, quote!(#[a] #[doc = "x"] #[b]).to_string());
    assert_eq!(krate, quote!(::resilient).to_string());
    assert_eq!(errors, [""; 0]);
}

#[test]
fn attributes_of_others_are_left_alone() {
    let (ours, rest, ..) = gathered("#[other::timeout(2s)] #[a::resilient::retry] #[::timeout] #[allow(x)]");
    assert_eq!(ours.len(), 1);
    assert_eq!(rest, quote!(#[other::timeout(2s)] #[a::resilient::retry] #[::timeout] #[allow(x)]).to_string());
}

#[test]
fn a_bare_timeout_beside_its_foreign_owner_is_left_alone() {
    for owner in ["#[rstest]", "#[rstest::rstest]", "#[case(1)]", "#[test_case(1)]"] {
        assert_eq!(kinds(&format!("{owner} #[timeout(x)] #[bulkhead(1)]")), [Kind::Retry, Kind::Bulkhead]);
        assert_eq!(kinds(&format!("{owner} #[resilient::timeout(2s)]")), [Kind::Retry, Kind::Timeout]);
    }
}

#[test]
fn the_crate_argument_names_us() {
    let attrs = "#[crate::deps::timeout(2s)] #[resilient(crate = crate::deps, name = \"x\")] #[deps::bulkhead(1)]";
    let (ours, rest, krate, _) = gathered(attrs);
    assert_eq!(ours.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Kind::Retry, Kind::Timeout, Kind::Resilient]);
    assert_eq!(rest, quote!(#[deps::bulkhead(1)]).to_string());
    assert_eq!(krate, quote!(crate::deps).to_string());
    assert_eq!(
        kinds("#[re::timeout(2s)] #[re::resilient(crate = ::re)]"),
        [Kind::Retry, Kind::Timeout, Kind::Resilient]
    );
}

#[test]
fn an_argument_behind_an_equals_sign() {
    let (ours, _, _, errors) = gathered("#[timeout = 2]");
    assert_eq!(ours.len(), 1);
    assert_eq!(errors, ["`#[timeout]` takes its arguments in parentheses: write `#[timeout(2)]`"]);
}

#[test]
fn what_was_taken_is_mentioned() {
    let mut source = Source::parse(quote!(
        #[timeout(2s)]
        #[a]
        #[resilient::bulkhead(1)]
        async fn f() {}
    ))
    .unwrap();
    let found = gather(Kind::Retry, quote!(), &mut source.attrs, &mut Diagnostics::default());
    let expected = quote! {
        #[timeout(__resilient_mentioned)] const _: () = ();
        #[resilient::bulkhead(__resilient_mentioned)] const _: () = ();
    };
    assert_eq!(found.mentions.to_string(), expected.to_string());
    assert!(is_mention(&quote!(__resilient_mentioned)));
    assert!(!is_mention(&quote!(__resilient_mentioned, x)) && !is_mention(&quote!()));
}
