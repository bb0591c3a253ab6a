//! The only room that names `aws_sdk_*`: clients, observe, perform, errors, rate limits.
//!
//! ```text
//! connect   one SdkConfig; refuses one endpoint override for two Regions
//! observe   reads both Regions side by side, bounded; never fails: what did not answer is Unknown
//! discover  reads what is there before a configuration names it, for `kdsha init`
//! perform   the only writer: one mutating call an effect, one attempt, confirmed by reading
//! ```
//! Around every call: a pacer and a bound on concurrency for each quota (`pacer`), time-outs on every level
//! (`connect`), an interceptor that counts requests and hears the server's clock (`intercept`), and errors in
//! the operator's words, from which bodies and values were removed (`errors`).

// A failure is 152 bytes and comes after a network round trip: what its size costs is not noticed.
#![allow(clippy::result_large_err)]

mod clients;
mod connect;
mod convert;
mod discover;
mod endpoints;
mod errors;
mod intercept;
mod observe;
mod pacer;
mod perform;
mod retries;
mod surroundings;
#[cfg(test)]
mod tests;

pub use connect::{ConnectError, ConnectOptions};
pub use discover::{Surveyor, default_region};
pub use observe::{Probe, Scope, Sides};
pub use perform::LONGEST_CALL;
pub use surroundings::surroundings;

use crate::config::Topology;
use crate::model::{AwsFailure, Clock, FailureKind, Identity, MappingSettings, Region, Sent};
use clients::RegionClients;
use intercept::Wire;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

/// Both Regions of one topology. Clients are built when they are first used. Made for one thread: every
/// future it gives belongs to a current-thread runtime.
#[derive(Debug)]
pub struct Aws {
    primary: RegionClients,
    standby: RegionClients,
    /// Where credentials come from and where the caller's identity is asked.
    credentials_region: Region,
    wire: Arc<Wire>,
    clock: Clock,
    /// The caller does not change within a process.
    identity: OnceLock<Identity>,
    /// Settings already read with `GetEventSourceMapping`, by mapping and its last change.
    settings: Mutex<BTreeMap<observe::SettingsKey, MappingSettings>>,
    /// Where the direct reads of streams ended.
    probes: observe::Memories,
}

impl Aws {
    /// Reads the SDK's configuration and prepares clients for both Regions. Sends nothing.
    ///
    /// # Errors
    /// An endpoint override or a certificate bundle that cannot be honoured, with the way out.
    pub async fn connect(
        topology: &Topology,
        options: ConnectOptions,
        clock: Clock,
    ) -> Result<Aws, ConnectError> {
        let wire = Arc::new(Wire::new(clock.clone()));
        let credentials_region = options.credentials_region.clone();
        let profile = options.profile_in_use();
        let sdk = connect::sdk_config(&options).await?;
        let endpoint_of = endpoints::resolve(topology, &options, &sdk)?;
        let clients = |region: &Region| {
            let endpoint = endpoint_of.get(region).cloned();
            let mut clients = RegionClients::new(region.clone(), sdk.clone(), endpoint, wire.clone());
            clients.profile.clone_from(&profile);
            clients
        };
        Ok(Aws {
            primary: clients(&topology.regions.primary),
            standby: clients(&topology.regions.standby),
            credentials_region,
            wire,
            clock,
            identity: OnceLock::new(),
            settings: Mutex::new(BTreeMap::new()),
            probes: Mutex::new(BTreeMap::new()),
        })
    }

    /// HTTP requests sent so far, retries included.
    pub fn requests_sent(&self) -> u64 {
        self.wire.requests()
    }

    /// The clock that hears the servers' `Date` headers.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The clients of a Region.
    fn clients(&self, region: &Region) -> Option<&RegionClients> {
        [&self.primary, &self.standby].into_iter().find(|clients| clients.region == *region)
    }

    /// The clients through which the caller is identified: the healthy Region's.
    fn healthy(&self) -> &RegionClients {
        self.clients(&self.credentials_region).unwrap_or(&self.standby)
    }
}

/// kdsha's own refusal: nothing was sent.
fn refused(operation: &str, resource: &str, region: &Region, message: impl Into<String>) -> AwsFailure {
    AwsFailure {
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        region: region.clone(),
        kind: FailureKind::Refused,
        code: None,
        message: message.into(),
        request_id: None,
        sent: Sent::No,
    }
}
