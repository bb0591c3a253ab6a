//! What is there before a configuration names it: the reads of `kdsha init`.
//!
//! ```text
//! survey        all mappings, functions, streams and tables of one Region, each list to its end
//! aliases       of a producer that was found
//! attribute     of a table that was found: the one whose values are Regions
//! ```
//! Lists are read page after page in their quotas' lanes, side by side with each other, under one bound.

mod lists;

use super::clients::RegionClients;
use super::connect::{self, ConnectError, ConnectOptions};
use super::endpoints;
use super::errors::Asked;
use super::intercept::Wire;
use super::pacer::Family;
use crate::config::{Regions, Topology};
use crate::model::{
    AwsFailure, Clock, FailureKind, FunctionName, Identity, Observed, Region, RegionSurvey, Sent,
};
use aws_config::SdkConfig;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// For everything that one Region is asked. An account of 10,000 functions is read in twenty seconds.
const BOUND: Duration = Duration::from_secs(120);
/// Items of a table that are looked at to find its Region attribute.
const ITEMS: i32 = 25;

/// The Region that the environment or the profile names: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the AWS
/// configuration file. The instance metadata service is not asked: off EC2 that takes seconds.
pub async fn default_region(profile: Option<&str>) -> Option<Region> {
    let mut file = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        file = file.profile_name(profile);
    }
    let chain =
        RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(file.build());
    let found = chain.region().await?;
    found.as_ref().parse().ok()
}

/// Asks Regions what they hold. Sends reads alone.
#[derive(Debug)]
pub struct Surveyor {
    options: ConnectOptions,
    sdk: SdkConfig,
    wire: Arc<Wire>,
}

impl Surveyor {
    /// Reads the SDK's configuration. Sends nothing.
    ///
    /// # Errors
    /// A certificate bundle that cannot be honoured.
    pub async fn connect(options: ConnectOptions, clock: Clock) -> Result<Surveyor, ConnectError> {
        let sdk = connect::sdk_config(&options).await?;
        Ok(Surveyor { options, sdk, wire: Arc::new(Wire::new(clock)) })
    }

    /// Refuses one endpoint override for two Regions, unless it is this machine.
    ///
    /// # Errors
    /// Names the override and the way out.
    pub fn check_endpoints(&self, regions: &Regions) -> Result<(), ConnectError> {
        let topology = Topology::of_regions(regions.clone());
        endpoints::resolve(&topology, &self.options, &self.sdk).map(|_| ())
    }

    /// HTTP requests sent so far, retries included.
    pub fn requests_sent(&self) -> u64 {
        self.wire.requests()
    }

    fn clients(&self, region: &Region) -> RegionClients {
        let endpoint = self.options.endpoint.clone();
        RegionClients::new(region.clone(), self.sdk.clone(), endpoint, self.wire.clone())
    }

    /// Who is asking, through a Region.
    pub async fn identify(&self, region: &Region) -> Observed<Identity> {
        let at = self.clients(region);
        let asked = bounded(&at, "sts:GetCallerIdentity", super::observe::identity_through(&at)).await;
        Observed::from(asked)
    }

    /// Everything that a Region holds and a pipeline may be made of.
    pub async fn survey(&self, region: &Region) -> RegionSurvey {
        let at = self.clients(region);
        let (mappings, functions, streams, tables) = tokio::join!(
            bounded(&at, lists::MAPPINGS, lists::mappings(&at)),
            bounded(&at, lists::FUNCTIONS, lists::functions(&at)),
            bounded(&at, lists::STREAMS, lists::streams(&at)),
            bounded(&at, lists::TABLES, lists::tables(&at)),
        );
        RegionSurvey {
            region: region.clone(),
            mappings: Observed::from(mappings),
            functions: Observed::from(functions),
            streams: Observed::from(streams),
            tables: Observed::from(tables),
        }
    }

    /// The aliases of a function.
    pub async fn aliases(&self, region: &Region, function: &FunctionName) -> Observed<Vec<String>> {
        let at = self.clients(region);
        Observed::from(bounded(&at, lists::ALIASES, lists::aliases(&at, function)).await)
    }

    /// The attribute of a table's items that names the Region which wrote them: the one whose value is a Region of the pair in
    /// every item that has it. Looks at 25 items; no value leaves this function.
    pub async fn region_attribute(
        &self,
        region: &Region,
        table: &str,
        pair: &Regions,
    ) -> Observed<Option<String>> {
        let at = self.clients(region);
        let request = at.dynamodb().scan().table_name(table).limit(ITEMS);
        let read = at.read(Family::Roomy, "dynamodb:Scan", table, request.send());
        let found = bounded(&at, "dynamodb:Scan", read).await;
        Observed::from(found).map(|page| attribute_of_regions(page.items(), pair))
    }
}

/// The only attribute that holds one of two Regions wherever it is; `None` where there is none, or more than one.
fn attribute_of_regions(
    items: &[std::collections::HashMap<String, AttributeValue>],
    pair: &Regions,
) -> Option<String> {
    let is_ours = |value: &AttributeValue| {
        value.as_s().is_ok_and(|text| text == pair.primary.as_str() || text == pair.standby.as_str())
    };
    let mut fits: BTreeMap<&String, bool> = BTreeMap::new();
    for (name, value) in items.iter().flatten() {
        *fits.entry(name).or_insert(true) &= is_ours(value);
    }
    let mut found = fits.into_iter().filter(|(_, fits)| *fits).map(|(name, _)| name);
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => None,
    }
}

/// A read under the bound of a Region's survey.
async fn bounded<T>(
    at: &RegionClients,
    operation: &'static str,
    read: impl Future<Output = Result<T, AwsFailure>>,
) -> Result<T, AwsFailure> {
    timeout(BOUND, read).await.unwrap_or_else(|_| {
        let text = format!("not read to its end within {} s", BOUND.as_secs());
        Err(Asked::read(operation, "all of them", &at.region).failed(FailureKind::TimedOut, text, Sent::No))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn item(pairs: &[(&str, &str)]) -> HashMap<String, AttributeValue> {
        pairs.iter().map(|(k, v)| (k.to_string(), AttributeValue::S(v.to_string()))).collect()
    }

    #[test]
    fn the_region_attribute_is_the_only_one_that_holds_regions_everywhere() {
        let pair = Regions {
            primary: "us-west-2".parse().expect("a Region"),
            standby: "us-east-2".parse().expect("a Region"),
        };
        let both = [
            item(&[("ticker", "A"), ("by", "us-west-2"), ("note", "us-west-2")]),
            item(&[("ticker", "B"), ("by", "us-east-2"), ("note", "late")]),
            item(&[("ticker", "C")]),
        ];
        assert_eq!(attribute_of_regions(&both, &pair).as_deref(), Some("by"));
        assert_eq!(attribute_of_regions(&both[..1], &pair), None, "two of them: nobody can tell which");
        assert_eq!(attribute_of_regions(&[item(&[("by", "eu-west-1")])], &pair), None);
        assert_eq!(attribute_of_regions(&[], &pair), None);
    }
}
