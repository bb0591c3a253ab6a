//! `kdsha status` and `kdsha verify`: the same look, the same checks.

use super::failure::Failure;
use super::session::{self, Session};
use super::standing;
use crate::model::{CheckReport, Exit, Snapshot, Verdict};
use crate::plan::{resting_checks, seen};
use crate::ui::watch::WatchState;
use crate::ui::{StatusInput, Ui, tells_of};

/// What both commands judge by.
pub(super) struct Look {
    snapshot: Snapshot,
    unfinished: Vec<String>,
    owed: Vec<String>,
    reports: Vec<CheckReport>,
}

/// One look, judged.
///
/// # Errors
/// When the state folder cannot be read, or `--pipeline` names none.
pub(super) async fn look(session: &Session, sink: bool) -> Result<Look, Failure> {
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
    let request = session.request(&snapshot, &nobody, &pipelines, &owed, None);
    // A folder that cannot be written is no reason not to say where things stand.
    let _ = session.state.remember(&seen(&request));
    let reports = resting_checks(request);
    Ok(Look { snapshot, unfinished, owed, reports })
}

fn is_deviation(report: &CheckReport) -> bool {
    matches!(report.verdict, Verdict::Fail | Verdict::Unknown)
}

impl Look {
    fn with<T>(&self, session: &Session, take: impl FnOnce(&StatusInput<'_>) -> T) -> T {
        let reports: Vec<CheckReport> = self.reports.iter().filter(|r| is_deviation(r)).cloned().collect();
        take(&StatusInput {
            topology: &session.topology,
            snapshot: &self.snapshot,
            unfinished: &self.unfinished,
            owed: &self.owed,
            reports: &reports,
        })
    }

    /// As a page, or a document.
    pub(super) fn show(&self, session: &Session, ui: &Ui) {
        self.with(session, |input| ui.status(input));
    }

    /// Into the live view.
    pub(super) fn feed(&self, session: &Session, state: &mut WatchState) {
        self.with(session, |input| state.see(input));
    }

    pub(super) fn exit(&self) -> Exit {
        let sound = self.unfinished.is_empty() && !self.reports.iter().any(is_deviation);
        if sound { Exit::Done } else { Exit::Deviation }
    }
}

/// Shows where both Regions stand.
///
/// # Errors
/// When the state folder cannot be read, or `--pipeline` names none.
pub async fn status(session: &Session, ui: &Ui) -> Result<Exit, Failure> {
    let looking = ui.looking();
    let look = look(session, false).await?;
    drop(looking);
    look.show(session, ui);
    Ok(look.exit())
}

/// Checks the resting state.
///
/// # Errors
/// As [`status`].
pub async fn verify(session: &Session, ui: &Ui) -> Result<Exit, Failure> {
    let looking = ui.looking();
    let mut look = look(session, true).await?;
    drop(looking);
    // The mark of a run that this machine knows says the same once more.
    let Look { reports, unfinished, .. } = &mut look;
    reports.retain(|report| !tells_of(report, unfinished));
    for run in &look.unfinished {
        look.reports.push(CheckReport {
            check: "unfinished_run".to_owned(),
            pipeline: None,
            region: None,
            verdict: Verdict::Fail,
            evidence: run.clone(),
            advice: Some("go on with it: `kdsha resume`".to_owned()),
            accepted: None,
        });
    }
    ui.set_scene(&session.topology, &look.snapshot);
    ui.checks(&look.reports, "Verify");
    Ok(look.exit())
}
