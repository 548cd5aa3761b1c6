//! How many Pods serve a gateway, and with what: of a cluster's.

use crate::at::{At, Problems};
use crate::problem::{Cause, Problem};
use model::Text;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// `None`: whoever scales it decides.
    pub replicas: Option<u32>,
    pub autoscaling: Option<Autoscaling>,
    /// Of each Pod, by name: quantities as Kubernetes writes them.
    pub requests: BTreeMap<Text, Text>,
    pub limits: BTreeMap<Text, Text>,
}

/// As many as it takes for this share of the CPU that they request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Autoscaling {
    pub min: u32,
    pub max: u32,
    /// Percent.
    pub cpu: u32,
}

/// Where nothing else is said.
const MAX: u32 = 10;
const CPU: u32 = 80;

// === impl Size ===

impl Size {
    pub(crate) fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let replicas = at.field("replicas").and_then(|it| u32::try_from(it.value.as_u64()?).ok());
        let mut size = Self { replicas, autoscaling: at.field("autoscaling").map(|it| autoscaling(&it)), ..Self::default() };
        if let Some(resources) = at.field("resources") {
            size.requests = quantities(&resources, "requests", problems);
            size.limits = quantities(&resources, "limits", problems);
            size.mend(&resources, problems);
        }
        size
    }

    /// A server refuses a Pod that asks for more than it may have.
    fn mend(&mut self, resources: &At<'_>, problems: &mut Problems) {
        for (name, limit) in &self.limits {
            let Some(request) = self.requests.get(name).filter(|it| amount(it) > amount(limit)) else { continue };
            let message = format!("{request} of {name} are asked for, and {limit} is the limit; the limit is taken");
            problems.push(Problem::warning(format!("{}.requests", resources.path()), Cause::Malformed, message));
            self.requests.insert(name.clone(), limit.clone());
        }
    }

    /// Whether anything is said of what each Pod has.
    pub fn has_resources(&self) -> bool {
        !self.requests.is_empty() || !self.limits.is_empty()
    }
}

fn autoscaling(at: &At<'_>) -> Autoscaling {
    let number = |name: &str| at.field(name).and_then(|it| u32::try_from(it.value.as_u64()?).ok()).filter(|it| *it > 0);
    let min = number("minReplicas").unwrap_or(1);
    // One that says `minReplicas: 20` alone does not want 10.
    let max = number("maxReplicas").unwrap_or(MAX).max(min);
    Autoscaling { min, max, cpu: number("targetCPUUtilizationPercentage").unwrap_or(CPU) }
}

/// What a server would refuse is left out, and said: the Pods are there without it.
fn quantities(at: &At<'_>, name: &str, problems: &mut Problems) -> BTreeMap<Text, Text> {
    let mut read = BTreeMap::new();
    at.entries(name, problems, |key, at, problems| {
        let known = ["cpu", "memory", "ephemeral-storage"].contains(&key) || key.starts_with("hugepages-") || key.contains('/');
        if !known {
            let message = format!("`{key}` is no resource of a Pod");
            problems.push(Problem::error(at.path(), Cause::Malformed, message).hint("Write cpu or memory"));
            return;
        }
        let text = at.value.as_str().map(str::to_owned).or_else(|| at.value.is_number().then(|| at.value.to_string()));
        let quantity = text.filter(|it| amount(it).is_some());
        read.extend(at.expected(quantity, "a quantity such as 500m or 128Mi", problems).map(|it| (key.into(), it.into())));
    });
    read
}

/// A quantity in thousandths; `None`: it is none, or negative.
fn amount(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 16] = [
        ("Ki", 1_024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("", 1.0),
    ];
    let (number, factor) = SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)))?;
    let plain = !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let number: f64 = number.parse().ok().filter(|_| plain)?;
    Some(number * factor * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(value: &Value) -> (Size, Vec<String>) {
        let mut problems = Vec::new();
        let size = Size::read(&At::root(value), &mut problems);
        (size, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_pods_have_is_read_and_what_a_server_would_refuse_is_not() {
        let (size, problems) = read(&json!({
            "replicas": 3,
            "resources": {
                "requests": { "cpu": 1, "memory": "64Mi", "cpus": "1", "example.com/card": 1 },
                "limits": { "cpu": "500m", "memory": "lots" },
            },
        }));
        let text = |it: &BTreeMap<Text, Text>| it.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
        assert_eq!((size.replicas, size.autoscaling), (Some(3), None));
        assert_eq!(text(&size.requests), "cpu=500m example.com/card=1 memory=64Mi");
        assert_eq!(text(&size.limits), "cpu=500m");
        assert_eq!(problems.len(), 3, "{problems:?}");
        for word in ["`cpus` is no resource", "limits[memory]", "the limit is taken"] {
            assert!(problems.iter().any(|it| it.contains(word)), "{word}: {problems:?}");
        }
    }

    #[test]
    fn quantities_are_compared() {
        for (more, less) in [("1", "999m"), ("1Gi", "1G"), ("0.5", "400m"), ("2k", "1Ki"), ("1u", "1n")] {
            assert!(amount(more) > amount(less), "{more} {less}");
        }
        for bad in ["", "m", "-1", "1e", "inf", "nan", "1 Mi", "0x1", "1mi"] {
            assert_eq!(amount(bad), None, "{bad}");
        }
    }

    #[test]
    fn autoscaling_has_defaults() {
        let of = |value: Value| read(&json!({ "autoscaling": value })).0.autoscaling;
        assert_eq!(of(json!({})), Some(Autoscaling { min: 1, max: 10, cpu: 80 }));
        assert_eq!(of(json!({ "minReplicas": 20 })), Some(Autoscaling { min: 20, max: 20, cpu: 80 }));
        assert_eq!(of(json!({ "maxReplicas": 4, "targetCPUUtilizationPercentage": 50 })), Some(Autoscaling { min: 1, max: 4, cpu: 50 }));
    }
}
