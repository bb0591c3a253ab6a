//! Where text goes: stdout for data, stderr for everything else, with the live lines of waits kept out of the way.
//!
//! A write that fails (a closed pipe, a terminal that went away) never stops a run: the journal has it all. The
//! first such error is kept for whoever asks.

use super::harmless::harmless;
use super::look::{Ground, Look};
use super::{Color, Settings};
use console::Term;
use indicatif::{MultiProgress, ProgressDrawTarget};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Beyond this many columns lines get harder to read, not easier.
const WIDEST: usize = 160;

/// The two outputs.
pub(crate) struct Screen {
    stdout: Output,
    stderr: Output,
    live: Option<MultiProgress>,
    verbose: u8,
    ground: Ground,
    failed: Option<io::ErrorKind>,
}

struct Output {
    to: Box<dyn Write + Send>,
    width: Width,
    color: bool,
    utf8: bool,
}

enum Width {
    /// Never changes.
    Fixed(usize),
    /// A terminal's; asked anew each time, since people resize their windows.
    Of(Term),
}

impl Output {
    fn look(&self, verbose: u8, ground: Ground) -> Look {
        let width = match &self.width {
            Width::Fixed(width) => *width,
            Width::Of(term) => {
                term.size_checked().map_or(80, |(_, columns)| usize::from(columns)).min(WIDEST)
            }
        };
        Look { width, color: self.color, utf8: self.utf8, verbose, ground }
    }
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "dumb")
}

/// Whether the locale takes more than ASCII; a locale that is not set does nearly everywhere by now.
fn is_utf8() -> bool {
    let first = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| is_set(name));
    let Some(locale) = first.and_then(|name| std::env::var(name).ok()) else { return true };
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

fn use_color(color: Color, is_terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && !is_set("NO_COLOR") && !is_dumb(),
    }
}

fn columns_from_environment() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns >= 40)
}

impl Screen {
    /// The process's own stdout and stderr.
    pub(crate) fn of_process(settings: &Settings) -> Screen {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let utf8 = is_utf8() && !is_dumb();
        let live = (err && !is_dumb() && !settings.quiet)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8)));
        let columns = columns_from_environment();
        Screen {
            stdout: Output {
                to: Box::new(io::stdout()),
                width: if out { Width::Of(Term::stdout()) } else { Width::Fixed(columns.unwrap_or(80)) },
                color: use_color(settings.color, out),
                utf8,
            },
            stderr: Output {
                to: Box::new(io::stderr()),
                width: match err {
                    true => Width::Of(Term::stderr()),
                    false => Width::Fixed(columns.unwrap_or(Look::UNBROKEN)),
                },
                color: use_color(settings.color, err),
                utf8,
            },
            live,
            verbose: settings.verbose,
            ground: settings.ground,
            failed: None,
        }
    }

    /// Given writers, with plain lines: no live lines, colours only where they are asked for.
    pub(crate) fn of_writers(
        settings: &Settings,
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        width: usize,
    ) -> Screen {
        let color = use_color(settings.color, false);
        let output = |to| Output { to, width: Width::Fixed(width), color, utf8: true };
        Screen {
            stdout: output(stdout),
            stderr: output(stderr),
            live: None,
            verbose: settings.verbose,
            ground: settings.ground,
            failed: None,
        }
    }

    /// Says what is shown from now on.
    pub(crate) fn stand_on(&mut self, ground: Ground) {
        self.ground = ground;
    }

    /// How data looks.
    pub(crate) fn data_look(&self) -> Look {
        self.stdout.look(self.verbose, self.ground)
    }

    /// How everything else looks.
    pub(crate) fn look(&self) -> Look {
        self.stderr.look(self.verbose, self.ground)
    }

    /// The live lines, where stderr is a terminal that can move its cursor.
    pub(crate) fn live(&self) -> Option<&MultiProgress> {
        self.live.as_ref()
    }

    /// Writes data.
    pub(crate) fn data(&mut self, text: &str) {
        let Screen { stdout, live, .. } = self;
        let text = harmless(text, stdout.color);
        let result = aside(live.as_ref(), || write(&mut stdout.to, &text));
        self.keep(result);
    }

    /// Writes anything else.
    pub(crate) fn say(&mut self, text: &str) {
        let Screen { stderr, live, .. } = self;
        let text = harmless(text, stderr.color);
        let result = aside(live.as_ref(), || write(&mut stderr.to, &text));
        self.keep(result);
    }

    /// The first error of a write.
    pub(crate) fn failed(&self) -> Option<io::ErrorKind> {
        self.failed
    }

    fn keep(&mut self, result: io::Result<()>) {
        if let (Err(error), None) = (result, self.failed) {
            self.failed = Some(error.kind());
        }
    }
}

/// Writes with the live lines out of the way.
fn aside<R>(live: Option<&MultiProgress>, write: impl FnOnce() -> R) -> R {
    match live {
        Some(live) => live.suspend(write),
        None => write(),
    }
}

fn write(to: &mut Box<dyn Write + Send>, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}

/// A writer into memory that can be read from outside: for tests and for rehearsals that keep their transcript.
#[derive(Debug, Clone, Default)]
pub struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    /// Everything that was written so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
