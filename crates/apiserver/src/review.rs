//! Kinds that are asked, not stored: who am I, may I, may they, whose token is this?

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::access::{Identity, MASTERS};
use crate::api::Api;
use crate::bearer::{self, Bearer};
use crate::failure::{Cause, Failure};
use crate::rbac::Attempt;
use crate::rbac::attempt::On;
use crate::rbac::rule::Rule;
use crate::reply::Reply;
use crate::request::Target;
use crate::{body, clock, token};

/// A kind that is asked.
pub(crate) struct Review {
    pub(crate) group: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) namespaced: bool,
    question: Question,
}

#[derive(Clone, Copy)]
enum Question {
    WhoAmI,
    WhoseToken,
    MayI,
    WhatMayI,
    MayThey,
    MayTheyHere,
}

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

#[rustfmt::skip]
const REVIEWS: [Review; 6] = [
    Review { group: AUTHENTICATION, kind: "SelfSubjectReview", plural: "selfsubjectreviews", namespaced: false, question: Question::WhoAmI },
    Review { group: AUTHENTICATION, kind: "TokenReview", plural: "tokenreviews", namespaced: false, question: Question::WhoseToken },
    Review { group: AUTHORIZATION, kind: "LocalSubjectAccessReview", plural: "localsubjectaccessreviews", namespaced: true, question: Question::MayTheyHere },
    Review { group: AUTHORIZATION, kind: "SelfSubjectAccessReview", plural: "selfsubjectaccessreviews", namespaced: false, question: Question::MayI },
    Review { group: AUTHORIZATION, kind: "SelfSubjectRulesReview", plural: "selfsubjectrulesreviews", namespaced: false, question: Question::WhatMayI },
    Review { group: AUTHORIZATION, kind: "SubjectAccessReview", plural: "subjectaccessreviews", namespaced: false, question: Question::MayThey },
];

/// The reviews of a group, in groups that have no other kinds.
pub(crate) fn of_group(group: &str) -> &'static [Review] {
    match group {
        AUTHENTICATION => &REVIEWS[..2],
        AUTHORIZATION => &REVIEWS[2..],
        _ => &[],
    }
}

pub(crate) fn groups() -> [&'static str; 2] {
    [AUTHENTICATION, AUTHORIZATION]
}

pub(crate) fn find(target: &Target) -> Option<&'static Review> {
    let fits = target.version == "v1" && target.name.is_empty();
    REVIEWS.iter().find(|review| {
        fits && review.group == target.group && review.plural == target.resource && review.namespaced != target.namespace.is_empty()
    })
}

/// Whether a write of this resource leaves nothing behind.
pub(crate) fn is_question(group: &str) -> bool {
    !of_group(group).is_empty()
}

impl Review {
    /// Answers a question of `user`.
    pub(crate) async fn answer(
        &self,
        api: &Api,
        method: &Method,
        target: &Target,
        user: &Identity,
        bytes: &[u8],
        headers: &HeaderMap,
    ) -> Result<Reply, Failure> {
        if *method != Method::POST {
            return Err(Failure::method_not_allowed());
        }
        let asked = body::parse(&body::media_type(headers), bytes)?.value;
        let said = |field: &str| asked.get(field).and_then(Value::as_str).unwrap_or("");
        let version = format!("{}/v1", self.group);
        if !asked.is_object() || (!said("kind").is_empty() && said("kind") != self.kind) {
            return Err(Failure::bad_request(format!("the body must be a {} of {version}", self.kind)));
        }
        if !said("apiVersion").is_empty() && said("apiVersion") != version {
            let what = said("apiVersion");
            return Err(Failure::bad_request(format!(
                "the API version in the data ({what}) does not match the expected API version ({version})"
            )));
        }
        let namespace = asked.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or("");
        if !namespace.is_empty() && namespace != target.namespace {
            return Err(Failure::misplaced());
        }
        let spec = asked.get("spec").cloned().unwrap_or_default();
        self.check_types(&spec)?;
        let status = match self.question {
            Question::WhoAmI => json!({ "userInfo": info(user) }),
            Question::WhoseToken => whose_token(api, &spec).await?,
            Question::MayI => self.may(api, user, &spec, "")?,
            Question::WhatMayI => what_may(api, user, &spec)?,
            Question::MayThey | Question::MayTheyHere => self.may(api, &self.them(&spec)?, &spec, &target.namespace)?,
        };
        let mut metadata = json!({ "creationTimestamp": clock::now() });
        if !target.namespace.is_empty() {
            metadata["namespace"] = target.namespace.clone().into();
        }
        let mut answer = json!({ "kind": self.kind, "apiVersion": version, "metadata": metadata });
        if !spec.is_null() {
            answer["spec"] = spec;
        }
        answer["status"] = status;
        Ok(Reply::json_with(StatusCode::CREATED, &answer))
    }

    /// What is of another type is not taken for missing: the answer would be to another question.
    fn check_types(&self, spec: &Value) -> Result<(), Failure> {
        let text = |value: &Value| value.is_string();
        let texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let object = |value: &Value| value.is_object();
        let of_object = |of: &str, fits: &dyn Fn(&Value) -> bool, fields: &[&str]| {
            let of = spec.pointer(of).unwrap_or(&Value::Null);
            let wrong = |field: &&&str| of.get(**field).is_some_and(|value| !value.is_null() && !fits(value));
            fields.iter().find(wrong).map(|field| (*field).to_owned())
        };
        let wrong = (!spec.is_object() && !spec.is_null())
            .then(|| "spec".to_owned())
            .or_else(|| of_object("", &text, &["token", "user", "uid", "namespace"]))
            .or_else(|| of_object("", &texts, &["audiences", "groups"]))
            .or_else(|| of_object("", &object, &["extra", "resourceAttributes", "nonResourceAttributes"]))
            .or_else(|| of_object("/nonResourceAttributes", &text, &["path", "verb"]))
            .or_else(|| {
                of_object("/resourceAttributes", &text, &["group", "version", "name", "namespace", "subresource", "resource", "verb"])
            });
        match wrong {
            Some(field) => {
                let (kind, what) = (self.kind, "is of another type");
                Err(Failure::bad_request(format!("{kind} in version \"v1\" cannot be handled as a {kind}: {field} {what}")))
            }
            None => Ok(()),
        }
    }

    fn invalid(&self, field: &str, value: &Value, what: &str) -> Failure {
        // These have no kind in Kubernetes' words either.
        Failure::invalid_review(self.group, "", Cause::new("FieldValueInvalid", field, format!("Invalid value: {value}: {what}")))
    }

    fn may(&self, api: &Api, user: &Identity, spec: &Value, here: &str) -> Result<Value, Failure> {
        let attempt = self.attempt(spec)?;
        if !here.is_empty() {
            if matches!(attempt.on, On::Path(_)) {
                let asked = &spec["nonResourceAttributes"];
                let asked = json!({ "Path": asked["path"], "Verb": asked["verb"] });
                return Err(self.invalid("spec.nonResourceAttributes", &asked, "disallowed on this kind of request"));
            }
            if attempt.namespace() != here {
                let said = attempt.namespace().into();
                return Err(self.invalid("spec.resourceAttributes.namespace", &said, "must match metadata.namespace"));
            }
        }
        let decision = api.rights.check(user, &attempt);
        let mut status = json!({ "allowed": decision.allowed });
        if !decision.reason.is_empty() {
            status["reason"] = decision.reason.into();
        } else if decision.allowed {
            status["reason"] = format!("{MASTERS} may do everything").into();
        }
        Ok(status)
    }

    fn attempt(&self, spec: &Value) -> Result<Attempt, Failure> {
        let (resource, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
        let text = |of: &Value, field: &str| of.get(field).and_then(Value::as_str).unwrap_or("").to_owned();
        match (resource.as_object(), path.as_object()) {
            (Some(_), None) => {
                let [group, version, name, namespace, subresource, what] =
                    ["group", "version", "name", "namespace", "subresource", "resource"].map(|field| text(resource, field));
                let on = On::Resource { group, version, resource: what, subresource, namespace, name };
                Ok(Attempt { verb: text(resource, "verb"), on })
            }
            (None, Some(_)) => Ok(Attempt { verb: text(path, "verb"), on: On::Path(text(path, "path")) }),
            (Some(_), Some(_)) => {
                let asked = json!({ "Path": text(path, "path"), "Verb": text(path, "verb") });
                Err(self.invalid("spec.nonResourceAttributes", &asked, "cannot be specified in combination with resourceAttributes"))
            }
            _ => {
                let what = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
                Err(self.invalid("spec.resourceAttributes", resource, what))
            }
        }
    }

    fn them(&self, spec: &Value) -> Result<Identity, Failure> {
        let text = |field: &str| spec.get(field).and_then(Value::as_str).unwrap_or("").to_owned();
        let groups = strings(&spec["groups"]);
        if text("user").is_empty() && groups.is_empty() {
            return Err(self.invalid("spec.user", &"".into(), "at least one of user or group must be specified"));
        }
        let mut them = Identity::new(text("user"), groups);
        them.uid = text("uid");
        Ok(them)
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// An identity as Kubernetes shows it.
pub(crate) fn info(user: &Identity) -> Value {
    let mut info = Map::from_iter([("username".to_owned(), json!(user.user))]);
    if !user.uid.is_empty() {
        info.insert("uid".into(), json!(user.uid));
    }
    info.insert("groups".into(), json!(user.groups));
    if !user.extra.is_empty() {
        info.insert("extra".into(), json!(user.extra));
    }
    Value::Object(info)
}

async fn whose_token(api: &Api, spec: &Value) -> Result<Value, Failure> {
    let token = spec["token"].as_str().unwrap_or("");
    if token.is_empty() {
        return Err(Failure::bad_request("token is required for TokenReview in authentication"));
    }
    let mut audiences = strings(&spec["audiences"]);
    if audiences.is_empty() {
        audiences.push(token::AUDIENCE.into());
    }
    Ok(match bearer::verify(api, token, &audiences).await {
        Ok(Bearer { user, audiences, .. }) => json!({ "authenticated": true, "user": info(&user), "audiences": audiences }),
        Err(reason) => json!({ "user": {}, "error": format!("invalid bearer token: {reason}") }),
    })
}

fn what_may(api: &Api, user: &Identity, spec: &Value) -> Result<Value, Failure> {
    let namespace = spec["namespace"].as_str().unwrap_or("");
    if namespace.is_empty() {
        return Err(Failure::bad_request("no namespace on request"));
    }
    let rules: Vec<Rule> = match user.is_master() {
        true => vec![Rule::resources(&["*"], "*", "*"), Rule::urls("*", "*")],
        false => api.rights.read(|policy| policy.rules_for(user, namespace).into_iter().cloned().collect()),
    };
    let (paths, resources): (Vec<&Rule>, Vec<&Rule>) = rules.iter().partition(|rule| rule.resources.is_empty());
    let shown = |rules: Vec<&Rule>| rules.into_iter().map(Rule::to_value).collect::<Vec<_>>();
    Ok(json!({ "resourceRules": shown(resources), "nonResourceRules": shown(paths), "incomplete": false }))
}
