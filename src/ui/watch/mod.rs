//! `status --watch`: a full-screen live view. [`WatchState`] folds what the looks saw, `draw` makes a page of it (pure,
//! of state, moment and size), [`LiveView`] owns the terminal and gives it back however the view ends.
//!
//! | file | makes |
//! |---|---|
//! | `kept` | a value with the moment at which it was known |
//! | `state` | the facts of all looks, folded |
//! | `cell`, `panel`, `draw` | cells, one pipeline, the whole page |

mod cell;
mod draw;
mod kept;
mod panel;
mod state;
#[cfg(test)]
mod tests;

pub use state::{Next, WatchState};

use super::{Format, Ui};
use crate::model::Timestamp;
use draw::Canvas;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::{DefaultTerminal, Frame};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the operator wants of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `q`, Escape.
    Quit,
    /// Ctrl-C, or a terminal that went away.
    Interrupt,
    /// `p`: no more looks, or looks again.
    Pause,
    /// `r`: a look now.
    LookNow,
    /// Tab and the arrows: another pipeline, by so many places.
    Select(isize),
    /// The window has another size.
    Resize,
}

/// How often the keyboard's thread sees whether it should end.
const BREATH: Duration = Duration::from_millis(50);

/// Whether there is a terminal to draw on and to hear keys from, and a person is spoken to.
pub fn can_watch(ui: &Ui) -> bool {
    let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb" || term.is_empty());
    let settings = ui.settings();
    settings.format == Format::Human && !is_dumb && io::stdout().is_terminal() && io::stdin().is_terminal()
}

/// The terminal, while the view is on it. Dropping it gives the terminal back; a panic gives it back before its message.
pub struct LiveView {
    terminal: DefaultTerminal,
    canvas: Canvas,
    keys: UnboundedReceiver<Key>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl LiveView {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When the terminal cannot be had; it is as it was then.
    pub fn open(ui: &Ui) -> io::Result<LiveView> {
        let look = ui.inner().screen.data_look();
        let terminal = ratatui::try_init().inspect_err(|_| {
            // What could not be taken need not be given back.
            let _ = ratatui::try_restore();
        })?;
        let (sender, keys) = unbounded_channel();
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let reader = thread::spawn(move || read_keys(&sender, &until));
        let canvas = Canvas { color: look.color, utf8: look.utf8 };
        Ok(LiveView { terminal, canvas, keys, stop, reader: Some(reader) })
    }

    /// Draws the state as it is at a moment.
    ///
    /// # Errors
    /// When the terminal cannot be written to.
    pub fn draw(&mut self, state: &WatchState, now: Timestamp) -> io::Result<()> {
        let canvas = self.canvas;
        self.terminal.draw(|frame| render(state, now, canvas, frame)).map(drop)
    }

    /// The next key that means something.
    pub async fn key(&mut self) -> Key {
        self.keys.recv().await.unwrap_or(Key::Interrupt)
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        // A terminal that went away needs nothing back.
        let _ = self.terminal.show_cursor();
        let _ = ratatui::try_restore();
    }
}

/// One frame.
fn render(state: &WatchState, now: Timestamp, canvas: Canvas, frame: &mut Frame<'_>) {
    let area = frame.area();
    draw::draw(state, now, canvas, area, frame.buffer_mut());
}

fn read_keys(to: &UnboundedSender<Key>, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        let key = match event::poll(BREATH) {
            Ok(false) => continue,
            Ok(true) => event::read().map(|event| meaning(&event)),
            Err(error) => Err(error),
        };
        let is_over = match key {
            Ok(None) => false,
            Ok(Some(key)) => to.send(key).is_err(),
            Err(_) => {
                let _ = to.send(Key::Interrupt);
                true
            }
        };
        if is_over {
            return;
        }
    }
}

fn meaning(event: &Event) -> Option<Key> {
    match event {
        Event::Resize(..) => Some(Key::Resize),
        Event::Key(KeyEvent { kind: KeyEventKind::Release, .. }) => None,
        Event::Key(KeyEvent { code, modifiers, .. }) => match code {
            KeyCode::Char('c' | 'd') if modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Interrupt),
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => Some(Key::Quit),
            KeyCode::Char('p' | 'P' | ' ') => Some(Key::Pause),
            KeyCode::Char('r' | 'R') => Some(Key::LookNow),
            KeyCode::Tab | KeyCode::Down | KeyCode::Right => Some(Key::Select(1)),
            KeyCode::BackTab | KeyCode::Up | KeyCode::Left => Some(Key::Select(-1)),
            _ => None,
        },
        _ => None,
    }
}
