//! Which backend of a route.

use fastrand::Rng;
use model::{Backend, BackendId, Forward, Spill};
use std::sync::Arc;

/// Where a request of a route goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked<'a> {
    Backend(&'a Arc<Backend>),
    /// The backend does not exist, or nothing has a weight.
    Unresolved,
    NoEndpoints,
}

/// By weight; then what the route says about backends without endpoints.
pub fn pick_backend<'a>(forward: &'a Forward, ready: impl Fn(&BackendId) -> bool, rng: &mut Rng) -> Picked<'a> {
    let answer = |backend: Option<&'a Arc<Backend>>| match backend {
        Some(backend) if ready(&backend.id) => Picked::Backend(backend),
        Some(_) => Picked::NoEndpoints,
        None => Picked::Unresolved,
    };
    let Some(picked) = by_weight(forward, rng) else { return Picked::Unresolved };
    let backend = |at: usize| forward.backends.get(at).and_then(|weighted| weighted.backend.as_ref());
    match forward.spill {
        Spill::None => answer(backend(picked)),
        Spill::ToFirst => match answer(backend(0)) {
            first @ Picked::Backend(_) => match answer(backend(picked)) {
                other @ Picked::Backend(_) => other,
                Picked::NoEndpoints | Picked::Unresolved => first,
            },
            none => none,
        },
    }
}

fn by_weight(forward: &Forward, rng: &mut Rng) -> Option<usize> {
    if let [only] = forward.backends.as_slice() {
        return (only.weight > 0).then_some(0);
    }
    let total: u64 = forward.backends.iter().map(|weighted| u64::from(weighted.weight)).sum();
    if total == 0 {
        return None;
    }
    let mut point = rng.u64(..total);
    forward.backends.iter().position(|weighted| match point.checked_sub(u64::from(weighted.weight)) {
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
    use model::WeightedBackend;

    fn forward(weights: &[u32], spill: Spill) -> Forward {
        let backend = |at: usize| Arc::new(Backend::new(BackendId::new(format!("b{at}"))));
        let mut forward = Forward::to(backend(0));
        forward.backends = weights.iter().enumerate().map(|(at, &weight)| WeightedBackend::new(Some(backend(at)), weight)).collect();
        forward.spill = spill;
        forward
    }

    fn name<'a>(picked: Picked<'a>) -> &'a str {
        match picked {
            Picked::Backend(backend) => backend.id.as_str(),
            Picked::Unresolved => "unresolved",
            Picked::NoEndpoints => "no endpoints",
        }
    }

    #[test]
    fn shares_follow_the_weights() {
        let forward = forward(&[70, 0, 30], Spill::None);
        let mut rng = Rng::with_seed(7);
        let mut hits = [0_u32; 3];
        for _ in 0..10_000 {
            match name(pick_backend(&forward, |_| true, &mut rng)) {
                "b0" => hits[0] += 1,
                "b1" => hits[1] += 1,
                _ => hits[2] += 1,
            }
        }
        assert_eq!(hits[1], 0);
        assert!((2_800..3_200).contains(&hits[2]), "{hits:?}");
    }

    #[test]
    fn no_weight_is_no_backend() {
        let mut rng = Rng::with_seed(1);
        assert_eq!(pick_backend(&forward(&[0], Spill::None), |_| true, &mut rng), Picked::Unresolved);
        assert_eq!(pick_backend(&forward(&[0, 0], Spill::None), |_| true, &mut rng), Picked::Unresolved);
        assert_eq!(pick_backend(&forward(&[], Spill::ToFirst), |_| true, &mut rng), Picked::Unresolved);
    }

    #[test]
    fn without_spill_the_picked_one_decides() {
        let mut rng = Rng::with_seed(1);
        let forward = forward(&[0, 1], Spill::None);
        assert_eq!(name(pick_backend(&forward, |id| id.as_str() == "b0", &mut rng)), "no endpoints");
        assert_eq!(name(pick_backend(&forward, |id| id.as_str() == "b1", &mut rng)), "b1");
    }

    #[test]
    fn a_canary_without_endpoints_gives_way_and_the_first_must_have_some() {
        let mut rng = Rng::with_seed(1);
        let mut forward = forward(&[0, 1], Spill::ToFirst);
        assert_eq!(name(pick_backend(&forward, |id| id.as_str() == "b0", &mut rng)), "b0");
        assert_eq!(name(pick_backend(&forward, |id| id.as_str() == "b1", &mut rng)), "no endpoints");
        assert_eq!(name(pick_backend(&forward, |_| true, &mut rng)), "b1");
        forward.backends[1].backend = None;
        assert_eq!(name(pick_backend(&forward, |_| true, &mut rng)), "b0");
        forward.backends[0].backend = None;
        assert_eq!(name(pick_backend(&forward, |_| true, &mut rng)), "unresolved");
    }
}
