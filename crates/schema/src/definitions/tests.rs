use super::*;
use crate::{default_builtin, known, review_builtin};

/// `Structural::from_crd` says what it dislikes; an API server would refuse to serve it.
#[test]
fn every_definition_is_one_that_an_api_server_takes() {
    let kind = crate::builtin().by_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition").expect("a built-in kind");
    for mut crd in crds() {
        default_builtin(kind, &mut crd);
        let name = crd["metadata"]["name"].clone();
        assert_eq!(crate::structural(kind).unknown(&crd), Vec::<String>::new(), "{name}");
        let wrong: Vec<String> = review_builtin(kind, &crd, None).iter().map(ToString::to_string).collect();
        assert_eq!(wrong, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn each_version_is_known() {
    for definition in ALL.iter() {
        for version in &definition.versions {
            assert!(known(&api_version(definition.group, version.name), definition.kind).is_some(), "{} {}", version.name, definition.kind);
        }
    }
    assert!(known("networking.istio.io/v2", "Gateway").is_none());
}
