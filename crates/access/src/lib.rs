//! How what is served is reached: the gateways and their addresses, a row for each domain and path, which route answers a request,
//! and where the way to it breaks.
//!
//! It is *not* where objects are listed, nor a proxy: it is given objects, and of a request it only tries what comes before one.
//!
//! ```text
//! objects ──► served: translate, route ──► Answer: which route, from which object, why not the others
//! ```

mod asked;
mod entrance;
mod explain;
mod order;
mod served;
pub mod text;
pub mod words;

pub use asked::Asked;
pub use explain::Answer;
pub use order::{ROUTE_ORDER, RouteOrder};
pub use served::{Gathered, OWN, Reach, Served, ServedGateway, ServedListener, assumed, options};
