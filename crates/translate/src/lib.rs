//! From Kubernetes objects to the routing model, and to what we say back about them: one pure function.
//!
//! ```text
//! Resources ──► translate_shard(key) ──► Shard, Reports      one host of one gateway: what each frontend has for it, merged
//!          ├──► listening            ──► gateways and ports  which there are to be
//!          ├──► report(object)       ──► Report              what its `status` says
//!          └──► endpoints(backend)   ──► Endpoints, Reports  apart from routes: slices never cause a translation
//! Applied (one change) ──► touched ──► the shards, objects and Services it can have changed
//! ```
//!
//! It calls the frontends, which never see one another. It is *not* a loop: who watches, gathers changes, publishes and
//! writes statuses is `control`; [`Reports`] and [`InUse`] are the two books it keeps.
//!
//! **Invariant:** [`translate`] is the map of [`translate_shard`] over all keys, so incremental equals from scratch by construction.
//! **Invariant:** no clock, no IO, no panic on any input; the order in which objects came does not matter.

mod annotated;
mod check;
mod claims;
mod endpoints;
mod in_use;
mod listening;
mod merge;
mod options;
mod passed;
mod report;
mod reports;
mod requests;
mod shard;
mod touched;
mod tracing;

pub use annotated::{ENDPOINTS_ANNOTATION, MANAGED_BY, endpoint_slices, problems as annotation_problems};
pub use check::{check, place};
pub use endpoints::endpoints;
pub use in_use::{InUse, Turnover};
pub use listening::{Listening, Listens, Port, listening};
pub use options::{Frontend, Options, Services, Workloads};
pub use report::{has_status, report};
pub use reports::{Part, Reports};
pub use requests::{Naming, PLATFORM};
pub use shard::{Translation, keys, translate, translate_shard};
pub use touched::{Touched, touched};
pub use tracing::collector;
pub use translate_gateway_api::{Options as GatewayApiOptions, reference_markdown as gateway_api_reference_markdown};
pub use translate_ingress::{ClassOptions, ClusterIps, Options as IngressOptions, Others, reference_markdown};
pub use translate_ingress::{Setting, annotations, settings};
pub use translate_istio::{Options as IstioOptions, reference_markdown as istio_reference_markdown};
pub use translate_service::{CLASS as SERVICE_CLASS, Exposed, ExposedPort, WantedAddress, gateway_id as gateway_of_service, service_of};
