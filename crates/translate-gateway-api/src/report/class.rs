//! GatewayClass.

use crate::features::FEATURES;
use crate::given::Given;
use crate::place::of_class;
use resources::{Cause, ClassGateway, Condition, GatewayClass, Kind, Name, Problem, Report, SharedGateway, Status, Truth};

pub(super) fn report(given: Given<'_>, name: &Name) -> Option<Report> {
    let class = given.resources.gateway_class(&name.name)?;
    let (controller, _) = given.options.controller(&class.controller)?;
    let mut report = Report::new(Kind::GatewayClass.object_ref(name));
    report.problems.extend(class.problems.iter().cloned());
    let accepted = match parameters(given, class) {
        Err(problem) => {
            let message = problem.to_string();
            report.problems.insert(problem);
            Condition::new("Accepted", Truth::False, "InvalidParameters", message)
        }
        Ok(None) => Condition::new("Accepted", Truth::True, "Accepted", format!("Gateways of this class are served by {controller}")),
        Ok(Some(shared)) => {
            let message = format!("Gateways of this class are served by gateway `{}`", shared.id);
            Condition::new("Accepted", Truth::True, "Accepted", message)
        }
    };
    let version = Condition::new("SupportedVersion", Truth::True, "SupportedVersion", "Gateway API v1.6 is understood");
    let features = FEATURES.iter().map(|feature| (*feature).into()).collect();
    report.status = Some(Status::Class { conditions: vec![accepted, version], features });
    Some(report)
}

/// The gateway that all Gateways of a class join, if it means one.
fn parameters<'a>(given: Given<'a>, class: &GatewayClass) -> Result<Option<&'a SharedGateway>, Problem> {
    if class.has_parameters {
        let problem = Problem::error("spec.parametersRef", Cause::Unsupported, "the only parameters of a class are an IngressGateway");
        return Err(problem.hint("Name one of group `paifang.dev` with its namespace, or take it away"));
    }
    match (&class.gateway, of_class(given, class)) {
        (None, _) => Ok(None),
        (Some(_), Some(shared)) => Ok(Some(shared)),
        (Some(meant), None) => {
            let (field, what) = match meant {
                ClassGateway::Object(name) => ("spec.parametersRef", format!("IngressGateway `{name}` has no gateway")),
                ClassGateway::Id(id) => ("metadata.annotations[paifang.dev/gateway]", format!("gateway `{id}` is not there")),
            };
            Err(Problem::error(field, Cause::ReferenceNotFound, what).hint("Enable the gateway, or delete the class"))
        }
    }
}
