//! What a run leaves on the standby stream for other operators and later runs: the run mark, as tags.
//!
//! Tags live in the healthy Region and survive the operator's laptop. Kinesis allows 50 tags a stream, 128
//! characters a key and 256 a value (Kinesis Data Streams Developer Guide, tagging).

use super::failure::FailureKind;
use super::ids::{RunId, StreamName};
use super::{Reason, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the demotion learned and the promotion and the failback need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CutOverToken {
    /// Where the standby's consumer starts: nothing before it is unprocessed. `None` is the trim horizon,
    /// or a warm standby, which needs none.
    pub position: Option<Timestamp>,
    /// When the run was marked, which is before the producers were switched.
    pub marked_at: Timestamp,
    /// Where an emergency would have started when a planned run was marked: the run's own position relies on a drain
    /// that never comes if the run is turned into one. Only on the open mark of a planned failover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Timestamp>,
}

/// Whether the run that left the mark has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Under way, or cut off.
    Open,
    /// Done, with steps owed that the failing Region could not take.
    Owed,
    /// Done and verified, or put back.
    Closed,
}

/// The run mark of a standby stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunMark {
    /// The run.
    pub run: RunId,
    /// [`RunMark::FAILOVER`], [`RunMark::EMERGENCY`], [`RunMark::FAILBACK`] or [`RunMark::PUT_BACK`].
    pub intent: String,
    /// `user@host` of whoever started it.
    pub owner: String,
    /// Open or closed.
    pub state: RunState,
    /// The token.
    pub token: CutOverToken,
    /// What is owed, in [`RunState::Owed`]: `switch:FUNCTION`, `stop:FUNCTION` or a step's slug; see [`fitting`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<String>,
}

const RUN: &str = "kdsha:run";
const INTENT: &str = "kdsha:intent";
const OWNER: &str = "kdsha:owner";
const STATE: &str = "kdsha:state";
const STARTED: &str = "kdsha:started";
const POSITION: &str = "kdsha:position";
const EMERGENCY_POSITION: &str = "kdsha:emergency";
const OWED: &str = "kdsha:owed";
/// Longest value of a tag.
const MOST_CHARACTERS: usize = 256;
const HORIZON: &str = "trim-horizon";
const UNKNOWN: &str = "unknown";

impl RunMark {
    /// The intent of a planned failover.
    pub const FAILOVER: &'static str = "failover";
    /// The intent of an emergency failover: it leaves records behind, and goes on by its own rules.
    pub const EMERGENCY: &'static str = "emergency failover";
    /// The intent of a failback.
    pub const FAILBACK: &'static str = "failback";
    /// What a run leaves that was put back where no run stood before, or where none is known: it moved nothing.
    pub const PUT_BACK: &'static str = "put back";

    /// Whether the run moves to the standby, planned or not.
    pub fn is_failover(&self) -> bool {
        [Self::FAILOVER, Self::EMERGENCY].contains(&self.intent.as_str())
    }

    /// Whether the run moves to the standby without draining the primary first.
    pub fn is_emergency(&self) -> bool {
        self.intent == Self::EMERGENCY
    }

    /// The mark of this run once it is put back: closed, and of no move.
    pub fn put_back(&self) -> RunMark {
        let token = CutOverToken { emergency: None, ..self.token.clone() };
        let (intent, state) = (Self::PUT_BACK.to_owned(), RunState::Closed);
        RunMark { intent, state, token, owed: Vec::new(), ..self.clone() }
    }

    /// The keys of all tags of a mark.
    pub const TAGS: [&'static str; 8] =
        [RUN, INTENT, OWNER, STATE, STARTED, POSITION, EMERGENCY_POSITION, OWED];

    /// Whether it tells where an emergency would start: the tag of an earlier run may still be there.
    pub fn may_turn(&self) -> bool {
        self.intent == Self::FAILOVER && self.state == RunState::Open
    }

    /// The tags that carry the mark.
    pub fn to_tags(&self) -> BTreeMap<String, String> {
        let state = match self.state {
            RunState::Open => "open",
            RunState::Owed => "owed",
            RunState::Closed => "closed",
        };
        let position = self.token.position.map_or_else(|| HORIZON.to_owned(), |at| at.to_string());
        [
            (RUN, self.run.to_string()),
            (INTENT, self.intent.clone()),
            (OWNER, self.owner.clone()),
            (STATE, state.to_owned()),
            (STARTED, self.token.marked_at.to_string()),
            (POSITION, position),
        ]
        .into_iter()
        // An older list is left behind by a mark that is closed later: only the state tells whether it holds.
        .chain(self.may_turn().then(|| {
            let emergency = self.token.emergency;
            (EMERGENCY_POSITION, emergency.map_or_else(|| UNKNOWN.to_owned(), |at| at.to_string()))
        }))
        .chain((self.state == RunState::Owed).then(|| (OWED, self.owed.join(" "))))
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// Reads a mark; `None` when the stream has none.
    ///
    /// # Errors
    /// Says which tag cannot be read. A half-written or foreign mark is not guessed at.
    pub fn from_tags(tags: &BTreeMap<String, String>) -> Result<Option<RunMark>, String> {
        if !tags.contains_key(RUN) {
            return Ok(None);
        }
        let tag = |key: &str| tags.get(key).ok_or_else(|| format!("tag {key} is missing beside {RUN}"));
        let time = |key: &str| {
            let text = tag(key)?;
            text.parse::<Timestamp>().map_err(|_| format!("tag {key} = `{text}` is not an instant"))
        };
        let state = match tag(STATE)?.as_str() {
            "open" => RunState::Open,
            "owed" => RunState::Owed,
            "closed" => RunState::Closed,
            other => return Err(format!("tag {STATE} = `{other}` is neither open, owed nor closed")),
        };
        let position = match tag(POSITION)?.as_str() {
            HORIZON => None,
            _ => Some(time(POSITION)?),
        };
        let mut mark = RunMark {
            run: tag(RUN)?.parse().map_err(|e| format!("tag {RUN}: {e}"))?,
            intent: tag(INTENT)?.clone(),
            owner: tag(OWNER)?.clone(),
            state,
            token: CutOverToken { position, marked_at: time(STARTED)?, emergency: None },
            owed: match state {
                RunState::Owed => tag(OWED)?.split_whitespace().map(str::to_owned).collect(),
                RunState::Open | RunState::Closed => Vec::new(),
            },
        };
        if mark.may_turn() && tags.get(EMERGENCY_POSITION).is_some_and(|text| text != UNKNOWN) {
            mark.token.emergency = Some(time(EMERGENCY_POSITION)?);
        }
        Ok(Some(mark))
    }
}

const BROKEN: &str = "run mark on ";

/// Why a stream's mark is unknown although its tags were read.
pub fn broken_mark(stream: &StreamName, why: &str) -> Reason {
    Reason::new(FailureKind::Unreadable, format!("{BROKEN}{stream}: {why}"))
}

/// Whether a mark is unknown because its tags make none: unlike an answer that was garbled on its way, looking again
/// will not mend it.
pub fn is_broken_mark(reason: &Reason) -> bool {
    reason.kind == FailureKind::Unreadable && reason.text.starts_with(BROKEN)
}

/// As many of the codes as the value of one tag can hold; the last one then counts the others, as `+12`.
pub fn fitting(codes: &[String]) -> Vec<String> {
    let length = |codes: &[String]| codes.iter().map(|code| code.len() + 1).sum::<usize>();
    if length(codes) <= MOST_CHARACTERS {
        return codes.to_vec();
    }
    let room = MOST_CHARACTERS - "+999999 ".len();
    let kept = (0..codes.len()).rev().find(|kept| length(&codes[..*kept]) <= room).unwrap_or(0);
    let mut fitting = codes[..kept].to_vec();
    fitting.push(format!("+{}", codes.len() - kept));
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> RunMark {
        RunMark {
            run: "20261122-104501-failover-3f9a".parse().expect("a run id"),
            intent: "failover".to_owned(),
            owner: "ops@laptop".to_owned(),
            state: RunState::Open,
            token: CutOverToken {
                position: Some("2026-11-22T10:31:00Z".parse().expect("an instant")),
                marked_at: "2026-11-22T10:45:01Z".parse().expect("an instant"),
                emergency: Some("2026-11-22T10:12:00Z".parse().expect("an instant")),
            },
            owed: Vec::new(),
        }
    }

    #[test]
    fn a_mark_survives_its_tags() {
        assert_eq!(RunMark::from_tags(&mark().to_tags()), Ok(Some(mark())));
        assert_eq!(RunMark::from_tags(&BTreeMap::new()), Ok(None));
    }

    #[test]
    fn where_an_emergency_starts_is_told_by_an_open_planned_run_alone() {
        let mut mark = mark();
        let mut tags = mark.to_tags();
        for (intent, state) in [
            (RunMark::EMERGENCY, RunState::Open),
            (RunMark::FAILOVER, RunState::Closed),
            (RunMark::FAILBACK, RunState::Open),
        ] {
            (mark.intent, mark.state) = (intent.to_owned(), state);
            // Tags cannot be taken away by setting tags.
            tags.extend(mark.to_tags());
            let read = RunMark::from_tags(&tags).expect("a mark").expect("a mark");
            assert_eq!(read.token.emergency, None, "{intent} {state:?}");
        }
        (mark.intent, mark.state, mark.token.emergency) =
            (RunMark::FAILOVER.to_owned(), RunState::Open, None);
        tags.extend(mark.to_tags());
        assert_eq!(RunMark::from_tags(&tags), Ok(Some(mark)));
    }

    #[test]
    fn a_run_that_was_put_back_has_moved_nothing() {
        for intent in [RunMark::FAILOVER, RunMark::EMERGENCY, RunMark::FAILBACK] {
            let opened = RunMark { intent: intent.to_owned(), ..mark() };
            let left = opened.put_back();
            assert!(!left.is_failover() && !left.is_emergency() && left.intent != RunMark::FAILBACK);
            assert_eq!((&left.run, left.state), (&opened.run, RunState::Closed));
            // Tags cannot be taken away by setting tags.
            let mut tags = opened.to_tags();
            tags.extend(left.to_tags());
            assert_eq!(RunMark::from_tags(&tags), Ok(Some(left)));
        }
    }

    #[test]
    fn what_is_owed_is_read_while_it_is_owed_and_fits_a_tag() {
        let mut mark = mark();
        mark.token.emergency = None;
        mark.state = RunState::Owed;
        mark.owed = vec!["switch:KDS-HA-ProducerLambda".to_owned(), "stop:KDS-HA-ConsumerLambda".to_owned()];
        let mut tags = mark.to_tags();
        assert_eq!(RunMark::from_tags(&tags), Ok(Some(mark.clone())));
        // Closed later; tags cannot be taken away by setting tags.
        mark.state = RunState::Closed;
        tags.extend(mark.to_tags());
        assert_eq!(RunMark::from_tags(&tags).expect("a mark").map(|m| m.owed), Some(Vec::new()));

        let many: Vec<String> = (0..40).map(|n| format!("switch:producer-number-{n}")).collect();
        let value = fitting(&many).join(" ");
        assert!(value.len() <= 256 && value.len() > 200, "{} characters", value.len());
        let kept = value.split(' ').count() - 1;
        assert!(value.ends_with(&format!("+{}", 40 - kept)), "{value}");
        assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || "_.:/=+-@ ".contains(c)), "{value}");
    }

    #[test]
    fn a_half_written_mark_is_an_error_not_a_guess() {
        let mut tags = mark().to_tags();
        tags.remove("kdsha:position");
        assert!(RunMark::from_tags(&tags).is_err());
        tags.insert("kdsha:position".to_owned(), "yesterday".to_owned());
        assert!(RunMark::from_tags(&tags).is_err());
    }
}
