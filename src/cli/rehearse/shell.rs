//! The day played by hand: whoever sits before it types the true commands, while others interfere by the seed.

use super::scenario::Scenario;
use super::surprise::consumer;
use super::{MINUTE, Play};
use crate::cli::failure::Failure;
use crate::cli::look;
use crate::model::{Exit, duration};
use crate::ui::Prompter;
use std::time::{Duration, Instant};

const HELP: &str = "\
Type the commands as you would at night, with or without `kdsha` before them:
  status    verify    failover --to REGION ...    failback    resume    runs    report
  wait 5m   let time pass (commands take their own time, and so does your thinking)
  heal      ring the provider and the developers: what was broken in the primary is mended after that
  done      end the day: the account of every record, and your score
Something may happen while you work that nobody tells you of. `status` and `verify` see it.";

/// What a line of the shell asks for.
enum Line {
    Kdsha(String),
    Wait(Duration),
    Heal,
    Help,
    Done,
    Nothing,
}

fn read(line: &str) -> Result<Line, String> {
    let mut words = line.split_whitespace();
    Ok(match (words.next(), words.next()) {
        (None, _) => Line::Nothing,
        (Some("done" | "quit" | "exit"), None) => Line::Done,
        (Some("help" | "?"), None) => Line::Help,
        (Some("heal"), None) => Line::Heal,
        (Some("wait"), Some(length)) => Line::Wait(duration::parse(length)?),
        (Some("kdsha"), _) => Line::Kdsha(line.trim().to_owned()),
        _ => Line::Kdsha(format!("kdsha {}", line.trim())),
    })
}

impl Play<'_> {
    /// Until the operator says that it is done, or the input ends.
    pub(super) async fn by_hand(&mut self, calm: bool) -> Result<Exit, Failure> {
        let primary = self.primary();
        self.tell(&format!("\n# Game day: {}, with live traffic (seed {})", self.whose(), self.seed));
        self.tell(HELP);
        self.pass(5 * MINUTE).await?;
        // Somebody has looked on a good day, as a monitor does: what an emergency needs is kept on this machine.
        look::look(&self.session, false).await?;
        // Nobody says what it is.
        let _ = self.strike();
        self.pass(8 * MINUTE).await?;
        let now = self.session.aws.clock().now().strftime("%H:%M:%SZ").to_string();
        self.tell(&format!("\n# {now}. You are paged: something is wrong with the pipeline of {primary}."));
        let is_script = matches!(*self.session.prompter.borrow(), Prompter::AssumeYes);
        let mut surprised = calm;
        loop {
            let asked = Instant::now();
            let line = self.session.prompter.borrow_mut().line(self.ui, "game day> ");
            // Ctrl-C that was heard, here or in the command before, is over: it keeps no account from being given.
            self.session.interrupt = self.session.interrupt.anew();
            let line = match line {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => break,
                Err(e) => {
                    return Err(Failure::new(Exit::Internal, format!("the terminal cannot be read: {e}")));
                }
            };
            // Thinking takes time too, as much of the simulated as of the real; a script does not think.
            let thought = if is_script { Duration::ZERO } else { asked.elapsed() };
            self.pass(thought).await?;
            match read(&line) {
                Err(why) => self.tell(&why),
                Ok(Line::Nothing) => {}
                Ok(Line::Help) => self.tell(HELP),
                Ok(Line::Done) => break,
                Ok(Line::Wait(length)) => match self.pass(length).await {
                    Ok(()) => {}
                    Err(_) => self.tell("(the wait was interrupted)"),
                },
                Ok(Line::Heal) => self.heal(),
                Ok(Line::Kdsha(line)) => {
                    if !surprised && line.starts_with("kdsha failover") && !line.contains("--dry-run") {
                        surprised = true;
                        self.surprise()?;
                    }
                    match self.execute(&line).await {
                        Ok(exit) => self.tell(&format!("(exit {})", exit.code())),
                        Err(failure) => self.tell(&failure.message),
                    }
                }
            }
        }
        self.reveal();
        self.account().await
    }

    /// One or two of what others may do, at instants of the seed.
    fn surprise(&mut self) -> Result<(), Failure> {
        let (meddler, regions) = (self.meddler()?, self.session.topology.regions.clone());
        let Some(pipeline) = self.session.topology.pipelines.first().cloned() else { return Ok(()) };
        let mut left = vec![0_u8, 1, 2];
        for _ in 0..self.chance.usize(1..=2) {
            let one = left.remove(self.chance.usize(0..left.len()));
            let after = self.between(20, 120);
            match one {
                0 => {
                    let work = meddler.clone().enable_what_was_stopped(
                        regions.primary.clone(),
                        consumer(&pipeline),
                        after,
                    );
                    tokio::task::spawn_local(work);
                }
                1 => {
                    let Some(template) = meddler.template(&pipeline, &regions) else { continue };
                    tokio::task::spawn_local(meddler.clone().deploy_after_the_switch(template, 8 * after));
                }
                _ => {
                    tokio::task::spawn_local(meddler.clone().heal(regions.primary.clone(), after));
                }
            }
        }
        Ok(())
    }

    /// At the end nothing is kept back.
    fn reveal(&self) {
        let about = Scenario::ALL.iter().find(|(_, scenario, _)| *scenario == self.scenario);
        if let Some((name, _, about)) = about {
            self.tell(&format!("\n# It was {name}. {about}"));
        }
        for one in self.surprises.borrow().iter() {
            self.tell(&format!("# {}: {}", one.at.strftime("%H:%M:%SZ"), one.what));
        }
    }
}
