//! Which certificate a host shows.

use crate::options::Options;
use model::{Certificate, HostPattern, HostTls, Text};
use resources::{Cause, Ingress, Name, Problem, Resources, Secret, TlsEntry};
use std::sync::Arc;

/// What one Ingress says about a host's certificate.
///
/// The entry that lists the host; else any Secret of the same Ingress whose names fit.
pub(crate) fn of_ingress(resources: &Resources, options: &Options, ingress: &Ingress, host: &HostPattern) -> HostTls {
    let lists = |entry: &&TlsEntry| entry.hosts.iter().any(|name| resources::host_pattern(name).as_ref() == Ok(host));
    if let Some(entry) = ingress.tls.iter().find(lists) {
        let usable = entry.secret.as_ref().and_then(|secret| usable(resources, options, ingress, secret, host).ok());
        return usable.map_or(HostTls::Default, HostTls::Certificate);
    }
    let secrets = ingress.tls.iter().filter_map(|entry| entry.secret.as_ref());
    let fitting = secrets.filter_map(|secret| usable(resources, options, ingress, secret, host).ok()).next();
    match fitting {
        Some(certificate) => HostTls::Certificate(certificate),
        // An entry without hosts is meant for all of them.
        None if ingress.tls.iter().any(|entry| entry.hosts.is_empty()) => HostTls::Default,
        None => HostTls::None,
    }
}

/// What is wrong with an Ingress's TLS entries, whatever the host.
pub(crate) fn problems(resources: &Resources, options: &Options, ingress: &Ingress) -> Vec<Problem> {
    let mut problems = Vec::new();
    for entry in &ingress.tls {
        let at = format!("spec.tls[{}]", entry.index);
        let Some(name) = &entry.secret else {
            let message = "no Secret is named, so the gateway's own certificate is shown";
            problems.push(Problem::note(format!("{at}.secretName"), Cause::SecretNotFound, message));
            continue;
        };
        let listed = entry.hosts.iter().enumerate().filter_map(|(index, host)| Some((index, resources::host_pattern(host).ok()?)));
        let faults = listed.filter_map(|(index, host)| Some((index, usable(resources, options, ingress, name, &host).err()?)));
        let mut faults: Vec<(usize, Unusable)> = faults.collect();
        if faults.is_empty() && entry.hosts.is_empty() {
            faults.extend(usable(resources, options, ingress, name, &HostPattern::Any).err().map(|fault| (0, fault)));
        }
        problems.extend(faults.into_iter().filter_map(|(index, fault)| fault.problem(resources, ingress, name, entry, &at, index)));
        problems.extend(expiry(resources, options, ingress, name, &at));
    }
    problems
}

#[derive(Clone, Copy)]
enum Unusable {
    NotFound,
    NoCertificate,
    OtherNames,
}

fn usable(resources: &Resources, _: &Options, ingress: &Ingress, secret: &Text, host: &HostPattern) -> Result<Arc<Certificate>, Unusable> {
    let secret = find(resources, ingress, secret).ok_or(Unusable::NotFound)?;
    let certificate = secret.certificate.as_ref().map_err(|_| Unusable::NoCertificate)?;
    let fits = match host {
        HostPattern::Any => false,
        host => certificate.names.iter().any(|name| covers(name, host)),
    };
    if fits { Ok(certificate.clone()) } else { Err(Unusable::OtherNames) }
}

fn find<'a>(resources: &'a Resources, ingress: &Ingress, secret: &Text) -> Option<&'a Arc<Secret>> {
    resources.secret(&Name::new(ingress.meta.name.namespace.clone(), secret.clone()))
}

/// A certificate's name covers itself, and as `*.x` one label before `x`.
fn covers(name: &str, host: &HostPattern) -> bool {
    match host {
        HostPattern::Exact(host) => match name.strip_prefix("*.") {
            Some(suffix) => {
                host.as_str().split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(suffix))
            }
            None => name.eq_ignore_ascii_case(host.as_str()),
        },
        HostPattern::OneLabel(_) | HostPattern::AnyDepth(_) => name.eq_ignore_ascii_case(&host.to_string()),
        HostPattern::Any => false,
    }
}

fn expiry(resources: &Resources, options: &Options, ingress: &Ingress, name: &Text, at: &str) -> Option<Problem> {
    let secret = find(resources, ingress, name)?;
    secret.expiry(format!("{at}.secretName"), secret.expires, options.now)
}

// === impl Unusable ===

impl Unusable {
    fn problem(self, resources: &Resources, ingress: &Ingress, name: &Text, entry: &TlsEntry, at: &str, host: usize) -> Option<Problem> {
        let namespace = &ingress.meta.name.namespace;
        let secret = format!("{at}.secretName");
        let shown = "so the gateway's own certificate is shown";
        match self {
            Self::NotFound => {
                let message = format!("Secret `{namespace}/{name}` does not exist, {shown}");
                let problem = Problem::error(secret, Cause::SecretNotFound, message);
                let named = Name::new(namespace.clone(), name.clone());
                Some(problem.hint(resources.suggest_secret(&named)))
            }
            Self::NoCertificate => {
                let fault = find(resources, ingress, name)?.certificate.as_ref().err()?;
                let message = format!("Secret `{namespace}/{name}` holds no usable certificate ({fault}), {shown}");
                let problem = Problem::error(secret, Cause::BadCertificate, message);
                Some(problem.hint("It needs `tls.crt` (the chain, leaf first) and `tls.key`, both PEM"))
            }
            Self::OtherNames => {
                let names = &find(resources, ingress, name)?.certificate.as_ref().ok()?.names;
                let host = entry.hosts.get(host)?;
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                let message = format!("the certificate in Secret `{name}` is for {}, not for `{host}`, {shown}", names.join(", "));
                Some(Problem::error(secret, Cause::CertificateMismatch, message).hint(format!("Use a certificate that names `{host}`")))
            }
        }
    }
}
