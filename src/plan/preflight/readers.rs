//! Checks of consumers and replicators: their functions, their mappings and their room.

use super::{About, Checks, Due};
use crate::model::{
    FunctionView, Mapping, MappingSettings, MappingState, ReaderView, Side, StreamConsumer, Verdict, duration,
};
use crate::plan::sequence::Selected;
use crate::steps::Reader;
use std::time::Duration;

/// Lambda hands over no record that is larger (Kinesis Developer Guide, "Large records").
const LARGEST_EVENT_KIB: u32 = 6 * 1024;

/// A mapping that reads through a consumer of this name that is gone: one that is registered again has another ARN.
fn on_a_former<'a>(consumer: &StreamConsumer, view: &'a ReaderView) -> Option<&'a Mapping> {
    let is_former = |mapping: &&Mapping| {
        mapping.source.stream_consumer() == Some(consumer.name.as_str()) && mapping.source != consumer.arn
    };
    view.mappings.known()?.iter().find(is_former)
}

/// What a mapping invokes, with the version or alias that it names.
fn invoked(mapping: &Mapping) -> String {
    let qualifier = mapping.qualifier.iter().map(|qualifier| format!(":{qualifier}"));
    qualifier.fold(mapping.function.to_string(), |function, qualifier| function + &qualifier)
}

fn listed(mapping: &Mapping) -> String {
    match &mapping.qualifier {
        None => format!("{} ({})", mapping.id, mapping.state),
        Some(_) => format!("{} ({}, of {})", mapping.id, mapping.state, invoked(mapping)),
    }
}

/// The enhanced fan-out consumer that somebody else's mapping has in common with one of a side's readers: a shard's
/// subscription has one holder, and the next to ask takes it over (API reference, SubscribeToShard).
fn shared_fan_out<'a>(of: &Selected<'_>, side: Side, other: &'a Mapping) -> Option<&'a str> {
    let consumer = other.source.stream_consumer()?;
    let replicator = of.pipeline.replicator.as_ref().filter(|_| side == Side::Primary);
    let ours = [
        of.pipeline.consumer.stream_consumer.as_ref(),
        replicator.and_then(|replicator| replicator.stream_consumer.as_ref()),
    ];
    ours.into_iter().flatten().any(|name| name.as_str() == consumer).then_some(consumer)
}

/// How many invocations at a time a side's consumer may come to, or what keeps that from being known.
fn wanted_concurrency(of: &Selected<'_>, side: Side) -> Result<u32, String> {
    let stream = of.view.side(side).stream.as_result().map_err(|reason| reason.text.clone())?;
    Ok(stream.open_shards * parallelization(of)?)
}

/// The factor of the mapping in the primary, of which the standby's is a clone; of the standby's, where that is not known.
fn parallelization(of: &Selected<'_>) -> Result<u32, String> {
    let largest = |side: Side| -> Result<Option<u32>, String> {
        let mappings =
            of.view.side(side).consumer.mappings.as_result().map_err(|reason| reason.text.clone())?;
        let settings = mappings.iter().map(|mapping| mapping.settings.as_result());
        let settings: Result<Vec<_>, _> = settings.collect();
        let settings = settings.map_err(|reason| reason.text.clone())?;
        Ok(settings.iter().map(|settings| settings.parallelization_factor).max())
    };
    match (largest(Side::Primary), largest(Side::Standby)) {
        (Ok(Some(factor)), _) | (_, Ok(Some(factor))) => Ok(factor),
        (Err(why), _) => Err(why),
        // Nothing is there yet: Lambda's default.
        (Ok(None), _) => Ok(MappingSettings::default().parallelization_factor),
    }
}

impl Checks<'_> {
    /// A reader's function.
    pub(crate) fn reader_function(&mut self, about: &About, reader: &ReaderView) {
        let check = "reader_function";
        let Some(function) = self.known(check, about, &reader.function) else { return };
        match function.reserved_concurrency {
            Some(0) => self.advise(
                check,
                about,
                Verdict::Fail,
                format!("{} has reserved concurrency 0: it cannot be invoked", reader.name),
                "raise or delete its reserved concurrency",
            ),
            _ => self.function_is_idle(check, about, reader.name.as_str(), function),
        }
    }

    /// Room for a side's consumer to scale.
    pub(crate) fn concurrency(&mut self, of: &Selected<'_>, side: Side) {
        let (check, about) = ("concurrency", self.about(of, side));
        let Some(region) = self.request.snapshot.regions.get(self.request.region(side)) else { return };
        // A function with a reservation has that, and no more.
        let reserved = of.view.side(side).consumer.function.known().and_then(|f| f.reserved_concurrency);
        let (there, kind, advice) = match reserved {
            Some(reserved) => {
                let advice = "raise or delete its reserved concurrency (aws lambda put-function-concurrency)";
                (reserved, "reserved for it", advice)
            }
            None => {
                let unreserved = region.unreserved_concurrency.clone();
                let Some(unreserved) = self.known(check, &about, &unreserved).copied() else {
                    return;
                };
                (unreserved, "unreserved", "raise the account's Lambda quota")
            }
        };
        match wanted_concurrency(of, side) {
            Ok(wanted) => {
                let evidence = format!("{there} {kind}, {wanted} wanted (shards x parallelization factor)");
                match there >= wanted {
                    true => self.ok(check, &about, evidence),
                    false => self.advise(check, &about, Verdict::Warn, evidence, advice),
                }
            }
            Err(why) => {
                let evidence = format!("{there} {kind}, how many are wanted is unknown: {why}");
                let advice = "count the shards and multiply by the mapping's ParallelizationFactor";
                self.advise(check, &about, Verdict::Warn, evidence, advice);
            }
        }
    }

    /// What the consumer of the side that is moved to may take, against that of the other one: a batch that needs more
    /// is worked off in one and fails in the other, again and again, and holds up its shard.
    pub(crate) fn function_settings(&mut self, of: &Selected<'_>, to: Side) {
        let (check, about, from) = ("function_settings", self.about(of, to), to.other());
        let consumer = |side: Side| of.view.side(side).consumer.function.known();
        let Some((left, entered)) = consumer(from).zip(consumer(to)) else { return };
        let settings = |function: &FunctionView| {
            [("Timeout", function.timeout_seconds, "s"), ("MemorySize", function.memory_mib, "MB")]
        };
        let less: Vec<String> = settings(left)
            .into_iter()
            .zip(settings(entered))
            .filter(|((_, wanted, _), (_, found, _))| found < wanted)
            .map(|((what, wanted, unit), (_, found, _))| {
                format!("{what} is {found} {unit}, the {from}'s {wanted} {unit}")
            })
            .collect();
        match less.is_empty() {
            true => self.ok(check, &about, format!("the {to}'s consumer may take no less than the {from}'s")),
            false => {
                let advice = format!(
                    "a batch that needs more fails there for ever: `aws lambda update-function-configuration --region \
                     {} --function-name {} --timeout {} --memory-size {}`",
                    self.request.region(to),
                    of.view.side(to).consumer.name,
                    left.timeout_seconds.max(entered.timeout_seconds),
                    left.memory_mib.max(entered.memory_mib)
                );
                self.advise(check, &about, Verdict::Warn, less.join(", "), advice);
            }
        }
    }

    /// The settings that a mapping in another Region does not get.
    pub(crate) fn not_carried(&mut self, about: &About, mapping: &str, lost: &[String]) {
        if !lost.is_empty() {
            let evidence = format!("not carried to {mapping}: {}", lost.join(", "));
            self.advise("mapping_settings", about, Verdict::Warn, evidence, "add it by hand afterwards");
        }
    }

    /// A function that reads other streams too: its metrics are of all of them, so a drain needs counts of the mapping
    /// alone.
    pub(crate) fn shared_function(&mut self, of: &Selected<'_>, reader: &Reader, view: &ReaderView) {
        let about = self.about(of, reader.side);
        let check = "shared_function";
        let Some(others) = self.known(check, &about, &view.other_streams) else { return };
        if others.is_empty() {
            return self.ok(check, &about, format!("{} reads no other stream", view.name));
        }
        let evidence = format!(
            "{} reads {} too: its IteratorAge, Errors and Invocations are of all its streams",
            view.name,
            others.join(", ")
        );
        let mapping = view.mappings.known().and_then(|all| all.iter().find(|m| reader.owns(m)));
        let settings = mapping.and_then(|mapping| mapping.settings.known());
        let has_its_own = view.stream_consumer.is_some() || settings.is_some_and(|s| s.count_events);
        match (has_its_own, mapping) {
            (false, Some(mapping)) => {
                let advice = format!(
                    "have the mapping count its own events, or the drain does not end: `aws lambda \
                     update-event-source-mapping --region {} --uuid {} --metrics-config Metrics=EventCount`",
                    reader.region, mapping.id
                );
                self.advise(check, &about, Verdict::Fail, evidence, advice);
            }
            _ => {
                let advice = "an emergency finds no start position by itself: keep one in mind (--start-at)";
                self.advise(check, &about, Verdict::Warn, evidence, advice);
            }
        }
    }

    /// The mappings of a reader, against how many of them should be on.
    pub(crate) fn mapping(&mut self, of: &Selected<'_>, reader: &Reader, view: &ReaderView, due: Due) {
        let about = self.about(of, reader.side);
        let check = "mapping";
        let Some(all) = self.known(check, &about, &view.mappings) else { return };
        let (mine, others): (Vec<&Mapping>, Vec<&Mapping>) = all.iter().partition(|m| reader.owns(m));
        if let Some(other) = others.iter().find(|m| m.state.is_on()) {
            let evidence =
                format!("mapping {} of {} reads {} as well", other.id, other.function, other.source);
            self.advise(
                check,
                &about,
                Verdict::Fail,
                evidence,
                "delete one of the two: records are read twice",
            );
        }
        let listed: Vec<String> = mine.iter().map(|m| listed(m)).collect();
        let listed = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
        let evidence = format!("{reader}: {listed}");
        let is_on = |m: &&&Mapping| m.state == MappingState::Enabled;
        let on = mine.iter().filter(is_on).count();
        let verdict = match (due, mine.len(), on) {
            (_, 2.., _) | (Due::Running, 0, _) => Verdict::Fail,
            (Due::Running, 1, 0) | (Due::Stopped, _, 1) => Verdict::Fail,
            _ => Verdict::Ok,
        };
        match verdict {
            Verdict::Ok => self.ok(check, &about, evidence),
            verdict => self.advise(check, &about, verdict, evidence, due.advice()),
        }
        self.qualified(&about, &mine);
    }

    /// The enhanced fan-out consumer that a reader reads through.
    pub(crate) fn stream_consumer(&mut self, about: &About, view: &ReaderView) {
        let check = "stream_consumer";
        let Some(part) = &view.stream_consumer else { return };
        let Some(found) = self.known(check, about, part) else { return };
        let (evidence, advice) = match found {
            Some(found) if found.status != "ACTIVE" => (
                format!("{} is {}: it cannot be read through", found.name, found.status),
                "wait until it is ACTIVE, or register it again",
            ),
            Some(found) => match on_a_former(found, view) {
                None => return self.ok(check, about, format!("{} is ACTIVE", found.name)),
                Some(mapping) => (
                    format!(
                        "mapping {} reads through {}, and {} was registered anew as {}: it reads nothing",
                        mapping.id, mapping.source, found.name, found.arn
                    ),
                    "delete the mapping and create it again, AT_TIMESTAMP of when it last read, never LATEST",
                ),
            },
            None => (
                format!("{} reads through an enhanced fan-out consumer that does not exist", view.name),
                "register it (aws kinesis register-stream-consumer), or correct stream_consumer in kdsha.toml",
            ),
        };
        self.advise(check, about, Verdict::Fail, evidence, advice);
    }

    /// Who else reads a side's stream. Standard readers share its iterator age, so a drain waits for them too; a
    /// replicator in the standby would send everything round in a circle, which Lambda's recursion detection does
    /// not see for Kinesis (Lambda Developer Guide, invocation-recursion).
    pub(crate) fn other_readers(&mut self, of: &Selected<'_>, side: Side) {
        let about = self.about(of, side);
        let check = "other_readers";
        let Some(all) = self.known(check, &about, &of.view.side(side).other_mappings) else { return };
        let on: Vec<&Mapping> = all.iter().filter(|m| m.state.is_on()).collect();
        let replicator = of.pipeline.replicator.as_ref().map(|r| &r.function);
        if let Some(back) = on.iter().find(|m| side == Side::Standby && Some(&m.function) == replicator) {
            return self.advise(
                check,
                &about,
                Verdict::Fail,
                format!("mapping {} replicates from the standby's stream too: records go round", back.id),
                "disable it: one direction at a time",
            );
        }
        if let Some((other, consumer)) = on.iter().find_map(|m| Some((m, shared_fan_out(of, side, m)?))) {
            return self.advise(
                check,
                &about,
                Verdict::Fail,
                format!("{} reads through {consumer} too (mapping {})", other.function, other.id),
                "each of two mappings takes the subscription from the other: give it an enhanced fan-out consumer of \
                 its own, or disable it",
            );
        }
        let named: Vec<String> = on.iter().map(|m| m.function.to_string()).collect();
        let shares_age = on.iter().any(|m| m.source.stream_consumer().is_none());
        if named.is_empty() {
            return self.ok(check, &about, "no other function reads the stream");
        }
        let evidence = format!("{} read(s) the stream too", named.join(", "));
        let circle = "if it writes to the other Region, records go round in a circle";
        match shares_age {
            true => self.advise(
                check,
                &about,
                Verdict::Warn,
                format!("{evidence}, and the stream's iterator age is that of all its standard readers"),
                format!("a drain waits for its lag as well; {circle}"),
            ),
            // A copy that leaves the primary goes the way of the replicator; from the standby it goes back.
            false if side == Side::Standby => {
                self.advise(check, &about, Verdict::Warn, evidence, format!("{circle}: disable it then"));
            }
            false => self.ok(check, &about, evidence),
        }
    }

    /// A warm standby's mapping handles records as the primary's does.
    pub(crate) fn settings_match(&mut self, of: &Selected<'_>, primary: &Reader, standby: &Reader) {
        let about = self.about(of, Side::Standby);
        let settings = |view: &ReaderView, reader: &Reader| {
            let mapping = view.mappings.known()?.iter().find(|m| reader.owns(m))?;
            mapping.settings.known().cloned()
        };
        let both =
            settings(&of.view.primary.consumer, primary).zip(settings(&of.view.standby.consumer, standby));
        let Some((mut wanted, mut found)) = both else { return };
        // Destinations and keys belong to a Region: that they differ is as it should be.
        for settings in [&mut wanted, &mut found] {
            settings.on_failure = settings.on_failure.take().map(|_| "set".to_owned());
            settings.kms_key = None;
        }
        let differences = wanted.differences(&found);
        match differences.is_empty() {
            true => {
                self.ok("mapping_settings", &about, "the mappings of both Regions have the same settings")
            }
            false => self.advise(
                "mapping_settings",
                &about,
                Verdict::Warn,
                format!("the standby's mapping differs from the primary's: {}", differences.join("; ")),
                "make them alike, unless it is meant",
            ),
        }
    }

    fn qualified(&mut self, about: &About, mine: &[&Mapping]) {
        if let Some(mapping) = mine.iter().find(|m| m.qualifier.is_some()) {
            let evidence = format!("mapping {} invokes {}", mapping.id, invoked(mapping));
            let advice = "kdsha moves unqualified mappings; bind the mapping to the function itself";
            self.advise("mapping", about, Verdict::Fail, evidence, advice);
        }
    }

    /// A mapping that gives records up counts them as progress: nobody processes those that lie before the start.
    pub(crate) fn discards(&mut self, of: &Selected<'_>, settings: &MappingSettings) {
        let about = self.about(of, Side::Primary);
        let retries = settings.maximum_retry_attempts.map(|n| format!("after {n} retries"));
        let age = settings.maximum_record_age_seconds.map(|s| format!("older than {s} s"));
        let largest = of.view.primary.stream.known().and_then(|stream| stream.max_record_size_kib);
        let size = largest.filter(|kib| *kib > LARGEST_EVENT_KIB).map(|_| "larger than 6 MiB".to_owned());
        let limits: Vec<String> = [retries, age, size].into_iter().flatten().collect();
        let lanes = settings.parallelization_factor;
        let may_drop = of.pipeline.consumer.stream_consumer.is_some() && lanes > 1;
        if may_drop {
            self.drops_aggregated(&about, lanes);
        }
        if limits.is_empty() && !may_drop {
            self.ok("discards", &about, "the consumer's mapping never gives a record up");
        }
        if limits.is_empty() {
            return;
        }
        let kept = match &settings.on_failure {
            Some(destination) => format!("their metadata goes to {destination}"),
            None => "nothing keeps them (no on-failure destination)".to_owned(),
        };
        let advice = match of.is_cold() {
            true => {
                "what it gave up before the start position is not processed again: look at DroppedEventCount, and \
                 give an earlier --start-at if it matters"
            }
            false => {
                "what it gave up counts as processed, and a drain does not wait for it: look at DroppedEventCount"
            }
        };
        let evidence = format!("the consumer's mapping gives records up {}; {kept}", limits.join(", or "));
        self.advise("discards", &about, Verdict::Warn, evidence, advice);
    }

    /// Of a record that the KPL aggregated, a fan-out mapping with several batches of a shard at a time hands over what has
    /// the partition key of the whole, and drops the rest without a trace (Lambda Developer Guide, with-kinesis).
    fn drops_aggregated(&mut self, about: &About, lanes: u32) {
        let evidence = format!(
            "the consumer reads by enhanced fan-out with ParallelizationFactor {lanes}: of what the KPL aggregated, Lambda \
             drops records with other partition keys than that of the whole"
        );
        let advice = "no matter where no producer aggregates; else set ParallelizationFactor to 1, or read without fan-out";
        self.advise("discards", about, Verdict::Warn, evidence, advice);
    }

    /// Records that a mapping would discard because of their age.
    pub(crate) fn record_age(&mut self, of: &Selected<'_>, side: Side, limit: Option<u32>, rewind: Duration) {
        let about = self.about(of, side);
        let Some(limit) = limit else { return };
        let evidence =
            format!("MaximumRecordAgeInSeconds is {limit}, the start lies {} back", duration::show(rewind));
        match Duration::from_secs(u64::from(limit)) > rewind {
            true => self.ok("record_age", &about, evidence),
            false => self.advise(
                "record_age",
                &about,
                Verdict::Fail,
                evidence,
                "Lambda would discard the records that the start position is for: raise or remove the limit on the \
                 primary's mapping",
            ),
        }
    }
}
