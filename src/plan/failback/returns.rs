//! How a reader of the primary comes back: by its kept mapping, or by a new one where there is none, or where the kept one
//! is not to be trusted.

use super::before_switch;
use super::waiting::{LimitOf, Waiting};
use crate::model::{
    Mapping, MappingSettings, MappingState, ReaderView, RunMark, Side, StartAt, StartingPosition, Timestamp,
    Verdict,
};
use crate::plan::preflight::{About, Checks};
use crate::plan::remembered::{self, SeenAt};
use crate::plan::sequence::{Request, Selected, carried};
use crate::plan::{assess, settings, stranded};
use crate::steps::{DeleteMapping, Reader};

const NOT_DOCUMENTED: &str =
    "its checkpoint may have been trimmed, and what Lambda does then is not documented";
const NO_CHECKPOINT: &str = "created LATEST, and without a checkpoint, it may skip what lies in the stream";

/// How a reader of the primary comes back.
pub(super) enum Return {
    /// Its kept mapping is enabled: it goes on from its checkpoint.
    Kept,
    /// A new mapping, perhaps in place of an old one.
    New(Box<NewMapping>),
    /// It cannot: a failed check says why.
    Impossible,
}

/// A mapping that takes a kept one's place, or its own.
pub(super) struct NewMapping {
    pub(super) replaces: Option<DeleteMapping>,
    pub(super) start: StartAt,
    pub(super) settings: MappingSettings,
}

impl Return {
    fn new(replaces: Option<DeleteMapping>, start: StartAt, settings: MappingSettings) -> Return {
        Return::New(Box::new(NewMapping { replaces, start, settings }))
    }

    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Return::Kept)
    }
}

/// How the primary's consumer comes back, and when the oldest record has arrived that it must process.
pub(super) fn consumer_returns<'a>(
    checks: &mut Checks<'a>,
    of: Selected<'a>,
    reader: &Reader,
    skip_stranded: bool,
) -> (Return, Timestamp) {
    if !of.is_cold() {
        let about = checks.about(&of, Side::Primary);
        if skip_stranded {
            no_effect(
                checks,
                &about,
                "the pipeline is warm, and its consumer in the primary was never stopped",
            );
        }
        return (Return::Kept, checks.request.marked_at(of.view));
    }
    let found = Found::new(checks, of, reader, skip_stranded);
    (found.returns(checks), found.oldest(&checks.request))
}

/// The primary's consumer as it was found.
struct Found<'a> {
    of: Selected<'a>,
    reader: &'a Reader,
    about: About,
    mapping: Option<&'a Mapping>,
    /// The standby's, of which a new one is a clone where none was kept.
    standby: Option<&'a Mapping>,
    waiting: Waiting,
    skip_stranded: bool,
}

impl<'a> Found<'a> {
    fn new(checks: &Checks<'a>, of: Selected<'a>, reader: &'a Reader, skip_stranded: bool) -> Found<'a> {
        let request = checks.request;
        let mapping = mapping_of(reader, &of.view.primary.consumer);
        let standby = assess::reader_of(of.pipeline, &request.topology.regions, Side::Standby);
        Found {
            about: checks.about(&of, Side::Primary),
            standby: mapping_of(&standby, &of.view.standby.consumer),
            waiting: Waiting::seen(&request, &of, mapping),
            of,
            reader,
            mapping,
            skip_stranded,
        }
    }

    /// When the oldest record has arrived that the consumer must process.
    fn oldest(&self, request: &Request<'_>) -> Timestamp {
        match self.skips().is_some() {
            true => request.marked_at(self.of.view),
            false => self.waiting.oldest,
        }
    }

    /// The mapping whose checkpoint is given up for `--skip-stranded`.
    fn skips(&self) -> Option<&'a Mapping> {
        self.mapping.filter(|mapping| self.skip_stranded && mapping.state == MappingState::Disabled)
    }

    fn returns(&self, checks: &mut Checks<'_>) -> Return {
        if let Some(mapping) = self.skips() {
            return self.skipped(checks, mapping);
        }
        self.tell_of_nothing_to_skip(checks);
        match self.mapping {
            Some(mapping) if is_going(mapping) => self.anew(checks),
            Some(mapping) if is_expired(&checks.request, &self.of, mapping) => self.expired(checks, mapping),
            Some(mapping) if has_no_checkpoint(mapping) => self.never_read(checks, mapping),
            Some(mapping) => self.kept(checks, mapping),
            // What is not known is said by the check of its mappings, and is not taken for none.
            None if self.is_unseen() => Return::Impossible,
            None => self.anew(checks),
        }
    }

    fn is_unseen(&self) -> bool {
        self.of.view.primary.consumer.mappings.known().is_none()
    }

    fn skipped(&self, checks: &mut Checks<'_>, mapping: &Mapping) -> Return {
        let stranded = stranded::in_words(&self.of, &checks.request);
        let evidence = format!("--skip-stranded: {stranded}; they will not be processed");
        let advice = "leave the flag out to process them";
        checks.advise(stranded::CHECK, &self.about, Verdict::Warn, evidence, advice);
        let because = "--skip-stranded: the kept checkpoint is given up";
        let start = before_switch(&checks.request, &self.of);
        let settings = self.settings(checks);
        Return::new(replaced(self.reader, mapping, because), start, settings)
    }

    /// Whoever gives the flag believes that it does something.
    fn tell_of_nothing_to_skip(&self, checks: &mut Checks<'_>) {
        if !self.skip_stranded || self.is_unseen() {
            return;
        }
        let why = match self.mapping {
            Some(mapping) => format!(
                "mapping {} of {} is {}, and only a Disabled one has a checkpoint to give up",
                mapping.id, self.reader, mapping.state
            ),
            None => format!("{} has no mapping whose checkpoint could be given up", self.reader),
        };
        no_effect(checks, &self.about, &why);
    }

    fn expired(&self, checks: &mut Checks<'_>, mapping: &Mapping) -> Return {
        let stranded = stranded::in_words(&self.of, &checks.request);
        let hours = retention_hours(&self.of);
        let evidence =
            format!("the kept mapping was stopped for longer than the retention of {hours} h; {stranded}");
        let advice = "it is replaced by one that starts at the oldest record of the stream, all of which arrived after the \
                      stop; records that have expired are lost";
        checks.advise(stranded::CHECK, &self.about, Verdict::Warn, evidence, advice);
        self.made(checks, replaced(self.reader, mapping, NOT_DOCUMENTED), StartAt::TrimHorizon)
    }

    fn never_read(&self, checks: &mut Checks<'_>, mapping: &Mapping) -> Return {
        let start = self.cut_over().unwrap_or(StartAt::TrimHorizon);
        let evidence = format!(
            "the kept mapping was created LATEST and has processed no record: enabled, it may begin at the newest one; {}",
            stranded::in_words(&self.of, &checks.request)
        );
        let advice = format!("it is replaced by one that starts at {start}; records may be processed twice");
        checks.advise(stranded::CHECK, &self.about, Verdict::Warn, evidence, advice);
        self.made(checks, replaced(self.reader, mapping, NO_CHECKPOINT), start)
    }

    fn kept(&self, checks: &mut Checks<'_>, mapping: &Mapping) -> Return {
        let stranded = match self.waiting.nothing() {
            Some(why) => format!("nothing is stranded: {why}"),
            None => stranded::in_words(&self.of, &checks.request),
        };
        let evidence = format!("the kept mapping goes on from its checkpoint; {stranded}");
        checks.ok(stranded::CHECK, &self.about, evidence);
        // One that runs has begun on what there was.
        if !mapping.state.is_on() {
            self.must_outlast(checks, mapping);
            self.tell_of_latest(checks, mapping);
        }
        Return::Kept
    }

    fn must_outlast(&self, checks: &mut Checks<'_>, mapping: &Mapping) {
        let at = LimitOf { side: Side::Primary, mapping };
        match mapping.settings.as_result().map(|settings| settings.maximum_record_age_seconds) {
            Ok(Some(limit)) => self.waiting.outlasts(checks, &self.of, limit, &at),
            Ok(None) => {}
            Err(reason) => self.waiting.may_not_outlast(checks, &self.of, &reason.text, &at),
        }
    }

    fn tell_of_latest(&self, checks: &mut Checks<'_>, mapping: &Mapping) {
        let skipped = match self.waiting.nothing() {
            Some(_) => "nothing waits there now, and what arrives before it polls may be skipped",
            None => "what is stranded there would be skipped",
        };
        tell_of_latest(checks, &self.about, (self.reader, mapping), skipped, self.cut_over());
    }

    fn anew(&self, checks: &mut Checks<'_>) -> Return {
        let Some(start) = self.cut_over() else {
            let evidence =
                format!("{} keeps no mapping, and no run mark says where to start one", self.reader);
            let advice = "create the mapping by hand, AT_TIMESTAMP of the failover, never LATEST";
            checks.advise(stranded::CHECK, &self.about, Verdict::Fail, evidence, advice);
            return Return::Impossible;
        };
        let evidence = format!("no mapping was kept; a new one starts at the cut-over position {start}");
        let advice = "records may be processed twice";
        checks.advise(stranded::CHECK, &self.about, Verdict::Warn, evidence, advice);
        self.made(checks, None, start)
    }

    /// A new mapping that must take what waits for it.
    fn made(&self, checks: &mut Checks<'_>, replaces: Option<DeleteMapping>, start: StartAt) -> Return {
        let settings = self.settings(checks);
        let cloned = [(Side::Primary, self.mapping), (Side::Standby, self.standby)].into_iter();
        let cloned = cloned.filter_map(|(side, mapping)| Some(LimitOf { side, mapping: mapping? }));
        let mut cloned = cloned.filter(|one| one.mapping.settings.known().is_some());
        if let (Some(limit), Some(at)) = (settings.maximum_record_age_seconds, cloned.next()) {
            self.waiting.outlasts(checks, &self.of, limit, &at);
        }
        Return::new(replaces, start, settings)
    }

    /// The position on the mark of the last run.
    fn cut_over(&self) -> Option<StartAt> {
        let mark = self.of.view.standby.mark.known()?.as_ref()?;
        Some(mark.token.position.map_or(StartAt::TrimHorizon, StartAt::Timestamp))
    }

    fn settings(&self, checks: &mut Checks<'_>) -> MappingSettings {
        settings_for(checks, &self.of, self.reader, self.mapping, self.standby)
    }
}

/// It is being deleted, as by an earlier part of this run: there is nothing to enable, and its settings can still be read.
fn is_going(mapping: &Mapping) -> bool {
    mapping.state == MappingState::Deleting
}

/// `--skip-stranded` where it does nothing.
fn no_effect(checks: &mut Checks<'_>, about: &About, why: &str) {
    let evidence = format!("--skip-stranded has no effect: {why}");
    let advice = "what lies in the stream is processed; leave the flag out";
    checks.advise(stranded::CHECK, about, Verdict::Warn, evidence, advice);
}

/// Without a checkpoint, a mapping that was created LATEST begins wherever the newest record is.
fn has_no_checkpoint(mapping: &Mapping) -> bool {
    mapping.state == MappingState::Disabled
        && mapping.position == Some(StartingPosition::Latest)
        && mapping.has_processed_nothing()
}

/// What a mapping does on a shard on which it has no checkpoint, its position says: AWS documents neither that it has one
/// on shards that came while it was stopped, nor that an update leaves LATEST where it was (Lambda Developer Guide,
/// services-kinesis-create). The checkpoints that it has would be lost with it, so it is not replaced unasked.
fn tell_of_latest(
    checks: &mut Checks<'_>,
    about: &About,
    (reader, mapping): (&Reader, &Mapping),
    skipped: &str,
    start: Option<StartAt>,
) {
    if mapping.position != Some(StartingPosition::Latest) {
        return;
    }
    let evidence = format!(
        "mapping {} of {reader} was created LATEST: a shard on which it has no checkpoint, such as one that came while it \
         was stopped, may begin at its newest record; {skipped}",
        mapping.id
    );
    let advice = match start {
        Some(start) => format!(
            "if the stream was resharded, or to be sure: `aws lambda delete-event-source-mapping --region {} --uuid {}`, \
             then the same command again: it creates one that starts at {start}, which repeats records and skips none",
            reader.region, mapping.id
        ),
        None => {
            "if the stream was resharded, replace it by hand by one AT_TIMESTAMP of the failover".to_owned()
        }
    };
    checks.advise("kept_mapping", about, Verdict::Warn, evidence, advice);
}

fn retention_hours(of: &Selected<'_>) -> u32 {
    of.view.primary.stream.known().map_or(24, |stream| stream.retention_hours)
}

fn is_expired(request: &Request<'_>, of: &Selected<'_>, mapping: &Mapping) -> bool {
    mapping.is_expired(retention_hours(of), request.snapshot.taken_at, had_come_to(request, of))
}

/// How far the readers of the primary had come at least when they were stopped, by the mark of the failover. A failback's
/// own mark carries its position on.
fn had_come_to(request: &Request<'_>, of: &Selected<'_>) -> Option<Timestamp> {
    let mark = of.view.standby.mark.known()?.as_ref()?;
    let marked_at = mark.token.marked_at;
    let undrained = mark.is_emergency() || request.own_mark(of.view).is_some();
    match (undrained, mark.token.position) {
        (true, Some(position)) => Some(position.min(marked_at)),
        (true, None) => Some(marked_at),
        (false, _) => (mark.intent == RunMark::FAILOVER).then_some(marked_at),
    }
}

pub(super) fn replicator_returns(checks: &mut Checks<'_>, of: &Selected<'_>, reader: &Reader) -> Return {
    let request = checks.request;
    let Some(view) = &of.view.primary.replicator else { return Return::Impossible };
    let about = checks.about(of, Side::Primary);
    let mapping = mapping_of(reader, view);
    let start = before_switch(&request, of);
    match mapping {
        Some(mapping) if is_going(mapping) => {
            Return::new(None, start, settings_for(checks, of, reader, Some(mapping), None))
        }
        Some(mapping) if is_expired(&request, of, mapping) => {
            let replaces = replaced(reader, mapping, NOT_DOCUMENTED);
            Return::new(replaces, start, settings_for(checks, of, reader, Some(mapping), None))
        }
        Some(mapping) if has_no_checkpoint(mapping) => {
            let replaces = replaced(reader, mapping, NO_CHECKPOINT);
            Return::new(replaces, start, settings_for(checks, of, reader, Some(mapping), None))
        }
        Some(mapping) => {
            if !mapping.state.is_on() {
                let skipped = "what arrives there before it polls would not be copied";
                tell_of_latest(checks, &about, (reader, mapping), skipped, Some(start));
            }
            Return::Kept
        }
        // What is not known is said by the check of its mappings, and is not taken for none.
        None if view.mappings.known().is_none() => Return::Impossible,
        None => Return::new(None, start, settings_for(checks, of, reader, None, None)),
    }
}

fn mapping_of<'a>(reader: &Reader, view: &'a ReaderView) -> Option<&'a Mapping> {
    view.mappings.known()?.iter().find(|m| reader.owns(m))
}

/// How a new mapping handles records: as the one whose place it takes, or as the standby's does, or as the one that is
/// gone did when a look from this machine saw it last.
fn settings_for(
    checks: &mut Checks<'_>,
    of: &Selected<'_>,
    reader: &Reader,
    mapping: Option<&Mapping>,
    standby: Option<&Mapping>,
) -> MappingSettings {
    let request = checks.request;
    let about = checks.about(of, Side::Primary);
    if let Some(settings) = mapping.and_then(|m| m.settings.known()) {
        return MappingSettings { count_events: true, ..settings.clone() };
    }
    if let Some(settings) = standby.and_then(|m| m.settings.known()) {
        let (from, to) = (request.region(Side::Standby), request.region(Side::Primary));
        let (settings, lost) = carried(settings, from, to);
        checks.not_carried(&about, &format!("the mapping in {to}"), &lost);
        return settings;
    }
    MappingSettings { count_events: true, ..remembered_settings(checks, of, reader).unwrap_or_default() }
}

fn remembered_settings(
    checks: &mut Checks<'_>,
    of: &Selected<'_>,
    reader: &Reader,
) -> Option<MappingSettings> {
    let request = checks.request;
    let about = checks.about(of, Side::Primary);
    let Some(SeenAt { at, value }) = remembered::settings(&request, of, reader.role) else {
        let evidence = format!(
            "neither a mapping of {reader} nor a look from this machine shows how it handled records"
        );
        let way_out = "from a machine that looked (`kdsha status`) while it was there it goes by itself; or create it by \
                       hand with its settings, disabled, AT_TIMESTAMP of the failover or earlier, never LATEST";
        settings::unknown_settings(checks, &about, evidence, way_out, "Lambda's defaults");
        return None;
    };
    let evidence = format!("the mapping of {reader} is made as a look from this machine saw it at {at:.0}");
    let advice = "compare its settings if somebody changed them since";
    checks.advise(settings::CHECK, &about, Verdict::Warn, evidence, advice);
    Some(value.clone())
}

fn replaced(reader: &Reader, mapping: &Mapping, because: &str) -> Option<DeleteMapping> {
    let only = Some(mapping.id.clone());
    Some(DeleteMapping { reader: reader.clone(), only, because: because.to_owned() })
}
