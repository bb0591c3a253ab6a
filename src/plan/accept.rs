//! Overrides: a check that the operator accepts by name, with a reason. Each lifts its own check and nothing else;
//! the reason is in the plan, and with it in the journal and the report.

use super::Plan;
use crate::model::{CheckReport, Verdict};
use std::collections::BTreeMap;

/// What the operator accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    overrides: Vec<Override>,
    reason: String,
}

/// One check, as it is named on the command line: `CHECK[@REGION][/PIPELINE]`, or `CHECK/*` for all pipelines.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Override {
    text: String,
    check: String,
    region: Option<String>,
    pipeline: Option<String>,
}

/// In place of a pipeline's name.
const ALL: &str = "*";

impl Override {
    fn parse(text: &str) -> Override {
        let (rest, pipeline) = match text.split_once('/') {
            Some((rest, pipeline)) => (rest, Some(pipeline.to_owned())),
            None => (text, None),
        };
        let (check, region) = match rest.split_once('@') {
            Some((check, region)) => (check, Some(region.to_owned())),
            None => (rest, None),
        };
        Override { text: text.to_owned(), check: check.to_owned(), region, pipeline }
    }

    fn names(&self, report: &CheckReport) -> bool {
        let fits = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| wanted == ALL || Some(wanted) == found)
        };
        self.check == report.check
            && fits(&self.region, report.region.as_ref().map(|region| region.as_str()))
            && fits(&self.pipeline, report.pipeline.as_ref().map(|name| name.as_str()))
    }
}

impl Override {
    fn is_narrowest_of(&self, reports: &[&mut CheckReport]) -> bool {
        reports.iter().all(|report| full_name(report) == self.text)
    }

    fn is_too_wide_for(&self, report: &mut CheckReport) {
        let name = full_name(report);
        let narrow =
            format!("`--accept {}` stands for several checks: name this one, `--accept {name}`", self.text);
        report.advice =
            Some(report.advice.take().map_or(narrow.clone(), |advice| format!("{advice}; {narrow}")));
    }
}

/// The narrowest name of a check.
fn full_name(report: &CheckReport) -> String {
    let region = report.region.iter().map(|region| format!("@{region}"));
    let pipeline = report.pipeline.iter().map(|name| format!("/{name}"));
    region.chain(pipeline).fold(report.check.clone(), |name, part| name + &part)
}

/// The checks that a person may know better than kdsha. The others say that a step could not be taken, or that a
/// record would be skipped: there the way out is another command or another flag, which the check names.
pub const ACCEPTABLE: [&str; 14] = [
    "clock",
    "concurrency",
    "consumer_lag",
    "credentials",
    "health",
    "mapping_settings",
    "other_readers",
    "producer_alias",
    "reader_function",
    "record_age",
    "replicator_lag",
    "sink",
    "start_at",
    "streams_match",
];

impl Accepted {
    /// Checks the names.
    ///
    /// # Errors
    /// A sentence that names what may be accepted.
    pub fn new(checks: &[String], reason: String) -> Result<Accepted, String> {
        let overrides: Vec<Override> = checks.iter().map(|text| Override::parse(text)).collect();
        match overrides.iter().find(|one| !ACCEPTABLE.contains(&one.check.as_str())) {
            None => Ok(Accepted { overrides, reason }),
            Some(one) => Err(format!(
                "--accept {}: that check cannot be accepted; these can: {}",
                one.text,
                ACCEPTABLE.join(", ")
            )),
        }
    }

    /// Marks those of the reports that are accepted and forbid something. A name that stands for several lifts none:
    /// whoever accepts one has not accepted the others. Several of one narrowest name, as those of a consumer and a
    /// replicator side by side, have no other: it lifts them all.
    pub(crate) fn mark(&self, reports: &mut [CheckReport]) {
        for one in &self.overrides {
            let forbids = |report: &CheckReport| matches!(report.verdict, Verdict::Fail | Verdict::Unknown);
            let mut named: Vec<&mut CheckReport> =
                reports.iter_mut().filter(|report| forbids(report) && one.names(report)).collect();
            match &mut named[..] {
                [report] => report.accepted = Some(self.reason.clone()),
                several if one.pipeline.as_deref() == Some(ALL) || one.is_narrowest_of(several) => {
                    several.iter_mut().for_each(|report| report.accepted = Some(self.reason.clone()));
                }
                several => several.iter_mut().for_each(|report| one.is_too_wide_for(report)),
            }
        }
    }
}

impl Plan {
    /// What was accepted when the run was planned stays accepted when it goes on: the first of a name is the first
    /// again, the second the second.
    pub fn accept_as(&mut self, earlier: &Plan) {
        restore(&mut self.checks, &earlier.checks);
    }
}

fn restore(checks: &mut [CheckReport], earlier: &[CheckReport]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for report in checks {
        let name = full_name(report);
        let index = seen.entry(name.clone()).or_default();
        let was = earlier.iter().filter(|report| full_name(report) == name).nth(*index);
        *index += 1;
        if let Some(reason) = was.and_then(|was| was.accepted.clone()) {
            report.accepted = Some(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(check: &str, verdict: Verdict) -> CheckReport {
        CheckReport {
            check: check.to_owned(),
            pipeline: None,
            region: None,
            verdict,
            evidence: "seen".to_owned(),
            advice: None,
            accepted: None,
        }
    }

    #[test]
    fn an_override_lifts_its_own_check_and_no_other() {
        let accepted = Accepted::new(&["health".to_owned()], "known".to_owned()).expect("acceptable");
        let mut reports = [
            report("health", Verdict::Unknown),
            report("record_age", Verdict::Fail),
            report("health", Verdict::Warn),
        ];
        accepted.mark(&mut reports);
        let lifted: Vec<bool> = reports.iter().map(|report| report.accepted.is_some()).collect();
        assert_eq!(lifted, [true, false, false]);
    }

    #[test]
    fn of_several_checks_of_one_name_only_the_one_that_is_named_is_lifted() {
        let of = |region: &str, pipeline: &str| CheckReport {
            region: Some(region.parse().expect("a Region")),
            pipeline: Some(pipeline.parse().expect("a name")),
            ..report("health", Verdict::Fail)
        };
        let lifted = |text: &str| {
            let mut reports = [of("us-east-2", "orders"), of("us-east-2", "ticks"), of("us-west-2", "ticks")];
            let accepted = Accepted::new(&[text.to_owned()], "known".to_owned()).expect("acceptable");
            accepted.mark(&mut reports);
            let advice = reports[0].advice.clone().unwrap_or_default();
            (reports.map(|report| report.accepted.is_some()), advice)
        };
        let (bare, advice) = lifted("health");
        assert_eq!(bare, [false; 3]);
        assert!(advice.ends_with("`--accept health@us-east-2/orders`"), "{advice}");
        assert_eq!(lifted("health@us-east-2").0, [false; 3]);
        assert_eq!(lifted("health@us-west-2").0, [false, false, true]);
        assert_eq!(lifted("health/orders").0, [true, false, false]);
        assert_eq!(lifted("health@us-east-2/ticks").0, [false, true, false]);
        assert_eq!(lifted("health@us-east-2/nobody").0, [false; 3]);
        assert_eq!(lifted("health@us-east-2/*").0, [true, true, false]);
    }

    /// A consumer and a replicator that stand side by side: their functions are checked under one full name.
    fn of_two_readers() -> [CheckReport; 2] {
        let one = || CheckReport {
            region: Some("us-west-2".parse().expect("a Region")),
            pipeline: Some("ticks".parse().expect("a name")),
            ..report("reader_function", Verdict::Fail)
        };
        [one(), one()]
    }

    #[test]
    fn two_checks_of_one_narrowest_name_are_lifted_by_it_and_by_nothing_wider() {
        let lifted = |text: &str| {
            let accepted = Accepted::new(&[text.to_owned()], "known".to_owned()).expect("acceptable");
            let mut reports = of_two_readers();
            accepted.mark(&mut reports);
            reports.map(|report| report.accepted.is_some())
        };
        assert_eq!(lifted("reader_function"), [false; 2]);
        assert_eq!(lifted("reader_function/ticks"), [false; 2]);
        assert_eq!(lifted("reader_function@us-west-2/ticks"), [true; 2]);
    }

    #[test]
    fn a_run_that_goes_on_accepts_the_very_checks_that_were_accepted() {
        for accepted in [[true, true], [false, true], [true, false]] {
            let mut earlier = of_two_readers();
            for (report, is_accepted) in earlier.iter_mut().zip(accepted) {
                report.accepted = is_accepted.then(|| "known".to_owned());
            }
            let mut again = of_two_readers();
            restore(&mut again, &earlier);
            assert_eq!(again.map(|report| report.accepted.is_some()), accepted);
        }
    }

    #[test]
    fn what_protects_records_cannot_be_accepted() {
        for check in ["start_position", "mapping", "owed", "identity", "producer_environment", "nonsense"] {
            let why = Accepted::new(&[check.to_owned()], "hurry".to_owned()).expect_err("not acceptable");
            assert!(why.contains(check) && why.contains("record_age"), "{why}");
        }
    }
}
