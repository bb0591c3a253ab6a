//! The named checks before a run: all of them, all listed, not the first that fails.
//!
//! `status` and `verify` use the same ones, so that "could we fail over now?" is answered by the code that would
//! refuse.

mod aliases;
mod lags;
mod producers;
mod readers;
mod streams;
#[cfg(test)]
mod tests;

pub(crate) use lags::Asks;
pub(crate) use streams::Meaning;

use super::assess;
use super::sequence::{Request, Selected};
use crate::model::cutover::is_broken_mark;
use crate::model::{
    AccountId, Arn, CheckReport, FailureKind, Observed, PipelineName, Region, RunState, Side, Snapshot,
    Verdict, duration, time,
};
use crate::steps::how_to_clear;
use std::time::Duration;

/// What to do when the account is not the one that is asked for.
const OTHER_ACCOUNT: &str = "choose the right profile with --profile, or correct [account] id in kdsha.toml";

/// A stream or function that was seen in another account: the ARNs that the services give name the account of the
/// credentials, whether STS answers or not.
fn foreign<'a>(snapshot: &'a Snapshot, account: &AccountId) -> Option<&'a Arn> {
    let sides = snapshot.pipelines.values().flat_map(|view| [&view.primary, &view.standby]);
    let mut arns = sides.flat_map(|side| {
        let stream = side.stream.known().map(|stream| &stream.arn);
        let function = side.consumer.function.known().map(|function| &function.arn);
        stream.into_iter().chain(function)
    });
    arns.find(|arn| arn.account() != account.as_str())
}

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
            accepted: None,
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
        match (&request.topology.account, &request.snapshot.identity) {
            (Some(account), Observed::Known(identity)) if *account != identity.account => {
                let evidence = format!(
                    "the credentials are of account {}, kdsha.toml asks for {account}",
                    identity.account
                );
                self.advise("identity", &about, Verdict::Fail, evidence, OTHER_ACCOUNT);
            }
            (_, Observed::Known(identity)) => {
                self.ok("identity", &about, format!("{} in account {}", identity.arn, identity.account));
            }
            (Some(account), Observed::Unknown(reason))
                if let Some(arn) = foreign(request.snapshot, account) =>
            {
                let evidence =
                    format!("{arn} is not of account {account}, as kdsha.toml asks ({})", reason.text);
                self.advise("identity", &about, Verdict::Fail, evidence, OTHER_ACCOUNT);
            }
            (_, unknown) => {
                self.known("identity", &about, unknown);
            }
        }
        self.credentials();
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

    /// Whether the credentials outlive the run. The SDK renews those of a role or an SSO session by itself as long
    /// as what they come from is valid, which nobody can know beforehand: so it is a warning.
    fn credentials(&mut self) {
        let about = About::default();
        let Some(identity) = self.request.snapshot.identity.known() else { return };
        let Some(expires) = identity.expires else {
            return self.ok("credentials", &about, "they do not say when they expire");
        };
        let left =
            Duration::try_from(expires.duration_since(self.request.snapshot.taken_at)).unwrap_or_default();
        let needed = self.request.expected_length();
        let evidence = format!(
            "they expire at {expires}, in {}; the run may take {}",
            duration::show(left),
            duration::show(needed)
        );
        match left >= needed {
            true => self.ok("credentials", &about, evidence),
            false => self.advise(
                "credentials",
                &about,
                Verdict::Warn,
                evidence,
                "renew them first, unless they renew themselves; a run that stops for them goes on with `kdsha \
                 resume`",
            ),
        }
    }

    /// Whether every API of a Region answered.
    /// `otherwise` is what to do when it does not.
    pub(crate) fn region_answers(&mut self, side: Side, otherwise: &str) {
        let region = self.request.region(side).clone();
        let about = About { pipeline: None, region: Some(region.clone()) };
        let silent = assess::silent_apis(self.request.snapshot, &region);
        match silent.as_slice() {
            [] => self.ok("region_answers", &about, format!("every API of {region} answered")),
            some if side == Side::Standby && self.no_mark_is_answered() => {
                self.advise("region_answers", &about, Verdict::Fail, some.join("; "), otherwise);
            }
            some => self.advise("region_answers", &about, Verdict::Unknown, some.join("; "), otherwise),
        }
    }

    /// Whether the standby says nothing of any run mark, by which every run begins: not even an emergency can.
    fn no_mark_is_answered(&self) -> bool {
        let is_silent = |kind: FailureKind| matches!(kind, FailureKind::TimedOut | FailureKind::Unreachable);
        let selected = self.request.selected();
        let mut marks = selected.iter().map(|of| of.view.standby.mark.reason());
        !selected.is_empty() && marks.all(|reason| reason.is_some_and(|reason| is_silent(reason.kind)))
    }

    /// Another run on the same streams.
    pub(crate) fn run_mark(&mut self, of: &Selected<'_>) {
        let about = self.about(of, Side::Standby);
        if let Some(reason) = of.view.standby.mark.reason().filter(|reason| is_broken_mark(reason)) {
            let advice = how_to_clear(self.request.region(Side::Standby), &of.view.standby.stream_name);
            return self.advise("run_mark", &about, Verdict::Fail, reason.text.clone(), advice);
        }
        let Some(mark) = self.known("run_mark", &about, &of.view.standby.mark) else { return };
        match mark {
            Some(mark) if mark.state == RunState::Open && mark.run != *self.request.run => self.advise(
                "open_run",
                &about,
                Verdict::Fail,
                format!(
                    "run {} ({} by {}, since {:.0}) is unfinished",
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
