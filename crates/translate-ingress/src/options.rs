//! What an operator decides about Ingresses.

use model::{Replies, ReplyBody, ServerHeader, Text};

#[derive(Clone, Debug, Default)]
pub struct Options {
    pub classes: ClassOptions,
    pub cluster_ips: ClusterIps,
    pub istio: IstioClass,
    /// The time, in seconds since 1970, for certificates that expire; `None`: nothing is said of that. Routes never depend on it.
    pub now: Option<i64>,
}

/// Which Ingresses are ours.
#[derive(Clone, Debug)]
pub struct ClassOptions {
    /// Controllers of IngressClasses that mean us.
    pub controllers: Vec<Text>,
    /// Values of the annotation `kubernetes.io/ingress.class` that mean us without an IngressClass of that name.
    pub names: Vec<Text>,
    /// Whether an Ingress without any class is ours (KubeSphere's never have one).
    pub without_class: bool,
    pub others: Others,
}

/// Ingresses that mean Istio's gateway: served as Istio serves them.
#[derive(Clone, Debug)]
pub struct IstioClass {
    /// Whether they are ours.
    pub enabled: bool,
    /// Controllers of IngressClasses that mean it.
    pub controllers: Vec<Text>,
    /// Values of the annotation `kubernetes.io/ingress.class` that mean it without an IngressClass of that name.
    pub names: Vec<Text>,
    /// How answers of their routes look.
    pub replies: Replies,
    /// Where the gateway runs: certificates are looked for there first.
    pub namespace: Text,
}

/// Whether somebody else may serve what is not ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// Other controllers may be there: what is not ours is left alone, without a word.
    #[default]
    MayServe,
    /// We are alone: an Ingress whose class does not exist is told so.
    Absent,
    /// Only some objects are at hand: a class that is not among them is taken for ours, and noted.
    NotAtHand,
}

/// Whether a Service's cluster address leads anywhere from where the gateway runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClusterIps {
    #[default]
    Routed,
    /// One machine without a cluster: the endpoints are used in its place.
    NotRouted,
}

// === impl IstioClass ===

impl Default for IstioClass {
    /// `istio`, `istio.io/ingress-controller`; answers name `istio-envoy` and have no body of their own.
    fn default() -> Self {
        Self {
            enabled: true,
            controllers: vec!["istio.io/ingress-controller".into()],
            names: vec!["istio".into()],
            replies: Replies { body: ReplyBody::Empty, server: ServerHeader::Set("istio-envoy".into()) },
            namespace: "istio-system".into(),
        }
    }
}

// === impl ClassOptions ===

impl Default for ClassOptions {
    /// `paifang.dev/ingress-controller` and `k8s.io/ingress-nginx`; the annotation values `paifang` and `nginx`; class-less ones too.
    fn default() -> Self {
        Self {
            controllers: vec!["paifang.dev/ingress-controller".into(), "k8s.io/ingress-nginx".into()],
            names: vec!["paifang".into(), "nginx".into()],
            without_class: true,
            others: Others::default(),
        }
    }
}
