use super::*;
use serde_json::json;

fn reviewed(status: serde_json::Value) -> TokenReview {
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {}, "status": status });
    serde_json::from_value(review).expect("a TokenReview")
}

#[test]
fn only_a_service_account_s_token_for_us_is_believed() {
    let user = |name: &str| json!({ "username": name });
    let good = "system:serviceaccount:shop:web-gateway";
    for (status, expect) in [
        (json!({ "authenticated": true, "audiences": [AUDIENCE], "user": user(good) }), Some(Name::new("shop", "web-gateway"))),
        (json!({ "authenticated": false, "audiences": [AUDIENCE], "user": user(good) }), None),
        (json!({ "audiences": [AUDIENCE], "user": user(good) }), None),
        (json!({ "authenticated": true, "audiences": ["https://kubernetes.default.svc"], "user": user(good) }), None),
        (json!({ "authenticated": true, "user": user(good) }), None),
        (json!({ "authenticated": true, "audiences": [AUDIENCE], "user": user("admin") }), None),
        (json!({ "authenticated": true, "audiences": [AUDIENCE] }), None),
    ] {
        assert_eq!(account(&reviewed(status.clone())).ok(), expect, "{status}");
    }
}

#[test]
fn an_authority_is_read_back_as_it_was_made() {
    let mut secret = first("paifang-system").expect("it is made");
    let made = read(&secret, "paifang-system").expect("it is whole");
    assert_eq!(made.epoch, 1);
    assert!(made.pem.contains("BEGIN CERTIFICATE"));
    for key in [CERTIFICATE, KEY, EPOCH] {
        let taken = secret.data.as_mut().and_then(|it| it.remove(key)).expect("it is there");
        let error = read(&secret, "paifang-system").expect_err(key);
        assert!(matches!(error, LinkError::Broken { .. }), "{key}: {error}");
        secret.data.get_or_insert_default().insert(key.to_owned(), taken);
    }
}
