//! An address stays while its gateway does: ten minutes of random edits, one each second of a clock that nobody waits for.

use super::*;
use crate::world::World;
use resources::{Change, Kind, Name};
use std::collections::BTreeMap;
use std::sync::Arc;

const PROJECTS: [&str; 4] = ["a", "b", "c", "d"];
const SECONDS: usize = 600;

/// What is enabled, as the one who edits knows it.
#[derive(Default)]
struct Enabled {
    own: BTreeMap<&'static str, bool>,
    workspace: bool,
    /// Those that are in the workspace.
    members: BTreeMap<&'static str, bool>,
}

// === impl Enabled ===

impl Enabled {
    fn home(&self, project: &str) -> String {
        let is = |it: &BTreeMap<&'static str, bool>| it.get(project).copied().unwrap_or_default();
        let name = match (is(&self.own), self.workspace && is(&self.members)) {
            (true, _) => project.to_owned(),
            (false, true) => "workspace-w".to_owned(),
            (false, false) => "kubesphere-system".to_owned(),
        };
        format!("kubesphere-controls-system/kubesphere-router-{name}")
    }
}

fn object(kind: Kind, namespace: &str, name: &str, spec: Option<Value>) -> Change {
    let object = spec.map(|spec| Arc::new(json!({ "metadata": { "namespace": namespace, "name": name, "uid": name }, "spec": spec })));
    Change::Object { kind, name: Name::new(namespace, name), object }
}

fn namespace(name: &str, member: bool) -> Change {
    let labels = if member { json!({ "kubesphere.io/workspace": "w" }) } else { json!({}) };
    let object = json!({ "metadata": { "name": name, "labels": labels } });
    Change::Object { kind: Kind::Namespace, name: Name::new("", name), object: Some(Arc::new(object)) }
}

fn route(project: &str, path: usize) -> Change {
    let paths = json!([{ "path": format!("/{path}"), "pathType": "Prefix", "backend": { "service": { "name": "web", "port": { "number": 80 } } } }]);
    object(Kind::Ingress, project, "web", Some(json!({ "rules": [{ "host": format!("{project}.test"), "http": { "paths": paths } }] })))
}

fn edit(rng: &mut Rng, enabled: &mut Enabled) -> Change {
    let project = PROJECTS[rng.usize(..PROJECTS.len())];
    let of = |access: &str| json!({ "access": { "type": access } });
    match rng.u8(..6) {
        0 => {
            let on = enabled.own.entry(project).or_default();
            *on = !*on;
            let kind = ["NodePort", "LoadBalancer", "ClusterIP"][rng.usize(..3)];
            object(Kind::IngressGateway, project, "own", on.then(|| of(kind)))
        }
        1 => {
            enabled.workspace = !enabled.workspace;
            let spec = json!({ "scope": "Workspace", "workspace": "w", "access": { "type": "LoadBalancer" } });
            object(Kind::IngressGateway, "kubesphere-system", "ws", enabled.workspace.then_some(spec))
        }
        2 => {
            let member = enabled.members.entry(project).or_default();
            *member = !*member;
            namespace(project, *member)
        }
        3 => object(Kind::Service, project, "web", rng.bool().then(|| json!({ "ports": [{ "port": 80 }] }))),
        _ => route(project, rng.usize(..3)),
    }
}

#[test]
fn an_address_changes_when_its_gateway_does_and_never_else() {
    for seed in 0..4 {
        let mut rng = Rng::with_seed(seed);
        let machine = machine("127.1.0.0/24", Shape::Up, 0, [192, 0, 2, 1]);
        let shared = crate::shared_gateway(&translate::Naming::default());
        let mut options = translate::Options::new(shared.id.clone());
        options.gateways = vec![shared.clone()];
        let mut world = World::new(options, 0);
        world.step(PROJECTS.iter().flat_map(|it| [namespace(it, false), route(it, 0)]));
        let (mut enabled, mut given) = (Enabled::default(), BTreeMap::new());
        let mut before: BTreeMap<&str, (String, Vec<String>)> = BTreeMap::new();
        for second in 0..SECONDS {
            world.step([edit(&mut rng, &mut enabled)]);
            let asks = asks(&shared, world.listening(), Wishes::default());
            let plans = machine.plan(&asks, &given, &Taken::default());
            given = plans.iter().map(|it| (it.id.clone(), Given::from(it))).collect();
            for project in PROJECTS {
                let found = world.gateways_of(&Kind::Ingress.object_ref(&Name::new(project, "web")));
                let home = enabled.home(project);
                assert_eq!(
                    found.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
                    [home.as_str()],
                    "seed {seed}, second {second}: {project}"
                );
                let shown = plans.get(&GatewayId::new(home.clone())).expect("its gateway is planned").shown();
                assert_eq!(shown.len(), 1, "seed {seed}, second {second}: {project} has an address");
                if let Some((_, before)) = before.get(project).filter(|it| it.0 == home) {
                    assert_eq!(*before, shown, "seed {seed}, second {second}: {project} moved");
                }
                before.insert(project, (home, shown));
            }
        }
    }
}
