//! The volumes of a Pod: their names, and one source each.

use std::collections::HashSet;

use serde_json::Value;

use super::super::{given, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

/// Sources, in the order in which Kubernetes looks at them, and the field that the common ones cannot be without.
const SOURCES: [(&str, &str); 30] = [
    ("emptyDir", ""),
    ("hostPath", "path"),
    ("gitRepo", "repository"),
    ("gcePersistentDisk", ""),
    ("awsElasticBlockStore", ""),
    ("secret", "secretName"),
    ("nfs", ""),
    ("iscsi", ""),
    ("glusterfs", ""),
    ("flocker", ""),
    ("persistentVolumeClaim", "claimName"),
    ("rbd", ""),
    ("cinder", ""),
    ("cephfs", ""),
    ("quobyte", ""),
    ("downwardAPI", ""),
    ("fc", ""),
    ("flexVolume", ""),
    ("azureFile", ""),
    ("configMap", "name"),
    ("vsphereVolume", ""),
    ("photonPersistentDisk", ""),
    ("portworxVolume", ""),
    ("azureDisk", ""),
    ("storageos", ""),
    ("projected", ""),
    ("scaleIO", ""),
    ("csi", "driver"),
    ("ephemeral", ""),
    ("image", ""),
];

/// The names that a mount may speak of.
pub(super) fn check<'a>(volumes: &'a [Value], path: &Path<'_>, found: &mut Vec<Violation>) -> HashSet<&'a str> {
    let mut names = HashSet::new();
    for (index, volume) in volumes.iter().enumerate() {
        let (at, before) = (path.index(index), found.len());
        check_source(volume, &at, found);
        let (name, name_at) = (text(volume, "name"), at.child("name"));
        if name.is_empty() {
            found.push(name_at.required(""));
            continue;
        }
        say(found, &name_at, name, name::dns_label(name));
        if found.len() == before && names.contains(name) {
            found.push(name_at.duplicate(name));
        }
        if found.len() == before {
            names.insert(name);
        }
    }
    names
}

fn check_source(volume: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let mut first = true;
    for (source, needed) in SOURCES {
        let Some(value) = given(volume, source) else { continue };
        let at = path.child(source);
        if !first {
            found.push(at.forbidden("may not specify more than 1 volume type"));
        } else if !needed.is_empty() && text(value, needed).is_empty() {
            found.push(at.child(needed).required(""));
        }
        first = false;
    }
}
