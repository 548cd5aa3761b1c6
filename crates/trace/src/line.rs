//! What is said to a collector, and what it answers: OTLP over gRPC, and over HTTP.

use crate::dial::dial;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use model::{Collector, CollectorProtocol, Egress};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

/// For an answer to a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two signs of life of a connection over which nothing goes.
const PULSE: Duration = Duration::from_secs(30);
/// The most octets of an answer.
const ANSWER: usize = 64 << 10;
const AGENT: &str = concat!("paifang/", env!("CARGO_PKG_VERSION"));

/// What a process may connect to, as it is at the moment.
pub(crate) type Rules = Arc<dyn Fn() -> Arc<Egress> + Send + Sync>;

pub(crate) enum Line {
    Grpc(TraceServiceClient<Channel>),
    Http(Post),
}

/// OTLP/HTTP: one connection, opened again where the other side has ended it.
pub(crate) struct Post {
    collector: Collector,
    path: String,
    rules: Rules,
    open: Option<Open>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    task: JoinHandle<()>,
}

/// Why a batch was not taken.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It may be later.
    Later(String),
    /// It never will.
    Never(String),
}

/// What of a batch was not taken though the rest was: how many spans, and why.
pub(crate) type Rejected = Option<(u64, String)>;

// === impl Line ===

impl Line {
    /// Connects.
    pub async fn open(collector: &Collector, rules: &Rules) -> Result<Self, String> {
        match &collector.protocol {
            CollectorProtocol::Grpc => Ok(Self::Grpc(grpc(collector, rules).await?)),
            CollectorProtocol::Http(path) => {
                let mut post = Post { collector: collector.clone(), path: path.to_string(), rules: rules.clone(), open: None };
                post.connect().await?;
                Ok(Self::Http(post))
            }
        }
    }

    pub async fn send(&mut self, batch: ExportTraceServiceRequest) -> Result<Rejected, Failure> {
        let sent = async {
            match self {
                Self::Grpc(client) => client.export(batch).await.map(|it| it.into_inner()).map_err(|status| of_status(&status)),
                Self::Http(post) => post.send(&batch).await,
            }
        };
        let answer = tokio::time::timeout(PATIENCE, sent).await.unwrap_or_else(|_| Err(Failure::Later("it does not answer".into())))?;
        let partial = answer.partial_success.unwrap_or_default();
        let rejected = u64::try_from(partial.rejected_spans).unwrap_or_default();
        Ok((rejected > 0).then_some((rejected, partial.error_message)))
    }
}

async fn grpc(collector: &Collector, rules: &Rules) -> Result<TraceServiceClient<Channel>, String> {
    let url = |scheme: &str| format!("{scheme}://{}", collector.authority());
    // TLS is the connector's; that the URL says so to the collector is all there is to it here.
    let origin: Uri = url(if collector.scheme == model::Scheme::Https { "https" } else { "http" }).parse().map_err(said)?;
    let endpoint = Endpoint::from_shared(url("http")).map_err(said)?.origin(origin);
    let endpoint = endpoint.user_agent(AGENT).map_err(said)?.http2_keep_alive_interval(PULSE).keep_alive_timeout(PATIENCE);
    let (collector, rules) = (collector.clone(), rules.clone());
    let connector = tower::service_fn(move |_: Uri| {
        let (collector, egress) = (collector.clone(), rules());
        async move { dial(&collector, &egress).await.map(TokioIo::new).map_err(io::Error::other) }
    });
    Ok(TraceServiceClient::new(endpoint.connect_with_connector(connector).await.map_err(said)?))
}

/// The innermost reason: those around it say that there is one.
fn said(error: impl Error) -> String {
    let mut innermost: &dyn Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// As OTLP has it: what may be tried again. `ResourceExhausted` may not, where the collector does not say when.
fn of_status(status: &tonic::Status) -> Failure {
    // Whatever its code is, it was the connection and not the collector.
    if status.source().is_some() {
        return Failure::Later(said(status));
    }
    let why = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Cancelled | Code::DeadlineExceeded | Code::Aborted | Code::OutOfRange | Code::Unavailable | Code::DataLoss => {
            Failure::Later(why)
        }
        _ => Failure::Never(why),
    }
}

// === impl Post ===

impl Post {
    async fn connect(&mut self) -> Result<&mut Open, String> {
        let stream = dial(&self.collector, &(self.rules)()).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(said)?;
        // It ends with what is wrong with it, which whoever sends hears too.
        let task = tokio::spawn(async move { drop(connection.await) });
        Ok(self.open.insert(Open { sender, task }))
    }

    async fn send(&mut self, batch: &ExportTraceServiceRequest) -> Result<ExportTraceServiceResponse, Failure> {
        let request = Request::post(&self.path)
            .header(header::HOST, self.collector.authority())
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .header(header::USER_AGENT, AGENT)
            .body(Full::new(Bytes::from(batch.encode_to_vec())))
            .map_err(|error| Failure::Never(error.to_string()))?;
        let open = match self.open.take().filter(|it| !it.sender.is_closed()) {
            Some(open) => self.open.insert(open),
            None => self.connect().await.map_err(Failure::Later)?,
        };
        let asked = async {
            let answer = open.sender.send_request(request).await.map_err(|error| Failure::Later(said(error)))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER).collect().await;
            Ok((status, body.map_err(|error| Failure::Later(error.to_string()))?.to_bytes()))
        };
        let result = asked.await;
        if result.is_err() {
            self.open = None;
        }
        let (status, body) = result?;
        let why = || format!("it answers {status}");
        match status {
            // What it says beside is not needed.
            it if it.is_success() => Ok(ExportTraceServiceResponse::decode(body).unwrap_or_default()),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                Err(Failure::Later(why()))
            }
            _ => Err(Failure::Never(why())),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Failure ===

impl Failure {
    pub fn why(&self) -> &str {
        let (Self::Later(why) | Self::Never(why)) = self;
        why
    }
}
