//! GatewayClass.

use crate::features::FEATURES;
use crate::given::Given;
use resources::{Cause, Condition, Kind, Name, Problem, Report, Status, Truth};

pub(super) fn report(given: Given<'_>, name: &Name) -> Option<Report> {
    let class = given.resources.gateway_class(&name.name)?;
    let (controller, _) = given.options.controller(&class.controller)?;
    let mut report = Report::new(Kind::GatewayClass.object_ref(name));
    report.problems.extend(class.problems.iter().cloned());
    let accepted = if class.has_parameters {
        let problem = Problem::error("spec.parametersRef", Cause::Unsupported, "there are no parameters that a class could have here");
        let problem = problem.hint("Take it away");
        let message = problem.to_string();
        report.problems.insert(problem);
        Condition::new("Accepted", Truth::False, "InvalidParameters", message)
    } else {
        Condition::new("Accepted", Truth::True, "Accepted", format!("Gateways of this class are served by {controller}"))
    };
    let version = Condition::new("SupportedVersion", Truth::True, "SupportedVersion", "Gateway API v1.6 is understood");
    let features = FEATURES.iter().map(|feature| (*feature).into()).collect();
    report.status = Some(Status::Class { conditions: vec![accepted, version], features });
    Some(report)
}
