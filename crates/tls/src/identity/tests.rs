use super::*;
use testkit::certificates::{Alternative, Authority};

#[test]
fn it_says_who_the_client_is() {
    let client = Authority::new().issue_to(
        "web",
        &[Alternative::Dns("a.test"), Alternative::Uri("spiffe://demo/web"), Alternative::Dns("b.test"), Alternative::Email("x@a.test")],
    );
    let der = &client.chain[0];
    let value = forwarded_client_cert(der).expect("readable");
    let hash: String = digest(&SHA256, der).as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    let pem = client.chain_pem.split_inclusive("-----END CERTIFICATE-----\n").next().expect("the leaf");
    let escaped = pem.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace('\n', "%0A").replace(' ', "%20");
    let expect = format!("Hash={hash};Cert=\"{escaped}\";Subject=\"CN=web\";URI=spiffe://demo/web;DNS=a.test;DNS=b.test");
    assert_eq!(value, expect);
}

#[test]
fn nothing_in_a_certificate_can_pretend_to_be_another_element() {
    let client = Authority::new().issue_to(
        "a\",Subject=\"b;\r\nHost: x\u{7f} é",
        &[Alternative::Uri("x;DNS=admin.test"), Alternative::Uri("a\r\nb: c"), Alternative::Dns("q\"=\\")],
    );
    let value = forwarded_client_cert(&client.chain[0]).expect("readable");
    let (_, rest) = value.split_once(";Subject=").expect("a subject");
    assert_eq!(rest, "\"CN=a\\\"\\,Subject=\\\"b\\;\\0D\\0AHost: x\\7F \\C3\\A9\";URI=\"x;DNS=admin.test\";DNS=\"q\\\"=\\\\\"");
    assert!(value.bytes().all(|octet| matches!(octet, b' '..=b'~')));
}

#[test]
fn a_large_certificate_and_many_names_are_not_passed_on_whole() {
    let names: Vec<String> = (0..400).map(|at| format!("name-number-{at}.example.com")).collect();
    let names: Vec<Alternative> = names.iter().map(|name| Alternative::Dns(name)).collect();
    let value = forwarded_client_cert(&Authority::new().issue_to("web", &names).chain[0]).expect("readable");
    assert!(!value.contains("Cert=") && value.starts_with("Hash=") && value.matches("DNS=").count() == MOST_NAMES);
}

#[test]
fn what_is_no_certificate_is_nobody() {
    assert_eq!(forwarded_client_cert(b"no certificate"), None);
}
