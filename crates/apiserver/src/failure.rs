//! What goes wrong, as Kubernetes says it: a `Status` object whose words clients compare.

use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::kinds::Kind;
use crate::rbac::Attempt;

/// A request that was not done. Becomes a `Status` with its HTTP code.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: StatusCode,
    reason: &'static str,
    message: String,
    details: Option<Box<Map<String, Value>>>,
    retry_after: Option<u32>,
}

/// One field that is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Such as `FieldValueInvalid`.
    pub reason: String,
    /// Without the field.
    pub message: String,
    /// Such as `spec.rules[0].host`.
    pub field: String,
}

// === impl Failure ===

impl Failure {
    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, retry_after: None }
    }

    fn of(mut self, group: &str, kind: &str, name: &str) -> Self {
        let mut details = Map::new();
        for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
            if !value.is_empty() {
                details.insert(key.into(), value.into());
            }
        }
        self.details = Some(Box::new(details));
        self
    }

    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.qualified_plural());
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).of(&kind.group, &kind.plural, name)
    }

    /// No such group, version or resource.
    pub(crate) fn no_resource() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).of("", "", "")
    }

    /// There, and about to go.
    pub(crate) fn exists_still(kind: &Kind, name: &str) -> Self {
        let mut failure = Self::exists(kind, name);
        failure.message.insert_str(0, "object is being deleted: ");
        failure
    }

    pub(crate) fn exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.qualified_plural());
        Self::new(StatusCode::CONFLICT, "AlreadyExists", message).of(&kind.group, &kind.plural, name)
    }

    pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.qualified_plural());
        Self::new(StatusCode::CONFLICT, "Conflict", message).of(&kind.group, &kind.plural, name)
    }

    /// As [`Self::conflict`]; where Kubernetes says the kind in the place of the resource.
    pub(crate) fn conflict_of_kind(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.qualified_kind());
        Self::new(StatusCode::CONFLICT, "Conflict", message).of(&kind.group, &kind.kind, name)
    }

    pub(crate) fn modified(kind: &Kind, name: &str) -> Self {
        Self::conflict(kind, name, "the object has been modified; please apply your changes to the latest version and try again")
    }

    pub(crate) fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", kind.qualified_plural());
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).of(&kind.group, &kind.plural, name)
    }

    /// What no rule allows.
    pub(crate) fn refused(user: &str, attempt: &Attempt, reason: &str) -> Self {
        let (group, resource, name) = attempt.about();
        // Kubernetes lets nothing into the text that a browser could take for markup.
        let mut why = attempt.refusal(user).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        if !reason.is_empty() {
            why = format!("{why}: {reason}");
        }
        let what = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        let message = match (resource, name) {
            ("", _) => format!("forbidden: {why}"),
            (_, "") => format!("{what} is forbidden: {why}"),
            (_, name) => format!("{what} \"{name}\" is forbidden: {why}"),
        };
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).of(group, resource, name)
    }

    pub(crate) fn namespace_terminating(kind: &Kind, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut failure = Self::forbidden(kind, name, &why);
        failure.add_causes([Cause {
            reason: "NamespaceTerminating".into(),
            message: format!("namespace {namespace} is being terminated"),
            field: "metadata.namespace".into(),
        }]);
        failure
    }

    pub(crate) fn invalid(kind: &Kind, name: &str, causes: Vec<Cause>) -> Self {
        let message = format!("{} \"{name}\" is invalid: {}", kind.qualified_kind(), Cause::lines(&causes));
        let failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
        let mut failure = failure.of(&kind.group, &kind.kind, name);
        failure.add_causes(causes);
        failure
    }

    /// A question with something wrong in it.
    pub(crate) fn invalid_review(group: &str, kind: &str, cause: Cause) -> Self {
        Self::invalid_review_of(group, kind, "", cause)
    }

    /// As [`Self::invalid_review`], about something that has a name.
    pub(crate) fn invalid_review_of(group: &str, kind: &str, name: &str, cause: Cause) -> Self {
        let message = format!("{kind}.{group} \"{name}\" is invalid: {}", cause.line());
        let mut failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).of(group, kind, name);
        failure.add_causes([cause]);
        failure
    }

    fn add_causes(&mut self, causes: impl IntoIterator<Item = Cause>) {
        let causes = causes.into_iter().map(|Cause { reason, message, field }| {
            let mut cause = json!({ "reason": reason, "message": message });
            if !field.is_empty() {
                cause["field"] = field.into();
            }
            cause
        });
        self.details.get_or_insert_default().insert("causes".into(), causes.collect());
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// As it is said of a patch.
    pub(crate) fn of_patch(mut self) -> Self {
        if let Some(why) = self.message.strip_prefix("couldn't get version/kind; json parse error: ") {
            self.message = format!("error decoding patch: {why}");
        }
        self
    }

    /// Fields of a built-in kind that are of another type.
    pub(crate) fn undecodable(kind: &Kind, causes: &[Cause]) -> Self {
        let lines: Vec<String> = causes.iter().map(Cause::line).collect();
        let (name, version) = (&kind.kind, &kind.version);
        Self::bad_request(format!("{name} in version \"{version}\" cannot be handled as a {name}: {}", lines.join(", ")))
    }

    /// A patch that was understood but does not fit the object.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        let mut failure =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", "the server rejected our request due to an error in our request");
        failure.add_causes([Cause::new("UnexpectedServerResponse", "", message)]);
        failure
    }

    /// A patch that makes something of an object that no schema knows.
    pub(crate) fn invalid_patch(cause: Cause) -> Self {
        let message = format!(" \"\" is invalid: {}", cause.line());
        let mut failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
        failure.add_causes([cause]);
        failure
    }

    /// An apply that would take fields from others.
    pub(crate) fn apply_conflict(message: String, causes: Vec<Cause>) -> Self {
        let mut failure = Self::new(StatusCode::CONFLICT, "Conflict", message);
        failure.add_causes(causes);
        failure
    }

    /// Options of a request, such as `PatchOptions`, with one that is wrong.
    pub(crate) fn invalid_options(options: &str, causes: Vec<Cause>) -> Self {
        let message = format!("{options}.meta.k8s.io \"\" is invalid: {}", Cause::lines(&causes));
        let mut failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).of("meta.k8s.io", options, "");
        failure.add_causes(causes);
        failure
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    /// Who is not who they say, or has no password, or may not log in: one answer for all.
    pub(crate) fn login_refused() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "the user name or the password is wrong")
    }

    /// The password is right, and must not be used any longer.
    pub(crate) fn password_change_required(user: &str) -> Self {
        let message = format!("user {user:?} has to choose another password first: log in with a newPassword");
        Self::new(StatusCode::FORBIDDEN, "PasswordChangeRequired", message).of("paifang.dev", "users", user)
    }

    pub(crate) fn wrong_password(user: &str) -> Self {
        let message = format!("users.paifang.dev {user:?}: the current password is wrong");
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).of("paifang.dev", "users", user)
    }

    pub(crate) fn password_conflict(user: &str) -> Self {
        let message = format!("the password of {user:?} was changed by somebody else just now; please try again");
        Self::new(StatusCode::CONFLICT, "Conflict", message).of("paifang.dev", "users", user)
    }

    pub(crate) fn too_many_tries(seconds: u32) -> Self {
        let mut failure = Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "too many tries to log in; please wait");
        failure.retry_after(seconds);
        failure
    }

    /// Passwords of others are being checked.
    pub(crate) fn busy() -> Self {
        let mut failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "too many logins at once; please try again");
        failure.retry_after(1);
        failure
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).of("", "", "")
    }

    pub(crate) fn not_acceptable(accepted: &str) -> Self {
        let message = format!("only the following media types are accepted: {accepted}");
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
    }

    pub(crate) fn unsupported_media(accepted: &str) -> Self {
        let message = format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::larger_than(format!("limit is {limit}"))
    }

    pub(crate) fn larger_than(what: impl fmt::Display) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", format!("Request entity too large: {what}"))
    }

    pub(crate) fn is_no_resource(&self) -> bool {
        self.code == StatusCode::NOT_FOUND && self.details.as_ref().is_none_or(|details| details.is_empty())
    }

    /// An object that is there is another one than the client means.
    pub(crate) fn another(kind: &Kind, name: &str, uid: &str) -> Self {
        let message = format!("Invalid value: {uid:?}: field is immutable");
        Self::invalid(kind, name, vec![Cause::new("FieldValueInvalid", "metadata.uid", message)])
    }

    /// A body that does not say which object it is.
    pub(crate) fn unnamed(name: &str) -> Self {
        Self::bad_request(format!("the name of the object ({name} based on URL) was undeterminable: name must be provided"))
    }

    pub(crate) fn misnamed(said: &str, name: &str) -> Self {
        Self::bad_request(format!("the name of the object ({said}) does not match the name on the URL ({name})"))
    }

    pub(crate) fn misplaced() -> Self {
        Self::bad_request("the namespace of the provided object does not match the namespace sent on the request")
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "Expired", message)
    }

    pub(crate) fn timeout(message: &str) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message).of("", "", "")
    }

    /// The revision a client asks for is newer than anything stored.
    pub(crate) fn future(from: u64, newest: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {from}, current: {newest}");
        let mut failure = Self::timeout(&message);
        failure.add_causes([Cause {
            reason: "ResourceVersionTooLarge".into(),
            message: "Too large resource version".into(),
            field: String::new(),
        }]);
        failure.retry_after(1);
        failure
    }

    fn retry_after(&mut self, seconds: u32) {
        self.details.get_or_insert_default().insert("retryAfterSeconds".into(), seconds.into());
        self.retry_after = Some(seconds);
    }

    pub(crate) fn storage(error: &store::WriteError) -> Self {
        let (code, reason) = match error {
            store::WriteError::Full { .. } | store::WriteError::Io { .. } => (StatusCode::INSUFFICIENT_STORAGE, "InsufficientStorage"),
            store::WriteError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
            store::WriteError::Closed => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        };
        Self::new(code, reason, error.to_string())
    }

    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        let message = format!("Internal error occurred: {message}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn is_conflict(&self) -> bool {
        self.reason == "Conflict"
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after
    }

    pub(crate) fn to_status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason,
        });
        if let Some(details) = &self.details {
            status["details"] = Value::Object((**details).clone());
        }
        status["code"] = self.code.as_u16().into();
        status
    }
}

// === impl Cause ===

impl Cause {
    pub(crate) fn new(reason: &str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason: reason.into(), message: message.into(), field: field.into() }
    }

    fn lines(causes: &[Self]) -> String {
        let lines: Vec<String> = causes.iter().map(Self::line).collect();
        if let [one] = lines.as_slice() { one.clone() } else { format!("[{}]", lines.join(", ")) }
    }

    fn line(&self) -> String {
        if self.field.is_empty() { self.message.clone() } else { format!("{}: {}", self.field, self.message) }
    }
}

#[cfg(test)]
mod tests {
    use store::WriteError;

    use super::*;

    #[test]
    fn a_store_that_refuses_has_a_code_for_each_reason() {
        let reason = || "no space left on device".to_owned();
        for (error, code) in [
            (WriteError::Full { reason: reason() }, 507),
            (WriteError::Io { reason: reason() }, 507),
            (WriteError::TooLarge { size: 2, limit: 1 }, 413),
            (WriteError::Closed, 503),
        ] {
            let status = Failure::storage(&error).to_status();
            assert_eq!((&status["code"], &status["message"]), (&json!(code), &json!(error.to_string())));
        }
    }
}
