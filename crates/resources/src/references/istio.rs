//! What Istio's objects name, and which Pods are behind Services.

use super::{Edit, Map};
use crate::kind::Object;
use crate::kind::meta::Name;
use crate::kind::slice::EndpointSlice;

/// **Invariant:** what is in here is exactly what the objects of the set say.
#[derive(Clone, Debug, Default)]
pub(crate) struct References {
    pub(crate) slices_by_pod: Map<Name>,
}

// === impl References ===

impl References {
    pub(crate) fn edit(&mut self, object: &Object, edit: Edit) {
        if let Object::EndpointSlice(slice) = object {
            self.slice(slice, edit);
        }
    }

    fn slice(&mut self, slice: &EndpointSlice, edit: Edit) {
        for pod in slice.endpoints.iter().filter_map(|endpoint| endpoint.pod.as_ref()) {
            self.slices_by_pod.edit(pod.clone(), &slice.meta.name, edit);
        }
    }
}
