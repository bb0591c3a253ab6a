//! A person at the keyboard, for tests: lines that are typed one after the other, and what happens to the world just
//! before one of them is.

use super::stage::Stage;
use kdsha::cli::session::Session;
use kdsha::ui::{Format, Prompter};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufRead, Cursor, Read};

type Happening = Box<dyn FnOnce() + Send>;

/// What is typed, in order. Once it is used up, the input has ended, which is a no.
#[derive(Default)]
pub struct Script {
    lines: VecDeque<(String, Option<Happening>)>,
    now: Cursor<Vec<u8>>,
}

impl Script {
    /// Lines without any happening.
    pub fn typing(lines: &[&str]) -> Script {
        lines.iter().fold(Script::default(), |script, line| script.then(line))
    }

    pub fn then(mut self, line: &str) -> Script {
        self.lines.push_back((format!("{line}\n"), None));
        self
    }

    /// Something happens while the question stands, and then the line is typed.
    pub fn after(mut self, happening: impl FnOnce() + Send + 'static, line: &str) -> Script {
        self.lines.push_back((format!("{line}\n"), Some(Box::new(happening))));
        self
    }
}

impl Read for Script {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.now.read(into)
    }
}

impl BufRead for Script {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.now.position() as usize >= self.now.get_ref().len()
            && let Some((line, happening)) = self.lines.pop_front()
        {
            if let Some(happening) = happening {
                happening();
            }
            self.now = Cursor::new(line.into_bytes());
        }
        self.now.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.now.consume(amount);
    }
}

/// A session whose questions are answered by the script.
pub async fn at_the_keyboard(stage: &Stage, script: Script) -> Session {
    let mut session = stage.session().await;
    session.prompter = RefCell::new(Prompter::with_reader(&stage.ui(Format::Human), Box::new(script)));
    session
}
