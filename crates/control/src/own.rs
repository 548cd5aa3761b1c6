//! EndpointSlices that we keep ourselves: those a Service's annotation asks for.

use resources::Service;
use serde_json::Value;
use status::{Kind, Target, Wish};
use std::collections::{BTreeMap, BTreeSet};
use translate::MANAGED_BY;

const SERVICE_LABEL: &str = "kubernetes.io/service-name";
const MANAGER_LABEL: &str = "endpointslice.kubernetes.io/managed-by";

type ServiceName = (String, String);

/// Slices as they should be, and as they are.
#[derive(Default)]
pub(crate) struct OwnSlices {
    wanted: BTreeMap<ServiceName, BTreeMap<String, Value>>,
    found: BTreeMap<ServiceName, BTreeMap<String, Value>>,
    owners: BTreeMap<Target, ServiceName>,
    touched: BTreeSet<ServiceName>,
}

impl OwnSlices {
    /// A Service as it is now.
    pub fn service(&mut self, target: &Target, service: Option<&Service>) {
        let name = (target.namespace.clone(), target.name.clone());
        let slices = service.map(|it| translate::endpoint_slices(it).0).unwrap_or_default();
        let named = |it: Value| Some((it.pointer("/metadata/name")?.as_str()?.to_owned(), it));
        let wanted: BTreeMap<String, Value> = slices.into_iter().filter_map(named).collect();
        if self.wanted.get(&name).unwrap_or(&BTreeMap::new()) != &wanted {
            self.touched.insert(name.clone());
        }
        if wanted.is_empty() {
            self.wanted.remove(&name);
        } else {
            self.wanted.insert(name, wanted);
        }
    }

    /// A slice as it is now; others' slices are passed over.
    pub fn slice(&mut self, target: &Target, slice: Option<&Value>) {
        let owner = slice.and_then(owner).map(|it| (target.namespace.clone(), it.to_owned()));
        if let Some(before) = self.owners.remove(target) {
            if let Some(found) = self.found.get_mut(&before) {
                found.remove(&target.name);
            }
            self.touched.insert(before);
        }
        if let (Some(owner), Some(slice)) = (owner, slice) {
            self.found.entry(owner.clone()).or_default().insert(target.name.clone(), slice.clone());
            self.owners.insert(target.clone(), owner.clone());
            self.touched.insert(owner);
        }
    }

    /// What must be written for that to become this.
    pub fn wishes(&mut self) -> Vec<(Target, Wish)> {
        let mut wishes = Vec::new();
        let none = BTreeMap::new();
        for name in std::mem::take(&mut self.touched) {
            let (wanted, found) = (self.wanted.get(&name).unwrap_or(&none), self.found.get(&name).unwrap_or(&none));
            let target = |slice: &str| Target::new(Kind::EndpointSlice, name.0.clone(), slice);
            let made = wishes.len();
            for (slice, object) in wanted {
                let wish = Wish::Object(object.clone());
                if !wish.holds(found.get(slice)) {
                    wishes.push((target(slice), wish));
                }
            }
            // Old slices go once the new ones have been seen, so that there is no moment without endpoints.
            if wishes.len() == made {
                wishes.extend(found.keys().filter(|it| !wanted.contains_key(*it)).map(|it| (target(it), Wish::Absent)));
            }
            if found.is_empty() {
                self.found.remove(&name);
            }
        }
        wishes
    }
}

/// The Service a slice of ours belongs to, or `None` where it is not ours.
fn owner(slice: &Value) -> Option<&str> {
    let labels = slice.pointer("/metadata/labels")?;
    (labels.get(MANAGER_LABEL)? == MANAGED_BY).then(|| labels.get(SERVICE_LABEL).and_then(Value::as_str)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use resources::Name;
    use serde_json::json;

    fn service(endpoints: Option<&str>) -> Service {
        let annotations = endpoints.map_or(json!({}), |it| json!({ translate::ENDPOINTS_ANNOTATION: it }));
        let metadata = json!({ "name": "web", "namespace": "demo", "uid": "u", "annotations": annotations });
        Service::read(Name::new("demo", "web"), &json!({ "metadata": metadata, "spec": { "ports": [{ "port": 80 }] } }))
    }

    #[test]
    fn slices_follow_the_annotation_and_deletions_are_healed() {
        let (mut own, web) = (OwnSlices::default(), Target::new(Kind::Service, "demo", "web"));
        own.service(&web, Some(&service(Some("127.0.0.1:8000"))));
        let mut wishes = own.wishes();
        assert_eq!(wishes.len(), 1);
        let (slice, Wish::Object(object)) = wishes.remove(0) else { panic!("an object") };

        own.slice(&slice, Some(&object));
        own.service(&web, Some(&service(Some("127.0.0.1:8000"))));
        assert_eq!(own.wishes(), [], "nothing to do once it is there");

        own.slice(&slice, None);
        assert_eq!(own.wishes(), [(slice.clone(), Wish::Object(object.clone()))], "healed");

        let mut changed = object.clone();
        changed["endpoints"] = json!([]);
        own.slice(&slice, Some(&changed));
        assert_eq!(own.wishes(), [(slice.clone(), Wish::Object(object.clone()))], "mended");

        own.slice(&slice, Some(&object));
        own.service(&web, Some(&service(Some("127.0.0.1:9000"))));
        let mut wishes = own.wishes();
        assert_eq!(wishes.len(), 1, "the new one first");
        let (moved, Wish::Object(object)) = wishes.remove(0) else { panic!("an object") };
        own.slice(&moved, Some(&object));
        assert_eq!(own.wishes(), [(slice.clone(), Wish::Absent)], "then the old one goes");

        own.slice(&slice, None);
        let slice = moved;
        own.service(&web, Some(&service(None)));
        assert_eq!(own.wishes(), [(slice, Wish::Absent)]);
    }

    #[test]
    fn others_slices_are_left_alone() {
        let mut own = OwnSlices::default();
        let foreign = json!({ "metadata": { "labels": { SERVICE_LABEL: "web", MANAGER_LABEL: "endpointslice-controller.k8s.io" } } });
        own.slice(&Target::new(Kind::EndpointSlice, "demo", "web-x1"), Some(&foreign));
        assert_eq!(own.wishes(), []);
    }
}
