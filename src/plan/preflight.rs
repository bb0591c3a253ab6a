//! The named checks before a run: all of them, all listed, not the first that fails.
//!
//! `status` and `verify` use the same ones, so that "could we fail over now?" is answered by the code that would
//! refuse.

use super::assess::{self, Active, Health};
use super::sequence::{Request, Selected};
use crate::model::{
    AliasView, CheckReport, Environment, FailureKind, FunctionView, Mapping, MappingState, Observed,
    PipelineName, ProducerView, ReaderView, Region, RunState, Side, Verdict, duration, time,
};
use crate::steps::Reader;
use std::time::Duration;

/// Gathers results.
pub(crate) struct Checks<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) reports: Vec<CheckReport>,
}

/// Where a result belongs.
#[derive(Clone, Default)]
pub(crate) struct About {
    pub(crate) pipeline: Option<PipelineName>,
    pub(crate) region: Option<Region>,
}

impl<'a> Checks<'a> {
    pub(crate) fn new(request: Request<'a>) -> Checks<'a> {
        Checks { request, reports: Vec::new() }
    }

    pub(crate) fn about(&self, of: &Selected<'_>, side: Side) -> About {
        About { pipeline: Some(of.pipeline.name.clone()), region: Some(self.request.region(side).clone()) }
    }

    pub(crate) fn say(&mut self, check: &str, about: &About, verdict: Verdict, evidence: impl Into<String>) {
        self.reports.push(CheckReport {
            check: check.to_owned(),
            pipeline: about.pipeline.clone(),
            region: about.region.clone(),
            verdict,
            evidence: evidence.into(),
            advice: None,
        });
    }

    pub(crate) fn ok(&mut self, check: &str, about: &About, evidence: impl Into<String>) {
        self.say(check, about, Verdict::Ok, evidence);
    }

    pub(crate) fn advise(
        &mut self,
        check: &str,
        about: &About,
        verdict: Verdict,
        evidence: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.say(check, about, verdict, evidence);
        if let Some(last) = self.reports.last_mut() {
            last.advice = Some(advice.into());
        }
    }

    /// The value, or an `unknown` result with the reason.
    pub(crate) fn known<'v, T>(
        &mut self,
        check: &str,
        about: &About,
        part: &'v Observed<T>,
    ) -> Option<&'v T> {
        match part {
            Observed::Known(value) => Some(value),
            Observed::Unknown(reason) if reason.kind == FailureKind::NotFound => {
                let advice = "correct its name in kdsha.toml, or create it";
                self.advise(check, about, Verdict::Fail, reason.text.clone(), advice);
                None
            }
            Observed::Unknown(reason) => {
                let advice = "run the command again when it answers; `kdsha status` shows which APIs do";
                self.advise(check, about, Verdict::Unknown, reason.text.clone(), advice);
                None
            }
        }
    }

    /// The account: identity, guard, clock.
    pub(crate) fn account(&mut self) {
        let about = About::default();
        let request = self.request;
        if let Some(identity) = self.known("identity", &about, &request.snapshot.identity) {
            match &request.topology.account {
                Some(account) if *account != identity.account => self.advise(
                    "identity",
                    &about,
                    Verdict::Fail,
                    format!(
                        "the credentials are of account {}, kdsha.toml asks for {account}",
                        identity.account
                    ),
                    "choose the right profile with --profile, or correct [account] id in kdsha.toml",
                ),
                _ => self.ok("identity", &about, format!("{} in account {}", identity.arn, identity.account)),
            }
        }
        let skew = request.snapshot.clock_skew_seconds;
        match skew {
            Some(skew) if skew.abs() >= time::SKEW_WORTH_A_WARNING.as_secs_f64() => self.advise(
                "clock",
                &about,
                Verdict::Warn,
                format!("this machine's clock is off by {skew:.0} s; the server's clock is used"),
                "synchronise the clock: signatures fail from five minutes on",
            ),
            Some(skew) => self.ok("clock", &about, format!("within {:.0} s of AWS's", skew.abs().ceil())),
            None => self.say("clock", &about, Verdict::Unknown, "no server said what time it is"),
        }
    }

    /// Whether every API of a Region answered.
    pub(crate) fn region_answers(&mut self, side: Side) {
        let region = self.request.region(side).clone();
        let about = About { pipeline: None, region: Some(region.clone()) };
        let silent = assess::silent_apis(self.request.snapshot, &region);
        match silent.as_slice() {
            [] => self.ok("region_answers", &about, format!("every API of {region} answered")),
            some => self.advise(
                "region_answers",
                &about,
                Verdict::Unknown,
                some.join("; "),
                "a planned run needs both Regions; `kdsha failover --emergency` needs only the standby",
            ),
        }
    }

    /// A side's stream.
    pub(crate) fn stream(&mut self, of: &Selected<'_>, side: Side) {
        let about = self.about(of, side);
        let view = of.view.side(side);
        let Some(stream) = self.known("stream", &about, &view.stream) else { return };
        let evidence = format!(
            "{} is {}, {} open shards, retention {} h",
            view.stream_name, stream.status, stream.open_shards, stream.retention_hours
        );
        match stream.is_usable() {
            true => self.ok("stream", &about, evidence),
            false => {
                self.advise("stream", &about, Verdict::Fail, evidence, "wait until the stream is ACTIVE")
            }
        }
    }

    /// The standby's stream against the primary's.
    pub(crate) fn streams_match(&mut self, of: &Selected<'_>) {
        let about = self.about(of, Side::Standby);
        let (Some(primary), Some(standby)) = (of.view.primary.stream.known(), of.view.standby.stream.known())
        else {
            return;
        };
        let mut smaller = Vec::new();
        if standby.retention_hours < primary.retention_hours {
            smaller.push(format!("retention {} h < {} h", standby.retention_hours, primary.retention_hours));
        }
        if standby.mode == primary.mode && standby.open_shards < primary.open_shards {
            smaller.push(format!("{} shards < {}", standby.open_shards, primary.open_shards));
        }
        if standby.max_record_size_kib < primary.max_record_size_kib {
            smaller.push("largest record is smaller".to_owned());
        }
        match smaller.is_empty() {
            true => self.ok("streams_match", &about, "the standby's stream is no smaller than the primary's"),
            false => self.advise(
                "streams_match",
                &about,
                Verdict::Warn,
                smaller.join(", "),
                "give the standby's stream the primary's settings, or expect throttling there",
            ),
        }
    }

    /// The producers: readable, idle, with their variables, writing where they should.
    pub(crate) fn producers(&mut self, of: &Selected<'_>, expected: Side) {
        for (configured, producer) in of.pipeline.producers.iter().zip(&of.view.producers) {
            let about =
                About { pipeline: Some(of.pipeline.name.clone()), region: Some(producer.region.clone()) };
            let Some(function) = self.known("producer", &about, &producer.function) else { continue };
            self.function_is_idle("producer", &about, producer.name.as_str(), function);
            self.environment(&about, configured, producer, function);
            self.stack(&about, producer, function);
        }
        self.active_region(of, expected);
    }

    fn function_is_idle(&mut self, check: &str, about: &About, name: &str, function: &FunctionView) {
        let evidence = format!("{name} is {}, last update {}", function.state, function.last_update_status);
        match (function.state.as_str(), function.last_update_status.as_str()) {
            ("Active", "Successful") => self.ok(check, about, evidence),
            ("Active", "InProgress") => {
                self.advise(
                    check,
                    about,
                    Verdict::Warn,
                    evidence,
                    "an update is under way; it is waited for",
                );
            }
            _ => self.advise(
                check,
                about,
                Verdict::Fail,
                evidence,
                "invoke or redeploy the function until it is Active and its last update Successful",
            ),
        }
    }

    fn environment(
        &mut self,
        about: &About,
        configured: &crate::config::Producer,
        producer: &ProducerView,
        function: &FunctionView,
    ) {
        let check = "producer_environment";
        if let Environment::Unreadable(why) = &function.environment {
            let advice = "grant kms:Decrypt on the function's key: merging into variables that cannot be read would \
                          wipe them";
            return self.advise(check, about, Verdict::Fail, format!("{}: {why}", producer.name), advice);
        }
        if let Some(Observed::Known(AliasView { is_weighted: true, name, .. })) = &producer.alias {
            let advice = "set the alias to one version first";
            let evidence = format!("alias {}:{name} splits its traffic between two versions", producer.name);
            return self.advise(check, about, Verdict::Fail, evidence, advice);
        }
        let variables = [Some(&configured.region_variable), configured.stream_variable.as_ref()];
        let missing: Vec<&str> = variables
            .into_iter()
            .flatten()
            .filter(|key| function.environment.get(key).is_none())
            .map(String::as_str)
            .collect();
        match missing.is_empty() {
            true => self.ok(check, about, format!("the variables of {} are there", producer.name)),
            false => self.advise(
                check,
                about,
                Verdict::Fail,
                format!("{} has no variable {}", producer.name, missing.join(", ")),
                "correct region_variable and stream_variable in kdsha.toml",
            ),
        }
    }

    fn stack(&mut self, about: &About, producer: &ProducerView, function: &FunctionView) {
        if let Some(stack) = function.stack() {
            let evidence = format!("{} belongs to stack {stack}", producer.name);
            let advice =
                "stop deployments of the stack, or change its parameter too: the next one reverts the switch";
            self.advise("other_automation", about, Verdict::Warn, evidence, advice);
        }
    }

    fn active_region(&mut self, of: &Selected<'_>, expected: Side) {
        let about = self.about(of, expected);
        let expected_region = self.request.region(expected);
        let goal = self.request.region(expected.other());
        let continuing = self.request.own_mark(of.view).is_some();
        let check = "active_region";
        match assess::active(of.view) {
            Active::Region(region) if region == *expected_region => {
                self.ok(check, &about, format!("the producers write to {region}"));
            }
            Active::Region(_) | Active::Mixed(_) if continuing => {
                self.ok(check, &about, "the producers are on their way (this run is going on)");
            }
            Active::Region(region) if region == *goal => self.advise(
                check,
                &about,
                Verdict::Fail,
                format!("{region} is already active"),
                "nothing to do; `kdsha status` shows where things stand, `kdsha verify` whether they are sound",
            ),
            Active::Region(region) => self.advise(
                check,
                &about,
                Verdict::Fail,
                format!("the producers write to {region}, which is neither of the configured Regions"),
                "correct [regions] in kdsha.toml",
            ),
            Active::Mixed(values) => self.advise(
                check,
                &about,
                Verdict::Fail,
                format!("the producers do not agree: {}", values.into_iter().collect::<Vec<_>>().join(", ")),
                "point them at one Region first; a partly switched pipeline has no safe start position",
            ),
            Active::Unknown(why) => self.say(check, &about, Verdict::Unknown, why),
        }
    }

    /// An emergency asks nothing of the primary, but the standby must not be active already.
    pub(crate) fn emergency_is_due(&mut self, of: &Selected<'_>) {
        let about = self.about(of, Side::Standby);
        let standby = self.request.region(Side::Standby);
        let continuing = self.request.own_mark(of.view).is_some();
        match assess::active(of.view) {
            Active::Region(region) if region == *standby && !continuing => self.advise(
                "active_region",
                &about,
                Verdict::Fail,
                format!("{region} is already active"),
                "nothing to do; `kdsha status` shows where things stand, `kdsha resume` settles what is owed",
            ),
            Active::Region(region) => {
                self.ok("active_region", &about, format!("the producers write to {region}"))
            }
            Active::Mixed(values) => {
                let values = values.into_iter().collect::<Vec<_>>().join(", ");
                self.say(
                    "active_region",
                    &about,
                    Verdict::Warn,
                    format!("the producers do not agree: {values}"),
                );
            }
            Active::Unknown(why) => self.say("active_region", &about, Verdict::Unknown, why),
        }
    }

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

    /// Room for the standby's consumer to scale.
    pub(crate) fn concurrency(&mut self, of: &Selected<'_>, side: Side) {
        let about = self.about(of, side);
        let Some(region) = self.request.snapshot.regions.get(self.request.region(side)) else { return };
        let unreserved = region.unreserved_concurrency.clone();
        let Some(unreserved) = self.known("concurrency", &about, &unreserved).copied() else { return };
        let shards = of.view.side(side).stream.known().map_or(0, |s| s.open_shards);
        let mappings = of.view.primary.consumer.mappings.known().map(Vec::as_slice).unwrap_or_default();
        let factors = mappings.iter().filter_map(|m| m.settings.known()).map(|s| s.parallelization_factor);
        let wanted = shards * factors.max().unwrap_or(1);
        let evidence = format!("{unreserved} unreserved, {wanted} wanted (shards x parallelization factor)");
        match unreserved >= wanted {
            true => self.ok("concurrency", &about, evidence),
            false => self.advise(
                "concurrency",
                &about,
                Verdict::Warn,
                evidence,
                "raise the account's Lambda quota",
            ),
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
        let listed: Vec<String> = mine.iter().map(|m| format!("{} ({})", m.id, m.state)).collect();
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

    fn qualified(&mut self, about: &About, mine: &[&Mapping]) {
        if let Some(mapping) = mine.iter().find(|m| m.qualifier.is_some()) {
            let evidence = format!("mapping {} names a version or alias of its function", mapping.id);
            let advice = "kdsha moves unqualified mappings; bind the mapping to the function itself";
            self.advise("mapping", about, Verdict::Fail, evidence, advice);
        }
    }

    /// The replicator's lag against the RPO, and its batch size.
    pub(crate) fn replicator(&mut self, of: &Selected<'_>, view: &ReaderView) {
        let about = self.about(of, Side::Primary);
        let rpo = self.request.topology.objectives.rpo;
        let lag = assess::lag(&of.view.primary, view, self.request.snapshot.taken_at);
        if let Some(lag) = self.known("replicator_lag", &about, &lag) {
            let evidence = format!("{} behind, RPO {}", duration::show(lag.lag), duration::show(rpo));
            match lag.lag > rpo {
                true => self.advise(
                    "replicator_lag",
                    &about,
                    Verdict::Warn,
                    evidence,
                    "the drain will take as long as the replicator needs to catch up",
                ),
                false => self.ok("replicator_lag", &about, evidence),
            }
        }
        let mappings = view.mappings.known().map(Vec::as_slice).unwrap_or_default();
        let largest = mappings.iter().filter_map(|m| m.settings.known()).map(|s| s.batch_size).max();
        if let Some(size) = largest.filter(|size| *size > 500) {
            let evidence = format!("batch size {size}, PutRecords takes 500");
            let advice = "lower the replicator's batch size to 500";
            self.advise("replicator_batch", &about, Verdict::Warn, evidence, advice);
        }
    }

    /// A Region's error rate.
    pub(crate) fn health(&mut self, of: &Selected<'_>, side: Side, matters: Verdict) {
        let about = self.about(of, side);
        let (topology, now) = (self.request.topology, self.request.snapshot.taken_at);
        let metrics = &of.view.side(side).metrics;
        let percent = |rate: f64| format!("error rate {:.2} %", rate * 100.0);
        match assess::health(metrics, &topology.objectives, &topology.timing, now) {
            Health::Healthy(rate) => self.ok("health", &about, percent(rate)),
            Health::Degraded(rate) => {
                let limit = topology.objectives.error_rate * 100.0;
                let evidence = format!("{}, threshold {limit:.2} %", percent(rate));
                self.advise("health", &about, matters, evidence, "see `kdsha status`");
            }
            Health::Unknown(why) => self.ok("health", &about, format!("not known: {why}")),
        }
    }

    /// Another run on the same streams.
    pub(crate) fn run_mark(&mut self, of: &Selected<'_>) {
        let about = self.about(of, Side::Standby);
        let Some(mark) = self.known("run_mark", &about, &of.view.standby.mark) else { return };
        match mark {
            Some(mark) if mark.state == RunState::Open && mark.run != *self.request.run => self.advise(
                "run_mark",
                &about,
                Verdict::Fail,
                format!(
                    "run {} ({} by {}, since {}) is unfinished",
                    mark.run, mark.intent, mark.owner, mark.token.marked_at
                ),
                "`kdsha resume` takes it over when its owner cannot go on",
            ),
            Some(mark) => self.ok("run_mark", &about, format!("last run {} ({})", mark.run, mark.intent)),
            None => self.ok("run_mark", &about, "no run is under way"),
        }
    }

    /// What earlier runs owe.
    pub(crate) fn owed(&mut self) {
        let about = About::default();
        match self.request.owed {
            [] => self.ok("owed", &about, "nothing is owed"),
            owed => {
                let evidence = owed.join("; ");
                self.advise("owed", &about, Verdict::Fail, evidence, "settle it first: `kdsha resume`");
            }
        }
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

/// Whether a reader's mapping should run at this point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Exactly one, enabled.
    Running,
    /// None, or one that is disabled.
    Stopped,
    /// At most one, in any state: the run is going on, or deals with it.
    AtMostOne,
}

impl Due {
    fn advice(self) -> &'static str {
        match self {
            Due::Running => "exactly one enabled mapping is due: enable it, or delete the others",
            Due::Stopped => "it should not run here: `kdsha resume`, or disable it",
            Due::AtMostOne => "one mapping at the most is due: delete the others",
        }
    }
}
