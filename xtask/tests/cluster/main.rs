//! What only a real cluster shows: control plane and gateway in one process on this host, or each in pods, everything else Kubernetes' own.
//!
//! `cargo xtask test --cluster` starts one node and sets `KUBECONFIG`, `PAIFANG_BIN`, and for the tests:
//!
//! | variable | |
//! |---|---|
//! | `BACKEND_ADDRESS` | this host, as pods see it; not of loopback, which a kube-apiserver refuses as an endpoint |
//! | `CLUSTER_POOL` | addresses of this host that the gateway may give away |
//! | `NODE_ADDRESS` | the node |
//! | `GATEWAY_IMAGE`, `CONTROL_IMAGE` | images of `paifang-gateway` and `paifang` that the node has |
//! | `CRDS_ISTIO`, `CRDS_GATEWAY_API` | the definitions of those projects: a file, a folder |

mod console;
mod console_gateways;
mod in_cluster;
mod pods;
mod route;
mod support;
mod tutorial;
