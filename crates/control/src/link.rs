//! What the link to gateways needs of a cluster: an authority that outlives this process, and whose token it is.

use crate::picture::Picture;
use k8s_openapi::ByteString;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use model::{GatewayId, Sealed};
use resources::Name;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use sync::{AUDIENCE, Authority, IdentityError, Review, Reviewed};
use tokio::sync::watch;
use tokio::time::timeout;

/// The Secret, in control's own namespace.
const SECRET: &str = "paifang-link";
const TYPE: &str = "paifang.dev/link";
const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";
const EPOCH: &str = "epoch";
/// Somebody else may write at the same moment.
const TRIES: usize = 10;
/// For the API server to say whose token it is.
const REVIEW: Duration = Duration::from_secs(10);
/// Octets of a token.
const LARGEST: usize = 16 << 10;
const ACCOUNT: &str = "system:serviceaccount:";

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("Secret {namespace}/{SECRET} cannot be used: {source}")]
    Api { namespace: String, source: Box<kube::Error> },
    #[error("Secret {0}/{SECRET} is written by somebody else all the time")]
    Contended(String),
    #[error("Secret {namespace}/{SECRET} is there, and {lacks}; delete it to have a new authority made: pods are then replaced")]
    Broken { namespace: String, lacks: &'static str },
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// What signs gateways' certificates.
#[derive(Debug)]
pub struct LinkAuthority {
    pub authority: Arc<Authority>,
    /// Its certificate.
    pub pem: String,
    /// Higher at each start: gateways do not obey an older one any more.
    pub epoch: u64,
}

impl LinkAuthority {
    /// Makes the authority on a first start, and begins an epoch.
    ///
    /// **Invariant:** no two starts have one epoch: the write that begins it is refused when somebody was faster.
    pub async fn begin(client: &Client, namespace: &str) -> Result<Self, LinkError> {
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let failed = |source| LinkError::Api { namespace: namespace.to_owned(), source: Box::new(source) };
        for _ in 0..TRIES {
            let found = api.get_opt(SECRET).await.map_err(failed)?;
            let written = match found {
                None => api.create(&PostParams::default(), &first(namespace)?).await,
                Some(mut secret) => {
                    let epoch = read(&secret, namespace)?.epoch.saturating_add(1);
                    secret.data.get_or_insert_default().insert(EPOCH.into(), ByteString(epoch.to_string().into_bytes()));
                    api.replace(SECRET, &PostParams::default(), &secret).await
                }
            };
            match written {
                Ok(secret) => return read(&secret, namespace),
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(LinkError::Contended(namespace.to_owned()))
    }
}

fn first(namespace: &str) -> Result<Secret, LinkError> {
    let (certificate, key) = Authority::generate(SystemTime::now())?;
    let data = [(CERTIFICATE, certificate.into_bytes()), (KEY, key.open().clone().into_bytes()), (EPOCH, b"1".to_vec())];
    let metadata = ObjectMeta {
        name: Some(SECRET.into()),
        namespace: Some(namespace.into()),
        labels: Some(BTreeMap::from([(crate::services::MANAGED_BY.to_owned(), crate::services::MANAGER.to_owned())])),
        ..ObjectMeta::default()
    };
    let data = data.into_iter().map(|(key, value)| (key.to_owned(), ByteString(value))).collect();
    Ok(Secret { metadata, type_: Some(TYPE.into()), data: Some(data), ..Secret::default() })
}

fn read(secret: &Secret, namespace: &str) -> Result<LinkAuthority, LinkError> {
    let broken = |lacks| LinkError::Broken { namespace: namespace.to_owned(), lacks };
    let text = |key: &str| String::from_utf8(secret.data.as_ref()?.get(key)?.0.clone()).ok();
    let pem = text(CERTIFICATE).ok_or_else(|| broken("has no certificate"))?;
    let key = Sealed::new(text(KEY).ok_or_else(|| broken("has no key"))?);
    let epoch = text(EPOCH).and_then(|it| it.parse().ok()).ok_or_else(|| broken("has no epoch"))?;
    Ok(LinkAuthority { authority: Arc::new(Authority::read(&pem, &key)?), pem, epoch })
}

/// Asks the API server whose token it is.
pub struct Accounts {
    client: Client,
    /// Which gateways there are, and by which names.
    picture: watch::Receiver<Picture>,
}

impl Accounts {
    pub fn new(client: Client, picture: watch::Receiver<Picture>) -> Self {
        Self { client, picture }
    }

    /// A ServiceAccount is a gateway's by this process's own plan alone: an annotation on it could be anybody's.
    fn gateway(&self, account: &Name) -> Option<GatewayId> {
        let picture = self.picture.borrow();
        picture.gateways.iter().find(|it| it.services.first() == Some(account)).map(|it| it.id.clone())
    }
}

impl Review for Accounts {
    async fn review(&self, token: Sealed<String>) -> Reviewed {
        if token.open().len() > LARGEST {
            return Reviewed::Nobody("the token is too long".into());
        }
        let spec = TokenReviewSpec { token: token.open().clone(), audiences: Some(vec![AUDIENCE.to_owned()]) };
        let review = TokenReview { spec, ..TokenReview::default() };
        let (api, params) = (Api::<TokenReview>::all(self.client.clone()), PostParams::default());
        let reviewed = match timeout(REVIEW, api.create(&params, &review)).await {
            Ok(Ok(reviewed)) => reviewed,
            Ok(Err(error)) => return Reviewed::Nobody(format!("the API server cannot be asked whose token it is: {error}")),
            Err(_) => return Reviewed::Nobody("the API server does not say in time whose token it is".into()),
        };
        match account(&reviewed) {
            Ok(account) => match self.gateway(&account) {
                Some(gateway) => Reviewed::Gateway(gateway),
                None => Reviewed::Nobody(format!("ServiceAccount {account} is no gateway's")),
            },
            Err(why) => Reviewed::Nobody(why),
        }
    }
}

/// Whose token it is. A server that does not know audiences says nothing of them, and is not believed.
fn account(reviewed: &TokenReview) -> Result<Name, String> {
    let status = reviewed.status.as_ref().filter(|it| it.authenticated == Some(true));
    let Some(status) = status else { return Err("the token is not good".into()) };
    if !status.audiences.iter().flatten().any(|it| it == AUDIENCE) {
        return Err(format!("the token is not for the audience {AUDIENCE}"));
    }
    let user = status.user.as_ref().and_then(|it| it.username.as_deref()).unwrap_or_default();
    let name = user.strip_prefix(ACCOUNT).and_then(|it| it.split_once(':'));
    name.map(|(namespace, name)| Name::new(namespace, name)).ok_or_else(|| format!("the token is of {user}, which is no ServiceAccount"))
}

#[cfg(test)]
mod tests;
