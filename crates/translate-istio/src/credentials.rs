//! What a server shows and demands in a TLS handshake.
//!
//! **Invariant:** what is asked for and cannot be had refuses the handshake; nothing else stands in for it.

use crate::Context;
use crate::servers::Bound;
use model::{Certificate, ClientAuth, ClientTrust, HostTls, TlsPolicy};
use resources::gateway_api::Reference;
use resources::istio::{Clients, Credential, ServerTls};
use resources::{Cause, IstioGateway, Kind, Name, Problem, Secret, SharedGateway};
use std::sync::Arc;

/// Who points at the Secret, as a ReferenceGrant has it.
const GROUP: &str = "networking.istio.io";

/// What is left of a policy that cannot be kept: whether it demanded something.
pub(crate) fn refused(clients: Clients) -> TlsPolicy {
    let client = if clients == Clients::Anyone { ClientAuth::None } else { ClientAuth::Unverified };
    TlsPolicy { client, ..TlsPolicy::default() }
}

impl<'a> Context<'a> {
    /// What the handshake is, and what is wrong with what was asked for.
    pub(crate) fn handshake(self, shared: &SharedGateway, bound: Bound<'a>, tls: &ServerTls) -> (HostTls, TlsPolicy, Vec<Problem>) {
        let mut problems = Vec::new();
        let certificate = tls.credentials.first().and_then(|credential| self.certificate(shared, bound.gateway, credential, &mut problems));
        let client = self.clients(shared, bound.gateway, tls, &mut problems);
        match (certificate, client) {
            (Some(certificate), Some(client)) => {
                let policy = TlsPolicy { client, versions: tls.versions };
                (HostTls::Certificate(certificate), policy, problems)
            }
            _ => (HostTls::Refuse, refused(tls.clients), problems),
        }
    }

    fn certificate(
        self,
        shared: &SharedGateway,
        gateway: &IstioGateway,
        credential: &Credential,
        problems: &mut Vec<Problem>,
    ) -> Option<Arc<Certificate>> {
        let secret = match self.secret(shared, gateway, credential, &credential.name) {
            Ok(secret) => secret,
            Err(problem) => {
                problems.push(*problem);
                return None;
            }
        };
        problems.extend(secret.expiry(credential.field.clone(), secret.istio_expires, self.options.now));
        match &secret.istio {
            Ok(certificate) => Some(certificate.clone()),
            Err(fault) => {
                let message = format!("Secret `{}` holds no usable certificate ({fault}), so every handshake is refused", secret.meta.name);
                let problem = Problem::error(credential.field.clone(), Cause::BadCertificate, message);
                problems.push(problem.hint("It needs `tls.crt` (the chain, leaf first) and `tls.key`, both PEM; or `cert` and `key`"));
                None
            }
        }
    }

    /// `None`: nobody can be told to be good.
    fn clients(self, shared: &SharedGateway, gateway: &IstioGateway, tls: &ServerTls, problems: &mut Vec<Problem>) -> Option<ClientAuth> {
        match tls.clients {
            Clients::Anyone => return Some(ClientAuth::None),
            Clients::Unverified => return Some(ClientAuth::Unverified),
            Clients::Optional | Clients::Required => {}
        }
        let credential = tls.authorities.as_ref().or_else(|| tls.credentials.first())?;
        // A Secret of its own for the authorities comes before the certificate's.
        let beside = tls.authorities.is_none().then(|| format!("{}-cacert", credential.name));
        let beside = beside.and_then(|name| self.secret(shared, gateway, credential, &name).ok());
        let secret = match beside.map_or_else(|| self.secret(shared, gateway, credential, &credential.name), Ok) {
            Ok(secret) => secret,
            Err(problem) => {
                problems.push(*problem);
                return None;
            }
        };
        let name = &secret.meta.name;
        let why = match &secret.authorities {
            Some(Ok(authorities)) => {
                let trust = Arc::new(ClientTrust {
                    origin: format!("Secret {name}").into(),
                    authorities: authorities.trusted.clone(),
                    revoked: authorities.revoked.clone(),
                    names: tls.names.clone(),
                    pins: tls.pins.clone(),
                });
                return Some(if tls.clients == Clients::Optional { ClientAuth::Optional(trust) } else { ClientAuth::Required(trust) });
            }
            Some(Err(fault)) => fault.to_string(),
            None => "`ca.crt` is missing".to_owned(),
        };
        let message = format!("Secret `{name}` has no authorities to judge clients by ({why}), so every handshake is refused");
        let problem = Problem::error(credential.field.clone(), Cause::BadCertificate, message);
        problems.push(problem.hint(format!("Put them into `ca.crt` there, or into a Secret `{}-cacert`", credential.name)));
        None
    }

    /// Where the gateway runs; elsewhere, beside the Gateway too, only where a ReferenceGrant permits it.
    fn secret(
        self,
        shared: &SharedGateway,
        gateway: &IstioGateway,
        credential: &Credential,
        name: &str,
    ) -> Result<&'a Arc<Secret>, Box<Problem>> {
        let own = &gateway.meta.name.namespace;
        let home = Name::new(shared.namespace.clone(), name);
        let away = Name::new(credential.namespace.as_ref().unwrap_or(own).clone(), name);
        if credential.namespace.is_none()
            && let Some(secret) = self.resources.secret(&home)
        {
            return Ok(secret);
        }
        let permitted = away.namespace == shared.namespace || self.is_permitted(own, &away);
        if !permitted && (credential.namespace.is_some() || self.resources.secret(&away).is_some()) {
            return Err(Box::new(not_permitted(credential, own, &away)));
        }
        let wanted = if credential.namespace.is_some() { &away } else { &home };
        self.resources.secret(&away).filter(|_| permitted).ok_or_else(|| Box::new(self.not_found(credential, wanted)))
    }

    fn is_permitted(self, own: &model::Text, wanted: &Name) -> bool {
        let target = Reference { index: 0, group: "".into(), kind: "Secret".into(), name: wanted.clone() };
        self.resources.grants_in(&wanted.namespace).any(|grant| grant.permits((GROUP, Kind::IstioGateway.word(), own), &target))
    }

    fn not_found(self, credential: &Credential, first: &Name) -> Problem {
        let message = format!("Secret `{first}` does not exist, so every handshake is refused");
        let problem = Problem::error(credential.field.clone(), Cause::SecretNotFound, message);
        problem.hint(self.resources.suggest_secret(first))
    }
}

fn not_permitted(credential: &Credential, own: &model::Text, wanted: &Name) -> Problem {
    let namespace = &wanted.namespace;
    let message =
        format!("no ReferenceGrant in `{namespace}` permits Secret `{wanted}` to Gateways of `{own}`, so every handshake is refused");
    let problem = Problem::error(credential.field.clone(), Cause::RefNotPermitted, message);
    problem.hint(format!(
        "Put it into the namespace of the gateway's workload, or make a ReferenceGrant in `{namespace}`: from Gateway of group `{GROUP}` in `{own}`, to Secret"
    ))
}
