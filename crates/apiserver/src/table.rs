//! Which verb works on which kind, with which type of patch: one table, read by the server, the reference page and a test.

use std::fmt::Write;

use serde_json::Value;

use crate::failure::Failure;
use crate::kinds::{Kind, Kinds};
use crate::patch::PatchType;
use crate::request::{Target, Verb};
use crate::{people, review, scale};

/// One resource or subresource.
#[derive(Clone, Debug)]
pub struct Row {
    pub group: String,
    pub version: String,
    pub resource: String,
    pub subresource: &'static str,
    pub namespaced: bool,
    pub verbs: Vec<Verb>,
    pub patches: Vec<PatchType>,
}

const STATUS: &[Verb] = &[Verb::Get, Verb::Update, Verb::Patch];
const FINALIZE: &[Verb] = &[Verb::Update];
const SCALE: &[Verb] = STATUS;
const TOKEN: &[Verb] = &[Verb::Create];
const PASSWORD: &[Verb] = &[Verb::Create];
const PATCHES: &[PatchType] = &PatchType::ALL;
const SCALE_PATCHES: &[PatchType] = &[PatchType::Json, PatchType::Merge, PatchType::Strategic];
const CUSTOM_PATCHES: &[PatchType] = &[PatchType::Json, PatchType::Merge, PatchType::Apply];
/// Deleting all of these at once is never what was meant.
const NO_COLLECTION_DELETE: &str = "namespaces";

/// The verbs of a kind or of one of its subresources; none when there is no such subresource.
pub(crate) fn verbs(kind: &Kind, subresource: &str) -> Vec<Verb> {
    match subresource {
        "" => {
            let whole = kind.is("", NO_COLLECTION_DELETE);
            Verb::ALL.into_iter().filter(|verb| !(whole && *verb == Verb::DeleteCollection)).collect()
        }
        "status" if kind.status => STATUS.to_vec(),
        "scale" if scale::has(kind) => SCALE.to_vec(),
        "finalize" if kind.is("", "namespaces") => FINALIZE.to_vec(),
        "token" if kind.is("", "serviceaccounts") || people::is_user(&kind.group, &kind.plural) => TOKEN.to_vec(),
        "password" if people::is_user(&kind.group, &kind.plural) => PASSWORD.to_vec(),
        _ => Vec::new(),
    }
}

pub(crate) fn patches(kind: &Kind, subresource: &str) -> &'static [PatchType] {
    match subresource {
        "scale" => SCALE_PATCHES,
        _ if kind.is_builtin() => PATCHES,
        _ => CUSTOM_PATCHES,
    }
}

pub(crate) fn subresources(kind: &Kind) -> Vec<&'static str> {
    ["finalize", "password", "scale", "status", "token"].into_iter().filter(|name| !verbs(kind, name).is_empty()).collect()
}

/// Refuses what the table does not hold, in Kubernetes' words.
pub(crate) fn allow(kind: &Kind, verb: Verb, target: &Target) -> Result<(), Failure> {
    let verbs = verbs(kind, &target.subresource);
    if verbs.is_empty() {
        return Err(Failure::no_resource());
    }
    // A kind with namespaces is read across all of them, and written in one.
    let across = kind.namespaced && target.namespace.is_empty() && !matches!(verb, Verb::List | Verb::Watch);
    if across && !target.name.is_empty() {
        return Err(Failure::no_resource());
    }
    if !verbs.contains(&verb) || across {
        return Err(Failure::method_not_allowed());
    }
    Ok(())
}

/// Every built-in row; kinds of CustomResourceDefinitions have the same verbs.
pub fn rows() -> Vec<Row> {
    let kinds = Kinds::new([]);
    let rows = kinds.iter().flat_map(|kind| {
        let subresources = std::iter::once("").chain(subresources(kind));
        subresources.map(|subresource| row(kind, subresource)).collect::<Vec<_>>()
    });
    rows.collect()
}

fn row(kind: &Kind, subresource: &'static str) -> Row {
    let verbs = verbs(kind, subresource);
    let patches = if verbs.contains(&Verb::Patch) { patches(kind, subresource).to_vec() } else { Vec::new() };
    Row {
        group: kind.group.clone(),
        version: kind.version.clone(),
        resource: kind.plural.clone(),
        subresource,
        namespaced: kind.namespaced,
        verbs,
        patches,
    }
}

/// The table as a page of the reference.
pub fn reference_markdown() -> String {
    let mut page = String::from(
        "# The embedded API\n\n\
         What `paifang up` answers, kind by kind. Anything else is Kubernetes' 404, 405 or 415.\n\n\
         Kinds of a CustomResourceDefinition have all verbs below, their `status` subresource where the definition asks for\n\
         it, `scale` likewise, and all patch types but the strategic. Bodies and answers are JSON or YAML, for the kinds below also protobuf, and so\n\
         is the metadata of every kind; a body of any other type is 415, a client that accepts none of them gets 406.\n\n\
         | group/version | resource | namespaced |",
    );
    for verb in Verb::ALL {
        let _ = write!(page, " {verb} |");
    }
    page.push_str(" patch types |\n|---|---|---|");
    page.push_str(&"---|".repeat(Verb::ALL.len() + 1));
    page.push('\n');
    for row in rows() {
        let group = if row.group.is_empty() { row.version.clone() } else { format!("{}/{}", row.group, row.version) };
        let slash = if row.subresource.is_empty() { "" } else { "/" };
        let _ = write!(page, "| {group} | {}{slash}{} | {} |", row.resource, row.subresource, mark(row.namespaced));
        for verb in Verb::ALL {
            let _ = write!(page, " {} |", mark(row.verbs.contains(&verb)));
        }
        let patches: Vec<&str> = row.patches.iter().map(|patch| patch.word()).collect();
        let _ = writeln!(page, " {} |", patches.join(", "));
    }
    page.push_str(
        "\nNo container runs: a Deployment or a Pod is kept, and whoever writes one is told. What carries `paifang.dev/read-only: \"true\"` as\n\
         a label or an annotation shows what Paifang does; others may read it.\n\n\
         ## Rights\n\n\
         Who asks shows a client certificate of this API's own authority (the common name is the user, organisations are groups) or a bearer\n\
         token: of a ServiceAccount (`kubectl create token`, or a Secret of type `kubernetes.io/service-account-token`), of a User (a session\n\
         from `POST /login`, or a personal token from `users/NAME/token`), or an id token of the OIDC issuer that `--oidc-issuer` names;\n\
         `--as` works for who may `impersonate`. Everyone else gets 401, but for `/login`, `/healthz`, `/livez`, `/readyz` and `/version`.\n\
         Who is no longer who they were, or may no longer what they did, finds open watches ended within five seconds. Roles and bindings\n\
         decide what they may, as in Kubernetes; `system:masters` may everything.\n\
         `admin`, `edit`, `view` and what every user needs are there from the first start; rules that one of them lacks are added at each\n\
         start, unless it has the annotation `rbac.authorization.kubernetes.io/autoupdate: \"false\"`. Writes are told in `audit.log` in the\n\
         data directory, a line of JSON each.\n\n\
         ### Logging in\n\n\
         | create | body | answer |\n|---|---|---|\n\
         | `/login`, by who has no token yet | `{\"username\", \"password\", \"newPassword\"?}` as `application/json` | `{\"token\", \
         \"expirationTimestamp\"}`; 401 when something is wrong; 403 `PasswordChangeRequired` when only `newPassword` helps; 429 and 503 with \
         `Retry-After` |\n\
         | `users/NAME/password` of `paifang.dev/v1alpha1` | `{\"newPassword\", \"currentPassword\"?, \"mustChange\"?}`; oneself gives the \
         current one | a `Status`; sessions and personal tokens from before end |\n\
         | `users/NAME/token` of `paifang.dev/v1alpha1` | a `TokenRequest`: 90 days, unless `expirationSeconds` says otherwise, at most 365 | a \
         personal token |\n\n\
         ### Questions\n\n\
         These are asked, not stored; the verb is create:\n\n\
         | group | kind | namespaced |\n|---|---|---|\n",
    );
    for review in review::groups().into_iter().flat_map(review::of_group) {
        let _ = writeln!(page, "| {} | {} | {} |", review.group, review.kind, mark(review.namespaced));
    }
    page.push_str(
        "\n## Definitions\n\n\
         These CustomResourceDefinitions are there from the first start on. One that you change stays as you made it; one that you delete\n\
         comes back with the next start.\n\n\
         | group | kind | resource | short | versions |\n|---|---|---|---|---|\n",
    );
    for definition in schema::crds() {
        let _ = writeln!(page, "{}", definition_row(&definition["spec"]));
    }
    page
}

fn definition_row(spec: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let names = &spec["names"];
    let short: Vec<String> = names["shortNames"].as_array().into_iter().flatten().map(text).collect();
    let versions: Vec<String> = spec["versions"].as_array().into_iter().flatten().map(|version| text(&version["name"])).collect();
    let [group, kind, plural] = [&spec["group"], &names["kind"], &names["plural"]].map(text);
    format!("| {group} | {kind} | {plural} | {} | {} |", short.join(", "), versions.join(", "))
}

fn mark(yes: bool) -> &'static str {
    if yes { "✓" } else { "" }
}
