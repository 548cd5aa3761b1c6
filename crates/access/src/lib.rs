//! How what is served is reached: the gateways and their addresses, a row for each domain and path, which route answers a request,
//! and where the way to it breaks.
//!
//! It is *not* where objects are listed, nor a proxy: it is given objects, and of a request it only tries what comes before one.
//!
//! ```text
//! objects ─┬─► gateways ──► rows: a link, a line for a hosts file and a command for each domain and path
//!          ├─► served: translate, route ──► Answer: which route, from which object, why not the others
//!          └─► Known ──► follow: name, address, port, certificate, route, endpoint; the first that is broken, and what mends it
//! ```
//!
//! What is said of the way is a [`Saying`]: a sentence with a word that stays, which the application translates.
//!
//! `rows`, `gateways` and `Answer` are pure; only [`follow`] touches the network, and it never sends a request.

mod asked;
mod at;
mod certificate;
mod entrance;
mod explain;
mod follow;
mod gateways;
mod hop;
mod order;
mod resolve;
mod rows;
mod saying;
mod served;
pub mod text;
mod tried;
pub mod words;

pub use asked::Asked;
pub use explain::Answer;
pub use follow::{How, Known, Touch, follow};
pub use gateways::{Reached, SeenGateway, SeenPort, SeenProblem, Serves, access_word, gateways};
pub use hop::{Hop, HopName, Verdict};
pub use order::{ROUTE_ORDER, RouteOrder};
pub use resolve::Resolver;
pub use rows::{PathType, Row, rows};
pub use saying::Saying;
pub use served::{Gathered, OWN, Reach, Served, ServedGateway, ServedListener, assumed, options};
