//! The degraded-mode matrix: which API of which Region answered a look, and which steps are therefore possible now,
//! deferred (owed until the Region answers again), or impossible. Pure; from a snapshot alone.

use super::assess;
use super::next::NOTHING_ANSWERS;
use crate::config::{StandbyMode, Topology};
use crate::model::{ApiAnswer, FailureKind, Observed, Region, RunState, Side, Snapshot};
use serde::Serialize;
use std::fmt;

/// The APIs that decide what can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Mappings, functions, environments.
    Lambda,
    /// Streams, the run mark, direct reads.
    Kinesis,
    /// Lag and arrivals.
    CloudWatch,
    /// Who is asking; asked in the standby Region alone.
    Sts,
}

impl Api {
    /// All of them, the most needed first.
    pub const ALL: [Api; 4] = [Api::Lambda, Api::Kinesis, Api::CloudWatch, Api::Sts];

    fn prefix(self) -> &'static str {
        match self {
            Api::Lambda => "lambda:",
            Api::Kinesis => "kinesis:",
            Api::CloudWatch => "cloudwatch:",
            Api::Sts => "sts:",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Api::Lambda => "Lambda",
            Api::Kinesis => "Kinesis",
            Api::CloudWatch => "CloudWatch",
            Api::Sts => "STS",
        })
    }
}

/// How an API answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", content = "why", rename_all = "snake_case")]
pub enum Answer {
    /// Every call.
    Answered,
    /// It answered, and refused or failed: throttled, 5xx, access denied, no credentials.
    Refused(String),
    /// Nothing came back in time, or there was no connection.
    Silent(String),
    /// This look did not ask.
    NotAsked,
}

/// Whether a step can be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Can {
    /// Yes.
    Now,
    /// Not now: it is owed, and settled when the Region answers.
    Deferred,
    /// No, and nothing may be owed in its place.
    Not,
}

/// One API of one Region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ApiReach {
    /// The Region.
    pub region: Region,
    /// The API.
    pub api: Api,
    /// How it answered.
    #[serde(flatten)]
    pub answer: Answer,
}

/// One kind of step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepReach {
    /// What it does, with the Region.
    pub step: String,
    /// Whether it can be done.
    pub can: Can,
    /// Why not, or what is missing; `None` where nothing stands in the way.
    pub why: Option<String>,
}

/// The matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reach {
    /// Both Regions, every API.
    pub apis: Vec<ApiReach>,
    /// Every kind of step.
    pub steps: Vec<StepReach>,
}

/// The matrix of a look; `None` when everything that was asked answered.
pub fn reach(topology: &Topology, snapshot: &Snapshot) -> Option<Reach> {
    let seen = Seen { topology, snapshot };
    let sides = [Side::Primary, Side::Standby];
    let apis: Vec<ApiReach> = sides
        .into_iter()
        .flat_map(|side| Api::ALL.map(|api| (side, api)))
        .map(|(side, api)| ApiReach {
            region: topology.regions.of(side).clone(),
            api,
            answer: seen.answer(side, api),
        })
        .collect();
    let is_well = |one: &ApiReach| matches!(one.answer, Answer::Answered | Answer::NotAsked);
    if apis.iter().all(is_well) {
        return None;
    }
    Some(Reach { apis, steps: seen.steps() })
}

struct Seen<'a> {
    topology: &'a Topology,
    snapshot: &'a Snapshot,
}

impl Seen<'_> {
    fn answer(&self, side: Side, api: Api) -> Answer {
        if api == Api::Sts {
            return self.identity(side);
        }
        let Some(view) = self.snapshot.regions.get(self.topology.regions.of(side)) else {
            return Answer::NotAsked;
        };
        let of_api: Vec<&ApiAnswer> =
            view.apis.iter().filter(|answer| answer.operation.starts_with(api.prefix())).collect();
        let failed =
            of_api.iter().filter(|answer| answer.failed > 0).max_by_key(|answer| is_silence(answer.kind));
        match failed {
            None if of_api.is_empty() => Answer::NotAsked,
            None => Answer::Answered,
            Some(answer) if is_silence(answer.kind) => Answer::Silent(short(answer)),
            Some(answer) => Answer::Refused(short(answer)),
        }
    }

    /// The caller is asked for through the standby Region.
    fn identity(&self, side: Side) -> Answer {
        match &self.snapshot.identity {
            _ if side == Side::Primary => Answer::NotAsked,
            Observed::Known(_) => Answer::Answered,
            Observed::Unknown(reason) if is_silence(Some(reason.kind)) => Answer::Silent(reason.text.clone()),
            Observed::Unknown(reason) if reason.kind == FailureKind::NotAsked => Answer::NotAsked,
            Observed::Unknown(reason) => Answer::Refused(reason.text.clone()),
        }
    }

    /// The first of these that does not answer, in words.
    fn missing(&self, needs: &[(Side, Api)]) -> Option<String> {
        needs.iter().find_map(|(side, api)| {
            let region = self.topology.regions.of(*side);
            match self.answer(*side, *api) {
                Answer::Answered | Answer::NotAsked => None,
                Answer::Refused(_) => Some(format!("{api} in {region} refuses")),
                Answer::Silent(_) => Some(format!("{api} in {region} is silent")),
            }
        })
    }

    fn is_marked(&self, state: RunState) -> bool {
        let marks = self.snapshot.pipelines.values().filter_map(|view| view.standby.mark.known()?.as_ref());
        marks.into_iter().any(|mark| mark.state == state)
    }

    /// What is left to do of an emergency that was run: nothing of it is started again.
    fn settling(&self) -> StepReach {
        let why = self.missing(&[(Side::Primary, Api::Lambda)]);
        StepReach {
            step: "settle what is owed (`kdsha resume`)".to_owned(),
            can: if why.is_some() { Can::Deferred } else { Can::Now },
            why: why.map(|why| format!("{why}; `kdsha resume` once it answers")),
        }
    }

    fn steps(&self) -> Vec<StepReach> {
        use Side::{Primary, Standby};
        let regions = &self.topology.regions;
        if [Primary, Standby].iter().all(|side| assess::is_silent(self.snapshot, regions.of(*side))) {
            let why = Some(NOTHING_ANSWERS.to_owned());
            return vec![StepReach { step: "anything at all".to_owned(), can: Can::Not, why }];
        }
        if self.is_marked(RunState::Owed) {
            return vec![self.settling(), self.failing_back()];
        }
        let (primary, standby) = (&self.topology.regions.primary, &self.topology.regions.standby);
        let is_cold = self.topology.pipelines.iter().any(|p| p.standby == StandbyMode::Cold);
        let producers: Vec<(Side, Api)> = [Primary, Standby]
            .into_iter()
            .filter(|side| self.topology.pipelines.iter().flat_map(|p| &p.producers).any(|p| p.side == *side))
            .map(|side| (side, Api::Lambda))
            .collect();
        let mut steps = Vec::new();
        let mut add = |step: String, otherwise: Can, needs: &[(Side, Api)], way_out: &str| {
            let why = self.missing(needs);
            let can = if why.is_some() { otherwise } else { Can::Now };
            steps.push(StepReach { step, can, why: why.map(|why| format!("{why}; {way_out}")) });
        };
        let owed = "owed, and settled by `kdsha resume` once it answers";
        add(format!("mark the run in {standby}"), Can::Not, &[(Standby, Api::Kinesis)], "no run can begin");
        if is_cold {
            let needs = [(Standby, Api::Lambda), (Standby, Api::Kinesis)];
            add(format!("start the consumer in {standby}"), Can::Not, &needs, "run it again when it answers");
            let needs = [(Primary, Api::CloudWatch)];
            let way = "give `--start-at` in an emergency; it is never guessed";
            add("find where it starts".to_owned(), Can::Not, &needs, way);
        }
        add("switch the producers".to_owned(), Can::Deferred, &producers, owed);
        add(format!("stop the readers in {primary}"), Can::Deferred, &[(Primary, Api::Lambda)], owed);
        let needs = [(Primary, Api::CloudWatch), (Primary, Api::Kinesis), (Primary, Api::Lambda)];
        let command = match self.is_marked(RunState::Open) {
            true => "kdsha resume --emergency".to_owned(),
            false => format!("kdsha failover --to {standby} --emergency"),
        };
        let way = format!("an emergency leaves it out: `{command}`");
        add(format!("drain {primary}"), Can::Not, &needs, &way);
        steps.push(self.failing_back());
        steps
    }

    fn failing_back(&self) -> StepReach {
        let both: Vec<(Side, Api)> = [Side::Primary, Side::Standby]
            .into_iter()
            .flat_map(|side| [Api::Lambda, Api::Kinesis, Api::CloudWatch].map(|api| (side, api)))
            .collect();
        let why = self.missing(&both);
        StepReach {
            step: format!("fail back to {}", self.topology.regions.primary),
            can: if why.is_some() { Can::Not } else { Can::Now },
            why: why.map(|why| format!("{why}; both Regions must answer")),
        }
    }
}

fn is_silence(kind: Option<FailureKind>) -> bool {
    matches!(kind, Some(FailureKind::TimedOut | FailureKind::Unreachable))
}

/// The reason without operation, resource and Region, which stand beside it.
fn short(answer: &ApiAnswer) -> String {
    let reason = answer.reason.as_deref().unwrap_or("no answer");
    let reason = reason.split_once(": ").map_or(reason, |(_, reason)| reason);
    let name = answer.operation.split_once(':').map_or(answer.operation.as_str(), |(_, name)| name);
    format!("{name}: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::model::{Reason, RegionView, RequestStats, Timestamp};
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::time::Duration;

    fn api(operation: &str, kind: Option<FailureKind>) -> ApiAnswer {
        let failed = u32::from(kind.is_some());
        ApiAnswer {
            operation: operation.to_owned(),
            answered: 1 - failed,
            failed,
            reason: kind.map(|_| format!("{operation} for X in us-west-2: no answer in time")),
            kind,
            slowest: Duration::ZERO,
        }
    }

    fn look(primary: [Option<FailureKind>; 3], standby: [Option<FailureKind>; 3]) -> (Topology, Snapshot) {
        let topology = config::parse(config::THE_POST, Path::new("kdsha.toml")).expect("the post's");
        let view = |side: Side, kinds: [Option<FailureKind>; 3]| {
            let operations =
                ["lambda:GetFunction", "kinesis:DescribeStreamSummary", "cloudwatch:GetMetricData"];
            let apis = operations.iter().zip(kinds).map(|(name, kind)| api(name, kind)).collect();
            let unreserved_concurrency = Observed::Unknown(Reason::not_asked());
            (topology.regions.of(side).clone(), RegionView { side, apis, unreserved_concurrency })
        };
        let snapshot = Snapshot {
            taken_at: Timestamp::UNIX_EPOCH,
            clock_skew_seconds: None,
            identity: Observed::Unknown(Reason::not_asked()),
            regions: BTreeMap::from([view(Side::Primary, primary), view(Side::Standby, standby)]),
            pipelines: BTreeMap::new(),
            stats: RequestStats::default(),
        };
        (topology, snapshot)
    }

    fn cans(primary: [Option<FailureKind>; 3], standby: [Option<FailureKind>; 3]) -> Vec<Can> {
        let (topology, snapshot) = look(primary, standby);
        let reach = reach(&topology, &snapshot).expect("something did not answer");
        reach.steps.iter().map(|step| step.can).collect()
    }

    const WELL: [Option<FailureKind>; 3] = [None; 3];

    #[test]
    fn a_look_that_was_answered_has_no_matrix() {
        let (topology, snapshot) = look(WELL, WELL);
        assert_eq!(reach(&topology, &snapshot), None);
    }

    #[test]
    fn a_silent_primary_defers_what_is_its_own_and_forbids_nothing_of_the_standby() {
        let silent = [Some(FailureKind::TimedOut); 3];
        use Can::{Deferred, Not, Now};
        assert_eq!(cans(silent, WELL), [Now, Now, Not, Deferred, Deferred, Not, Not]);
        let (topology, snapshot) = look(silent, WELL);
        let reach = reach(&topology, &snapshot).expect("a matrix");
        let lambda = &reach.apis[0];
        assert_eq!((lambda.region.as_str(), lambda.api), ("us-west-2", Api::Lambda));
        assert_eq!(lambda.answer, Answer::Silent("GetFunction: no answer in time".to_owned()));
        let switch = &reach.steps[3];
        assert!(switch.why.as_deref().is_some_and(|why| why.contains("kdsha resume")), "{switch:?}");
    }

    #[test]
    fn where_nothing_answers_it_is_this_machine() {
        let silent = [Some(FailureKind::Unreachable); 3];
        let (topology, snapshot) = look(silent, silent);
        let reach = reach(&topology, &snapshot).expect("a matrix");
        let [only] = &reach.steps[..] else { panic!("{:?}", reach.steps) };
        assert_eq!((only.can, only.why.as_deref()), (Can::Not, Some(NOTHING_ANSWERS)));
    }

    #[test]
    fn a_metric_outage_alone_leaves_everything_but_position_and_drain() {
        use Can::{Not, Now};
        let no_metrics = [None, None, Some(FailureKind::Throttled)];
        assert_eq!(cans(no_metrics, WELL), [Now, Now, Not, Now, Now, Not, Not]);
    }

    #[test]
    fn a_silent_standby_is_no_place_to_go() {
        use Can::{Not, Now};
        let silent = [Some(FailureKind::Unreachable); 3];
        assert_eq!(cans(WELL, silent), [Not, Not, Now, Now, Now, Now, Not]);
    }
}
