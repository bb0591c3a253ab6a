//! Everything that a run said, as lines in order.

use super::work::{call, ended};
use crate::journal::RunRecord;
use crate::model::{Event, Performed};
use crate::ui::report::Happening;

/// The lines. Waits are in the curves, not here.
pub(super) fn lines(run: &RunRecord) -> Vec<Happening> {
    let mut lines = Vec::new();
    for (at, event) in &run.events {
        let is_head = matches!(
            event,
            Event::RunStarted { .. } | Event::StageStarted { .. } | Event::RunFinished { .. }
        );
        if let Some(text) = words(event) {
            lines.push(Happening { at: *at, text, is_head });
        }
    }
    lines
}

fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::RunStarted { resumed: true, title, .. } => format!("{title}: the run was gone on with"),
        Event::RunStarted { title, .. } => title.clone(),
        Event::StageStarted { number, of, title, .. } => format!("[{number}/{of}] {title}"),
        Event::StageConfirmed { by, .. } => format!("confirmed by {by}"),
        Event::EffectStarted { effect, .. } => format!("{}: {}", effect.region(), call(effect)),
        Event::EffectFinished { result: Performed::Applied { answer, .. }, .. } => {
            format!("answered: {answer}")
        }
        Event::EffectFinished { result: Performed::AlreadySo(why), .. } => format!("not needed: {why}"),
        Event::EffectFailed { failure, .. } => format!("failed: {failure}"),
        Event::StepFinished { summary, region, outcome, .. } => {
            let (word, _, why) = ended(outcome);
            format!("{region}: {summary}: {word}: {why}")
        }
        Event::TurnedToEmergency { reason } => format!("turned into an emergency: {reason}"),
        Event::RunFinished { exit, summary, .. } => format!("exit {}: {summary}", exit.code()),
        Event::Note { text } => text.clone(),
        _ => return None,
    })
}
