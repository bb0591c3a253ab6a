//! What a run did before the process, or the plan, that goes on with it now.

use super::run::RunView;
use crate::model::{Effect, PipelineName, RunId, Timestamp};

/// The beginning of a run that goes on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Before {
    pub(crate) run: RunId,
    pub(crate) began: Timestamp,
    /// Calls that AWS accepted; `None` where the journal of the run is gone.
    pub(crate) changed: Option<Vec<(PipelineName, Effect)>>,
}

impl RunView {
    /// What was done of a run so far: by earlier processes, and here under an earlier plan.
    pub(crate) fn so_far(&self, run: &RunId) -> Option<Before> {
        let told = self.before.clone().filter(|before| before.run == *run);
        let here = self.began.filter(|_| self.run.as_ref() == Some(run));
        let began = told.as_ref().map(|before| before.began).or(here)?;
        let mut changed = told.map_or_else(|| Some(Vec::new()), |before| before.changed);
        if let (Some(changed), true) = (&mut changed, here.is_some()) {
            changed.extend(self.tally.changed.iter().cloned());
        }
        Some(Before { run: run.clone(), began, changed })
    }
}
