//! Asking where a name leads: the system's resolver, or one DNS server.

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// Who is asked where a name leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolver {
    /// As every program on this machine asks.
    #[default]
    System,
    /// This DNS server alone.
    Server(SocketAddr),
}

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// There is no such name, or it has no address.
    Missing,
    /// Nobody says.
    Failed(String),
}

/// The most that one answer may have, in octets.
const MOST: usize = 4096;
/// The most addresses of one name that are looked at.
const ADDRESSES: usize = 16;

impl Resolver {
    /// The addresses of a name, at least one.
    pub(crate) async fn find(self, name: &str, patience: Duration) -> Result<BTreeSet<IpAddr>, Unresolved> {
        let asked = async {
            match self {
                Self::System => of_system(name).await,
                Self::Server(server) => of_server(server, name).await,
            }
        };
        let found = tokio::time::timeout(patience, asked).await;
        let found = found.map_err(|_| Unresolved::Failed(format!("no answer within {} s", patience.as_secs())))??;
        if found.is_empty() { Err(Unresolved::Missing) } else { Ok(found.into_iter().take(ADDRESSES).collect()) }
    }

    /// As it stands in a sentence.
    pub(crate) fn text(self) -> String {
        match self {
            Self::System => "the system's resolver".to_owned(),
            Self::Server(server) => format!("the DNS server {server}"),
        }
    }
}

async fn of_system(name: &str) -> Result<BTreeSet<IpAddr>, Unresolved> {
    match tokio::net::lookup_host((name, 0)).await {
        Ok(found) => Ok(found.map(|it| it.ip()).collect()),
        // The words of the C library are all there is: its codes are not passed on.
        Err(error) => {
            let said = error.to_string();
            let said = said.rsplit(": ").next().unwrap_or_default();
            let missing = ["not known", "No address", "not found", "does not exist"].iter().any(|it| said.contains(it));
            Err(if missing { Unresolved::Missing } else { Unresolved::Failed(said.to_owned()) })
        }
    }
}

async fn of_server(server: SocketAddr, name: &str) -> Result<BTreeSet<IpAddr>, Unresolved> {
    let failed = |error: io::Error| Unresolved::Failed(format!("{server}: {error}"));
    let name = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).map_err(|error| Unresolved::Failed(error.to_string()))?;
    let mut found = BTreeSet::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        let mut question = Message::query();
        question.metadata.recursion_desired = true;
        question.add_query(Query::query(name.clone(), kind));
        let octets = question.to_vec().map_err(|error| Unresolved::Failed(error.to_string()))?;
        let mut answer = over_udp(server, &octets, question.metadata.id).await.map_err(failed)?;
        if answer.metadata.truncation {
            answer = over_tcp(server, &octets).await.map_err(failed)?;
        }
        match answer.metadata.response_code {
            ResponseCode::NoError => {}
            ResponseCode::NXDomain => return Err(Unresolved::Missing),
            code => return Err(Unresolved::Failed(format!("it answers {code}"))),
        }
        found.extend(answer.answers.iter().filter_map(|it| match &it.data {
            RData::A(it) => Some(IpAddr::V4(it.0)),
            RData::AAAA(it) => Some(IpAddr::V6(it.0)),
            _ => None,
        }));
    }
    Ok(found)
}

/// The answer with this number; whatever else comes is somebody else's.
async fn over_udp(server: SocketAddr, question: &[u8], id: u16) -> io::Result<Message> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; MOST];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match Message::from_vec(buffer.get(..length).unwrap_or_default()) {
            Ok(answer) if answer.metadata.id == id => return Ok(answer),
            _ => {}
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let mut answer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut answer).await?;
    Message::from_vec(&answer).map_err(io::Error::other)
}
