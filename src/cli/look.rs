//! `kdsha status` and `kdsha verify`: the same look, the same checks.

use super::failure::Failure;
use super::session::{self, Session};
use super::standing;
use crate::model::{CheckReport, Exit, Snapshot, Verdict};
use crate::plan::resting_checks;
use crate::ui::{StatusInput, Ui};
use std::time::Duration;

/// Between two looks of `status --watch`.
const WATCH: Duration = Duration::from_secs(5);

/// What both commands judge by.
struct Look {
    snapshot: Snapshot,
    unfinished: Vec<String>,
    owed: Vec<String>,
    reports: Vec<CheckReport>,
}

async fn look(session: &Session, sink: bool) -> Result<Look, Failure> {
    let pipelines = session.pipelines()?;
    // A journal that cannot be read is one more thing to say, not a reason to say nothing.
    let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
    for listed in session.state.runs()? {
        match listed.run {
            Ok(run) => runs.push(run),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    let snapshot = session.look(sink).await?;
    let (mut unfinished, owed) =
        (session::unfinished(&runs, &snapshot), standing::owed(&runs, &snapshot, None));
    unfinished.extend(unreadable);
    let nobody = session::new_run_id(snapshot.taken_at, "look")?;
    let reports = resting_checks(session.request(&snapshot, &nobody, &pipelines, &owed, None));
    Ok(Look { snapshot, unfinished, owed, reports })
}

fn is_deviation(report: &CheckReport) -> bool {
    matches!(report.verdict, Verdict::Fail | Verdict::Unknown)
}

impl Look {
    fn exit(&self) -> Exit {
        let sound = self.unfinished.is_empty() && !self.reports.iter().any(is_deviation);
        if sound { Exit::Done } else { Exit::Deviation }
    }
}

/// Shows where both Regions stand.
///
/// # Errors
/// When the state folder cannot be read, or `--pipeline` names none.
pub async fn status(session: &Session, ui: &Ui, watch: bool) -> Result<Exit, Failure> {
    loop {
        let look = look(session, false).await?;
        let reports: Vec<CheckReport> = look.reports.iter().filter(|r| is_deviation(r)).cloned().collect();
        ui.status(&StatusInput {
            topology: &session.topology,
            snapshot: &look.snapshot,
            unfinished: &look.unfinished,
            owed: &look.owed,
            reports: &reports,
        });
        if !watch {
            return Ok(look.exit());
        }
        tokio::select! {
            () = tokio::time::sleep(WATCH) => {}
            () = session.interrupt.raised() => return Ok(Exit::Interrupted),
        }
    }
}

/// Checks the resting state.
///
/// # Errors
/// As [`status`].
pub async fn verify(session: &Session, ui: &Ui) -> Result<Exit, Failure> {
    let mut look = look(session, true).await?;
    for run in &look.unfinished {
        look.reports.push(CheckReport {
            check: "unfinished_run".to_owned(),
            pipeline: None,
            region: None,
            verdict: Verdict::Fail,
            evidence: run.clone(),
            advice: Some("go on with it: `kdsha resume`".to_owned()),
        });
    }
    ui.checks(&look.reports, "Verify");
    Ok(look.exit())
}
