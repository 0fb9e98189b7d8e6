use super::*;

fn name(manifest: &str, workspace: &str) -> Option<String> {
    dependency_name(manifest, || workspace.to_owned())
}

#[test]
fn the_key_of_our_package() {
    for manifest in [
        "[dependencies]\nfault-tolerance = { version = \"1\", package = \"resilient\" }",
        "[dependencies]\nfault-tolerance = { package='resilient', path = \"../x,y\" } # package = \"other\"",
        "[dependencies.fault-tolerance]\nversion = \"1\"\npackage = \"resilient\"",
        "[ dev-dependencies . \"fault-tolerance\" ]\npackage = \"resilient\"",
        "[build-dependencies]\nfault-tolerance.package = \"resilient\"\nfault-tolerance.version = \"1\"",
        "[target.'cfg(any(unix, target_os = \"x.y\"))'.dependencies]\nfault-tolerance = { package = \"resilient\" }",
        "[target.\"cfg(unix)\".dev-dependencies.fault-tolerance]\npackage = \"resilient\"",
        "[package]\nname = \"resilient\"\n\n[dependencies]\nserde = [\n  \"a\",\n]\nfault-tolerance = { package = \"resilient\", features = [\"a\", \"b\"] }",
    ] {
        assert_eq!(name(manifest, "").as_deref(), Some("fault_tolerance"), "{manifest}");
    }
}

#[test]
fn the_plain_name() {
    assert_eq!(name("[dependencies]\nresilient = \"1\"", "").as_deref(), Some("resilient"));
    assert_eq!(name("[dependencies]\nother = { package = \"resilient-core\" }", ""), None);
    assert_eq!(name("[dependencies]\nresilient = { package = \"another\" }", ""), None);
    assert_eq!(name("[features]\nresilient = [\"x\"]", ""), None);
    assert_eq!(name("not = [ a manifest", ""), None);
    assert_eq!(name("", ""), None);
}

#[test]
fn a_name_inherited_from_the_workspace() {
    let workspace = "[workspace.dependencies]\nshield = { package = \"resilient\", version = \"1\" }\nserde = \"1\"";
    for manifest in [
        "[dependencies]\nshield = { workspace = true, features = [\"tracing\"] }",
        "[dependencies]\nshield.workspace = true",
        "[dev-dependencies.shield]\nworkspace = true",
    ] {
        assert_eq!(name(manifest, workspace).as_deref(), Some("shield"), "{manifest}");
    }
    assert_eq!(name("[dependencies]\nserde.workspace = true", workspace), None);
    let both = format!("{workspace}\n[dependencies]\nserde.workspace = true");
    assert_eq!(name(&both, &both), None);
    let plain = "[workspace.dependencies]\nresilient = { path = \"resilient\" }";
    assert_eq!(name("[dependencies]\nresilient = { workspace = true }", plain).as_deref(), Some("resilient"));
}

#[test]
fn the_crate_argument() {
    let explicit = |text: &str| explicit(&text.parse().unwrap()).map(|path| quote!(#path).to_string());
    assert_eq!(explicit("name = \"x\", crate = ::a::b, allow(c)"), Some(quote!(::a::b).to_string()));
    assert_eq!(explicit("crate = crate::a"), Some(quote!(crate::a).to_string()));
    assert_eq!(explicit("crate = \"a\""), None);
    assert_eq!(explicit("name = \"crate = x\""), None);
}

#[test]
fn names_that_are_keywords() {
    assert_eq!(path("a_b").to_string(), quote!(::a_b).to_string());
    assert_eq!(path("try").to_string(), quote!(::r#try).to_string());
}
