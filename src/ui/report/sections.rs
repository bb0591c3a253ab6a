//! What a page says, in which order: the verdict first, what can be looked up last.

use super::chart;
use super::document::{Block, Card, Document, Section, Sum, Text, Tone, right, tight, wide};
use super::facts::{AtRisk, Facts, StageFact, Standing};
use crate::model::{Timestamp, Verdict, duration};
use crate::plan::position::{Origin, Position};
use crate::ui::text;
use std::time::Duration;

pub(super) fn document(facts: &Facts) -> Document {
    let all = [
        Some(timeline(facts)),
        Some(stages(facts)),
        positions(facts),
        Some(changes(facts)),
        Some(decisions(facts)),
        Some(calls(facts)),
        owed(facts),
        checks(facts),
        Some(log(facts)),
        missing(facts),
    ];
    Document {
        title: facts.title.clone(),
        state: Text::of(tone(facts.standing), facts.state.clone()),
        subtitle: facts.summary.clone().unwrap_or_default(),
        head: vec![head(facts), Block::Cards(cards(facts))],
        sections: all.into_iter().flatten().collect(),
        foot: format!("kdsha {}. All times are AWS's own, in UTC.", facts.version),
    }
}

fn tone(standing: Standing) -> Tone {
    match standing {
        Standing::Good => Tone::Good,
        Standing::Warn => Tone::Warn,
        Standing::Bad => Tone::Bad,
        Standing::Unknown => Tone::Faint,
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

fn head(facts: &Facts) -> Block {
    let code = |words: &str| Text::of(Tone::Code, words);
    let route = match &facts.from {
        Some(from) => format!("{from} → {}", facts.to),
        None => facts.to.to_string(),
    };
    let who = match &facts.caller {
        Some(caller) => format!("{} as {caller}", facts.owner),
        None => facts.owner.clone(),
    };
    let ended = match facts.ended {
        Some(at) => {
            let took = text::whole(text::between(facts.began, at));
            format!("{} to {} ({took})", text::full_time(facts.began), text::time(at, facts.began))
        }
        None => format!("{}, and no end was written down", text::full_time(facts.began)),
    };
    let account = facts.account.clone().unwrap_or_else(|| "not known".to_owned());
    let exit = facts.exit.map_or_else(|| "none: cut off".to_owned(), |exit| exit.code().to_string());
    Block::Facts(vec![
        ("Regions", route.into()),
        ("Pipelines", facts.pipelines.join(", ").into()),
        ("When", ended.into()),
        ("Who", who.into()),
        ("Account", account.into()),
        ("Exit code", exit.into()),
        ("Run", code(&facts.run)),
        ("Command", code(&facts.command)),
    ])
}

/// The verdict, as numbers.
fn cards(facts: &Facts) -> Vec<Card> {
    let rto = duration::show(facts.rto);
    let recovery = match facts.recovery {
        Some(took) => {
            let met = took <= facts.rto;
            let share = took.as_secs_f64() / facts.rto.as_secs_f64().max(1.0);
            let word = if met { "within" } else { "LATER than" };
            (text::whole(took), format!("{word} the RTO of {rto}"), met, Some(share))
        }
        None => ("not reached".to_owned(), format!("RTO {rto}"), false, None),
    };
    let plain = |label, value: String, note: &str| Card {
        label,
        value,
        note: note.to_owned(),
        tone: Tone::Plain,
        share: None,
    };
    let unknown = || "unknown".to_owned();
    let requests = match facts.requests.is_least {
        true => format!("at least {}", text::count(facts.requests.sent)),
        false => text::count(facts.requests.sent),
    };
    let debts = facts.owed.iter().filter(|debt| debt.settled.is_none()).count();
    let debt_note = match (debts, facts.owed.len()) {
        (0, 0) => "every step was taken".to_owned(),
        (0, n) => format!(
            "{} owed and settled since",
            if n == 1 { "1 was".to_owned() } else { format!("{n} were") }
        ),
        _ => "`kdsha resume` settles it".to_owned(),
    };
    vec![
        Card {
            label: "Time to recover",
            value: recovery.0,
            note: recovery.1,
            tone: if recovery.2 { Tone::Good } else { Tone::Bad },
            share: recovery.3,
        },
        at_risk(&facts.at_risk, facts.rpo),
        plain(
            "Processed twice",
            facts.duplicates.map_or_else(unknown, text::count),
            "records, from the start position until the switch",
        ),
        Card {
            label: "Still owed",
            value: text::plural(debts, "step"),
            note: debt_note,
            tone: if debts == 0 { Tone::Good } else { Tone::Warn },
            share: None,
        },
        plain(
            "Mutating calls",
            text::count(facts.calls.len() as u64),
            "each written down before it was sent",
        ),
        plain("Requests", requests, "reads and writes, retries included"),
    ]
}

fn at_risk(risk: &AtRisk, rpo: Option<Duration>) -> Card {
    let value = match (risk.records, risk.behind) {
        (Some(0), _) => "0".to_owned(),
        (Some(n), _) => format!("at most {}", text::count(n)),
        (None, Some(behind)) => format!("at most {}", text::whole(behind)),
        (None, None) => "unknown".to_owned(),
    };
    let point = match (risk.behind, rpo) {
        (Some(Duration::ZERO), Some(rpo)) => format!("RPO met ({}). ", duration::show(rpo)),
        (Some(behind), Some(rpo)) => {
            let word = if behind <= rpo { "within" } else { "which may be MORE than" };
            format!("At most {} behind, {word} the RPO of {}. ", text::whole(behind), duration::show(rpo))
        }
        (None, Some(rpo)) => format!("RPO {}. ", duration::show(rpo)),
        _ => String::new(),
    };
    let behind = risk.behind.filter(|behind| !behind.is_zero());
    let share = behind.zip(rpo).map(|(b, rpo)| b.as_secs_f64() / rpo.as_secs_f64().max(1.0));
    let note = point + &risk.why;
    Card { label: "Records at risk", value, note, tone: tone(risk.standing), share }
}

fn timeline(facts: &Facts) -> Section {
    let svg = chart::draw(facts);
    let caption = "The lag of every reader in both Regions, a point a period, over the stages of the run. A gap is \
                   missing data, never zero.";
    let table = Box::new(chart::table(facts));
    let blocks = vec![Block::Chart { svg, caption: caption.to_owned(), table }];
    Section { id: "timeline", title: "Timeline", blocks }
}

/// How long a stage took; of one that did not end, how long it was worked on.
pub(super) fn took(stage: &StageFact) -> String {
    match (stage.ended, stage.left) {
        (Some(ended), _) => text::whole(text::between(stage.began, ended)),
        (None, Some(left)) => format!("stopped after {}", text::whole(text::between(stage.began, left))),
        (None, None) => "not ended".to_owned(),
    }
}

fn stages(facts: &Facts) -> Section {
    let mut rows = Vec::new();
    for stage in &facts.stages {
        let by = match &stage.confirmed {
            Some((at, by)) => format!("{by}, {}", clock(*at)),
            None => "-".to_owned(),
        };
        let mark = if stage.is_point_of_no_return { " (point of no return)" } else { "" };
        rows.push(vec![
            stage.number.to_string().into(),
            clock(stage.began).into(),
            took(stage).into(),
            Text::of(Tone::Strong, format!("{}{mark}", stage.title)),
            by.into(),
            Text::default(),
        ]);
        for step in &stage.steps {
            rows.push(vec![
                Text::default(),
                Text::of(Tone::Faint, clock(step.at)),
                Text::default(),
                Text::from(format!("{}: {}", step.region, step.summary)).then(Tone::Faint, &step.evidence),
                Text::default(),
                Text::of(tone(step.standing), step.outcome.clone()),
            ]);
        }
    }
    let columns = vec![
        right("#"),
        tight("at"),
        right("took"),
        wide("stage and steps"),
        tight("confirmed by"),
        tight("end"),
    ];
    let blocks = match rows.is_empty() {
        true => vec![Block::Paragraph("No stage was begun.".into())],
        false => vec![Block::Table { columns, rows }],
    };
    Section { id: "stages", title: "Stages, and who confirmed them", blocks }
}

fn positions(facts: &Facts) -> Option<Section> {
    if facts.positions.is_empty() {
        return None;
    }
    let blocks =
        facts.positions.iter().flat_map(|(name, position)| self::position(name, position, facts.began));
    Some(Section { id: "position", title: "Where the consumer started", blocks: blocks.collect() })
}

fn position(pipeline: &str, position: &Position, day: Timestamp) -> Vec<Block> {
    let mut blocks =
        vec![Block::Paragraph(Text::of(Tone::Strong, format!("{pipeline}: {}", position.start)))];
    match &position.origin {
        Origin::Derived { anchors, window_from, earliest } => {
            let row = |a: &crate::plan::position::Anchor| {
                let age = Duration::from_secs_f64(a.decisive.value.max(0.0) / 1000.0);
                vec![
                    a.series.clone().into(),
                    a.points.to_string().into(),
                    text::time(a.decisive.at, day).into(),
                    text::exact(age).into(),
                    text::exact_time(a.position, day).into(),
                ]
            };
            blocks.push(Block::Table {
                columns: vec![
                    wide("series"),
                    right("points"),
                    right("decisive point"),
                    right("minus its age"),
                    right("is the position"),
                ],
                rows: anchors.iter().map(row).collect(),
            });
            blocks.push(Block::Sum(sum(position, *earliest, day)));
            let from = text::time(*window_from, day);
            blocks
                .push(Block::Paragraph(Text::of(Tone::Faint, format!("The window reaches back to {from}."))));
        }
        Origin::Operator => {
            blocks.push(Block::Paragraph("Given with --start-at; nothing was taken off.".into()))
        }
        Origin::RunMark => {
            blocks
                .push(Block::Paragraph("From the mark of the unfinished run on the standby stream.".into()));
        }
    }
    let duplicates = match position.duplicates {
        Some(count) => format!(
            "About {} records had arrived since then when the plan was made. They are processed twice, with those \
             that arrived until the switch.",
            text::count(count)
        ),
        None => "How many records are processed twice because of it is not known.".to_owned(),
    };
    blocks.push(Block::Paragraph(duplicates.into()));
    if !position.notes.is_empty() {
        blocks.push(Block::List(position.notes.iter().map(|note| note.as_str().into()).collect()));
    }
    blocks
}

fn sum(position: &Position, earliest: Timestamp, day: Timestamp) -> Vec<Sum> {
    let buffer = &position.buffer;
    let less = [
        ("overlap buffer", buffer.overlap),
        ("the consumer's time-out", buffer.consumer_timeout),
        ("the batching window", buffer.batching_window),
        ("allowance for clocks and disorder", buffer.allowance),
    ];
    let line = |sign, label: &str, value| Sum { sign, label: label.to_owned(), value };
    let mut lines = vec![line("", "earliest position", text::exact_time(earliest, day))];
    lines.extend(less.iter().map(|(label, length)| line("−", label, duration::show(*length))));
    if let crate::model::StartAt::Timestamp(at) = position.start {
        lines.push(line("=", "start, in whole seconds", text::time(at, day)));
    }
    lines
}

fn changes(facts: &Facts) -> Section {
    let row = |change: &super::facts::Change| {
        let is_same = change.after.as_ref() == Some(&change.before);
        let after = match &change.after {
            Some(after) if is_same => Text::of(Tone::Faint, format!("{after} (unchanged)")),
            Some(after) => Text::of(Tone::Strong, after.clone()),
            None => Text::of(Tone::Warn, "not seen"),
        };
        vec![
            change.region.to_string().into(),
            change.what.clone().into(),
            change.before.clone().into(),
            after,
        ]
    };
    let blocks = match facts.changes.is_empty() {
        true => vec![Block::Paragraph("Nothing was looked at.".into())],
        false => vec![Block::Table {
            columns: vec![tight("Region"), wide("what"), wide("before"), wide("after")],
            rows: facts.changes.iter().map(row).collect(),
        }],
    };
    Section { id: "changes", title: "What changed", blocks }
}

fn decisions(facts: &Facts) -> Section {
    let row = |decision: &super::facts::Decision| {
        vec![clock(decision.at).into(), decision.what.clone().into(), decision.why.clone().into()]
    };
    let rows = facts.decisions.iter().map(row).collect();
    let blocks = vec![Block::Table { columns: vec![tight("at"), wide("decision"), wide("reason")], rows }];
    Section { id: "decisions", title: "Decisions", blocks }
}

fn calls(facts: &Facts) -> Section {
    let row = |call: &super::facts::Call| {
        let outcome = Text::of(tone(call.standing), call.outcome.clone());
        vec![
            clock(call.at).into(),
            call.region.to_string().into(),
            Text::from(call.what.as_str()).then(Tone::Code, &call.operation),
            outcome.then(Tone::Faint, &call.answer),
            Text::of(Tone::Code, call.request_id.clone().unwrap_or_default()),
            call.took.map_or_else(|| "-".to_owned(), text::exact).into(),
        ]
    };
    let columns =
        vec![tight("at"), tight("Region"), wide("call"), wide("outcome"), wide("request id"), right("took")];
    let blocks = match facts.calls.is_empty() {
        true => vec![Block::Paragraph("None was sent.".into())],
        false => vec![Block::Table { columns, rows: facts.calls.iter().map(row).collect() }],
    };
    Section { id: "calls", title: "Every mutating call", blocks }
}

fn owed(facts: &Facts) -> Option<Section> {
    let row = |debt: &super::facts::Debt| {
        let settled = match debt.settled {
            Some(at) => Text::of(Tone::Good, text::time(at, facts.began)),
            None => Text::of(Tone::Warn, "owed still"),
        };
        vec![clock(debt.since).into(), debt.what.clone().into(), debt.reason.clone().into(), settled]
    };
    let columns = vec![tight("since"), wide("step"), wide("why"), tight("settled")];
    let rows: Vec<_> = facts.owed.iter().map(row).collect();
    let blocks = vec![Block::Table { columns, rows }];
    (!facts.owed.is_empty()).then_some(Section { id: "owed", title: "What was owed", blocks })
}

fn checks(facts: &Facts) -> Option<Section> {
    if facts.checks.is_empty() {
        return None;
    }
    let row = |report: &crate::model::CheckReport| {
        let (word, tone) = match report.verdict {
            Verdict::Ok => ("ok", Tone::Good),
            Verdict::Warn => ("warning", Tone::Warn),
            Verdict::Unknown => ("unknown", Tone::Bad),
            Verdict::Fail => ("fail", Tone::Bad),
        };
        let region = report.region.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        vec![
            Text::of(tone, word),
            text::words(&report.check).into(),
            region.into(),
            report.evidence.clone().into(),
        ]
    };
    let columns = vec![tight("verdict"), tight("check"), tight("Region"), wide("evidence")];
    let table = |reports: Vec<&crate::model::CheckReport>| Block::Table {
        columns: columns.clone(),
        rows: reports.into_iter().map(row).collect(),
    };
    let (well, other): (Vec<_>, Vec<_>) = facts.checks.iter().partition(|c| c.verdict == Verdict::Ok);
    let mut blocks = Vec::new();
    if !other.is_empty() {
        blocks.push(table(other));
    }
    if !well.is_empty() {
        blocks.push(Block::Fold {
            title: format!("{} said ok", text::plural(well.len(), "check")),
            blocks: vec![table(well)],
        });
    }
    Some(Section { id: "checks", title: "Checks before the first call", blocks })
}

fn log(facts: &Facts) -> Section {
    let row = |line: &super::facts::Happening| {
        let tone = if line.is_head { Tone::Strong } else { Tone::Plain };
        vec![clock(line.at).into(), Text::of(tone, line.text.clone())]
    };
    let rows: Vec<_> = facts.log.iter().map(row).collect();
    let title = text::plural(rows.len(), "line");
    let table = Block::Table { columns: vec![tight("at"), wide("what")], rows };
    Section {
        id: "log",
        title: "Everything, in order",
        blocks: vec![Block::Fold { title, blocks: vec![table] }],
    }
}

fn missing(facts: &Facts) -> Option<Section> {
    let lines: Vec<Text> = facts.missing.iter().map(|line| line.as_str().into()).collect();
    let section =
        Section { id: "missing", title: "What this page does not know", blocks: vec![Block::List(lines)] };
    (!facts.missing.is_empty()).then_some(section)
}
