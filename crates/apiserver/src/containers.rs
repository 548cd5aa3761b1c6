//! What a user hears who asks for containers: none run here.

use serde_json::Value;

/// What to say of a Deployment or a Pod, and of all else nothing. The default of [`crate::Options::warn`].
pub fn no_containers(object: &Value) -> Vec<String> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or("");
    let kind = match (text("apiVersion"), text("kind")) {
        ("apps/v1", "Deployment") => "Deployment",
        ("v1", "Pod") => "Pod",
        _ => return Vec::new(),
    };
    vec![format!(
        "this API runs no containers: the {kind} is kept, and nothing starts. To send requests to a program that you started yourself, give its \
         Service the annotation paifang.dev/endpoints: \"127.0.0.1:8080\""
    )]
}
