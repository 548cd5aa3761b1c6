//! Project: "make me a namespace", said in a workspace.

use super::super::shape::{object, text};
use super::super::{Column, Definition, Scope};
use super::{alias, conditions, workspace};

/// Beginnings of names that belong to the system.
const RESERVED: &str = "self.metadata.name == 'default' || self.metadata.name.endsWith('-system') || \
                        ['kube-', 'kubesphere-', 'paifang-', 'workspace-', 'istio-', 'openshift-'].exists(it, self.metadata.name.startsWith(it))";

pub(super) fn definition() -> Definition {
    let spec = object([("admins", workspace::admins())]);
    let status = object([
        ("namespace", text()),
        ("seeded", text().about("The uid of the namespace that spec.admins have been bound in.")),
        ("conditions", conditions()),
    ]);
    let schema = object([("spec", spec), ("status", status)])
        .about("A namespace of this name for the workspace in whose namespace this stands. Deleting it deletes the namespace.")
        .rule("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')", "a project's name has letters, digits and -: no dots")
        .rule("size(self.metadata.name) <= 63", "a project's name has at most 63 characters")
        .rule(
            &format!("!({RESERVED})"),
            "names such as default, kube-…, kubesphere-…, paifang-…, workspace-…, istio-…, openshift-… and …-system belong to the system",
        );
    let columns = vec![
        Column::text("Alias", alias()),
        Column::text("Ready", r#".status.conditions[?(@.type=="Ready")].status"#),
        Column::text("Reason", r#".status.conditions[?(@.type=="Ready")].reason"#),
        Column::text("Admins", ".spec.admins[*]").wide(),
        Column::age(),
    ];
    super::definition("Project", "projects", Scope::Namespaced, columns, schema)
}
