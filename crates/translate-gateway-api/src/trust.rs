//! Whether a listener's clients must show a certificate, and which ones are good.

use crate::backend::{From, is_permitted, not_permitted};
use crate::given::Given;
use crate::listener::{Judged, Protocol, TERMINATE_MODE};
use model::{ClientAuth, ClientTrust, TlsPolicy};
use resources::gateway_api::{ClientValidation, Reference, ValidationMode};
use resources::{Authorities, Cause, CertificateFault, Gateway, Kind, Problem};
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct Trust {
    pub(crate) policy: TlsPolicy,
    /// No authority can be had, so nobody comes in.
    pub(crate) closed: Option<Problem>,
    /// Why some cannot: the reason of `ResolvedRefs`.
    pub(crate) faults: Vec<(&'static str, Problem)>,
    /// Certificates that nobody vouches for are taken too.
    pub(crate) insecure: bool,
}

type Fault = (&'static str, Problem);

/// What holds for a listener: Istio's option of its own, else what the Gateway says for its port.
pub(crate) fn of_listener(given: Given<'_>, gateway: &Gateway, judged: &Judged<'_>) -> Trust {
    if !judged.protocol.is_some_and(Protocol::ends_tls) {
        return Trust::default();
    }
    let tls = judged.listener.tls.as_ref();
    let option = tls.and_then(|tls| tls.options.get(TERMINATE_MODE)).map(|mode| &**mode);
    match option {
        Some(mode @ ("MUTUAL" | "OPTIONAL_MUTUAL")) => {
            let certificate = tls.and_then(|tls| tls.certificates.first());
            by_option(given, gateway, judged, mode, certificate)
        }
        _ => match gateway.frontend.of_port(judged.listener.port) {
            Some((at, validation)) => by_validation(given, gateway, validation, &at),
            None => Trust::default(),
        },
    }
}

/// Istio: the authorities are in the certificate's own Secret, or in one beside it.
fn by_option(given: Given<'_>, gateway: &Gateway, judged: &Judged<'_>, mode: &str, certificate: Option<&Reference>) -> Trust {
    let mut trust = Trust::default();
    let field = judged.field("tls.certificateRefs[0]");
    let from = From { kind: Kind::Gateway, namespace: &gateway.meta.name.namespace };
    let beside = certificate.map(|it| Reference { name: it.beside(), ..it.clone() });
    let allowed = |it: &&Reference| it.is("", "Secret") && is_permitted(given, from, it);
    let places = certificate.into_iter().chain(&beside).filter(allowed);
    let found = places.filter_map(|it| Some((it, given.resources.secret(&it.name)?.authorities.as_ref()?))).next();
    let taken = match found {
        Some((it, Ok(authorities))) => Ok((it, authorities)),
        Some((it, Err(fault))) => Err(format!("the authorities in Secret `{}` are not usable ({fault})", it.name)),
        None => Err("no Secret has authorities for clients".to_owned()),
    };
    // One that is not there may still come.
    let is_there = certificate.is_some_and(|it| given.resources.secret(&it.name).is_some());
    let cause = if is_there { Cause::BadCertificate } else { Cause::SecretNotFound };
    match taken {
        Ok((it, authorities)) => {
            let known = client_trust(format!("Secret {}", it.name), [authorities]);
            trust.policy.client = if mode == "MUTUAL" { ClientAuth::Required(known) } else { ClientAuth::Optional(known) };
        }
        Err(why) => {
            let problem = Problem::error(field, cause, format!("{why}, so no client comes in"));
            let name = certificate.map(|it| it.name.name.to_string()).unwrap_or_default();
            let problem = problem.hint(format!("Put `ca.crt` into Secret `{name}`, or into `{name}-cacert`"));
            trust.faults.push(("InvalidCACertificateRef", problem.clone()));
            trust.closed = Some(problem);
        }
    }
    trust
}

fn by_validation(given: Given<'_>, gateway: &Gateway, validation: &ClientValidation, at: &str) -> Trust {
    let mut trust = Trust { insecure: validation.mode == ValidationMode::AllowInsecureFallback, ..Trust::default() };
    let (mut good, mut origins) = (Vec::new(), Vec::new());
    for to in &validation.authorities {
        match authorities(given, gateway, to, &format!("{at}.caCertificateRefs[{}]", to.index)) {
            Ok(authorities) => {
                good.push(authorities);
                origins.push(format!("{} {}", to.kind, to.name));
            }
            Err(fault) => trust.faults.push(fault),
        }
    }
    if validation.broken || good.is_empty() {
        let message = "no authority for certificates of clients can be had, so nobody comes in";
        let missing = !validation.broken && trust.faults.iter().all(|(_, fault)| fault.reason.is_reference());
        let cause = if missing { Cause::ReferenceNotFound } else { Cause::BadCertificate };
        trust.closed = Some(Problem::error(format!("{at}.caCertificateRefs"), cause, message));
        return trust;
    }
    trust.policy.client = match validation.mode {
        ValidationMode::AllowValidOnly => ClientAuth::Required(client_trust(origins.join(", "), good)),
        ValidationMode::AllowInsecureFallback => ClientAuth::Unverified,
    };
    trust
}

fn authorities<'a>(given: Given<'a>, gateway: &Gateway, to: &Reference, field: &str) -> Result<&'a Arc<Authorities>, Fault> {
    let from = From { kind: Kind::Gateway, namespace: &gateway.meta.name.namespace };
    if !to.is("", "ConfigMap") && !to.is("", "Secret") {
        let message = format!("`{}` cannot hold authorities", to.shown_kind());
        let problem = Problem::error(format!("{field}.kind"), Cause::Unsupported, message).hint("Name a ConfigMap");
        return Err(("InvalidCACertificateKind", problem));
    }
    if !is_permitted(given, from, to) {
        return Err(("RefNotPermitted", not_permitted(from, to, field)));
    }
    let held = match &*to.kind {
        "Secret" => given.resources.secret(&to.name).map(|secret| secret.authorities.as_ref()),
        _ => given.resources.config_map(&to.name).map(|map| map.authorities.as_ref()),
    };
    let bad = |cause, message: String| {
        let problem = Problem::error(format!("{field}.name"), cause, message).hint("It needs `ca.crt`: certificates in PEM form");
        Err(("InvalidCACertificateRef", problem))
    };
    match held {
        None => bad(Cause::ReferenceNotFound, format!("{} `{}` does not exist", to.kind, to.name)),
        Some(None) => {
            let missing = CertificateFault::Missing("ca.crt");
            bad(Cause::BadCertificate, format!("{} `{}` holds no usable authorities ({missing})", to.kind, to.name))
        }
        Some(Some(Err(fault))) => bad(Cause::BadCertificate, format!("{} `{}` holds no usable authorities ({fault})", to.kind, to.name)),
        Some(Some(Ok(authorities))) => Ok(authorities),
    }
}

fn client_trust<'a>(origin: String, from: impl IntoIterator<Item = &'a Arc<Authorities>>) -> Arc<ClientTrust> {
    let (mut authorities, mut revoked) = (Vec::new(), Vec::new());
    for it in from {
        authorities.extend(it.trusted.iter().cloned());
        revoked.extend(it.revoked.iter().cloned());
    }
    Arc::new(ClientTrust { origin: origin.into(), authorities, revoked, names: Vec::new(), pins: Vec::new() })
}
