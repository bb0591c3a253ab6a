//! Questions that have more answers than yes and no: which of several, and a word to be typed in. Asked by `init`,
//! which changes nothing in AWS; so there is no default that could be taken by accident, and an empty line is none.

use super::look::{Look, Tone};
use super::prompt::{Prompter, Terminal};
use std::io;

/// Tries before a question is given up.
const TRIES: usize = 3;

impl Prompter {
    /// Asks which of several it is, by number; `None` for an empty line, the end of the input, or with `--yes`.
    /// Each option is what it is and why it may be it.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub fn choose(&mut self, question: &str, options: &[(String, String)]) -> io::Result<Option<usize>> {
        match self {
            Prompter::AssumeYes => Ok(None),
            Prompter::Terminal(terminal) => terminal.choose(question, options),
        }
    }

    /// Has a word typed in, until it is a sound one; `None` for an empty line, the end of the input, or with `--yes`.
    ///
    /// # Errors
    /// See [`Prompter::ask`].
    pub fn type_in<T>(
        &mut self,
        question: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> io::Result<Option<T>> {
        match self {
            Prompter::AssumeYes => Ok(None),
            Prompter::Terminal(terminal) => terminal.type_in(question, read),
        }
    }
}

fn choices(look: Look, question: &str, options: &[(String, String)]) -> String {
    let mut out = String::from("\n") + &look.hang("", &look.paint(Tone::Strong, question));
    for (index, (name, because)) in options.iter().enumerate() {
        out += &look.hang(&format!("  {} ", index + 1), &format!("{name}: {because}"));
    }
    out
}

impl Terminal {
    fn choose(&mut self, question: &str, options: &[(String, String)]) -> io::Result<Option<usize>> {
        self.ui.ask(|look| choices(look, question, options));
        let last = options.len();
        self.type_in(&format!("Number, 1 to {last} (empty: none of them)"), |typed| {
            let number = typed.parse::<usize>().ok().filter(|number| (1..=last).contains(number));
            number
                .map(|number| number - 1)
                .ok_or_else(|| format!("`{typed}` is not a number from 1 to {last}."))
        })
    }

    fn type_in<T>(
        &mut self,
        question: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> io::Result<Option<T>> {
        for _ in 0..TRIES {
            self.ui.ask(|_| format!("{question} > "));
            let Some(line) = self.line()? else { return Ok(None) };
            let typed = line.trim();
            if typed.is_empty() {
                return Ok(None);
            }
            match read(typed) {
                Ok(value) => return Ok(Some(value)),
                Err(why) => self.ui.ask(|look| look.hang("", &why)),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Buffer, Settings, Ui};
    use super::*;

    fn asked(typed: &str) -> (Option<usize>, String) {
        let screen = Buffer::default();
        let ui =
            Ui::with_writers(Settings::default(), Box::new(Buffer::default()), Box::new(screen.clone()), 80);
        let mut prompter = Prompter::with_reader(&ui, Box::new(io::Cursor::new(typed.to_owned())));
        let options = ["F", "G"].map(|name| (name.to_owned(), "reads S in us-west-2".to_owned()));
        let answer = prompter.choose("Which function processes S?", &options).expect("an answer");
        (answer, screen.text())
    }

    #[test]
    fn a_number_is_an_answer_and_nothing_else_is() {
        assert_eq!(asked("2\n").0, Some(1));
        assert_eq!(asked("\n").0, None);
        assert_eq!(asked("").0, None);
        let (answer, screen) = asked("0\nG\n1\n");
        assert_eq!(answer, Some(0));
        assert!(screen.contains("  1 F: reads S in us-west-2\n  2 G: "), "{screen}");
        assert!(screen.contains("`G` is not a number from 1 to 2."), "{screen}");
        assert_eq!(asked("3\n3\n3\n1\n").0, None, "three tries");
    }
}
