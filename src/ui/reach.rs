//! The degraded-mode matrix on a page: which API answered, and what can be done now.

use super::look::{Look, Tone};
use crate::config::Topology;
use crate::model::Side;
use crate::plan::reach::{Answer, Api, Can, Reach};

/// The matrix, as a section of `status`.
pub(crate) fn render(look: Look, topology: &Topology, reach: &Reach) -> String {
    let regions = &topology.regions;
    let label = 12;
    let side = ((look.columns() - label) / 2).clamp(20, 62);
    let header = [Side::Primary, Side::Standby].map(|side| format!("{} {side}", regions.of(side)));
    let header = std::iter::once(String::new()).chain(header).collect();
    let row = |api: Api| {
        let cell = |side: Side| {
            let of = reach.apis.iter().find(|one| one.api == api && one.region == *regions.of(side));
            of.map_or("-", |one| word(&one.answer)).to_owned()
        };
        vec![api.to_string(), cell(Side::Primary), cell(Side::Standby)]
    };
    let rows = Api::ALL.map(row).to_vec();
    let mut out = format!("\n{}\n", look.paint(Tone::Strong, "What answers, and what can be done now"));
    out += &look.table(&[label, side, side], header, rows);
    for step in &reach.steps {
        let (word, tone) = match step.can {
            Can::Now => ("now", Tone::Good),
            Can::Deferred => ("deferred", Tone::Warn),
            Can::Not => ("not now", Tone::Bad),
        };
        let head = format!("  {} ", look.paint(tone, format!("{word:<9}")));
        let why = step.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        out += &look.hang(&head, &format!("{}{why}", step.step));
    }
    out
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Answered => "answers",
        Answer::Refused(_) => "REFUSES",
        Answer::Silent(_) => "SILENT",
        Answer::NotAsked => "not asked",
    }
}
