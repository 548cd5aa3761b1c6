//! Which backend of a route, or of a tunnel.

use fastrand::Rng;
use model::{Backend, BackendId, Spill, WeightedBackend};
use std::sync::Arc;

/// Where a request of a route goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked {
    /// The one at this place of the list.
    Backend(usize),
    /// The backend does not exist, or nothing has a weight.
    Unresolved,
    NoEndpoints,
}

/// By weight, each time anew; then what the route says about backends without endpoints.
pub fn pick_backend(backends: &[WeightedBackend], spill: Spill, ready: impl Fn(&BackendId) -> bool, rng: &mut Rng) -> Picked {
    let answer = |at: usize| match backends.get(at).and_then(|weighted| weighted.backend.as_ref()) {
        Some(backend) if ready(&backend.id) => Picked::Backend(at),
        Some(_) => Picked::NoEndpoints,
        None => Picked::Unresolved,
    };
    let Some(picked) = by_weight(backends, rng) else { return Picked::Unresolved };
    match spill {
        Spill::None => answer(picked),
        Spill::ToFirst => match answer(0) {
            first @ Picked::Backend(_) => match answer(picked) {
                other @ Picked::Backend(_) => other,
                Picked::NoEndpoints | Picked::Unresolved => first,
            },
            none => none,
        },
    }
}

/// By weight alone; `None`: it does not exist, or nothing has a weight.
pub fn pick_weighted<'a>(backends: &'a [WeightedBackend], rng: &mut Rng) -> Option<&'a Arc<Backend>> {
    backends.get(by_weight(backends, rng)?)?.backend.as_ref()
}

fn by_weight(backends: &[WeightedBackend], rng: &mut Rng) -> Option<usize> {
    if let [only] = backends {
        return (only.weight > 0).then_some(0);
    }
    let total: u64 = backends.iter().map(|weighted| u64::from(weighted.weight)).sum();
    if total == 0 {
        return None;
    }
    let mut point = rng.u64(..total);
    backends.iter().position(|weighted| match point.checked_sub(u64::from(weighted.weight)) {
        Some(rest) => {
            point = rest;
            false
        }
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backends(weights: &[u32]) -> Vec<WeightedBackend> {
        let backend = |at: usize| Arc::new(Backend::new(BackendId::new(format!("b{at}"))));
        weights.iter().enumerate().map(|(at, &weight)| WeightedBackend::new(Some(backend(at)), weight)).collect()
    }

    fn pick(backends: &[WeightedBackend], spill: Spill, ready: impl Fn(&BackendId) -> bool) -> Picked {
        pick_backend(backends, spill, ready, &mut Rng::with_seed(1))
    }

    fn only(name: &'static str) -> impl Fn(&BackendId) -> bool {
        move |id| id.as_str() == name
    }

    #[test]
    fn shares_follow_the_weights() {
        let backends = backends(&[50, 0, 30, 20]);
        let mut rng = Rng::with_seed(7);
        let mut hits = [0_u32; 4];
        for _ in 0..10_000 {
            let Picked::Backend(at) = pick_backend(&backends, Spill::None, |_| true, &mut rng) else { panic!("all are ready") };
            hits[at] += 1;
        }
        assert_eq!(hits[1], 0);
        for (hits, expect) in hits.into_iter().zip([5_000, 0, 3_000, 2_000_u32]) {
            assert!(hits.abs_diff(expect) <= 200, "{hits} of {expect}");
        }
    }

    #[test]
    fn no_weight_is_no_backend() {
        for (weights, spill) in [(&[0][..], Spill::None), (&[0, 0], Spill::None), (&[], Spill::ToFirst)] {
            assert_eq!(pick(&backends(weights), spill, |_| true), Picked::Unresolved);
        }
    }

    #[test]
    fn without_spill_the_picked_one_decides() {
        let backends = backends(&[0, 1]);
        assert_eq!(pick(&backends, Spill::None, only("b0")), Picked::NoEndpoints);
        assert_eq!(pick(&backends, Spill::None, only("b1")), Picked::Backend(1));
    }

    #[test]
    fn a_canary_without_endpoints_gives_way_and_the_first_must_have_some() {
        let mut backends = backends(&[0, 1]);
        assert_eq!(pick(&backends, Spill::ToFirst, only("b0")), Picked::Backend(0));
        assert_eq!(pick(&backends, Spill::ToFirst, only("b1")), Picked::NoEndpoints);
        assert_eq!(pick(&backends, Spill::ToFirst, |_| true), Picked::Backend(1));
        backends[1].backend = None;
        assert_eq!(pick(&backends, Spill::ToFirst, |_| true), Picked::Backend(0));
        backends[0].backend = None;
        assert_eq!(pick(&backends, Spill::ToFirst, |_| true), Picked::Unresolved);
    }
}
