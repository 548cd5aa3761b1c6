//! A collector of spans: a real OTLP/gRPC server, which keeps what it is sent.

use crate::eventually;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};

/// A span, as a test looks at it. Ids are in hexadecimal digits.
#[derive(Clone, Debug, Default)]
pub struct Span {
    pub trace: String,
    pub id: String,
    /// Empty: it is a root.
    pub parent: String,
    pub state: String,
    pub name: String,
    /// 2: a server's, 3: a client's.
    pub kind: i32,
    /// 2: it is an error.
    pub status: i32,
    pub flags: u32,
    pub began: u64,
    pub ended: u64,
    pub attributes: BTreeMap<String, String>,
    /// Of whoever sent it.
    pub resource: BTreeMap<String, String>,
}

/// A running collector; it ends when dropped, and its connections with it.
pub struct Collector {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct Shared {
    spans: Mutex<Vec<Span>>,
    refusing: Mutex<Option<Code>>,
}

struct Service(Arc<Shared>);

// === impl Collector ===

impl Collector {
    pub fn start() -> Self {
        Self::at(([127, 0, 0, 1], 0).into())
    }

    /// # Panics
    ///
    /// Where somebody else has the address.
    pub fn at(address: SocketAddr) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let incoming = {
            let _inside = runtime.enter();
            // What went before at this address may not be gone altogether.
            eventually("the collector's address", || TcpIncoming::bind(address).ok())
        };
        let address = incoming.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        let service = TraceServiceServer::new(Service(shared.clone()));
        runtime.spawn(async move { Server::builder().serve_with_incoming(service, incoming).await });
        Self { address, shared, runtime: Some(runtime) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From here on it answers so; `None`: it takes everything.
    pub fn refuse(&self, with: Option<Code>) {
        *lock(&self.shared.refusing) = with;
    }

    /// All that it has taken so far.
    pub fn spans(&self) -> Vec<Span> {
        lock(&self.shared.spans).clone()
    }

    /// Waits for spans like this.
    pub fn until(&self, what: &str, wanted: impl Fn(&Span) -> bool) -> Vec<Span> {
        eventually(what, || Some(self.spans().into_iter().filter(|it| wanted(it)).collect::<Vec<_>>()).filter(|it| !it.is_empty()))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

// === impl Span ===

impl Span {
    /// Empty: it has none.
    pub fn attribute(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        if let Some(code) = *lock(&self.0.refusing) {
            return Err(Status::new(code, "as the test has it"));
        }
        let mut taken = lock(&self.0.spans);
        for of_resource in request.into_inner().resource_spans {
            let resource = texts(&of_resource.resource.unwrap_or_default().attributes);
            for it in of_resource.scope_spans.into_iter().flat_map(|it| it.spans) {
                taken.push(Span {
                    trace: digits(&it.trace_id),
                    id: digits(&it.span_id),
                    parent: digits(&it.parent_span_id),
                    state: it.trace_state,
                    name: it.name,
                    kind: it.kind,
                    status: it.status.unwrap_or_default().code,
                    flags: it.flags,
                    began: it.start_time_unix_nano,
                    ended: it.end_time_unix_nano,
                    attributes: texts(&it.attributes),
                    resource: resource.clone(),
                });
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |it: &KeyValue| match it.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|it| (it.key.clone(), text(it))).collect()
}

fn digits(octets: &[u8]) -> String {
    octets.iter().map(|it| format!("{it:02x}")).collect()
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}
