//! An account in a Region: the names that live there, and what has befallen it.

use super::functions::FunctionId;
use super::outage::Outage;
use super::streams::StreamId;
use super::tables::TableId;
use crate::model::{AccountId, Region};
use std::collections::BTreeMap;

/// A place in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PlaceId(pub usize);

/// One account in one Region.
#[derive(Debug)]
pub(super) struct Place {
    pub account: AccountId,
    pub region: Region,
    pub streams: BTreeMap<String, StreamId>,
    pub functions: BTreeMap<String, FunctionId>,
    pub tables: BTreeMap<String, TableId>,
    pub outage: Option<Outage>,
}

impl Place {
    pub fn new(account: AccountId, region: Region) -> Place {
        Place {
            account,
            region,
            streams: BTreeMap::new(),
            functions: BTreeMap::new(),
            tables: BTreeMap::new(),
            outage: None,
        }
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// Nothing answers and nothing moves here.
    pub fn is_silent(&self) -> bool {
        self.outage == Some(Outage::Silent)
    }

    /// The share of Kinesis puts and gets that fail here.
    pub fn failure_share(&self) -> f64 {
        match self.outage {
            Some(Outage::DataPlaneDegraded { failure_share }) => failure_share,
            Some(Outage::Silent) => 1.0,
            Some(Outage::ControlPlane) | None => 0.0,
        }
    }
}
