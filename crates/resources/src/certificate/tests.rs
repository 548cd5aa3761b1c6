use super::*;

fn pair(names: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let key = rcgen::generate_simple_self_signed(names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()).expect("a certificate");
    (key.cert.pem().into_bytes(), key.signing_key.serialize_pem().into_bytes())
}

#[test]
fn a_pair_is_read_with_its_names() {
    let (certificate, key) = pair(&["a.test", "*.b.test"]);
    let (certificate, _) = read("Secret demo/tls", TLS, Some(Ok(certificate)), Some(Ok(key))).expect("a good pair");
    assert_eq!(certificate.names, ["a.test", "*.b.test"]);
    assert_eq!(certificate.chain.len(), 1);
    assert!(!format!("{certificate:?}").contains("PRIVATE"));
}

#[test]
fn faults_are_told_apart() {
    let (certificate, key) = pair(&["a.test"]);
    let (_, other) = pair(&["a.test"]);
    let cases = [
        (None, Some(key.clone()), CertificateFault::Missing("tls.crt")),
        (Some(certificate.clone()), None, CertificateFault::Missing("tls.key")),
        (Some(b"nonsense".to_vec()), Some(key.clone()), CertificateFault::NoCertificate("tls.crt")),
        (Some(certificate.clone()), Some(b"nonsense".to_vec()), CertificateFault::NoKey("tls.key")),
        (Some(certificate.clone()), Some(other), CertificateFault::KeyMismatch("tls.key")),
        (Some(key.clone()), Some(certificate), CertificateFault::NoCertificate("tls.crt")),
        (
            Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
            Some(key),
            CertificateFault::UnreadableCertificate("tls.crt"),
        ),
    ];
    for (certificate, key, expect) in cases {
        assert_eq!(read("x", TLS, certificate.map(Ok), key.map(Ok)).expect_err("a fault"), expect);
    }
}
