//! Functions: configuration, revisions, versions and aliases, and what their code does.

use super::clock::Millis;
use super::metrics::SeriesId;
use super::outage::FunctionFault;
use super::place::PlaceId;
use crate::model::Region;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A function in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FunctionId(pub usize);

/// Environment variables, by name.
pub(super) type Variables = BTreeMap<String, String>;

/// What a function's code does, as far as the world plays it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Puts one record for each invocation into the stream and Region its environment names.
    Producer,
    /// Writes its records to a table of its own Region.
    Consumer,
    /// Copies its records to the stream of the same name in another Region.
    Replicator,
    /// Moves the post's pipeline to the other Region when it is invoked.
    Failover,
    /// Returns `{}`.
    Nothing,
}

/// What UpdateFunctionConfiguration changes, and the code that goes with it: a version is locked to both.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Configuration {
    pub variables: Variables,
    pub runtime: Option<String>,
    pub role: String,
    pub handler: Option<String>,
    pub description: String,
    pub timeout_seconds: u32,
    pub memory_mb: u32,
    pub kms_key: Option<String>,
    pub code_sha256: String,
    /// What the code reads of its environment, where it is not as in the post.
    pub reads: Option<Reads>,
}

/// The variables that a producer's code reads.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reads {
    pub region_variable: String,
    /// `None`: the code knows the stream of each Region.
    pub stream_variable: Option<String>,
    pub streams: BTreeMap<Region, String>,
}

impl Reads {
    fn destination<'c>(&'c self, configuration: &'c Configuration) -> Option<(Region, &'c str)> {
        let region: Region = configuration.variable(&self.region_variable)?.parse().ok()?;
        let stream = match &self.stream_variable {
            Some(name) => configuration.variable(name)?,
            None => self.streams.get(&region)?,
        };
        Some((region, stream))
    }
}

impl Configuration {
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
    fn by_part(&self, part: &str) -> Option<&str> {
        self.variables
            .iter()
            .find(|(key, _)| key.to_ascii_uppercase().contains(part))
            .map(|(_, v)| v.as_str())
    }
    /// Where a producer writes: the Region and stream that its environment names.
    pub fn destination(&self) -> Option<(Region, &str)> {
        if let Some(reads) = &self.reads {
            return reads.destination(self);
        }
        let region = self.variable("PRODUCING_TO_REGION").or_else(|| self.by_part("REGION"))?;
        let stream = self.variable("INPUT_STREAM").or_else(|| self.by_part("STREAM"))?;
        Some((region.parse().ok()?, stream))
    }
    /// Where a replicator copies to: the Region, and a stream if it is not the source's name.
    pub fn replica(&self) -> Option<(Region, Option<&str>)> {
        let region = self.variable("FAILOVER_REGION").or_else(|| self.by_part("REGION"))?;
        Some((region.parse().ok()?, self.by_part("STREAM")))
    }
    /// The table that a consumer writes to; the post's functions have its name in their code.
    pub fn table(&self) -> &str {
        self.variable("TABLE").or_else(|| self.by_part("TABLE")).unwrap_or("ticker-prices")
    }
    /// Milliseconds that a consumer takes for a record.
    pub fn delay_ms(&self) -> Option<f64> {
        self.variable("DELAY_MS")?.parse().ok()
    }
}

/// What code is behind these names, told the way the post's functions tell it.
pub(super) fn behaviour_of(name: &str, variables: &Variables) -> Behaviour {
    let name = name.to_ascii_lowercase();
    // A name says more than a variable that somebody gave to all functions of a stack.
    match () {
        () if name.contains("producer") => Behaviour::Producer,
        () if name.contains("consumer") => Behaviour::Consumer,
        () if name.contains("replicat") => Behaviour::Replicator,
        () if name.contains("failover") => Behaviour::Failover,
        () if variables.contains_key("PRODUCING_TO_REGION") => Behaviour::Producer,
        () if variables.contains_key("TABLE") => Behaviour::Consumer,
        () => Behaviour::Nothing,
    }
}

/// The hash of the code that every function has until somebody uploads another: that of nothing.
pub(super) const FIRST_CODE: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/// A published version: a configuration that does not change any more.
#[derive(Debug)]
pub(super) struct Version {
    pub number: u32,
    pub configuration: Arc<Configuration>,
    pub revision: String,
    pub published: Millis,
    pub description: Option<String>,
}

/// An alias.
#[derive(Debug, Clone)]
pub(super) struct Alias {
    pub version: String,
    pub description: String,
    pub revision: String,
    pub weights: BTreeMap<String, f64>,
}

/// State, as GetFunction says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FunctionState {
    Pending,
    Active,
    /// Not invoked for long: the first invocation fails (Lambda Developer Guide, functions-states).
    Inactive,
}

/// How the updates of a function end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Updates {
    /// Well.
    #[default]
    Succeed,
    /// So many more do not.
    Fail(u32),
    /// The last one did not, nor will so many more: invocations use the configuration before it.
    Failed(u32),
}

/// Metrics by function name.
#[derive(Debug, Clone, Copy)]
pub(super) struct FunctionSeries {
    pub invocations: SeriesId,
    pub errors: SeriesId,
    pub throttles: SeriesId,
    pub duration: SeriesId,
    pub concurrent: SeriesId,
    pub iterator_age: SeriesId,
}

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    pub place: PlaceId,
    pub name: String,
    pub arn: String,
    pub behaviour: Behaviour,
    /// What GetFunction shows.
    pub latest: Arc<Configuration>,
    /// What new invocations of $LATEST run with; `latest` once the update is done.
    pub effective: Arc<Configuration>,
    pub revision: String,
    pub modified: Millis,
    pub state: FunctionState,
    /// When Pending, or the update in progress, ends.
    pub until: Option<Millis>,
    pub versions: Vec<Version>,
    pub aliases: BTreeMap<String, Alias>,
    pub reserved_concurrency: Option<u32>,
    pub tags: BTreeMap<String, String>,
    pub code_size: u64,
    /// Set when the key of the environment cannot be used by the caller: code and message.
    pub unreadable: Option<(String, String)>,
    pub fault: Option<FunctionFault>,
    pub updates: Updates,
    /// Variables without which the code fails.
    pub required: Vec<String>,
    /// Milliseconds that the code takes for a record.
    pub per_record_ms: f64,
    pub running: u32,
    pub series: FunctionSeries,
    pub gone: bool,
}

impl Function {
    /// The configuration that an invocation through this qualifier runs with.
    pub fn resolve(&self, qualifier: Option<&str>) -> Option<Arc<Configuration>> {
        match qualifier {
            None | Some("$LATEST") => Some(Arc::clone(&self.effective)),
            Some(version) if version.chars().all(|c| c.is_ascii_digit()) => {
                let number: u32 = version.parse().ok()?;
                self.versions.iter().find(|v| v.number == number).map(|v| Arc::clone(&v.configuration))
            }
            Some(alias) => self.resolve(Some(&self.aliases.get(alias)?.version)),
        }
    }

    /// That qualifier names something.
    pub fn has(&self, qualifier: Option<&str>) -> bool {
        self.resolve(qualifier).is_some()
    }

    /// Throttled whatever happens: nothing is reserved for it, or it is not there yet.
    pub fn is_barred(&self) -> bool {
        self.gone
            || self.reserved_concurrency.is_some_and(|most| self.running >= most)
            || self.state != FunctionState::Active
    }

    /// The code runs into an error of its own with this configuration.
    pub fn fails_with(&self, configuration: &Configuration) -> bool {
        matches!(self.fault, Some(FunctionFault::Fails | FunctionFault::Hangs))
            || self.required.iter().any(|name| !configuration.variables.contains_key(name))
    }

    /// The pending or updating time is over.
    pub fn settle(&mut self, revision: String) {
        self.state = FunctionState::Active;
        self.until = None;
        self.updates = match self.updates {
            Updates::Fail(more @ 1..) | Updates::Failed(more @ 1..) => Updates::Failed(more - 1),
            Updates::Fail(0) | Updates::Failed(0) | Updates::Succeed => Updates::Succeed,
        };
        match self.updates {
            Updates::Failed(_) => self.latest = Arc::clone(&self.effective),
            _ => self.effective = Arc::clone(&self.latest),
        }
        self.revision = revision;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_posts_functions_are_recognised_by_environment_and_name() {
        let with = |key: &str| Variables::from([(key.to_owned(), "x".to_owned())]);
        assert_eq!(behaviour_of("ingest", &with("PRODUCING_TO_REGION")), Behaviour::Producer);
        assert_eq!(behaviour_of("KDS-HA-ConsumerLambda", &with("TABLE")), Behaviour::Consumer);
        assert_eq!(
            behaviour_of("KDS-HA-ReplicationAgentLambda", &with("FAILOVER_REGION")),
            Behaviour::Replicator
        );
        assert_eq!(behaviour_of("KDS-HA-FailoverLambda", &with("FAILOVER_REGION")), Behaviour::Failover);
        // A stack may give all of its functions the same variables.
        let named = |name| behaviour_of(name, &with("PRODUCING_TO_REGION"));
        assert_eq!(named("KDS-HA-ConsumerLambda"), Behaviour::Consumer);
        assert_eq!(named("KDS-HA-ReplicationAgentLambda"), Behaviour::Replicator);
        assert_eq!(named("KDS-HA-FailoverLambda"), Behaviour::Failover);
    }
}
