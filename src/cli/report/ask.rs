//! CloudWatch's word on the time of a run, for the curves: what came after the last look of the run is not in its
//! journal. A report never fails because AWS does not answer; it says what it could not ask.

use super::ReportArgs;
use crate::aws::Scope;
use crate::cli::failure::Failure;
use crate::cli::session::{self, Session};
use crate::journal::RunRecord;
use crate::model::Snapshot;
use std::time::Duration;

/// Older runs are not asked about: a look that reaches back further costs thousands of data points a series.
const OLDEST: Duration = Duration::from_secs(24 * 3600);

/// How far before a run the curves begin.
const BEFORE: Duration = Duration::from_secs(45 * 60);

/// Whether AWS may be asked.
pub fn may(args: &ReportArgs) -> bool {
    !args.no_aws
}

/// Looks at the pipelines of the run as they are now, with metrics back to before the run.
///
/// # Errors
/// In one line, why there is no answer.
pub async fn ask(session: &Session, run: &RunRecord) -> Result<Snapshot, Failure> {
    let age = Duration::try_from(session.aws.clock().now().duration_since(run.began)).unwrap_or_default();
    let refuse = |text: &str| Err(Failure::new(crate::model::Exit::Usage, text));
    if age > OLDEST {
        return refuse("the run is older than a day");
    }
    let known =
        |name: &&crate::model::PipelineName| session.topology.pipelines.iter().any(|p| p.name == **name);
    let pipelines: Vec<_> = run.plan.pipelines.iter().filter(known).cloned().collect();
    if pipelines.is_empty() {
        return refuse("the configuration has none of the run's pipelines");
    }
    let mut scope = Scope::status();
    scope.pipelines = pipelines;
    scope.metrics_window = age + BEFORE;
    let snapshot = Box::pin(session.aws.observe(&session.topology, &scope)).await;
    if let Some(reason) = snapshot.identity.reason() {
        return refuse(&reason.text);
    }
    session::same_account(&snapshot, run)?;
    Ok(snapshot)
}
