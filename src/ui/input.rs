//! Lines that people type. Read with the standard library, a line and Enter at a time.
//!
//! dialoguer is not used: it takes one key without Enter for a yes, hides the cursor, and leaves it hidden when
//! Ctrl-C ends the process. Here the terminal stays in its normal mode. A thread reads stdin, so that Ctrl-C is heard
//! while a question is open (tokio's handler replaces the one that would end the process, and a blocked read would
//! never notice), and so that lines typed before a question are not taken for its answer.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long a signal may take from one thread to the other.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// What comes from the keyboard.
#[derive(Debug)]
pub(crate) enum Typed {
    /// A line, without its end.
    Line(String),
    /// Ctrl-D, or a terminal that went away.
    End,
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM: whoever sent it does not wait for answers.
    Terminate,
    /// Reading failed.
    Failed(io::Error),
}

/// Where lines come from.
pub(crate) enum Lines {
    /// The process's stdin.
    Stdin(Keyboard),
    /// A given reader (tests).
    Reader(Box<dyn BufRead + Send>),
}

impl Lines {
    /// The next line, typed after this was called.
    pub(crate) fn next(&mut self) -> Typed {
        match self {
            Lines::Stdin(keyboard) => keyboard.next(),
            Lines::Reader(reader) => read(reader.as_mut()),
        }
    }

    /// Ctrl-C was heard elsewhere and a question follows it: it is no answer to that question.
    pub(crate) fn forget_interrupt(&mut self) {
        if let Lines::Stdin(keyboard) = self {
            keyboard.forget_interrupt();
        }
    }
}

fn read(reader: &mut dyn BufRead) -> Typed {
    let mut line = String::new();
    match reader.read_line(&mut line) {
        Ok(0) => Typed::End,
        Ok(_) => Typed::Line(line.trim_end_matches(['\n', '\r']).to_owned()),
        Err(error) => Typed::Failed(error),
    }
}

/// The process's stdin and its Ctrl-C.
pub(crate) struct Keyboard {
    sender: Sender<Typed>,
    receiver: Receiver<Typed>,
    reader: thread::JoinHandle<()>,
    hears_interrupts: bool,
}

impl Keyboard {
    /// Begins to read stdin, so that what is typed before a question is known to be early.
    pub(crate) fn open() -> Keyboard {
        let (sender, receiver) = channel();
        let reader = read_stdin(sender.clone());
        Keyboard { sender, receiver, reader, hears_interrupts: false }
    }

    /// Takes one Ctrl-C out. Where interrupts are heard, every receiver hears each of them, so it is there or on
    /// its way; the bound only holds up a question whose interrupt came in one with another.
    fn forget_interrupt(&mut self) {
        if !self.hears_interrupts {
            return;
        }
        while let Ok(typed) = self.receiver.recv_timeout(ON_ITS_WAY) {
            if matches!(typed, Typed::Interrupt) {
                return;
            }
        }
    }

    fn next(&mut self) -> Typed {
        if !self.hears_interrupts {
            hear_interrupts(self.sender.clone());
            self.hears_interrupts = true;
        }
        // What was typed before the question was asked is no answer to it; but who wants out wants out.
        while let Ok(typed) = self.receiver.try_recv() {
            if matches!(typed, Typed::Interrupt | Typed::Terminate) {
                return typed;
            }
        }
        if self.reader.is_finished() {
            self.reader = read_stdin(self.sender.clone());
        }
        self.receiver.recv().unwrap_or(Typed::End)
    }
}

/// Reads until the end of the input. On a terminal Ctrl-D ends one reading; the next question starts another.
fn read_stdin(to: Sender<Typed>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        loop {
            let typed = read(&mut io::stdin().lock());
            let is_last = !matches!(typed, Typed::Line(_));
            if to.send(typed).is_err() || is_last {
                return;
            }
        }
    })
}

/// Passes every Ctrl-C and every SIGTERM on. Without a handler (no runtime can be built) the process ends as usual, which leaves the
/// terminal as it was.
fn hear_interrupts(to: Sender<Typed>) {
    thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
            let [Ok(mut interrupt), Ok(mut terminate)] = signals else { return };
            loop {
                let heard = tokio::select! {
                    _ = interrupt.recv() => Typed::Interrupt,
                    _ = terminate.recv() => Typed::Terminate,
                };
                if to.send(heard).is_err() {
                    return;
                }
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A keyboard on which this was typed, with nobody at it any more.
    fn after(typed: impl IntoIterator<Item = Typed>) -> Keyboard {
        let (sender, receiver) = channel();
        for one in typed {
            sender.send(one).expect("a receiver");
        }
        Keyboard { sender, receiver, reader: thread::spawn(thread::park), hears_interrupts: true }
    }

    #[test]
    fn an_interrupt_before_a_question_is_its_answer_and_an_early_line_is_not() {
        let mut keyboard =
            after([Typed::Line("y".to_owned()), Typed::Interrupt, Typed::Line("y".to_owned())]);
        assert!(matches!(keyboard.next(), Typed::Interrupt));
        let mut keyboard = after([Typed::Line("y".to_owned()), Typed::Terminate]);
        assert!(matches!(keyboard.next(), Typed::Terminate));
    }

    #[test]
    fn an_interrupt_that_was_honoured_elsewhere_is_forgotten_once() {
        let mut keyboard = after([Typed::Interrupt, Typed::Interrupt]);
        keyboard.forget_interrupt();
        assert!(matches!(keyboard.next(), Typed::Interrupt));
    }
}
