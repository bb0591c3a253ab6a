//! `kdsha failover`.

use super::args::FailoverArgs;
use super::failure::Failure;
use super::moving::{self, OpenRuns, Wanted};
use super::session::Session;
use crate::model::{Exit, Side};
use crate::plan::{FailoverOptions, Intent, Mode, plan_failover};
use crate::ui::Ui;

/// Moves the pipelines to the standby Region.
///
/// # Errors
/// What stops it before anything was changed.
pub async fn run(session: &Session, ui: &Ui, args: &FailoverArgs) -> Result<Exit, Failure> {
    go(session, ui, args, OpenRuns::Own).await
}

/// The same, with a say in whose open run is gone on with.
///
/// # Errors
/// As [`run`].
pub async fn go(
    session: &Session,
    ui: &Ui,
    args: &FailoverArgs,
    open_runs: OpenRuns,
) -> Result<Exit, Failure> {
    let regions = &session.topology.regions;
    match regions.side_of(&args.to) {
        Some(Side::Standby) => {}
        Some(Side::Primary) => {
            let message = format!("--to {}: that is the primary Region", args.to);
            return Err(Failure::new(Exit::Usage, message).hint("`kdsha failback` goes back to the primary"));
        }
        None => {
            let message = format!("--to {}: the configuration does not know this Region", args.to);
            let hint = format!("it knows {} (primary) and {} (standby)", regions.primary, regions.standby);
            return Err(Failure::new(Exit::Usage, message).hint(hint));
        }
    }
    let mode = if args.emergency { Mode::Emergency } else { Mode::Planned };
    let options = FailoverOptions { mode, start_at: args.start_at, overlap_buffer: args.overlap_buffer };
    let wanted = Wanted {
        intent: Intent::Failover { to: args.to.clone(), mode },
        dry_run: args.dry_run,
        timeout: args.timeout,
        accepted: args.accept.accepted()?,
        open_runs,
        plan: &|request| plan_failover(request, options),
        emergency: Some(&|request, start_at| {
            let start_at = start_at.or(options.start_at);
            plan_failover(request, FailoverOptions { mode: Mode::Emergency, start_at, ..options })
        }),
    };
    moving::go(session, ui, &wanted).await
}
