//! Lists of named checks: what needs attention in full, what is well as a count.

use super::header::{self, Context};
use super::look::{Look, Mark, Tone};
use super::text;
use crate::model::{CheckReport, Region, Verdict};

fn mark(verdict: Verdict) -> Mark {
    match verdict {
        Verdict::Ok => Mark::Ok,
        Verdict::Warn => Mark::Warn,
        Verdict::Unknown => Mark::Unknown,
        Verdict::Fail => Mark::Fail,
    }
}

/// What a check is about: pipeline and Region, where it names them.
fn subject(report: &CheckReport) -> String {
    let parts =
        [report.pipeline.as_ref().map(ToString::to_string), report.region.as_ref().map(ToString::to_string)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

/// One check: mark, name, subject, evidence, advice.
pub(crate) fn one(look: Look, report: &CheckReport) -> String {
    entry(look, &text::words(&report.check), report)
}

/// Checks that differ in nothing but their names, in the order of the first: one failed look is one thing to read,
/// unless they are all asked for.
fn alike<'r>(
    look: Look,
    reports: impl Iterator<Item = &'r CheckReport>,
) -> Vec<(Vec<String>, &'r CheckReport)> {
    let mut all: Vec<(Vec<String>, &CheckReport)> = Vec::new();
    for report in reports {
        let name = text::words(&report.check);
        let is_same =
            |other: &CheckReport| CheckReport { check: report.check.clone(), ..other.clone() } == *report;
        match all.iter_mut().find(|(_, other)| look.verbose == 0 && is_same(other)) {
            Some((names, _)) if names.contains(&name) => {}
            Some((names, _)) => names.push(name),
            None => all.push((vec![name], report)),
        }
    }
    all
}

fn entry(look: Look, name: &str, report: &CheckReport) -> String {
    let name = look.paint(Tone::Strong, name);
    let subject = subject(report);
    let head = if subject.is_empty() { name } else { format!("{name} ({subject})") };
    let indent = " ".repeat(Mark::WIDTH + 3);
    let mut out = look.hang(&format!("  {} ", look.mark(mark(report.verdict))), &head);
    out += &look.hang(&indent, &report.evidence);
    if let Some(reason) = &report.accepted {
        out += &look.hang(&format!("{indent}accepted: "), reason);
    } else if let Some(advice) = &report.advice {
        out += &look.hang(&format!("{indent}do: "), advice);
    }
    out
}

/// A Region that gave no sign of life at all.
fn silent(reports: &[&CheckReport]) -> Vec<Region> {
    let is_silence = |r: &&&CheckReport| r.check == "region_answers" && r.evidence.starts_with("SILENT");
    reports.iter().filter(is_silence).filter_map(|r| r.region.clone()).collect()
}

/// Whether a check is unknown for no other reason than that its Region is silent, which is said once.
fn is_unseen(report: &CheckReport, silent: &[Region]) -> bool {
    let says_more = matches!(report.check.as_str(), "region_answers" | "active_region");
    report.verdict == Verdict::Unknown
        && !says_more
        && report.region.as_ref().is_some_and(|region| silent.contains(region))
}

/// What cannot be known of a silent Region, in one entry.
fn unseen(look: Look, reports: &[&CheckReport], region: &Region) -> String {
    let one = std::slice::from_ref(region);
    let unseen: Vec<&&CheckReport> = reports.iter().filter(|r| is_unseen(r, one)).collect();
    if unseen.is_empty() {
        return String::new();
    }
    let mut names: Vec<String> = Vec::new();
    for name in unseen.iter().map(|report| text::words(&report.check)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let head = look.paint(Tone::Strong, format!("{} more", text::plural(unseen.len(), "check")));
    let head = look.hang(&format!("  {} ", look.mark(Mark::Unknown)), &format!("{head} ({region})"));
    let what = format!("unknown while it is silent: {} (-v lists them)", names.join(", "));
    head + &look.hang(&" ".repeat(Mark::WIDTH + 3), &what)
}

/// Checks that need attention, the most urgent first. What is unknown of a silent Region is one entry, unless asked for.
pub(crate) fn attention(look: Look, reports: &[&CheckReport], silent: &[Region]) -> String {
    let silent = if look.verbose > 0 { &[] } else { silent };
    let mut out = String::new();
    for verdict in [Verdict::Fail, Verdict::Unknown, Verdict::Warn] {
        let shown = reports.iter().filter(|r| r.verdict == verdict && !is_unseen(r, silent));
        let shown = alike(look, shown.copied()).into_iter();
        out.extend(shown.map(|(names, report)| entry(look, &names.join(", "), report)));
        if verdict == Verdict::Unknown {
            out.extend(silent.iter().map(|region| unseen(look, reports, region)));
        }
    }
    out
}

/// A check that is well, on one line.
fn brief(look: Look, report: &CheckReport) -> String {
    let subject = subject(report);
    let subject = if subject.is_empty() { subject } else { format!(" ({subject})") };
    let line = format!("{}{subject}: {}", text::words(&report.check), report.evidence);
    look.hang(&format!("  {} ", look.mark(Mark::Ok)), &line)
}

/// Those of one verdict.
fn of(reports: &[CheckReport], verdict: Verdict) -> Vec<&CheckReport> {
    reports.iter().filter(|r| r.verdict == verdict).collect()
}

/// The checks in the order of urgency; the well ones are a count, or all of them with `-v`.
pub(crate) fn body(look: Look, reports: &[CheckReport]) -> String {
    let all: Vec<&CheckReport> = reports.iter().collect();
    let mut out = attention(look, &all, &silent(&all));
    let well = of(reports, Verdict::Ok);
    if look.verbose > 0 {
        out.extend(well.iter().map(|report| brief(look, report)));
    } else if !well.is_empty() {
        let more = format!("{} (-v lists them)", text::plural(well.len(), "check"));
        out += &look.hang(&format!("  {} ", look.mark(Mark::Ok)), &more);
    }
    out
}

/// `2 failed, 1 unknown, 3 warnings, 17 ok`.
pub(crate) fn tally(look: Look, reports: &[CheckReport]) -> String {
    let counted = |verdict, words: &str, tone| {
        let n = of(reports, verdict).len();
        (n > 0).then(|| look.paint(tone, format!("{n} {words}")))
    };
    let warnings = if of(reports, Verdict::Warn).len() == 1 { "warning" } else { "warnings" };
    let parts = [
        counted(Verdict::Fail, "failed", Tone::Bad),
        counted(Verdict::Unknown, "unknown", Tone::Warn),
        counted(Verdict::Warn, warnings, Tone::Warn),
        counted(Verdict::Ok, "ok", Tone::Good),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "nothing was checked".to_owned() } else { parts.join(", ") }
}

/// A titled list with its tally.
pub(crate) fn render(look: Look, context: &Context, reports: &[CheckReport], title: &str) -> String {
    let title = format!("{}: {}", look.paint(Tone::Strong, title), tally(look, reports));
    let what = context.pipelines.join(", ");
    format!("{}\n{}", header::render(look, context, &title, &what, &context.moment()), body(look, reports))
}
