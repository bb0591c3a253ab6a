//! What every command that looks at AWS has in hand. A rehearsal builds one on the sandbox; the commands are the same.

use super::failure::Failure;
use crate::aws::{Aws, Scope};
use crate::config::Topology;
use crate::engine::Interrupt;
use crate::journal::{Journal, Listed, RunRecord, StateFolder};
use crate::model::{Exit, FailureKind, Picture, PipelineName, RunId, Snapshot, Timestamp};
use crate::plan::Request;
use crate::ui::Prompter;
use std::cell::RefCell;
use std::time::Duration;

/// How far back plans read the metrics.
pub const HISTORY: Duration = Duration::from_secs(3 * 3600);

/// How far before a run's beginning a picture's curves reach.
const PICTURED: Duration = Duration::from_secs(30 * 60);

/// A configured, connected kdsha.
pub struct Session {
    /// The configuration.
    pub topology: Topology,
    /// The boundary.
    pub aws: Aws,
    /// Where the runs are written down.
    pub state: StateFolder,
    /// Who answers the prompts.
    pub prompter: RefCell<Prompter>,
    /// Ctrl-C.
    pub interrupt: Interrupt,
    /// `user@host`.
    pub owner: String,
    /// The command line, for the journal.
    pub argv: Vec<String>,
    /// The pipelines of `--pipeline`; empty is all.
    pub selected: Vec<PipelineName>,
}

impl Session {
    /// The selected pipelines, in the order of the configuration.
    ///
    /// # Errors
    /// Names the first unknown one.
    pub fn pipelines(&self) -> Result<Vec<PipelineName>, Failure> {
        let all: Vec<&PipelineName> = self.topology.pipelines.iter().map(|p| &p.name).collect();
        if let Some(unknown) = self.selected.iter().find(|name| !all.contains(name)) {
            let known = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let message = format!("--pipeline {unknown}: the configuration has no such pipeline");
            return Err(Failure::new(Exit::Usage, message).hint(format!("it has: {known}")));
        }
        let chosen = |name: &&PipelineName| self.selected.is_empty() || self.selected.contains(name);
        Ok(all.into_iter().filter(chosen).cloned().collect())
    }

    /// A look at both Regions with enough history for a plan.
    ///
    /// # Errors
    /// As [`Session::pipelines`]; an interrupt, which a look that says nothing must not outlast.
    pub async fn look(&self, sink: bool) -> Result<Snapshot, Failure> {
        let mut scope = Scope::plan();
        scope.pipelines = self.pipelines()?;
        scope.sink = sink;
        scope.metrics_window = HISTORY;
        let looked = self.interrupt.or(Box::pin(self.aws.observe(&self.topology, &scope))).await;
        let snapshot = looked.ok_or_else(|| Failure::new(Exit::Interrupted, "interrupted while looking"))?;
        match snapshot.identity.reason() {
            // Nothing can be asked without credentials: one error, not a page of unknowns.
            Some(reason) if reason.kind == FailureKind::Credentials => {
                Err(Failure::new(Exit::Usage, reason.text.clone())
                    .hint("renew the credentials, or choose others with --profile"))
            }
            _ => Ok(snapshot),
        }
    }

    /// What a snapshot looks like in a journal: the curves from half an hour before `began` on.
    pub fn picture(&self, snapshot: &Snapshot, began: Timestamp) -> Picture {
        let rpo = self.topology.objectives.rpo;
        Picture::of(snapshot, began - PICTURED, self.aws.requests_sent(), rpo)
    }

    /// Writes down what a run left, for its report. The run is over: nothing that fails here changes its end, and
    /// an operator who wants out is not kept.
    pub async fn look_back(&self, journal: &mut Journal, began: Timestamp, exit: Exit) {
        if !matches!(exit, Exit::Done | Exit::Owed | Exit::StepFailed | Exit::TimedOut) {
            return;
        }
        if let Ok(snapshot) = self.look(false).await {
            // Without it the report says that it was not seen.
            let _ = journal.saw(self.picture(&snapshot, began));
        }
    }

    /// Runs of this machine that can be read.
    ///
    /// # Errors
    /// When the folder, or any journal in it, cannot be read: it might be an unfinished one.
    pub fn runs(&self) -> Result<Vec<RunRecord>, Failure> {
        readable(self.state.runs()?)
    }

    /// What plans and checks are made of.
    pub fn request<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        run: &'a RunId,
        pipelines: &'a [PipelineName],
        owed: &'a [String],
        timeout: Option<Duration>,
    ) -> Request<'a> {
        Request {
            topology: &self.topology,
            snapshot,
            run,
            owner: &self.owner,
            pipelines,
            timeout,
            owed,
            history: HISTORY,
            accepted: None,
            remembered: None,
        }
    }
}

fn readable(listed: Vec<Listed>) -> Result<Vec<RunRecord>, Failure> {
    listed.into_iter().map(|one| one.run.map_err(Failure::from)).collect()
}

/// A run goes on only with the credentials of the account that it began in.
///
/// # Errors
/// Names both accounts.
pub fn same_account(snapshot: &Snapshot, run: &RunRecord) -> Result<(), Failure> {
    let now = snapshot.identity.known().map(|identity| identity.account.to_string());
    match (&run.header.account, now) {
        (Some(then), Some(now)) if *then != now => {
            let message =
                format!("run {} is of account {then}, these credentials are of {now}", run.header.run);
            Err(Failure::new(Exit::Usage, message).hint("choose the right profile with --profile"))
        }
        _ => Ok(()),
    }
}

/// What the lock tells whoever finds it taken: who, with which process, doing what.
pub fn holder(session: &Session, what: &str, run: Option<&RunId>) -> String {
    let run = run.map(|run| format!(", run {run}")).unwrap_or_default();
    format!("{}, process {}, {what}{run}", session.owner, std::process::id())
}

/// Unfinished runs in words, with the command that goes on.
pub fn unfinished(runs: &[RunRecord], snapshot: &Snapshot) -> Vec<String> {
    let words = |run: &RunRecord| {
        let (id, intent) = (&run.header.run, run.intent());
        match run.undoing {
            true => format!(
                "run {id} ({intent}, begun {:.0}) is being put back: `kdsha resume --undo`",
                run.began
            ),
            false => format!("run {id} ({intent}, begun {:.0}): `kdsha resume` goes on", run.began),
        }
    };
    super::standing::unfinished(runs, snapshot).into_iter().map(words).collect()
}

/// A new run's id: when, what, and four digits that tell two of one second apart.
///
/// # Errors
/// Never in practice: the parts are all legal.
pub fn new_run_id(at: Timestamp, verb: &str) -> Result<RunId, Failure> {
    let stamp = at.strftime("%Y%m%d-%H%M%S");
    let id = format!("{stamp}-{verb}-{:04x}", fastrand::u16(..));
    id.parse().map_err(|e| Failure::new(Exit::Internal, format!("a run id could not be made: {e}")))
}

/// `user@host`, as other operators should see it: only characters that a tag may hold.
pub fn owner() -> String {
    let variable = |key: &str| std::env::var(key).ok().filter(|v| !v.is_empty());
    let user = variable("USER")
        .or_else(|| variable("LOGNAME"))
        .or_else(login)
        .unwrap_or_else(|| "unknown".to_owned());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|h| h.trim().to_owned());
    let host = variable("HOSTNAME").or(host).unwrap_or_else(|| "unknown".to_owned());
    let legal = |c: &char| c.is_ascii_alphanumeric() || "._-@".contains(*c);
    format!("{user}@{host}").chars().filter(legal).take(128).collect()
}

/// The login name of this process's user, where the environment does not say it (cron, containers).
fn login() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let uid = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let of_user = |line: &&str| line.split(':').nth(2) == Some(uid.as_str());
    users.lines().find(of_user)?.split(':').next().map(str::to_owned)
}
