//! `kdsha status --watch`: looks again and again. On a terminal a live view; elsewhere one page or document a look.

use super::failure::Failure;
use super::look::{self, Look};
use super::session::Session;
use crate::model::Exit;
use crate::ui::Ui;
use crate::ui::watch::{Key, LiveView, Next, WatchState, can_watch};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Between the end of a look and the next one.
const EVERY: Duration = Duration::from_secs(5);
/// Between two drawings, so that ages go on while nothing answers.
const TICK: Duration = Duration::from_secs(1);

/// Watches until told to stop.
///
/// # Errors
/// When the first look cannot be made, or the terminal cannot be had.
pub async fn run(session: &Session, ui: &Ui) -> Result<Exit, Failure> {
    match can_watch(ui) {
        true => Live::open(session, ui)?.watch().await,
        false => pages(session, ui).await,
    }
}

/// One page or document a look.
async fn pages(session: &Session, ui: &Ui) -> Result<Exit, Failure> {
    loop {
        look::look(session, false).await?.show(session, ui);
        tokio::select! {
            () = sleep(EVERY) => {}
            () = session.interrupt.raised() => return Ok(Exit::Interrupted),
        }
        if ui.write_error().is_some() {
            // Nobody reads any more.
            return Ok(Exit::Done);
        }
    }
}

type Looking<'s> = Pin<Box<dyn Future<Output = Result<Look, Failure>> + 's>>;

/// The live view and its looks.
struct Live<'s> {
    session: &'s Session,
    view: LiveView,
    state: WatchState,
    /// The look that is under way.
    looking: Option<Looking<'s>>,
    /// When the next one begins; `None` while paused.
    due: Option<Instant>,
    /// How the last look would have ended.
    exit: Exit,
}

impl<'s> Live<'s> {
    fn open(session: &'s Session, ui: &Ui) -> Result<Live<'s>, Failure> {
        let pipelines = session.pipelines()?;
        let state = WatchState::new(&session.topology, &pipelines, session.aws.clock().now());
        let view = LiveView::open(ui).map_err(lost)?;
        Ok(Live { session, view, state, looking: None, due: Some(Instant::now()), exit: Exit::Done })
    }

    async fn watch(mut self) -> Result<Exit, Failure> {
        let session = self.session;
        loop {
            self.view.draw(&self.state, session.aws.clock().now()).map_err(lost)?;
            let (due, is_looking) = (self.due, self.looking.is_some());
            tokio::select! {
                seen = under_way(&mut self.looking) => self.seen(seen)?,
                key = self.view.key() => match key {
                    Key::Quit => return Ok(self.exit),
                    Key::Interrupt => return Ok(Exit::Interrupted),
                    Key::Pause => self.pause(),
                    Key::LookNow if !is_looking => self.look(),
                    Key::Select(by) => self.state.select(by),
                    Key::LookNow | Key::Resize => {}
                },
                () = at(due), if !is_looking => self.look(),
                () = sleep(TICK) => {}
                () = session.interrupt.raised() => return Ok(Exit::Interrupted),
            }
        }
    }

    fn look(&mut self) {
        self.looking = Some(Box::pin(look::look(self.session, false)));
        self.state.set_next(Next::Looking(self.session.aws.clock().now()));
    }

    fn pause(&mut self) {
        self.due = if self.due.is_some() { None } else { Some(Instant::now()) };
        self.plan_the_next();
    }

    /// Says when the next look begins, unless one is under way.
    fn plan_the_next(&mut self) {
        let now = self.session.aws.clock().now();
        match self.due {
            None => self.state.set_next(Next::Paused),
            Some(due) if self.looking.is_none() => {
                self.state.set_next(Next::At(now + due.saturating_duration_since(Instant::now())));
            }
            Some(_) => self.state.set_next(Next::Looking(now)),
        }
    }

    /// A look came to an end. The first one has to succeed: without it there is nothing to show.
    fn seen(&mut self, seen: Result<Look, Failure>) -> Result<(), Failure> {
        self.looking = None;
        match seen {
            Ok(look) => {
                look.feed(self.session, &mut self.state);
                self.exit = look.exit();
            }
            Err(failure) if self.state.has_seen() => self.state.fail(&failure.message),
            Err(failure) => return Err(failure),
        }
        self.due = self.due.map(|_| Instant::now() + EVERY);
        self.plan_the_next();
        Ok(())
    }
}

/// The end of the look that is under way; never, where there is none.
async fn under_way(looking: &mut Option<Looking<'_>>) -> Result<Look, Failure> {
    match looking {
        Some(looking) => looking.await,
        None => std::future::pending().await,
    }
}

/// A moment; never, where there is none.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn lost(error: std::io::Error) -> Failure {
    Failure::new(Exit::Internal, format!("the terminal cannot be used: {error}"))
        .hint("`kdsha status` shows one page; `kdsha status --watch | cat` one after the other")
}
