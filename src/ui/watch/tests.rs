//! Pages of the live view into ratatui's test buffer, and the real thing on a pseudo-terminal.

use super::draw::Canvas;
use super::state::{Next, WatchState};
use super::{LiveView, render};
use crate::model::{ApiAnswer, FailureKind, Observed, Reason, Region, Snapshot, Timestamp};
use crate::ui::tests::samples::{self, at, id, seconds};
use crate::ui::{Settings, StatusInput, Ui};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use snapbox::{assert_data_eq, file};

const CANVAS: Canvas = Canvas { color: true, utf8: true };

fn state() -> WatchState {
    WatchState::new(&samples::topology(), &[id("ticker-prices")], at("10:45:00"))
}

fn see(state: &mut WatchState, snapshot: &Snapshot, owed: &[String]) {
    let topology = state.topology.clone();
    let reports = if owed.is_empty() { Vec::new() } else { samples::reports() };
    let input = StatusInput { topology: &topology, snapshot, unfinished: &[], owed, reports: &reports };
    state.see(&input);
    state.set_next(Next::At(snapshot.taken_at + seconds(5)));
}

fn buffer(state: &WatchState, now: Timestamp, canvas: Canvas, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| render(state, now, canvas, frame)).expect("a frame");
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let area = buffer.area();
    let row = |y: u16| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..area.height).map(|y| row(y).trim_end().to_owned() + "\n").collect()
}

fn page(state: &WatchState, now: Timestamp, size: (u16, u16)) -> String {
    text(&buffer(state, now, CANVAS, size))
}

fn api(operation: &str, answered: u32) -> ApiAnswer {
    ApiAnswer {
        operation: operation.to_owned(),
        answered,
        failed: u32::from(answered == 0),
        reason: (answered == 0).then(|| "no answer within 8s".to_owned()),
        kind: (answered == 0).then_some(crate::model::FailureKind::TimedOut),
        slowest: seconds(1),
    }
}

/// Both Regions answer.
fn calm() -> Snapshot {
    let mut snapshot = samples::calm();
    for view in snapshot.regions.values_mut() {
        view.apis = vec![api("kinesis:DescribeStreamSummary", 1), api("lambda:GetFunction", 2)];
    }
    snapshot
}

/// Two minutes later the primary says nothing at all.
fn silent() -> Snapshot {
    fn reason() -> Reason {
        Reason::new(FailureKind::TimedOut, "no answer within 8s")
    }
    let mut snapshot = calm();
    snapshot.taken_at = at("10:47:01");
    let region = snapshot.regions.get_mut(&samples::west()).expect("the Region");
    region.apis = vec![api("kinesis:DescribeStreamSummary", 0), api("lambda:GetFunction", 0)];
    let pipeline = snapshot.pipelines.values_mut().next().expect("the pipeline");
    pipeline.producers[0].region_value = Observed::Unknown(reason());
    let side = &mut pipeline.primary;
    side.stream = Observed::Unknown(reason());
    side.metrics.incoming_records = Observed::Unknown(reason());
    side.metrics.iterator_age = Observed::Unknown(reason());
    side.metrics.put_record_calls = Observed::Unknown(reason());
    side.consumer.mappings = Observed::Unknown(reason());
    side.replicator.as_mut().expect("the replicator").mappings = Observed::Unknown(reason());
    snapshot
}

#[test]
fn the_page_of_a_calm_morning_at_three_sizes() {
    let mut state = state();
    see(&mut state, &calm(), &[]);
    let now = at("10:45:04");
    assert_data_eq!(page(&state, now, (80, 24)), file!["../tests/snapshots/watch_calm_80x24.txt"].raw());
    assert_data_eq!(page(&state, now, (120, 40)), file!["../tests/snapshots/watch_calm_120x40.txt"].raw());
    assert_data_eq!(page(&state, now, (200, 60)), file!["../tests/snapshots/watch_calm_200x60.txt"].raw());
}

#[test]
fn a_silent_region_keeps_what_it_said_last_marked_as_old_in_words_and_dimmed() {
    let mut state = state();
    see(&mut state, &calm(), &[]);
    see(&mut state, &silent(), &["us-west-2: stop the replicator: kdsha resume".to_owned()]);
    let now = at("10:47:03");
    let shown = page(&state, now, (80, 24));
    assert_data_eq!(&shown, file!["../tests/snapshots/watch_silent_80x24.txt"].raw());
    assert_data_eq!(page(&state, now, (120, 40)), file!["../tests/snapshots/watch_silent_120x40.txt"].raw());
    assert_data_eq!(page(&state, now, (200, 60)), file!["../tests/snapshots/watch_silent_200x60.txt"].raw());
    assert!(!shown.contains("<- ACTIVE"), "the active Region is not known now:\n{shown}");
    let buffer = buffer(&state, now, CANVAS, (120, 40));
    let mut olds = 0;
    for y in 0..buffer.area().height {
        let row: String = (0..120).map(|x| buffer[(x, y)].symbol()).collect();
        // Where the primary's column says OLD, its cell is dimmed.
        if row.get(12..16) == Some("OLD ") {
            olds += 1;
            assert!(buffer[(12, y)].modifier.contains(Modifier::DIM), "{row}");
        }
    }
    assert!(olds >= 7, "stream, producer, two mappings, two lags, arrivals, errors: {olds}");
}

#[test]
fn before_the_first_look_nothing_is_claimed() {
    let shown = page(&state(), at("10:45:02"), (80, 24));
    assert_data_eq!(shown, file!["../tests/snapshots/watch_first_80x24.txt"].raw());
}

#[test]
fn without_a_look_for_long_nothing_is_called_sound() {
    let mut state = state();
    see(&mut state, &calm(), &[]);
    assert!(page(&state, at("10:45:10"), (80, 24)).contains("sound, nothing is owed"));
    state.set_next(Next::Paused);
    state.fail("the credentials have expired");
    let shown = page(&state, at("10:50:00"), (80, 24));
    for part in ["NOT CURRENT", "PAUSED", "4m59s ago", "LOOK FAILED", "the credentials have expired"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.contains("sound, nothing"), "{shown}");
}

#[test]
fn colours_add_nothing_and_ascii_is_enough() {
    let mut state = state();
    see(&mut state, &calm(), &[]);
    see(&mut state, &silent(), &[]);
    let now = at("10:47:03");
    let with = buffer(&state, now, CANVAS, (80, 24));
    let without = buffer(&state, now, Canvas { color: false, utf8: true }, (80, 24));
    assert_eq!(text(&with), text(&without));
    let plain = |cell: &ratatui::buffer::Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
    assert!(without.content().iter().all(plain) && !with.content().iter().all(plain));
    assert!(page(&state, now, (80, 24)).contains('▂'));
    let ascii = text(&buffer(&state, now, Canvas { color: false, utf8: false }, (80, 24)));
    assert!(ascii.is_ascii(), "{ascii}");
}

/// Three pipelines: the selected one is on the screen at any size, all are named, and the wide screen shows more.
#[test]
fn many_pipelines_are_chosen_with_keys() {
    let mut topology = samples::topology();
    let names = ["ticker-prices", "orders", "payments"];
    let first = topology.pipelines[0].clone();
    let mut snapshot = calm();
    let view = snapshot.pipelines.values().next().cloned().expect("the pipeline");
    for name in &names[1..] {
        topology.pipelines.push(crate::config::Pipeline { name: id(name), ..first.clone() });
        snapshot.pipelines.insert(id(name), view.clone());
    }
    let selected: Vec<_> = names.iter().map(|name| id(name)).collect();
    let mut state = WatchState::new(&topology, &selected, at("10:45:00"));
    see(&mut state, &snapshot, &[]);
    let now = at("10:45:04");
    let panels = |shown: &str| shown.matches("(cold standby): ").count();
    assert_eq!(panels(&page(&state, now, (80, 24))), 1);
    assert!(page(&state, now, (80, 24)).contains("[ticker-prices]  orders  payments"));
    state.select(-1);
    let shown = page(&state, now, (80, 24));
    assert!(shown.contains("[payments]") && shown.contains("payments (cold standby): "), "{shown}");
    state.select(1);
    state.select(1);
    assert!(page(&state, now, (80, 24)).contains("orders (cold standby): "));
    let wide = page(&state, now, (200, 60));
    assert_eq!(panels(&wide), 3, "{wide}");
    assert_data_eq!(wide, file!["../tests/snapshots/watch_many_200x60.txt"].raw());
}

/// No size makes it panic, and the keys are in the last line of all that have one.
#[test]
fn any_size_is_drawn() {
    let mut state = state();
    see(&mut state, &calm(), &[]);
    see(&mut state, &silent(), &["us-west-2: stop the replicator: kdsha resume".to_owned()]);
    for (width, height) in [(1, 1), (5, 3), (20, 5), (39, 10), (80, 10), (80, 24), (300, 100)] {
        let shown = page(&state, at("10:47:03"), (width, height));
        assert_eq!(shown.lines().count(), usize::from(height));
        if width >= 20 {
            assert!(shown.lines().last().is_some_and(|line| line.starts_with("q quit")), "{shown}");
        }
    }
}

#[test]
fn what_aws_says_cannot_touch_the_terminal() {
    let mut state = state();
    let mut snapshot = silent();
    let region: Region = samples::west();
    let nasty = "\u{1b}[2J\u{9b}31mall is well\r\u{202e}";
    snapshot.regions.get_mut(&region).expect("the Region").apis[0].reason = Some(nasty.to_owned());
    see(&mut state, &snapshot, &[nasty.to_owned()]);
    let shown = page(&state, at("10:47:03"), (200, 60));
    assert!(shown.contains("\\u{1b}[2J"), "{shown}");
    assert!(shown.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{shown}");
}

/// On a real terminal a panic leaves the full screen before it speaks, so that it can be read.
///
/// The test is its own child: run again on the pseudo-terminal, it takes the screen and panics.
#[test]
fn a_panic_gives_the_terminal_back_before_its_message() -> Result<(), rexpect::error::Error> {
    if std::env::var_os("KDSHA_PANIC").is_some() {
        let mut view = LiveView::open(&Ui::new(Settings::default())).expect("a terminal");
        view.draw(&state(), at("10:45:02")).expect("a frame");
        panic!("on the full screen");
    }
    let this = "ui::watch::tests::a_panic_gives_the_terminal_back_before_its_message";
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.args(["--exact", this, "--nocapture"]).env("KDSHA_PANIC", "1").env("TERM", "xterm");
    let mut terminal = rexpect::session::spawn_command(command, Some(20_000))?;
    terminal.exp_string("\u{1b}[?1049h")?;
    let page = terminal.exp_string("\u{1b}[?1049l")?;
    assert!(!page.contains("on the full screen"), "the message was drawn over");
    terminal.exp_string("on the full screen")?;
    terminal.exp_string("\u{1b}[?25h")?;
    terminal.exp_eof()?;
    Ok(())
}
