//! The one header of all commands: who is at work, where, at what, and how late it is.

use super::again::Again;
use super::look::{Ground, Look, Tone};
use super::{status, text};
use crate::config::{Regions, Topology};
use crate::model::{Identity, Region, Side, Snapshot, Timestamp, duration};
use crate::plan::assess::{self, Active};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Skew of the workstation's clock from which a header speaks of it, seconds.
const SKEW: f64 = 30.0;

/// Who is at work, and where: what every header says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// Account and caller.
    pub(crate) who: Option<String>,
    /// Where, with roles.
    pub(crate) regions: Option<Regions>,
    /// Which of them is active.
    pub(crate) active: Activity,
    /// The pipelines that were looked at.
    pub(crate) pipelines: Vec<String>,
    /// When.
    pub(crate) seen_at: Option<Timestamp>,
    /// Recovery time objective.
    pub(crate) rto: Option<Duration>,
    /// How far this machine's clock is off, seconds; positive: it is behind.
    pub(crate) skew: Option<f64>,
    /// What the next commands need too.
    pub(crate) again: Again,
}

/// Where the producers of all pipelines write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Nobody looked yet.
    #[default]
    NotAsked,
    /// All of all pipelines here.
    One(Region),
    /// Not the same everywhere: pipelines by Region.
    Several(BTreeMap<String, usize>),
    /// At least one pipeline could not be told.
    Unknown,
}

impl Activity {
    fn of(snapshot: &Snapshot) -> Activity {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for view in snapshot.pipelines.values() {
            let places: BTreeSet<String> = match assess::active(view) {
                Active::Region(region) => BTreeSet::from([region.to_string()]),
                Active::Mixed(values) => values,
                Active::Unknown(_) => return Activity::Unknown,
            };
            places.into_iter().for_each(|place| *seen.entry(place).or_default() += 1);
        }
        let mut keys = seen.keys();
        match (keys.next().map(|one| one.parse::<Region>()), keys.next()) {
            (Some(Ok(region)), None) => Activity::One(region),
            (None, _) => Activity::NotAsked,
            _ => Activity::Several(seen),
        }
    }
}

impl Context {
    /// What is known before anybody looked.
    pub(crate) fn of(topology: &Topology, identity: Option<&Identity>) -> Context {
        Context {
            who: identity.map(status::who),
            regions: Some(topology.regions.clone()),
            rto: Some(topology.objectives.rto),
            ..Context::default()
        }
    }

    /// What a look adds.
    pub(crate) fn seen(topology: &Topology, snapshot: &Snapshot) -> Context {
        let who = match snapshot.identity.as_result() {
            Ok(identity) => status::who(identity),
            Err(reason) => format!("unknown: {}", reason.text),
        };
        Context {
            who: Some(who),
            active: Activity::of(snapshot),
            pipelines: snapshot.pipelines.keys().map(ToString::to_string).collect(),
            seen_at: Some(snapshot.taken_at),
            skew: snapshot.clock_skew_seconds,
            ..Context::of(topology, None)
        }
    }

    /// Both Regions, the active one marked with a word.
    pub(crate) fn place(&self, look: Look) -> Option<String> {
        let regions = self.regions.as_ref()?;
        let one = |side: Side| {
            let region = regions.of(side);
            match &self.active {
                Activity::One(active) if active == region => {
                    format!("{region} ({side}) {}", look.paint(Tone::Good, "ACTIVE"))
                }
                _ => format!("{region} ({side})"),
            }
        };
        let both = format!("{}, {}", one(Side::Primary), one(Side::Standby));
        Some(match &self.active {
            Activity::NotAsked => both,
            Activity::One(region) if regions.side_of(region).is_some() => both,
            Activity::One(region) => {
                format!("{both}; {}", look.paint(Tone::Bad, format!("producers write to {region}")))
            }
            Activity::Several(places) => {
                let places: Vec<String> = places
                    .iter()
                    .map(|(place, n)| format!("{place} for {}", text::plural(*n, "pipeline")))
                    .collect();
                format!("{both}; {}", look.paint(Tone::Bad, format!("ACTIVE DIFFERS: {}", places.join(", "))))
            }
            Activity::Unknown => format!("{both}; {}", look.paint(Tone::Warn, "active Region unknown")),
        })
    }

    /// When it was seen, for pages about one moment.
    pub(crate) fn moment(&self) -> String {
        self.seen_at
            .map_or_else(|| "nothing was looked at".to_owned(), |at| format!("seen {}", text::full_time(at)))
    }

    /// A clock, and how far this machine's is off.
    pub(crate) fn clock(&self, now: &str) -> String {
        let mut parts = vec![now.to_owned()];
        parts.extend(self.skew.filter(|skew| skew.abs() >= SKEW).map(|skew| {
            let off = text::whole(Duration::from_secs_f64(skew.abs()));
            let word = if skew > 0.0 { "behind" } else { "ahead" };
            format!("this clock is {off} {word}, times are AWS's")
        }));
        parts.join("; ")
    }
}

/// `RTO 15m from the start of the run`.
pub(crate) fn objective(rto: Duration) -> String {
    format!("RTO {} from the start of the run", duration::show(rto))
}

/// When a run began, and when its recovery is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) began: Timestamp,
    pub(crate) until: Timestamp,
}

/// How a run stands with the clock: `elapsed 8m48s, RTO 6m12s left`.
pub(crate) fn running(look: Look, began: Option<Timestamp>, due: Option<Due>, at: Timestamp) -> Vec<String> {
    let elapsed = began
        .map(|began| look.paint(Tone::Faint, format!("elapsed {}", text::whole(text::between(began, at)))));
    let left = due.map(|due| rto_left(look, due, at));
    [elapsed, left].into_iter().flatten().collect()
}

/// `RTO 6m12s left`: plain, a warning in the last quarter, loud once it has passed.
pub(crate) fn rto_left(look: Look, due: Due, at: Timestamp) -> String {
    let words = format!("RTO {}", time_left(at, due));
    let left = text::between(at, due.until);
    match at > due.until {
        true => look.paint(Tone::Bad, words),
        false if left * 4 < text::between(due.began, due.until) => look.paint(Tone::Warn, words),
        false => words,
    }
}

/// What is left, so that it and what has elapsed in whole seconds add up to the objective.
fn time_left(at: Timestamp, due: Due) -> String {
    if at > due.until {
        return text::time_left(at, due.until);
    }
    let elapsed = std::time::Duration::from_secs(text::between(due.began, at).as_secs());
    format!("{} left", text::whole(text::between(due.began, due.until).saturating_sub(elapsed)))
}

/// Account and caller; of a rehearsal, that they are none.
fn who(look: Look, context: &Context) -> Option<String> {
    match look.ground {
        Ground::Aws => context.who.clone(),
        Ground::Story | Ground::GameDay => {
            let word = look.paint(Tone::Warn, "REHEARSAL, not AWS");
            Some(context.who.iter().fold(word, |word, who| format!("{word}: {who}")))
        }
    }
}

/// The header: a title, then who, where, what, clock. A part that is not known at all is left out.
pub(crate) fn render(look: Look, context: &Context, title: &str, what: &str, clock: &str) -> String {
    let mut out = look.hang("", title);
    out.extend(who(look, context).iter().map(|who| look.field("who", who)));
    out.extend(context.place(look).iter().map(|place| look.field("where", place)));
    out += &look.field("what", what);
    out += &look.field("clock", &context.clock(clock));
    out
}
