//! Which certificates a listener has, and which of them a host shows.

use crate::backend::{From, is_permitted, not_permitted};
use crate::given::Given;
use crate::listener::Judged;
use model::{Certificate, HostPattern, HostTls};
use resources::gateway_api::Reference;
use resources::hosts::covers;
use resources::{Cause, Gateway, Kind, Problem, Secret, deep_host_pattern};
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct Certificates {
    /// Those that can be shown, in the order they are named.
    pub(crate) good: Vec<Arc<Certificate>>,
    /// Why others cannot: the reason of `ResolvedRefs`.
    pub(crate) faults: Vec<(&'static str, Problem)>,
    pub(crate) notes: Vec<Problem>,
}

/// The certificates of a listener that ends TLS.
pub(crate) fn of_listener(given: Given<'_>, gateway: &Gateway, judged: &Judged<'_>) -> Certificates {
    let mut certificates = Certificates::default();
    let named = judged.listener.tls.as_ref().map_or(&[][..], |tls| &tls.certificates);
    if named.is_empty() {
        let problem =
            Problem::error(judged.field("tls.certificateRefs"), Cause::SecretNotFound, "no certificate is named, so no handshake succeeds");
        certificates.faults.push(("InvalidCertificateRef", problem.hint("Name a Secret of type kubernetes.io/tls")));
    }
    for reference in named {
        let field = judged.field(&format!("tls.certificateRefs[{}]", reference.index));
        match usable(given, gateway, reference, &field) {
            Ok(secret) => certificates.add(given, secret, judged.host(), &field),
            Err(fault) => certificates.faults.push(fault),
        }
    }
    certificates
}

fn usable<'a>(given: Given<'a>, gateway: &Gateway, to: &Reference, field: &str) -> Result<&'a Secret, (&'static str, Problem)> {
    let from = From { kind: Kind::Gateway, namespace: &gateway.meta.name.namespace };
    if !to.is("", "Secret") {
        let message = format!("`{}` cannot hold a certificate", to.shown_kind());
        let problem = Problem::error(format!("{field}.kind"), Cause::Unsupported, message).hint("Name a Secret");
        return Err(("InvalidCertificateRef", problem));
    }
    // Whether a Secret exists elsewhere is nobody's business without leave.
    if !is_permitted(given, from, to) {
        return Err(("RefNotPermitted", not_permitted(from, to, field)));
    }
    let Some(secret) = given.resources.secret(&to.name) else {
        let problem = Problem::error(format!("{field}.name"), Cause::SecretNotFound, format!("Secret `{}` does not exist", to.name));
        return Err(("InvalidCertificateRef", problem.hint(given.resources.suggest_secret(&to.name))));
    };
    match &secret.certificate {
        Ok(_) => Ok(secret),
        Err(fault) => {
            let message = format!("Secret `{}` holds no usable certificate ({fault})", to.name);
            let problem = Problem::error(format!("{field}.name"), Cause::BadCertificate, message);
            Err(("InvalidCertificateRef", problem.hint("It needs `tls.crt` (the chain, leaf first) and `tls.key`, both PEM")))
        }
    }
}

// === impl Certificates ===

impl Certificates {
    fn add(&mut self, given: Given<'_>, secret: &Secret, host: &HostPattern, field: &str) {
        let Ok(certificate) = &secret.certificate else { return };
        self.good.push(certificate.clone());
        let name = &secret.meta.name;
        let meant = certificate.names.iter().filter_map(|name| deep_host_pattern(name).ok());
        if *host != HostPattern::Any && !meant.into_iter().any(|it| covers(&it, host) || covers(host, &it)) {
            let names: Vec<&str> = certificate.names.iter().map(|name| &**name).collect();
            let message = format!("the certificate in Secret `{name}` is for {}, not for `{host}`", names.join(", "));
            let problem = Problem::warning(format!("{field}.name"), Cause::CertificateMismatch, message);
            self.notes.push(problem.hint(format!("Use a certificate that names `{host}`")));
        }
        self.notes.extend(secret.expiry(format!("{field}.name"), secret.expires, given.options.now));
    }

    /// What a host shows: the certificate that names it, one whose wildcard does, else the first.
    pub(crate) fn of_host(&self, host: &HostPattern) -> HostTls {
        let best = self.good.iter().enumerate().min_by_key(|(index, it)| (fit(it, host), *index));
        best.map_or(HostTls::Refuse, |(_, certificate)| HostTls::Certificate(certificate.clone()))
    }
}

/// Less is better.
fn fit(certificate: &Certificate, host: &HostPattern) -> u8 {
    let shown = host.to_string();
    let named = |name: &model::Text| name.eq_ignore_ascii_case(&shown);
    let under = |name: &model::Text| {
        let rest = name.strip_prefix("*.");
        rest.zip(shown.split_once('.')).is_some_and(|(suffix, (label, rest))| label != "*" && suffix.eq_ignore_ascii_case(rest))
    };
    if certificate.names.iter().any(named) {
        return 0;
    }
    if certificate.names.iter().any(under) { 1 } else { 2 }
}

/// Hosts of a listener's certificates, which each show their own where there are several.
pub(crate) fn named_hosts(given: Given<'_>, judged: &Judged<'_>) -> Vec<HostPattern> {
    let named = judged.listener.tls.as_ref().map_or(&[][..], |tls| &tls.certificates);
    if named.len() < 2 {
        return Vec::new();
    }
    let secrets = named.iter().filter(|it| it.is("", "Secret")).filter_map(|it| given.resources.secret(&it.name));
    secrets.flat_map(|secret| hosts_of(secret)).filter(|host| covers(judged.host(), host)).collect()
}

/// The hosts that a Secret's certificate names.
pub(crate) fn hosts_of(secret: &Secret) -> Vec<HostPattern> {
    let names = secret.certificate.iter().flat_map(|certificate| certificate.names.iter());
    names.filter(|name| name.parse::<std::net::IpAddr>().is_err()).filter_map(|name| deep_host_pattern(name).ok()).collect()
}
