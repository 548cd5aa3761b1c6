//! `paifang crds`: the definitions of the kinds that are not Kubernetes' own, to install in a cluster that lacks them.

use crate::Exit;
use crate::args::{CrdApi, CrdsArgs};
use anyhow::Result;
use serde_json::Value;
use std::io::Write;

/// Runs the command: YAML documents, as `kubectl apply -f -` takes them.
pub fn run(args: &CrdsArgs) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    for crd in chosen(args.api) {
        writeln!(out, "---\n{}", serde_saphyr::to_string(&crd)?.trim_end())?;
    }
    Ok(Exit::Done)
}

fn chosen(api: Option<CrdApi>) -> impl Iterator<Item = Value> {
    let group = match api {
        None => "",
        Some(CrdApi::GatewayApi) => "gateway.networking.k8s.io",
        Some(CrdApi::Istio) => "networking.istio.io",
        Some(CrdApi::Paifang) => "paifang.dev",
    };
    schema::crds().into_iter().filter(move |it| group.is_empty() || it["spec"]["group"] == group)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// YAML that says something else than what it was made from would be applied without a word.
    #[test]
    fn what_is_printed_reads_back_the_same() {
        let all: Vec<Value> = chosen(None).collect();
        assert!(all.len() > 8, "{}", all.len());
        for crd in &all {
            let text = serde_saphyr::to_string(crd).expect("it can be written");
            let loaded = resources::load::load("crd.yaml", &text).expect("it can be read");
            assert_eq!(loaded[0].object, *crd);
        }
        let of = |api| chosen(Some(api)).count();
        assert_eq!(of(CrdApi::Istio) + of(CrdApi::GatewayApi) + of(CrdApi::Paifang), all.len());
    }
}
