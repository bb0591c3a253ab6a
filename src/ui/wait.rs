//! Waits: on a terminal one live block each under a line that says what is waited for, elsewhere a plain line now and then.
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
    pub(crate) objective: Option<Timestamp>,
    pub(crate) at: Timestamp,
}

#[derive(Default)]
struct Wait {
    bar: Option<ProgressBar>,
    waiting_for: Option<String>,
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
    fn name(&self, many: bool) -> String {
        if many { format!("{}: ", self.pipeline) } else { String::new() }
    }

    fn line(&self, look: Look, many: bool, parts: &[String]) -> String {
        let prefix = format!("{}  {} ", text::time(self.at, self.at), look.mark(Mark::Waiting));
        look.hang(&prefix, &format!("{}{}", self.name(many), parts.join("; ")))
    }

    /// What is waited for and until when: said once, and it stays on the screen.
    fn announcement(&self, look: Look, many: bool, and: Option<String>) -> String {
        let until = text::time(self.deadline, self.at);
        let left = text::time_left(self.at, self.deadline);
        let mut parts =
            vec![format!("for {}", self.progress.waiting_for), format!("gives up {until} ({left})")];
        parts.extend(and);
        self.line(look, many, &parts)
    }

    /// How it goes, on a line.
    fn so_far(&self) -> String {
        let mut parts: Vec<String> = lag(self.progress).into_iter().collect();
        parts.push(self.progress.because.clone());
        parts.join("; ")
    }

    fn plain(&self, look: Look, many: bool) -> String {
        let waited = format!("waited {}", text::whole(self.waited));
        self.line(look, many, &[self.so_far(), waited, text::time_left(self.at, self.deadline)])
    }

    /// Two lines that change in place, or one where there are many waits. The figures come first: what is cut off on
    /// a narrow screen is the end of the reason.
    fn live(&self, look: Look, many: bool, lags: &[f64], is_roomy: bool) -> String {
        let room = look.width.saturating_sub(3).max(20);
        let ellipsis = if look.utf8 { "…" } else { "..." };
        let cut = |line: &str| console::truncate_str(line, room, ellipsis).into_owned();
        let mut figures: Vec<String> = lag(self.progress).into_iter().collect();
        let trend = if look.utf8 { text::sparkline(lags) } else { String::new() };
        figures.extend((!trend.is_empty()).then_some(trend));
        figures.push(format!(
            "waited {}, {}",
            text::whole(self.waited),
            text::time_left(self.at, self.deadline)
        ));
        figures.extend(self.objective.map(|until| format!("RTO {}", text::time_left(self.at, until))));
        let (name, figures) = (self.name(many), figures.join(look.dot()));
        match is_roomy {
            true => {
                let first = look.paint(Tone::Strong, cut(&format!("{name}{figures}")));
                format!("{first}\n  {}", cut(&self.progress.because))
            }
            false => cut(&format!("{name}{figures}{}{}", look.dot(), self.progress.because)),
        }
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
    /// A wait goes on. Gives the line that stays on the screen, where one is due.
    pub(crate) fn go_on(
        &mut self,
        look: Look,
        live: Option<&MultiProgress>,
        many: bool,
        word: &Word<'_>,
    ) -> Option<String> {
        let is_roomy = self.0.len() < ROOMY;
        let wait = self.0.entry((word.pipeline.clone(), word.step.to_owned())).or_default();
        wait.waited = word.waited;
        if let Some(lag) = word.progress.lag {
            wait.lags.push(lag.as_secs_f64());
            let surplus = wait.lags.len().saturating_sub(TREND);
            wait.lags.drain(..surplus);
        }
        let is_new = wait.waiting_for.replace(word.progress.waiting_for.clone()).as_ref()
            != Some(&word.progress.waiting_for);
        if let Some(live) = live {
            let message = word.live(look, many, &wait.lags, is_roomy);
            wait.bar.get_or_insert_with(|| bar(live, look)).set_message(message);
            return is_new.then(|| word.announcement(look, many, None));
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
            (true, true) => Some(word.announcement(look, many, Some(word.so_far()))),
            (true, false) => Some(word.plain(look, many)),
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
