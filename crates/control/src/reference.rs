//! The part of the reference pages that frontends cannot write: what is said once the data plane has answered.

use std::fmt::Write;
use translate::Frontend;

/// Whose it is, the condition as `TYPE=STATUS REASON`, and when it is said.
pub(crate) const CONDITIONS: &[(Of, &str, &str)] = &[
    (Of::Gateway, "Programmed=True Programmed", "it has an address, and one of its listeners is programmed"),
    (Of::Gateway, "Programmed=False Pending", "its listeners are not listened on yet"),
    (Of::Gateway, "Programmed=False AddressNotAssigned", "there is no pool of addresses, or none of it is free; node ports answer"),
    (Of::Gateway, "Programmed=False AddressNotUsable", "the address it asks for is not in the pool, or another's; node ports answer"),
    (Of::Gateway, "Programmed=False Invalid", "it is not accepted, or none of its listeners is programmed"),
    (Of::Gateway, "Accepted=True ListenersNotValid", "some of its listeners have lost their port to another API's object"),
    (Of::Gateway, "Accepted=False ListenersNotValid", "all of its listeners have"),
    (Of::Listener, "Programmed=True Programmed", "its port is listened on, and served as this generation has it"),
    (Of::Listener, "Programmed=False Pending", "its port is not listened on yet"),
    (Of::Listener, "Programmed=False PortUnavailable", "its port cannot be listened on"),
    (Of::Listener, "Programmed=False Invalid", "it is not accepted"),
    (Of::Listener, "Accepted=False PortUnavailable", "an older object of another API has the port for another protocol"),
    (Of::Listener, "Conflicted=True ProtocolConflict", "the same"),
    (Of::Route, "Conflicted=True MatchConflict", "an older object of another API has the same match on a host, and keeps it"),
    (Of::Route, "Conflicted=True ProtocolConflict", "an older object of another API has the port for another protocol"),
    (Of::Route, "Accepted=False UnsupportedValue", "the data plane cannot serve it"),
    (Of::Istio, "Programmed=True Programmed", "a Gateway's ports are listened on"),
    (Of::Istio, "Programmed=False Pending", "they are not yet, or no gateway serves it"),
    (
        Of::Istio,
        "Programmed=False PortUnavailable",
        "a port cannot be listened on, or an older object of another API has it for another protocol",
    ),
    (Of::Istio, "Programmed=False Invalid", "a Gateway is not accepted"),
    (Of::Istio, "Programmed=False NotServed", "the data plane cannot serve a Gateway"),
    (Of::Istio, "Accepted=False NotServed", "the data plane cannot serve it"),
    (Of::Istio, "Conflicted=True MatchConflict", "an older object of another API has the same match on a host, and keeps it"),
    (Of::Istio, "Conflicted=True ProtocolConflict", "an older object of another API has the port for another protocol"),
];

/// Whose condition it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Gateway,
    Listener,
    Route,
    /// Every kind of Istio's.
    Istio,
}

/// A section of an API's page; empty for Ingress, which has no conditions.
pub fn conditions_markdown(api: Frontend) -> String {
    let of = |it: Of| match it {
        Of::Gateway => (Frontend::GatewayApi, "Gateway"),
        Of::Listener => (Frontend::GatewayApi, "listener"),
        Of::Route => (Frontend::GatewayApi, "route"),
        Of::Istio => (Frontend::Istio, ""),
    };
    let mut page = String::new();
    for (whose, condition, when) in CONDITIONS.iter().filter(|(whose, ..)| of(*whose).0 == api) {
        if page.is_empty() {
            page.push_str(
                "\n## Conditions by the data plane\n\nSaid once it has answered, in place of a condition of the same type above.\n\n",
            );
            page.push_str(match api {
                Frontend::GatewayApi => "| of a | condition | reason | when |\n|---|---|---|---|\n",
                Frontend::Istio | Frontend::Ingress => "| condition | reason | when |\n|---|---|---|\n",
            });
        }
        let (condition, reason) = condition.split_once(' ').unwrap_or((condition, ""));
        let name = of(*whose).1;
        let first = if name.is_empty() { String::new() } else { format!("| {name} ") };
        // Writing to a string does not fail.
        let _ = writeln!(page, "{first}| `{condition}` | `{reason}` | {when} |");
    }
    page
}
