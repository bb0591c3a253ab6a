//! Waits: on a terminal one live block each, elsewhere a plain line now and then.
//!
//! A plain line is due when the reason changes or every [`EVERY`] of the run's own time. A reason that only counts
//! (`zero for 35s`) has not changed.

use super::look::{Look, Mark, Tone};
use super::text;
use crate::model::{PipelineName, Progress, Timestamp, duration};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two plain lines of one wait, by the run's own time.
const EVERY: Duration = Duration::from_secs(15);
/// Samples of a sparkline.
const TREND: usize = 24;
/// Live blocks beyond this many shrink to one line each, so that they fit on a small screen.
const ROOMY: usize = 4;

/// What one [`crate::model::Event::Waiting`] says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'a> {
    pub(crate) pipeline: &'a PipelineName,
    pub(crate) step: &'a str,
    pub(crate) progress: &'a Progress,
    pub(crate) waited: Duration,
    pub(crate) deadline: Timestamp,
    pub(crate) at: Timestamp,
}

#[derive(Default)]
struct Wait {
    bar: Option<ProgressBar>,
    said: Option<(Timestamp, String)>,
    waited: Duration,
    lags: Vec<f64>,
}

/// The waits that are under way.
#[derive(Default)]
pub(crate) struct Waits(BTreeMap<(PipelineName, String), Wait>);

/// The reason without its numbers.
fn gist(because: &str) -> String {
    because.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// `lag 12s (sample 40s old)`, with what is not known said to be so.
fn lag(progress: &Progress) -> Option<String> {
    let sample = |age: Option<Duration>| match age {
        Some(age) => format!("sample {} old", text::whole(age)),
        None => "age of the sample unknown".to_owned(),
    };
    progress.lag.map(|lag| format!("lag {} ({})", duration::show(lag), sample(progress.sample_age)))
}

impl Word<'_> {
    fn clock(&self) -> [String; 2] {
        let until = text::time(self.deadline, self.at);
        let left = text::time_left(self.at, self.deadline);
        [format!("waited {}", text::whole(self.waited)), format!("gives up {until} ({left})")]
    }

    fn name(&self, many: bool) -> String {
        if many { format!("{}: ", self.pipeline) } else { String::new() }
    }

    /// The first line says what is waited for and until when; the further ones how it goes.
    fn plain(&self, look: Look, many: bool, is_first: bool) -> String {
        let [waited, deadline] = self.clock();
        let mut parts = Vec::new();
        if is_first {
            parts.extend([format!("for {}", self.progress.waiting_for), deadline]);
        }
        parts.extend(lag(self.progress));
        parts.push(self.progress.because.clone());
        if !is_first {
            parts.extend([waited, text::time_left(self.at, self.deadline)]);
        }
        let line = format!("{}{}", self.name(many), parts.join("; "));
        look.hang(&format!("{}  {} ", text::time(self.at, self.at), look.mark(Mark::Waiting)), &line)
    }

    /// Three lines, or one where there are many waits.
    fn live(&self, look: Look, many: bool, lags: &[f64], roomy: bool) -> String {
        let room = look.width.saturating_sub(3).max(20);
        let ellipsis = if look.utf8 { "…" } else { "..." };
        let cut = |line: &str, room: usize| console::truncate_str(line, room, ellipsis).into_owned();
        let mut figures: Vec<String> = lag(self.progress).into_iter().collect();
        let trend = if look.utf8 { text::sparkline(lags) } else { String::new() };
        figures.extend((!trend.is_empty()).then_some(trend));
        figures.extend(self.clock());
        let figures = figures.join(look.dot());
        if !roomy {
            return cut(
                &format!("{}{figures}{}{}", self.name(many), look.dot(), self.progress.because),
                room,
            );
        }
        let first =
            look.paint(Tone::Strong, cut(&format!("{}{}", self.name(many), self.progress.waiting_for), room));
        let second = cut(&figures, room);
        let third = cut(&self.progress.because, room);
        format!("{first}\n  {second}\n  {third}")
    }
}

fn bar(live: &MultiProgress, look: Look) -> ProgressBar {
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
    /// A wait goes on. Gives the plain line, where one is due.
    pub(crate) fn go_on(
        &mut self,
        look: Look,
        live: Option<&MultiProgress>,
        many: bool,
        word: &Word<'_>,
    ) -> Option<String> {
        let roomy = self.0.len() < ROOMY;
        let wait = self.0.entry((word.pipeline.clone(), word.step.to_owned())).or_default();
        wait.waited = word.waited;
        if let Some(lag) = word.progress.lag {
            wait.lags.push(lag.as_secs_f64());
            let surplus = wait.lags.len().saturating_sub(TREND);
            wait.lags.drain(..surplus);
        }
        if let Some(live) = live {
            let message = word.live(look, many, &wait.lags, roomy);
            wait.bar.get_or_insert_with(|| bar(live, look)).set_message(message);
            return None;
        }
        let gist = gist(&word.progress.because);
        let is_due = match &wait.said {
            None => true,
            Some((at, said)) => *said != gist || text::between(*at, word.at) >= EVERY,
        };
        is_due.then(|| {
            let is_first = wait.said.replace((word.at, gist)).is_none();
            word.plain(look, many, is_first)
        })
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

    #[test]
    fn a_reason_that_only_counts_has_not_changed() {
        assert_eq!(gist("zero for 35s; must hold for 2m"), gist("zero for 40s; must hold for 2m"));
        assert_ne!(gist("still behind"), gist("zero for 40s; must hold for 2m"));
    }

    #[test]
    fn a_lag_that_is_not_known_is_not_shown_as_zero() {
        assert_eq!(lag(&Progress::new("x", "y")), None);
        let known = Progress { lag: Some(Duration::ZERO), ..Progress::new("x", "y") };
        assert_eq!(lag(&known).as_deref(), Some("lag 0s (age of the sample unknown)"));
    }
}
