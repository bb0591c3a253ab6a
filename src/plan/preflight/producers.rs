//! Checks of the producers: readable, idle, with their variables, writing where they should.

use super::{About, Checks, aliases};
use crate::config::Producer;
use crate::model::{
    AliasView, Environment, FunctionView, Mapping, MappingState, Observed, ProducerView, RunMark, Side,
    Verdict,
};
use crate::plan::assess::{self, Active};
use crate::plan::sequence::Selected;
use std::collections::BTreeMap;

impl Checks<'_> {
    /// The producers: readable, idle, with their variables, writing where they should.
    pub(crate) fn producers(&mut self, of: &Selected<'_>, expected: Side) {
        for (configured, producer) in of.pipeline.producers.iter().zip(&of.view.producers) {
            let about =
                About { pipeline: Some(of.pipeline.name.clone()), region: Some(producer.region.clone()) };
            let Some(function) = self.known("producer", &about, &producer.function) else { continue };
            match (function.state.as_str(), function.last_update_status.as_str()) {
                ("Active", "Failed") => self.failed_update(&about, producer, function),
                _ => self.function_is_idle("producer", &about, producer.name.as_str(), function),
            }
            let beside = self.request.beside(of, configured, expected.other());
            self.environment(&about, configured, producer, function, &beside);
            self.aliases(&about, producer, expected, Verdict::Warn);
            self.stack(&about, producer, function);
            self.producer_stream(of, &about, producer);
        }
        self.active_region(of, expected);
    }

    pub(super) fn function_is_idle(
        &mut self,
        check: &str,
        about: &About,
        name: &str,
        function: &FunctionView,
    ) {
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

    /// Lambda goes on with the configuration before an update that it failed, and takes another one.
    fn failed_update(&mut self, about: &About, producer: &ProducerView, function: &FunctionView) {
        let why = function.last_update_reason.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
        let evidence = format!("the last update of {} failed{why}; it goes on as before", producer.name);
        let advice =
            "the switch is another update, and fails for the same reason if that still holds: mend it first";
        self.advise("producer", about, Verdict::Warn, evidence, advice);
    }

    fn environment(
        &mut self,
        about: &About,
        configured: &Producer,
        producer: &ProducerView,
        function: &FunctionView,
        beside: &BTreeMap<String, String>,
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
        if let Some(others) = unreleased(producer, function, &variables, beside) {
            let advice = "the switch publishes $LATEST: release it first, or set it back; or point the alias at what \
                          is meant to run";
            let evidence = format!(
                "$LATEST of {} differs from the version behind its alias in {}",
                producer.name,
                others.join(", ")
            );
            return self.advise(check, about, Verdict::Fail, evidence, advice);
        }
        match missing(configured, &function.environment).is_empty() {
            true => self.ok(check, about, format!("the variables of {} are there", producer.name)),
            false => self.missing_variables(about, configured, producer, function),
        }
    }

    /// A variable that the function does not have is one that its code does not read: setting it would switch
    /// nothing. Says nothing where all are there, or cannot be read.
    fn missing_variables(
        &mut self,
        about: &About,
        configured: &Producer,
        producer: &ProducerView,
        function: &FunctionView,
    ) {
        let missing = missing(configured, &function.environment);
        if missing.is_empty() {
            return;
        }
        self.advise(
            "producer_environment",
            about,
            Verdict::Fail,
            format!("{} has no variable {}", producer.name, missing.join(", ")),
            "correct region_variable and stream_variable in kdsha.toml",
        );
    }

    /// The stream that a producer writes to is the pipeline's in the Region that it writes to: under another name it
    /// writes nowhere. Of a Region that is not the pipeline's, `active_region` says so.
    fn producer_stream(&mut self, of: &Selected<'_>, about: &About, producer: &ProducerView) {
        let Observed::Known(Some(stream)) = &producer.stream_value else { return };
        let Some(region) = producer.region_value.known().and_then(Option::as_deref) else { return };
        let regions = &self.request.topology.regions;
        let side =
            [Side::Primary, Side::Standby].into_iter().find(|side| regions.of(*side).as_str() == region);
        let Some(side) = side else { return };
        let [here, there] = [side, side.other()].map(|side| of.pipeline.stream.of(side).as_str());
        let other = match stream.as_str() {
            name if name == here => {
                return self.ok("producer_stream", about, format!("{} writes to {stream}", producer.name));
            }
            name if name == there => {
                format!("which is its name in {}, not in {region}", regions.of(side.other()))
            }
            _ => "which is not this pipeline's".to_owned(),
        };
        self.advise(
            "producer_stream",
            about,
            Verdict::Fail,
            format!("{} writes to stream {stream}, {other}", producer.name),
            "correct `stream` in kdsha.toml, or the producer's variable",
        );
    }

    pub(super) fn stack(&mut self, about: &About, producer: &ProducerView, function: &FunctionView) {
        let check = "other_automation";
        let advice =
            "stop deployments of the stack, or change its parameter too: the next one reverts the switch";
        match function.stack() {
            Observed::Known(None) => {
                self.ok(check, about, format!("{} has no tag of a stack", producer.name));
            }
            Observed::Known(Some(stack)) => {
                let evidence = format!("{} belongs to stack {stack}", producer.name);
                self.advise(check, about, Verdict::Warn, evidence, advice);
            }
            Observed::Unknown(reason) => {
                let evidence = format!("whether {} belongs to a stack: {}", producer.name, reason.text);
                self.advise(check, about, Verdict::Warn, evidence, format!("if it does, {advice}"));
            }
        }
    }

    fn active_region(&mut self, of: &Selected<'_>, expected: Side) {
        let about = self.about(of, expected);
        let expected_region = self.request.region(expected);
        let goal = self.request.region(expected.other());
        let switched_back = self.request.switched_back(of);
        if let (Side::Standby, Some(mark)) = (expected, switched_back) {
            return self.switched_back(of, mark);
        }
        let continuing = self.request.own_mark(of.view).is_some() || switched_back.is_some();
        let check = "active_region";
        match assess::active(of.view) {
            Active::Region(region) if region == *expected_region => {
                self.ok(check, &about, format!("the producers write to {region}"));
            }
            Active::Region(_) | Active::Mixed(_) if continuing => {
                self.ok(check, &about, "the producers are on their way (this run goes on with what was begun)");
            }
            Active::Region(region) if region == *goal => self.already_active(
                of,
                &about,
                "nothing to do; `kdsha status` shows where things stand, `kdsha verify` whether they are sound",
            ),
            Active::Region(region) => self.advise(
                check,
                &about,
                Verdict::Fail,
                format!("the producers write to {region}, which is neither of the configured Regions"),
                "correct [regions] in kdsha.toml",
            ),
            Active::Mixed(values) => {
                let start = match of.is_cold() && *goal == *self.request.region(Side::Standby) {
                    true => "; nobody has read what was written to the other one: give --start-at TIME before that",
                    false => "",
                };
                self.advise(
                    check,
                    &about,
                    Verdict::Fail,
                    format!(
                        "the producers do not agree: {}",
                        values.into_iter().collect::<Vec<_>>().join(", ")
                    ),
                    format!("point them all at {expected_region} first{start}"),
                )
            }
            Active::Unknown(why) => self.say(check, &about, Verdict::Unknown, why),
        }
    }

    /// Everything else is as the failover left it, so the same command repairs it.
    fn switched_back(&mut self, of: &Selected<'_>, mark: &RunMark) {
        let about = self.about(of, Side::Standby);
        let [primary, standby] = [Side::Primary, Side::Standby].map(|side| self.request.region(side));
        let (there, meanwhile) = match of.is_cold() {
            true => (", where nobody reads", "is processed after the failback"),
            false => ("", "is processed there"),
        };
        let is_meant = match assess::active(of.view) {
            Active::Region(_) if !of.is_cold() => {
                "; if it is meant, remove the tags kdsha:* of the standby's stream"
            }
            _ => "",
        };
        let evidence = format!(
            "run {} left {standby} active, and somebody has set producers back to {primary}{there}: a deploy does so",
            mark.run
        );
        let advice = format!(
            "`kdsha failover --to {standby}` switches them again and keeps the rest; what was written to {primary} \
             meanwhile {meanwhile}{is_meant}"
        );
        self.advise("active_region", &about, Verdict::Fail, evidence, advice);
    }

    /// The producers write to where the command would take them. Without the run mark nobody knows whether that is all:
    /// a run may have been cut off behind its switch, with nobody reading there.
    fn already_active(&mut self, of: &Selected<'_>, about: &About, nothing_to_do: &str) {
        let Active::Region(region) = assess::active(of.view) else { return };
        let standby = self.request.region(Side::Standby);
        let (evidence, advice) = match &of.view.standby.mark {
            Observed::Known(_) if region == *standby && nobody_reads(of) => {
                let primary = self.request.region(Side::Primary);
                (
                    format!(
                        "somebody pointed the producers at {region}, and its consumer does not run: nobody reads there"
                    ),
                    format!(
                        "point them at {primary} again, then `kdsha failover --to {region} --start-at TIME` with an instant \
                         before they were moved"
                    ),
                )
            }
            Observed::Known(_) => (format!("{region} is already active"), nothing_to_do.to_owned()),
            Observed::Unknown(_) => (
                format!("the producers write to {region}; whether a run under way did that is not known"),
                format!("give the command again when the tags of the stream in {standby} can be read"),
            ),
        };
        self.advise("active_region", about, Verdict::Fail, evidence, advice);
    }

    /// An emergency asks nothing of the primary, but what is seen there must be what kdsha.toml says, and the standby
    /// must not be active already.
    pub(crate) fn emergency_is_due(&mut self, of: &Selected<'_>) {
        for (configured, producer) in of.pipeline.producers.iter().zip(&of.view.producers) {
            let about =
                About { pipeline: Some(of.pipeline.name.clone()), region: Some(producer.region.clone()) };
            if let Some(function) = producer.function.known() {
                self.missing_variables(&about, configured, producer, function);
                let verdict = aliases::in_an_emergency(self, of);
                self.aliases(&about, producer, Side::Primary, verdict);
            }
        }
        let about = self.about(of, Side::Standby);
        let standby = self.request.region(Side::Standby);
        let continuing = self.request.own_mark(of.view).is_some();
        match assess::active(of.view) {
            Active::Region(region) if region == *standby && !continuing => self.already_active(
                of,
                &about,
                "nothing to do; `kdsha status` shows where things stand, `kdsha resume` settles what is owed",
            ),
            Active::Region(region) if self.request.topology.regions.side_of(&region).is_none() => self
                .advise(
                    "active_region",
                    &about,
                    Verdict::Fail,
                    format!("the producers write to {region}, which is neither Region of this configuration"),
                    "correct kdsha.toml, or the producers' variables",
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
}

/// Whether the standby's consumer is known not to run.
fn nobody_reads(of: &Selected<'_>) -> bool {
    let runs = |mapping: &Mapping| matches!(mapping.state, MappingState::Enabled | MappingState::Enabling);
    let mappings = of.view.standby.consumer.mappings.known();
    of.is_cold() && mappings.is_some_and(|mappings| !mappings.iter().any(runs))
}

/// The configured variables that a readable environment does not have.
fn missing<'c>(configured: &'c Producer, environment: &Environment) -> Vec<&'c str> {
    let variables = [Some(&configured.region_variable), configured.stream_variable.as_ref()];
    let is_missing = |key: &&String| match environment {
        Environment::Readable(variables) => !variables.contains_key(*key),
        Environment::Unreadable(_) => false,
    };
    variables.into_iter().flatten().filter(is_missing).map(String::as_str).collect()
}

/// What $LATEST has, beside the configured variables, and the version behind the alias has not: a switch would release
/// it. By name; values are nobody's business.
fn unreleased(
    producer: &ProducerView,
    function: &FunctionView,
    configured: &[Option<&String>],
    beside: &BTreeMap<String, String>,
) -> Option<Vec<String>> {
    let Some(Observed::Known(alias)) = &producer.alias else { return None };
    let parts = producer.unreleased().into_iter().map(str::to_owned);
    let found: Vec<String> =
        parts.chain(other_keys(&function.environment, &alias.environment, configured, beside)).collect();
    (!found.is_empty()).then_some(found)
}

fn other_keys(
    latest: &Environment,
    live: &Environment,
    configured: &[Option<&String>],
    beside: &BTreeMap<String, String>,
) -> Vec<String> {
    let (Environment::Readable(latest), Environment::Readable(live)) = (latest, live) else {
        return Vec::new();
    };
    let keys: std::collections::BTreeSet<&String> = latest.keys().chain(live.keys()).collect();
    let is_ours = |key: &String| {
        let set = beside.get(key).is_some_and(|value| latest.get(key).map(|v| v.expose()) == Some(value));
        set || configured.contains(&Some(key))
    };
    let differs = |key: &&String| !is_ours(key) && latest.get(*key) != live.get(*key);
    keys.into_iter().filter(differs).cloned().collect()
}
