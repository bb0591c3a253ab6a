//! Waits: on a terminal one live block each under a line that says what is waited for, elsewhere a plain line now and then.
//!
//! A plain line is due when the reason changes or every [`EVERY`] of the run's own time. A reason that only counts
//! (`zero for 35s`) has not changed.

use super::harmless::harmless;
use super::header;
use super::look::{Look, Mark, Tone};
use super::text;
use crate::model::{PipelineName, Progress, Region, Timestamp};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two plain lines of one wait, by the run's own time.
const EVERY: Duration = Duration::from_secs(15);
/// Samples of a sparkline.
const TREND: usize = 24;
/// Live blocks up to this many are shown in full; more of them would not fit on a small screen.
const ROOMY: usize = 2;
/// Live blocks beyond this many shrink to one line each.
const TIGHT: usize = 6;

/// What one [`crate::model::Event::Waiting`] says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'a> {
    pub(crate) pipeline: &'a PipelineName,
    pub(crate) step: &'a str,
    pub(crate) progress: &'a Progress,
    pub(crate) waited: Duration,
    pub(crate) deadline: Timestamp,
    pub(crate) due: Option<header::Due>,
    /// Number, of how many.
    pub(crate) stage: Option<(usize, usize)>,
    pub(crate) at: Timestamp,
}

#[derive(Default)]
struct Wait {
    bar: Option<ProgressBar>,
    waiting_for: Option<String>,
    said: Option<(Timestamp, String)>,
    waited: Duration,
    trend: Trend,
}

/// The lag at its last samples, one entry a sample.
#[derive(Debug, Clone, Default)]
struct Trend {
    lags: Vec<f64>,
    newest: Option<Timestamp>,
}

impl Trend {
    fn add(&mut self, lag: Duration, taken: Option<Timestamp>) {
        // The same sample is seen at many looks; its age is whole seconds at best.
        let is_same = match (self.newest, taken) {
            (Some(before), Some(now)) => text::between(before, now) < Duration::from_secs(2),
            _ => false,
        };
        if is_same {
            self.lags.pop();
        } else {
            self.newest = taken;
        }
        self.lags.push(lag.as_secs_f64());
        let surplus = self.lags.len().saturating_sub(TREND);
        self.lags.drain(..surplus);
    }

    /// The direction in a word: it has to be read without the sparkline too.
    fn word(&self) -> Option<&'static str> {
        let now = *self.lags.last()?;
        let before = *self.lags.iter().rev().nth(3.min(self.lags.len() - 1))?;
        match self.lags.len() {
            1 => None,
            _ if now < before * 0.95 => Some(FALLING),
            _ if now > before * 1.05 => Some("RISING"),
            _ => Some("steady"),
        }
    }

    fn show(&self, look: Look) -> Option<String> {
        let word = self.word()?;
        // A fifth of the screen at most.
        let shown = self.lags.len().min(look.columns() / 5);
        let newest = &self.lags[self.lags.len() - shown..];
        let line = if look.utf8 { text::sparkline(newest) } else { String::new() };
        Some(format!("{line} {word}").trim().to_owned())
    }
}

/// A lag that shrinks by a twentieth or more.
const FALLING: &str = "falling";

/// The waits that are under way.
#[derive(Default)]
pub(crate) struct Waits(BTreeMap<(PipelineName, String), Wait>);

/// The reason without its numbers.
fn gist(because: &str) -> String {
    because.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// `lag 12s falling (sample 40s old)`, with what is not known said to be so.
fn lag(look: Look, progress: &Progress, trend: &Trend) -> Option<String> {
    let age = match progress.sample_age {
        Some(age) => format!("sample {} old", text::whole(age)),
        None => "age of the sample unknown".to_owned(),
    };
    match progress.lag {
        Some(lag) => {
            let trend = trend.show(look).map(|trend| format!(" {trend}")).unwrap_or_default();
            Some(format!("lag {}{trend} ({age})", text::short(lag)))
        }
        // A wait for a mapping's state has no lag; a wait for a lag that nobody knows must say so.
        None if !trend.lags.is_empty() || progress.waiting_for.starts_with("lag") => {
            Some("lag not known yet".to_owned())
        }
        None => None,
    }
}

/// `20/s arrive`. The metric is minutes old: where the stream itself was seen to be silent, that is what counts.
fn arrivals(progress: &Progress) -> Option<String> {
    let is_silent = progress.because.contains("the last record arrived");
    progress.arrivals.filter(|rate| *rate <= 0.0 || !is_silent).map(|rate| match rate {
        rate if rate <= 0.0 => "nothing arrives".to_owned(),
        rate if rate < 10.0 => format!("{rate:.1} records/s arrive"),
        rate => format!("{} records/s arrive", text::count_f64(rate)),
    })
}

/// `about 2m to go`: only while the lag shrinks, for else it goes nowhere.
fn estimate(progress: &Progress, trend: &Trend) -> Option<String> {
    let left = progress.left.filter(|left| left.as_secs() > 0)?;
    // Once it is zero, what is left is how long it has to stay so.
    let shrinks = progress.lag.is_none_or(|lag| lag.is_zero()) || trend.word() == Some(FALLING);
    shrinks.then(|| format!("about {} to go", text::whole(left)))
}

/// A text that ends or goes on with `in REGION` with the Region first, where a narrow screen does not cut it off.
fn region_first(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let place = words.windows(2).position(|pair| pair[0] == "in" && pair[1].parse::<Region>().is_ok());
    let Some(place) = place else { return text.to_owned() };
    let others: Vec<&str> =
        words.iter().enumerate().filter(|(n, _)| *n != place && *n != place + 1).map(|(_, w)| *w).collect();
    format!("{} {}", words[place + 1], others.join(" "))
}

impl Word<'_> {
    fn name(&self, many: bool) -> String {
        if many { format!("{}: ", self.pipeline) } else { String::new() }
    }

    fn line(&self, look: Look, many: bool, parts: &[String]) -> String {
        let prefix = format!("{}  {} ", text::time(self.at, self.at), look.mark(Mark::Waiting));
        look.hang(&prefix, &format!("{}{}", self.name(many), parts.join("; ")))
    }

    /// What is waited for and until when: said once, and it stays on the screen.
    fn announcement(&self, look: Look, many: bool, and: Vec<String>) -> String {
        let mut parts = vec![format!("for {}", self.progress.waiting_for), self.deadline()];
        parts.extend(and);
        self.line(look, many, &parts)
    }

    /// `gives up in 26m48s, at 14:17:45Z`.
    fn deadline(&self) -> String {
        let until = text::time(self.deadline, self.at);
        match self.at <= self.deadline {
            true => format!("gives up in {}, at {until}", text::whole(text::between(self.at, self.deadline))),
            false => format!("should have given up at {until}"),
        }
    }

    /// The figures of the wait.
    fn figures(&self, look: Look, trend: &Trend) -> Vec<String> {
        let parts =
            [lag(look, self.progress, trend), arrivals(self.progress), estimate(self.progress, trend)];
        parts.into_iter().flatten().collect()
    }

    /// How it goes.
    fn so_far(&self, look: Look, trend: &Trend) -> Vec<String> {
        let mut parts = self.figures(look, trend);
        parts.push(self.progress.because.clone());
        parts
    }

    /// How it goes; beside other waits, with what is waited for.
    fn plain(&self, look: Look, many: bool, trend: &Trend, waits: usize) -> String {
        let mut parts = self.so_far(look, trend);
        if let (2.., Some(first)) = (waits, parts.first_mut()) {
            *first = format!("for {}: {first}", self.progress.waiting_for);
        }
        parts.extend([format!("waited {}", text::whole(self.waited)), self.deadline()]);
        self.line(look, many, &parts)
    }

    /// The live block, its lines cut to the width but for the reason, which may take two. It begins with the time: an
    /// Enter that somebody pressed leaves an old block above, which then is seen to be old.
    fn live(&self, look: Look, many: bool, trend: &Trend, waits: usize) -> Vec<String> {
        let room = look.width.saturating_sub(3).max(20);
        let ellipsis = if look.utf8 { "…" } else { "..." };
        let cut = |line: &str| console::truncate_str(line, room, ellipsis).into_owned();
        let stage = self.stage.map(|(number, of)| format!("[{number}/{of}] ")).unwrap_or_default();
        let foreign = |text: &str| harmless(text, false).replace(['\n', '\t'], " ");
        let subject = format!("{}{}", self.name(many), foreign(&region_first(&self.progress.waiting_for)));
        let head = format!("{} {stage}{subject}", text::time(self.at, self.at));
        let figures = self.figures(look, trend);
        // The moment itself stands in the announcement above.
        let deadline = self.deadline().split(", at ").next().unwrap_or_default().to_owned();
        let mut clock = vec![format!("waited {}", text::whole(self.waited)), deadline];
        clock.extend(self.due.map(|due| header::rto_left(look, due, self.at)));
        let because = foreign(&self.progress.because);
        let strong = |line: String| look.paint(Tone::Strong, cut(&line));
        if waits > TIGHT {
            let line = [vec![head], figures, vec![because]].concat();
            return vec![strong(line.join(look.dot()))];
        }
        if waits > ROOMY {
            let second = [figures, vec![because]].concat();
            return vec![strong(head), cut(&second.join(look.dot()))];
        }
        let mut lines = vec![strong(head)];
        lines.extend(packed(&[figures, clock].concat(), look.dot(), room).iter().map(|line| cut(line)));
        let reason = text::wrap(&because, room);
        let shown = reason.iter().take(2).map(|line| cut(line));
        lines.extend(shown);
        if let (true, Some(last)) = (reason.len() > 2, lines.last_mut()) {
            *last = cut(&format!("{last} {}", reason[2..].join(" ")));
        }
        lines
    }
}

/// Parts on as few lines as hold them; a part is not broken.
fn packed(parts: &[String], dot: &str, room: usize) -> Vec<String> {
    let wide = |text: &str| console::measure_text_width(text);
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if wide(line) + wide(dot) + wide(part) <= room => *line = format!("{line}{dot}{part}"),
            _ => lines.push(part.clone()),
        }
    }
    lines
}

/// A live line with a spinner.
pub(super) fn bar(live: &MultiProgress, look: Look) -> ProgressBar {
    let bar = live.add(ProgressBar::new_spinner());
    let ticks: &[&str] = match look.utf8 {
        true => &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "],
        false => &["|", "/", "-", "\\", " "],
    };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style.tick_strings(ticks));
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

impl Waits {
    /// A wait goes on. Gives the line that stays on the screen, where one is due.
    pub(crate) fn go_on(
        &mut self,
        look: Look,
        live: Option<&MultiProgress>,
        many: bool,
        word: &Word<'_>,
    ) -> Option<String> {
        let key = (word.pipeline.clone(), word.step.to_owned());
        let waits = self.0.len() + usize::from(!self.0.contains_key(&key));
        let wait = self.0.entry(key).or_default();
        wait.waited = word.waited;
        if let Some(lag) = word.progress.lag {
            wait.trend.add(lag, word.progress.sample_age.map(|age| word.at - age));
        }
        let is_new = wait.waiting_for.replace(word.progress.waiting_for.clone()).as_ref()
            != Some(&word.progress.waiting_for);
        if let Some(live) = live {
            let message = word.live(look, many, &wait.trend, waits).join("\n  ");
            wait.bar.get_or_insert_with(|| bar(live, look)).set_message(message);
            return is_new.then(|| word.announcement(look, many, Vec::new()));
        }
        let gist = gist(&word.progress.because);
        let is_due = match &wait.said {
            Some((at, said)) => is_new || *said != gist || text::between(*at, word.at) >= EVERY,
            None => true,
        };
        if is_due {
            wait.said = Some((word.at, gist));
        }
        match (is_due, is_new) {
            (true, true) => Some(word.announcement(look, many, word.so_far(look, &wait.trend))),
            (true, false) => Some(word.plain(look, many, &wait.trend, waits)),
            (false, _) => None,
        }
    }

    /// A wait is over. Gives how long it took.
    pub(crate) fn end(
        &mut self,
        live: Option<&MultiProgress>,
        pipeline: &PipelineName,
        step: &str,
    ) -> Option<Duration> {
        let wait = self.0.remove(&(pipeline.clone(), step.to_owned()))?;
        erase(live, wait.bar);
        Some(wait.waited)
    }

    /// All live lines go.
    pub(crate) fn clear(&mut self, live: Option<&MultiProgress>) {
        for (_, wait) in std::mem::take(&mut self.0) {
            erase(live, wait.bar);
        }
    }
}

fn erase(live: Option<&MultiProgress>, bar: Option<ProgressBar>) {
    if let Some(bar) = bar {
        bar.finish_and_clear();
        if let Some(live) = live {
            live.remove(&bar);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Ground;

    #[test]
    fn a_reason_that_only_counts_has_not_changed() {
        assert_eq!(gist("zero for 35s; must hold for 2m"), gist("zero for 40s; must hold for 2m"));
        assert_ne!(gist("still behind"), gist("zero for 40s; must hold for 2m"));
    }

    fn look(width: usize, utf8: bool) -> Look {
        Look { width, color: false, utf8, verbose: 0, ground: Ground::Aws }
    }

    #[test]
    fn a_lag_that_is_not_known_is_not_shown_as_zero() {
        let trend = Trend::default();
        let lag = |progress: &Progress, trend: &Trend| lag(look(80, true), progress, trend);
        assert_eq!(lag(&Progress::new("the mapping to settle", "y"), &trend), None);
        let unknown = Progress::new("lag of the consumer to be proven zero", "y");
        assert_eq!(lag(&unknown, &trend).as_deref(), Some("lag not known yet"));
        let known = Progress { lag: Some(Duration::ZERO), ..Progress::new("x", "y") };
        assert_eq!(lag(&known, &trend).as_deref(), Some("lag 0s (age of the sample unknown)"));
    }

    #[test]
    fn the_region_is_not_what_a_narrow_screen_cuts_off() {
        assert_eq!(
            region_first("lag of the replicator R in us-west-2 to be proven zero"),
            "us-west-2 lag of the replicator R to be proven zero"
        );
        assert_eq!(region_first("the tags of the standby stream"), "the tags of the standby stream");
    }

    #[test]
    fn figures_that_contradict_each_other_are_left_out() {
        let old = "the last record arrived 2m33s ago; 3m of silence are needed";
        let progress = Progress { arrivals: Some(11.0), ..Progress::new("x", old) };
        assert_eq!(arrivals(&progress), None);
        let progress = Progress { arrivals: Some(11.0), ..Progress::new("x", "still behind") };
        assert_eq!(arrivals(&progress).as_deref(), Some("11 records/s arrive"));
        let mut trend = Trend::default();
        let left = |lag: u64, left: u64, trend: &Trend| {
            let (lag, left) = (Some(Duration::from_secs(lag)), Some(Duration::from_secs(left)));
            estimate(&Progress { lag, left, ..Progress::new("x", "y") }, trend)
        };
        [100.0, 99.0].into_iter().for_each(|lag| trend.lags.push(lag));
        assert_eq!(left(99, 60, &trend), None, "it does not shrink");
        trend.lags.push(60.0);
        assert_eq!(left(60, 60, &trend).as_deref(), Some("about 1m to go"));
        assert_eq!(left(60, 0, &trend), None, "it goes on all the same");
        let short = Progress { lag: Some(Duration::from_millis(412)), ..Progress::new("x", "y") };
        assert!(lag(look(80, true), &short, &Trend::default()).is_some_and(|lag| lag.contains("lag 412ms")));
    }

    #[test]
    fn a_trend_has_one_entry_a_sample_and_a_word() {
        let at: Timestamp = "2026-11-22T10:45:00Z".parse().expect("an instant");
        let mut trend = Trend::default();
        for (minute, lag) in [(0, 90), (0, 90), (1, 60), (1, 60), (2, 30)] {
            trend.add(Duration::from_secs(lag), Some(at + Duration::from_secs(60 * minute)));
        }
        assert_eq!(trend.lags, [90.0, 60.0, 30.0]);
        assert_eq!(trend.show(look(80, true)).as_deref(), Some("█▆▃ falling"));
        assert_eq!(trend.show(look(80, false)).as_deref(), Some("falling"));
        trend.add(Duration::from_secs(300), None);
        assert_eq!(trend.word(), Some("RISING"));
    }

    #[test]
    fn a_live_block_says_everything_and_is_never_wider_than_the_screen() {
        let at: Timestamp = "2026-11-22T10:45:00Z".parse().expect("an instant");
        let progress = Progress {
            lag: Some(Duration::from_secs(72)),
            sample_age: Some(Duration::from_secs(40)),
            arrivals: Some(1234.0),
            left: Some(Duration::from_secs(125)),
            ..Progress::new(
                "lag of the consumer KDS-HA-ConsumerLambda in us-west-2 to be proven zero",
                "a shard could not be read to its tip: kinesis:GetRecords of shardId-000000000000 in us-west-2 was \
                 throttled; the next look tries again\u{1b}[2J",
            )
        };
        let pipeline: PipelineName = "ticker-prices".parse().expect("a name");
        let word = Word {
            pipeline: &pipeline,
            step: "drain",
            progress: &progress,
            waited: Duration::from_secs(192),
            deadline: at + Duration::from_secs(1800),
            due: Some(header::Due {
                began: at - Duration::from_secs(600),
                until: at + Duration::from_secs(300),
            }),
            stage: Some((5, 9)),
            at,
        };
        let mut trend = Trend::default();
        (0..30_u32).for_each(|n| trend.add(Duration::from_secs(u64::from(100 - 3 * n)), None));
        for width in [40, 80, 120, 200] {
            for utf8 in [true, false] {
                for waits in [1, 4, 9] {
                    let lines = word.live(look(width, utf8), true, &trend, waits);
                    // The spinner and the indentation take two columns.
                    for line in &lines {
                        assert!(console::measure_text_width(line) + 2 < width, "{width}: {line}");
                        assert!(utf8 || line.is_ascii(), "{line}");
                    }
                    assert!(lines.iter().all(|line| !line.contains('\u{1b}')), "{lines:?}");
                }
            }
        }
        // Of two waits side by side each plain line says whose it is; alone, the announcement above does.
        let plain = |waits| word.plain(look(Look::UNBROKEN, true), false, &trend, waits);
        assert!(plain(2).contains("waiting for lag of the consumer KDS-HA-ConsumerLambda"), "{}", plain(2));
        assert!(plain(1).contains("waiting lag 1m12s"), "{}", plain(1));
        let block = word.live(look(120, true), false, &trend, 1).join("\n");
        for part in [
            "10:45:00Z",
            "[5/9]",
            "consumer",
            "lag 1m12s",
            "falling",
            "sample 40s old",
            "1,234 records/s arrive",
            "about 2m5s to go",
            "waited 3m12s",
            "gives up in 30m",
            "RTO 5m left",
            "GetRecords",
        ] {
            assert!(block.contains(part), "{part}\n{block}");
        }
    }
}
