//! Where both Regions stand: per pipeline side by side, then what did not answer, what deviates, what is owed.

use super::again::Again;
use super::cells::{Cells, Notes};
use super::header::{self, Context};
use super::look::{Look, Tone};
use super::{checks, text};
use crate::config::{Pipeline, StandbyMode, Topology};
use crate::model::{
    CheckReport, Identity, Observed, PipelineView, ReaderView, Region, RunId, Side, SideView, Snapshot,
    Verdict, duration,
};
use crate::plan::assess::{self, Active, Health, Lag};
use crate::plan::next::{self, Known, Next};
use serde::Serialize;
use std::collections::BTreeMap;

/// What `status` shows.
#[derive(Debug, Clone, Copy)]
pub struct StatusInput<'a> {
    /// What belongs together.
    pub topology: &'a Topology,
    /// What was seen.
    pub snapshot: &'a Snapshot,
    /// Unfinished runs in words, with the command that goes on.
    pub unfinished: &'a [String],
    /// What is owed, in words.
    pub owed: &'a [String],
    /// The resting state's checks; what is not ok is shown.
    pub reports: &'a [CheckReport],
}

impl StatusInput<'_> {
    /// The checks that are not ok, the worst first.
    pub(crate) fn deviations(&self) -> Vec<&CheckReport> {
        let mut reports: Vec<&CheckReport> =
            self.reports.iter().filter(|r| r.verdict != Verdict::Ok).collect();
        reports.sort_by_key(|report| std::cmp::Reverse(report.verdict));
        reports
    }

    /// The checks that are not ok and say what nothing else on the page does: runs, debts and what did not answer have
    /// lists of their own.
    pub(crate) fn other_deviations(&self) -> Vec<&CheckReport> {
        let is_listed = |report: &CheckReport| match report.check.as_str() {
            "run_mark" => !self.unfinished.is_empty() && report.verdict == Verdict::Fail,
            "owed" => !self.owed.is_empty(),
            "region_answers" => true,
            _ => false,
        };
        self.deviations().into_iter().filter(|report| !is_listed(report)).collect()
    }

    /// Whether a reader is further behind than the RPO: a Region that is lost now costs more than was agreed.
    pub(crate) fn is_over_the_rpo(&self) -> bool {
        let (rpo, fresh) = (self.topology.objectives.rpo, self.topology.timing.fresh);
        let now = self.snapshot.taken_at;
        let is_late = |side: &SideView, reader: &ReaderView| {
            let has_mappings = !reader.mappings.known().is_some_and(Vec::is_empty);
            has_mappings
                && assess::fresh_lag(side, reader, fresh, now).known().is_some_and(|lag| lag.lag > rpo)
        };
        let sides = self.snapshot.pipelines.values().flat_map(|view| [&view.primary, &view.standby]);
        sides.into_iter().any(|side| {
            is_late(side, &side.consumer) || side.replicator.iter().any(|reader| is_late(side, reader))
        })
    }

    /// The one thing to do.
    pub(crate) fn next(&self) -> Next {
        let known = Known {
            unfinished: self.unfinished,
            owed: self.owed,
            is_sound: self.is_sound(),
            has_failed: self.reports.iter().any(|report| report.verdict == Verdict::Fail),
        };
        next::next(self.topology, self.snapshot, known)
    }

    /// Whether every API answered, nothing failed or is unknown, nothing is unfinished, nothing is owed.
    pub(crate) fn is_sound(&self) -> bool {
        let bad = |r: &CheckReport| matches!(r.verdict, Verdict::Fail | Verdict::Unknown);
        let regions = &self.topology.regions;
        let is_silent = |region| !assess::silent_apis(self.snapshot, region).is_empty();
        let is_silent = is_silent(&regions.primary) || is_silent(&regions.standby);
        !is_silent && self.unfinished.is_empty() && self.owed.is_empty() && !self.reports.iter().any(bad)
    }
}

/// Whether a check tells of a run that is among the unfinished ones of this machine.
pub(crate) fn tells_of(report: &CheckReport, unfinished: &[String]) -> bool {
    let mut words = report.evidence.split_whitespace();
    report.check == "run_mark"
        && report.verdict == Verdict::Fail
        && words.any(|word| {
            word.parse::<RunId>().is_ok()
                && word.len() > 16
                && unfinished.iter().any(|run| run.contains(word))
        })
}

/// What one side of a pipeline was judged to be.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct JudgedSide {
    health: Health,
    consumer_lag: Observed<Lag>,
    replicator_lag: Option<Observed<Lag>>,
}

/// What a pipeline was judged to be.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Judged {
    active: Active,
    sides: BTreeMap<&'static str, JudgedSide>,
}

/// The judgements, for JSON. They are `plan/assess.rs`'s; nothing is judged here.
pub(crate) fn judge<'a>(input: &StatusInput<'a>) -> BTreeMap<&'a str, Judged> {
    let side = |view: &PipelineView, side: Side| {
        let view = view.side(side);
        let (objectives, timing) = (&input.topology.objectives, &input.topology.timing);
        let now = input.snapshot.taken_at;
        let lag = |view, reader| assess::fresh_lag(view, reader, timing.fresh, now);
        JudgedSide {
            health: assess::health(&view.metrics, objectives, timing, now),
            consumer_lag: lag(view, &view.consumer),
            replicator_lag: view.replicator.as_ref().map(|reader| lag(view, reader)),
        }
    };
    let judged = input.snapshot.pipelines.iter().map(|(name, view)| {
        let sides =
            BTreeMap::from([("primary", side(view, Side::Primary)), ("standby", side(view, Side::Standby))]);
        (name.as_str(), Judged { active: assess::active(view), sides })
    });
    judged.collect()
}

/// Account and caller, the caller without what is the same for everybody.
pub(crate) fn who(identity: &Identity) -> String {
    let caller = identity.arn.splitn(6, ':').nth(5).unwrap_or(&identity.arn);
    format!("account {} as {caller}", identity.account)
}

fn head(look: Look, input: &StatusInput<'_>) -> String {
    let context = Context::seen(input.topology, input.snapshot);
    let at = text::full_time(input.snapshot.taken_at);
    let title = format!("{}: {}", look.paint(Tone::Strong, format!("Status at {at}")), verdict(look, input));
    let objectives = &input.topology.objectives;
    let clock =
        format!("objectives: RTO {}, RPO {}", duration::show(objectives.rto), duration::show(objectives.rpo));
    header::render(look, &context, &title, &context.pipelines.join(", "), &clock)
}

/// Where the producers write, in the words of the headline.
fn headline(
    look: Look,
    input: &StatusInput<'_>,
    pipeline: &Pipeline,
    view: &PipelineView,
    notes: &mut Notes,
) -> String {
    let name = look.paint(Tone::Strong, pipeline.name.as_str());
    let mode = match pipeline.standby {
        StandbyMode::Cold => "cold standby",
        StandbyMode::Warm => "warm standby",
    };
    let place = match assess::active(view) {
        Active::Region(region) => {
            let role = input
                .topology
                .regions
                .side_of(&region)
                .map_or("not one of the two".to_owned(), |s| s.to_string());
            look.paint(Tone::Strong, format!("active in {region} ({role})"))
        }
        Active::Mixed(values) => {
            let values: Vec<String> = values.into_iter().collect();
            look.paint(Tone::Bad, format!("PRODUCERS DISAGREE: {}", values.join(", ")))
        }
        Active::Unknown(why) => {
            look.paint(Tone::Warn, format!("active Region {}", notes.unknown_because(&why)))
        }
    };
    look.hang("", &format!("{name} ({mode}): {place}"))
}

/// The words that get a colour in a table, which is laid out without.
fn tinted(look: Look, table: &str) -> String {
    if !look.color {
        return table.to_owned();
    }
    let mut out = table.to_owned();
    for (word, tone) in [
        ("unknown", Tone::Warn),
        ("<- ACTIVE", Tone::Good),
        ("DEGRADED", Tone::Bad),
        ("TWO OR MORE", Tone::Bad),
        ("PROBLEM", Tone::Bad),
        ("OVER THE RPO", Tone::Bad),
        ("STALE", Tone::Warn),
    ] {
        out = out.replace(word, &look.paint(tone, word));
    }
    out
}

fn table(
    look: Look,
    input: &StatusInput<'_>,
    pipeline: &Pipeline,
    view: &PipelineView,
    notes: &mut Notes,
) -> String {
    let mut cells = Cells { input, pipeline, view, notes };
    let (rows, mark_text) = (cells.rows(), cells.mark());
    let label = 12;
    let side = ((look.columns() - label) / 2).clamp(20, 62);
    let active = assess::active(view);
    let title = |side: Side| {
        let region = input.topology.regions.of(side);
        let mark = if active == Active::Region(region.clone()) { "  <- ACTIVE" } else { "" };
        format!("{region} {side}{mark}")
    };
    let header = vec![String::new(), title(Side::Primary), title(Side::Standby)];
    let mark = look.hang(&format!("{:<label$}", "run mark"), &mark_text);
    tinted(look, &(look.table(&[label, side, side], header, rows) + &mark))
}

fn list(look: Look, title: &str, tone: Tone, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", look.paint(tone, title));
    out.extend(lines.iter().map(|line| look.hang("  - ", line)));
    out
}

fn unanswered(look: Look, input: &StatusInput<'_>) -> String {
    let regions = &input.topology.regions;
    let lines = [&regions.primary, &regions.standby].into_iter().flat_map(|region| {
        let silent = assess::silent_apis(input.snapshot, region);
        silent.into_iter().map(move |api| format!("{region}: {api}"))
    });
    list(look, "Did not answer", Tone::Warn, &lines.collect::<Vec<_>>())
}

fn verdict(look: Look, input: &StatusInput<'_>) -> String {
    let tone = match input.is_sound() {
        true if input.is_over_the_rpo() => Tone::Warn,
        true => Tone::Good,
        false => Tone::Bad,
    };
    look.paint(tone, verdict_words(input))
}

/// Sound or not, and what makes it so: nobody should have to read to the end to learn that.
pub(crate) fn verdict_words(input: &StatusInput<'_>) -> String {
    let deviations = input.other_deviations();
    let of = |verdict| deviations.iter().filter(|report| report.verdict == verdict).count();
    if input.is_sound() {
        return match deviations.len() {
            _ if input.is_over_the_rpo() => "sound, but a lag is OVER THE RPO".to_owned(),
            0 => "sound, nothing is owed".to_owned(),
            n => format!("sound, with {}", text::plural(n, "warning")),
        };
    }
    let regions = &input.topology.regions;
    let answers = |region: &Region| {
        let apis = &input.snapshot.regions.get(region)?.apis;
        match apis.iter().filter(|api| api.failed > 0).count() {
            0 => None,
            _ if assess::is_silent(input.snapshot, region) => Some(format!("{region} is SILENT")),
            n => Some(format!("{region} does not answer {} of {} APIs", n, apis.len())),
        }
    };
    let silent = [&regions.primary, &regions.standby].into_iter().filter_map(answers);
    let counts = [
        (of(Verdict::Fail), "failed"),
        (of(Verdict::Unknown), "unknown"),
        (input.unfinished.len(), "unfinished"),
        (input.owed.len(), "owed"),
    ];
    let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    let parts: Vec<String> = silent.chain(counts).collect();
    format!("NOT SOUND: {}", parts.join(", "))
}

/// The page.
pub(crate) fn render(look: Look, again: &Again, input: &StatusInput<'_>) -> String {
    let mut notes = Notes::of(input);
    let mut out = head(look, input);
    for pipeline in &input.topology.pipelines {
        let Some(view) = input.snapshot.pipelines.get(&pipeline.name) else { continue };
        out.push('\n');
        out += &headline(look, input, pipeline, view, &mut notes);
        out += &table(look, input, pipeline, view, &mut notes);
    }
    out += &notes.render(look);
    out += &unanswered(look, input);
    if let Some(found) = crate::plan::reach::reach(input.topology, input.snapshot) {
        out += &super::reach::render(look, input.topology, &found);
    }
    let deviations = input.other_deviations();
    if !deviations.is_empty() {
        out += &format!("\n{}\n", look.paint(Tone::Strong, "Deviations"));
        let regions = &input.topology.regions;
        let silent = [&regions.primary, &regions.standby].into_iter();
        let silent = silent.filter(|region| assess::is_silent(input.snapshot, region)).cloned();
        out += &checks::attention(look, &deviations, &silent.collect::<Vec<_>>());
    }
    out += &list(look, "Unfinished", Tone::Bad, input.unfinished);
    out += &list(look, "Owed", Tone::Bad, input.owed);
    if look.verbose > 0 {
        let stats = input.snapshot.stats;
        let chain = text::plural(stats.longest_chain as usize, "call");
        let requests = text::plural(stats.requests as usize, "request");
        out += &look.field("cost", &format!("{requests}, the longest chain {chain}"));
    }
    out + "\n" + &next_line(look, again, &input.next())
}

/// The last line, where the eye rests.
fn next_line(look: Look, again: &Again, next: &Next) -> String {
    match next.command() {
        Some(command) => {
            let command = look.paint(Tone::Strong, again.complete(&command));
            look.field("next", &format!("{command} ({next})"))
        }
        None => look.field("next", &next.to_string()),
    }
}
