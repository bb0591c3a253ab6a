//! What is there in an account, before any configuration names it: the material of `kdsha init`.

use super::function::Environment;
use super::ids::{FunctionName, Region, StreamName};
use super::mapping::Mapping;
use super::observed::Observed;
use super::snapshot::Identity;
use std::collections::{BTreeMap, BTreeSet};

/// What two Regions hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Who asked.
    pub identity: Observed<Identity>,
    /// The Region where the pipelines belong.
    pub primary: RegionSurvey,
    /// The Region where they go.
    pub standby: RegionSurvey,
}

/// What one Region holds. A list that could not be read to its end is unknown, never shorter.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionSurvey {
    /// The Region.
    pub region: Region,
    /// Every event source mapping on a Kinesis stream, in every state, from `ListEventSourceMappings`.
    pub mappings: Observed<Vec<Mapping>>,
    /// Every function with its environment, from `ListFunctions`.
    pub functions: Observed<BTreeMap<FunctionName, Environment>>,
    /// Every stream, from `ListStreams`.
    pub streams: Observed<BTreeSet<StreamName>>,
    /// Every table, from `ListTables`.
    pub tables: Observed<BTreeSet<String>>,
}
