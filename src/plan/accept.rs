//! Overrides: a check that the operator accepts by name, with a reason. Each lifts its own check and nothing else;
//! the reason is in the plan, and with it in the journal and the report.

use super::Plan;
use crate::model::{CheckReport, Verdict};

/// What the operator accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The checks' slugs; all of them are [`ACCEPTABLE`].
    pub checks: Vec<String>,
    /// Why.
    pub reason: String,
}

/// The checks that a person may know better than kdsha. The others say that a step could not be taken, or that a
/// record would be skipped: there the way out is another command or another flag, which the check names.
pub const ACCEPTABLE: [&str; 11] = [
    "clock",
    "concurrency",
    "credentials",
    "health",
    "mapping_settings",
    "other_readers",
    "reader_function",
    "record_age",
    "replicator_lag",
    "sink",
    "streams_match",
];

impl Accepted {
    /// Checks the names.
    ///
    /// # Errors
    /// A sentence that names what may be accepted.
    pub fn new(checks: Vec<String>, reason: String) -> Result<Accepted, String> {
        match checks.iter().find(|check| !ACCEPTABLE.contains(&check.as_str())) {
            None => Ok(Accepted { checks, reason }),
            Some(check) => Err(format!(
                "--accept {check}: that check cannot be accepted; these can: {}",
                ACCEPTABLE.join(", ")
            )),
        }
    }

    /// Marks those of the reports that are accepted and forbid something.
    pub(crate) fn mark(&self, reports: &mut [CheckReport]) {
        let forbids = |r: &&mut CheckReport| matches!(r.verdict, Verdict::Fail | Verdict::Unknown);
        for report in reports.iter_mut().filter(forbids) {
            if self.checks.contains(&report.check) {
                report.accepted = Some(self.reason.clone());
            }
        }
    }
}

impl Plan {
    /// What was accepted when the run was planned stays accepted when it goes on.
    pub fn accept_as(&mut self, earlier: &Plan) {
        for accepted in earlier.checks.iter().filter(|report| report.accepted.is_some()) {
            let same = |report: &&mut CheckReport| {
                report.check == accepted.check
                    && report.pipeline == accepted.pipeline
                    && report.region == accepted.region
            };
            if let Some(report) = self.checks.iter_mut().find(same) {
                report.accepted.clone_from(&accepted.accepted);
            }
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
        let accepted = Accepted::new(vec!["health".to_owned()], "known".to_owned()).expect("acceptable");
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
    fn what_protects_records_cannot_be_accepted() {
        for check in ["start_position", "mapping", "owed", "identity", "producer_environment", "nonsense"] {
            let why = Accepted::new(vec![check.to_owned()], "hurry".to_owned()).expect_err("not acceptable");
            assert!(why.contains(check) && why.contains("record_age"), "{why}");
        }
    }
}
