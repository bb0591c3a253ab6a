//! `kdsha failback`.

use super::args::FailbackArgs;
use super::failure::Failure;
use super::moving::{self, OpenRuns, Wanted};
use super::session::Session;
use crate::model::Exit;
use crate::plan::{FailbackOptions, Intent, plan_failback};
use crate::ui::Ui;

/// Moves the pipelines back to the primary Region.
///
/// # Errors
/// What stops it before anything was changed.
pub async fn run(session: &Session, ui: &Ui, args: &FailbackArgs) -> Result<Exit, Failure> {
    go(session, ui, args, OpenRuns::Own).await
}

/// The same, with a say in whose open run is gone on with.
///
/// # Errors
/// As [`run`].
pub async fn go(
    session: &Session,
    ui: &Ui,
    args: &FailbackArgs,
    open_runs: OpenRuns,
) -> Result<Exit, Failure> {
    let options = FailbackOptions { skip_stranded: args.skip_stranded };
    let wanted = Wanted {
        intent: Intent::Failback { to: session.topology.regions.primary.clone() },
        dry_run: args.dry_run,
        timeout: args.timeout,
        accepted: args.accept.accepted()?,
        open_runs,
        plan: &|request| plan_failback(request, options),
        emergency: None,
    };
    moving::go(session, ui, &wanted).await
}
