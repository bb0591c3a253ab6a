//! The page of an emergency that was settled, with text from outside that would do harm if it were markup.

use super::*;
use crate::model::{CheckReport, Exit, Point, Region, StartAt, Timestamp, Verdict};
use crate::plan::position::{Anchor, Buffer, Origin, Position};
use snapbox::{assert_data_eq, file};
use std::collections::BTreeMap;
use std::time::Duration;

/// Markup in both languages, a quote, and a second line.
const HOSTILE: &str = "<script>alert(1)</script> & \"quoted\" | `code` *bold* [link](x)\nsecond";

fn at(time: &str) -> Timestamp {
    format!("2026-11-22T{time}Z").parse().expect(time)
}

fn region(name: &str) -> Region {
    name.parse().expect(name)
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn position() -> Position {
    Position {
        start: StartAt::Timestamp(at("10:35:58")),
        origin: Origin::Derived {
            anchors: vec![Anchor {
                series: "AWS/Lambda IteratorAge".to_owned(),
                points: 5,
                newest: Vec::new(),
                decisive: Point { at: at("10:42:00"), value: 1_250.0 },
                position: at("10:41:58.750"),
            }],
            window_from: at("10:39:00"),
            earliest: at("10:41:58.750"),
        },
        buffer: Buffer {
            overlap: seconds(300),
            consumer_timeout: Duration::ZERO,
            batching_window: Duration::ZERO,
            allowance: seconds(60),
        },
        duplicates: Some(43_212),
        rewind: Some(seconds(605)),
        notes: vec![HOSTILE.to_owned()],
    }
}

fn stage(number: usize, title: &str, ends: (&str, Option<&str>), outcome: (&str, Standing)) -> StageFact {
    let step = StepFact {
        at: at(ends.1.unwrap_or(ends.0)),
        pipeline: "ticker-prices".to_owned(),
        region: region("us-west-2"),
        summary: "Stop the consumer".to_owned(),
        outcome: outcome.0.to_owned(),
        standing: outcome.1,
        evidence: HOSTILE.to_owned(),
    };
    StageFact {
        number,
        title: title.to_owned(),
        began: at(ends.0),
        ended: ends.1.map(at),
        left: None,
        confirmed: (number == 1).then(|| (at(ends.0), "operator".to_owned())),
        is_point_of_no_return: number == 2,
        steps: vec![step],
    }
}

fn lag(side: &str, role: &str, name: &str, points: &[(&str, f64)]) -> Lag {
    Lag {
        pipeline: "ticker-prices".to_owned(),
        region: region(name),
        side: side.to_owned(),
        role: role.to_owned(),
        points: points.iter().map(|(time, lag)| (at(time), *lag)).collect(),
        period_seconds: 60,
    }
}

fn facts() -> Facts {
    let decision = |why: &str| Decision { at: at("10:45:01"), what: HOSTILE.to_owned(), why: why.to_owned() };
    Facts {
        title: format!("Fail over to us-east-2 (emergency) {HOSTILE}"),
        run: "20261122-104501-failover-3f9a".to_owned(),
        state: "done, settled".to_owned(),
        standing: Standing::Good,
        owner: "maria@laptop".to_owned(),
        caller: Some("arn:aws:sts::123456789012:assumed-role/OnCall/maria".to_owned()),
        account: Some("123456789012".to_owned()),
        command: "kdsha failover --to us-east-2 --emergency".to_owned(),
        version: "0.1.0".to_owned(),
        pipelines: vec!["ticker-prices".to_owned()],
        from: Some(region("us-west-2")),
        to: region("us-east-2"),
        began: at("10:45:01"),
        ended: Some(at("10:52:12")),
        exit: Some(Exit::Done),
        summary: Some(HOSTILE.to_owned()),
        rto: seconds(900),
        recovery: Some(seconds(152)),
        switched: Some(at("10:46:40")),
        rpo: Some(seconds(300)),
        at_risk: AtRisk {
            standing: Standing::Warn,
            records: None,
            behind: Some(seconds(412)),
            why: "Until the failback.".to_owned(),
        },
        duplicates: Some(43_212),
        requests: Requests { sent: 506, is_least: true },
        stages: vec![
            stage(1, "Mark the run", ("10:45:01", Some("10:45:11")), ("done", Standing::Good)),
            stage(2, "Switch the producers", ("10:45:11", Some("10:46:40")), ("owed", Standing::Warn)),
            stage(7, "Verify", ("10:50:00", None), ("failed", Standing::Bad)),
        ],
        positions: BTreeMap::from([("ticker-prices".to_owned(), position())]),
        changes: vec![Change {
            pipeline: "ticker-prices".to_owned(),
            region: region("us-west-2"),
            what: "producer KDS-HA-ProducerLambda".to_owned(),
            before: HOSTILE.to_owned(),
            after: None,
        }],
        decisions: vec![decision(HOSTILE)],
        calls: vec![Call {
            at: at("10:45:20"),
            took: Some(seconds(8)),
            pipeline: "ticker-prices".to_owned(),
            region: region("us-west-2"),
            operation: "lambda:UpdateEventSourceMapping".to_owned(),
            what: "disable mapping".to_owned(),
            outcome: "sent and not answered".to_owned(),
            answer: HOSTILE.to_owned(),
            standing: Standing::Warn,
            request_id: None,
        }],
        owed: vec![Debt {
            since: at("10:46:40"),
            pipeline: "ticker-prices".to_owned(),
            what: "Stop the consumer".to_owned(),
            reason: HOSTILE.to_owned(),
            settled: Some(at("10:52:00")),
        }],
        checks: vec![CheckReport {
            check: "health".to_owned(),
            pipeline: None,
            region: None,
            verdict: Verdict::Warn,
            evidence: HOSTILE.to_owned(),
            advice: None,
            accepted: None,
        }],
        lags: vec![
            lag(
                "primary",
                "consumer",
                "us-west-2",
                &[("10:41:00", 1.0), ("10:42:00", 42.0), ("10:44:00", 3.0)],
            ),
            lag("primary", "replicator", "us-west-2", &[]),
            lag("standby", "consumer", "us-east-2", &[("10:47:00", 610.0), ("10:48:00", 0.0)]),
        ],
        log: vec![Happening { at: at("10:45:01"), text: HOSTILE.to_owned(), is_head: true }],
        missing: vec![HOSTILE.to_owned()],
    }
}

fn parsed(html: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    roxmltree::Document::parse_with_options(html, options).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn the_page_reads_the_same_as_ever() {
    assert_data_eq!(page(&facts(), Form::Html), file!["snapshots/page.html"].raw());
    assert_data_eq!(page(&facts(), Form::Markdown), file!["snapshots/page.md"].raw());
}

#[test]
fn the_page_is_well_formed_and_needs_nothing_from_anywhere() {
    let html = page(&facts(), Form::Html);
    let document = parsed(&html);
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(!["script", "link", "img", "iframe", "object", "form"].contains(&name), "{name}");
        for attribute in node.attributes().filter(|a| ["href", "src", "data", "action"].contains(&a.name())) {
            assert!(attribute.value().starts_with('#'), "{name} {}", attribute.value());
        }
        assert!(node.attributes().all(|a| !a.name().starts_with("on")), "{name} has a handler");
    }
    assert!(!html.contains("url(") && !html.contains("@import"), "a style loads something");
}

#[test]
fn every_section_has_its_heading_and_every_link_its_section() {
    let html = page(&facts(), Form::Html);
    let document = parsed(&html);
    let named = |name: &'static str| document.descendants().filter(move |n| n.has_tag_name(name));
    let ids: Vec<&str> = named("section").filter_map(|n| n.attribute("id")).collect();
    let links: Vec<&str> = named("a").filter_map(|n| n.attribute("href")?.strip_prefix('#')).collect();
    assert_eq!(ids, links);
    assert_eq!(
        ids,
        [
            "timeline",
            "stages",
            "position",
            "changes",
            "decisions",
            "calls",
            "owed",
            "checks",
            "log",
            "missing"
        ]
    );
    // Each table's rows have as many cells as its head.
    for table in named("table").filter(|table| table.attribute("class").is_none()) {
        let cells = |row: roxmltree::Node<'_, '_>| row.children().filter(roxmltree::Node::is_element).count();
        let rows: Vec<usize> = table.descendants().filter(|n| n.has_tag_name("tr")).map(cells).collect();
        assert!(rows.iter().all(|n| *n == rows[0]), "{rows:?}");
    }
}

#[test]
fn text_from_outside_stays_text() {
    let html = page(&facts(), Form::Html);
    let document = parsed(&html);
    let shown = document.descendants().filter_map(|n| n.text()).filter(|t| t.contains("<script>")).count();
    assert!(shown >= 12, "the hostile text is shown as text in every place: {shown}");
    let markdown = page(&facts(), Form::Markdown);
    assert!(!markdown.contains("<script") && !markdown.contains("[link](x)"), "{markdown}");
    for line in markdown.lines().filter(|line| line.starts_with("| ") && line.contains("script")) {
        let unescaped = line.replace("\\|", "");
        assert!(unescaped.matches('|').count() <= 8, "a cell breaks its row: {line}");
    }
}

/// The points of the curves of one colour, as pixels.
fn curves(document: &roxmltree::Document<'_>, color: &str) -> Vec<usize> {
    let lines = document.descendants().filter(|n| n.has_tag_name("polyline"));
    let of = lines.filter(|n| n.attribute("stroke") == Some(color));
    of.map(|n| n.attribute("points").unwrap_or_default().split_whitespace().count()).collect()
}

#[test]
fn a_gap_breaks_the_curve_and_a_reader_without_data_is_said_so() {
    let html = page(&facts(), Form::Html);
    let document = parsed(&html);
    let svg = document.descendants().find(|n| n.has_tag_name(("http://www.w3.org/2000/svg", "svg")));
    let svg = svg.expect("an svg");
    assert!(svg.attribute("aria-label").is_some_and(|label| label.contains("at most 42s")), "named");
    // Two points, a gap, and a point alone, besides the two strokes of the legends and the standby's curve.
    assert_eq!(curves(&document, "#0B5FC1"), [2, 2, 2, 2]);
    let dots = document.descendants().filter(|n| n.has_tag_name("circle")).count();
    assert_eq!(dots, 1);
    let said = document.descendants().filter_map(|n| n.text()).any(|t| t.contains("replicator (no data)"));
    assert!(said);
}

#[test]
fn a_run_without_anything_is_still_a_page() {
    let bare = Facts {
        from: None,
        ended: None,
        exit: None,
        summary: None,
        recovery: None,
        switched: None,
        rpo: None,
        duplicates: None,
        stages: Vec::new(),
        positions: BTreeMap::new(),
        changes: Vec::new(),
        decisions: Vec::new(),
        calls: Vec::new(),
        owed: Vec::new(),
        checks: Vec::new(),
        lags: Vec::new(),
        log: Vec::new(),
        missing: Vec::new(),
        ..facts()
    };
    let html = page(&bare, Form::Html);
    parsed(&html);
    assert!(html.contains("not reached") && html.contains("unknown"), "unknown is never zero");
    assert!(page(&bare, Form::Markdown).contains("No lag was recorded."));
}
