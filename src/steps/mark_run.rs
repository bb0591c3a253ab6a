//! Marks the standby stream with the run: seen by other operators, carries the cut-over token.

use super::{Needs, Seen, Step, Undo};
use crate::model::cutover::is_broken_mark;
use crate::model::{Check, Effect, Progress, Region, RunMark, RunState, Side, StreamName};
use serde::{Deserialize, Serialize};

/// Writes the run mark as tags of the standby stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MarkRun {
    /// The standby Region.
    pub region: Region,
    /// The standby stream.
    pub stream: StreamName,
    /// The mark.
    pub mark: RunMark,
    /// The mark in whose place it is set, where the plan saw one. Older journals do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Box<RunMark>>,
}

impl MarkRun {
    /// Takes the mark of an undone run away again: it sets the one that was there before, or one of no move.
    pub fn put_back(&self) -> MarkRun {
        let before = self.replaced.as_deref().cloned();
        MarkRun {
            mark: before.unwrap_or_else(|| self.mark.put_back()),
            replaced: Some(Box::new(self.mark.clone())),
            ..self.clone()
        }
    }

    /// The open run that this mark takes off the stream: only the way back replaces one.
    fn undone(&self) -> Option<&RunMark> {
        self.replaced.as_deref().filter(|mark| mark.state == RunState::Open)
    }
}

impl Step for MarkRun {
    const SLUG: &'static str = "mark_run";

    fn summary(&self) -> String {
        if let Some(undone) = self.undone().filter(|undone| undone.run != self.mark.run) {
            let (stream, run) = (&self.stream, &self.mark.run);
            return format!(
                "Put the mark of run {run} back on stream {stream}, in place of run {}'s",
                undone.run
            );
        }
        match self.mark.state {
            RunState::Open => format!("Mark stream {} with run {}", self.stream, self.mark.run),
            RunState::Owed => format!("Mark stream {} with what run {} owes", self.stream, self.mark.run),
            RunState::Closed => format!("Close the mark of run {} on stream {}", self.mark.run, self.stream),
        }
    }

    fn why(&self) -> String {
        "Other operators see who is moving the pipeline, and the tags carry the positions that a resume or the \
         failback needs, even when this machine is lost."
            .to_owned()
    }

    fn region(&self) -> &Region {
        &self.region
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::TagStream {
            region: self.region.clone(),
            stream: self.stream.clone(),
            tags: self.mark.to_tags(),
        }]
    }

    fn check(&self, seen: Seen<'_>) -> Check {
        match seen.pipeline.standby.mark.as_result() {
            // Waiting mends nothing: somebody has to take the tags away.
            Err(reason) if is_broken_mark(reason) => {
                Check::Blocked(format!("{}; {}", reason.text, how_to_clear(&self.region, &self.stream)))
            }
            Err(reason) => {
                Check::NotYet(Progress::new("the tags of the standby stream", reason.text.clone()))
            }
            Ok(Some(mark)) if *mark == self.mark => {
                Check::Done(format!("stream {} carries the mark of run {}", self.stream, self.mark.run))
            }
            Ok(Some(mark)) if mark.run == self.mark.run && mark.state == RunState::Closed => {
                Check::Done(format!("run {} is closed already", mark.run))
            }
            Ok(Some(mark)) if self.undone().is_some_and(|undone| undone.run == mark.run) => Check::Ready,
            // A run that was done once is not opened again: it is settled.
            Ok(Some(mark))
                if mark.run == self.mark.run
                    && self.mark.state == RunState::Open
                    && mark.state == RunState::Owed =>
            {
                Check::Done(format!("run {} is marked, and owes steps", mark.run))
            }
            Ok(Some(mark)) if mark.run != self.mark.run && mark.state == RunState::Owed => {
                Check::Blocked(format!(
                    "run {} ({} by {}) still owes steps on this stream",
                    mark.run, mark.intent, mark.owner
                ))
            }
            Ok(Some(mark)) if mark.run != self.mark.run && mark.state == RunState::Open => Check::Blocked(
                format!("run {} ({} by {}) is unfinished on this stream", mark.run, mark.intent, mark.owner),
            ),
            Ok(_) => Check::Ready,
        }
    }

    fn needs(&self) -> Needs {
        Needs::side(Side::Standby)
    }

    fn undo(&self) -> Undo {
        Undo::Effects(self.put_back().effects())
    }
}

/// The way out of a mark that cannot be read: who left it is asked, then its tags are taken away.
pub fn how_to_clear(region: &Region, stream: &StreamName) -> String {
    format!(
        "when nobody's run is under way, take it away: `aws kinesis remove-tags-from-stream --region {region} \
         --stream-name {stream} --tag-keys {}`",
        RunMark::TAGS.join(" ")
    )
}
