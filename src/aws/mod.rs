//! The only room that names `aws_sdk_*`: clients, observe, perform, errors, rate limits.
//!
//! | file | subject |
//! |---|---|
//! | `connect`, `endpoints` | one `SdkConfig`, one client per service and Region, time-outs, retries |
//! | `intercept`, `pacer` | counting requests, hearing the server's clock, staying under Lambda's quota |
//! | `errors` | an SDK error in the words of the operator, without raw bodies |
//! | `convert` | SDK shapes into the words of the model |
//! | `observe/` | reads -> Snapshot; never fails, parts become unknown; bounded in time |
//! | `perform/` | one effect, one mutating request; the only writer |

mod connect;
mod convert;
mod endpoints;
mod errors;
mod intercept;
mod observe;
mod pacer;
mod perform;

pub use connect::{Aws, ConnectError, ConnectOptions};
pub use observe::Scope;
