//! Gateway: what a gateway's workload listens on.

use super::super::Definition;
use super::super::shape::{Shape, flag, list, object, text, uint32, word};
use super::labels;

pub(super) fn definition() -> Definition {
    let spec = object([
        ("selector", labels().about("Labels of the gateway workloads that this applies to; every one where absent.")),
        ("servers", list(server()).about("The ports to listen on, and for which hosts.")),
    ]);
    super::definition("Gateway", "gateways", &["gw"], Vec::new(), "Ports, protocols, hosts and certificates of a gateway.", spec)
}

fn server() -> Shape {
    object([
        ("name", text().about("Shown in statistics.")),
        ("port", port()),
        ("hosts", list(text()).about("Host names, each optionally after a namespace and a slash; `*` as the first label matches any.")),
        ("bind", text().about("The address to listen on; every one where absent.")),
        ("defaultEndpoint", text().about("Without effect.")),
        ("tls", tls()),
    ])
    .required(["port", "hosts"])
}

fn port() -> Shape {
    object([
        ("number", uint32().about("A port of the Service in front of the gateway.")),
        ("name", text().about("Unique in this object.")),
        ("protocol", text().about("HTTP, HTTPS, GRPC, GRPC-WEB, HTTP2, MONGO, REDIS, MYSQL, TCP or TLS.")),
        ("targetPort", uint32().about("Without effect.")),
    ])
    .required(["number", "protocol", "name"])
}

fn tls() -> Shape {
    let protocol = || word(["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]);
    let modes = ["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"];
    let pair = object([("serverCertificate", text()), ("privateKey", text()), ("caCertificates", text())]);
    object([
        ("httpsRedirect", flag().about("Answer plain HTTP with a redirect to https.")),
        ("mode", word(modes).about("Who terminates TLS, and whether clients show a certificate.")),
        ("credentialName", text().about("The Secret with certificate and key, in the namespace of the gateway's workload.")),
        ("credentialNames", list(text()).items(1, 2).about("Two Secrets: one with an RSA, one with an ECDSA certificate.")),
        ("caCertCredentialName", text().about("The Secret or ConfigMap with the authority of client certificates.")),
        ("serverCertificate", text().about("The certificate's file, in the gateway's workload.")),
        ("privateKey", text().about("The key's file.")),
        ("caCertificates", text().about("The file with the authority of client certificates.")),
        ("caCrl", text().about("The file with certificates that were revoked.")),
        ("tlsCertificates", list(pair).items(1, 2).about("Two pairs of files: one RSA, one ECDSA.")),
        ("subjectAltNames", list(text()).about("Names that a client certificate must have one of.")),
        ("verifyCertificateSpki", list(text()).about("Base64 SHA-256 of public keys that clients may have.")),
        ("verifyCertificateHash", list(text()).about("Hexadecimal SHA-256 of certificates that clients may have.")),
        ("insecureSkipVerify", flag().nullable().about("Take any client certificate.")),
        ("minProtocolVersion", protocol()),
        ("maxProtocolVersion", protocol()),
        ("cipherSuites", list(text()).about("TLS 1.2 suites that may be chosen, by OpenSSL's names.")),
    ])
    .rule("!(has(self.credentialNames) && has(self.tlsCertificates))", "credentialNames and tlsCertificates exclude each other")
    .rule("!(has(self.credentialName) && has(self.credentialNames))", "credentialName and credentialNames exclude each other")
}
