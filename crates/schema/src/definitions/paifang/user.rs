//! User: a person, and what is known of them. What they may do, roles and bindings say.

use super::super::shape::{Shape, flag, list, object, text};
use super::super::{Column, Definition, Scope};
use super::{alias, conditions};

/// Names that certificates and other users of an API server have.
const RESERVED: [&str; 7] =
    ["paifang", "paifang-admin", "kubernetes-admin", "kubernetes-super-admin", "kube-apiserver-kubelet-client", "cluster-admin", "system"];

pub(super) fn definition() -> Definition {
    let spec = object([
        ("displayName", text().length(0, 253).about("How the person is called.")),
        ("email", text().length(0, 254).pattern(r"^([^@\s]+@[^@\s]+)?$")),
        ("suspended", flag().about("Whether to refuse sessions, tokens and signing in until it is taken back. Roles stay.")),
        (
            "identities",
            list(text().length(1, 512).rule("!self.startsWith('system:')", "names that begin with system: belong to Kubernetes"))
                .items(0, 16)
                .distinct()
                .about("Names of an OpenID Connect issuer that are this user."),
        ),
    ]);
    let status = object([
        ("roles", list(text()).about("Roles of the whole platform.")),
        ("workspaces", list(place([("name", text()), ("alias", text()), ("roles", list(text()))])).keyed("name")),
        ("projects", list(place([("name", text()), ("workspace", text()), ("alias", text()), ("roles", list(text()))])).keyed("name")),
        ("conditions", conditions()),
    ])
    .about("What the user is a member of: a list of namespaces cannot be filtered by what one may see.");
    let schema = object([("spec", spec), ("status", status)])
        .about("A person. The name is the user that roles are bound to.")
        .rule("size(self.metadata.name) <= 63", "a user's name has at most 63 characters")
        .rule(&format!("!(self.metadata.name in {})", words(&RESERVED)), "this name belongs to a user of the API server itself");
    let columns = vec![
        Column::text("Name", ".spec.displayName").about("How the person is called."),
        Column::text("Email", ".spec.email"),
        Column::text("Roles", ".status.roles[*]"),
        Column::of("Suspended", "boolean", ".spec.suspended"),
        Column::text("Projects", ".status.projects[*].name").wide(),
        Column::text("Alias", alias()).wide(),
        Column::age(),
    ];
    super::definition("User", "users", Scope::Cluster, columns, schema)
}

fn place<const N: usize>(fields: [(&str, Shape); N]) -> Shape {
    object(fields).required(["name"])
}

fn words(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    format!("[{}]", quoted.join(", "))
}
