//! Ctrl-C and SIGTERM on a real terminal, at a prompt and in a wait: the terminal is as it was, the exit code is 130,
//! the command that goes on is printed, and it goes on.

use super::scene::{OVER, Scene};
use rexpect::error::Error;
use rexpect::session::{PtySession, spawn_command};
use std::process::Command;

const COMMAND: &str = "failover --to us-east-2 --timeout 9h";
/// For one expectation.
const PATIENCE: u64 = 60_000;

/// How the operator stops it.
#[derive(Debug, Clone, Copy)]
enum Stop {
    CtrlC,
    Terminate,
}

/// A shell in a pseudo-terminal that runs kdsha and then says how it ended and how the terminal stands.
struct Desk {
    terminal: PtySession,
    kdsha: String,
    seen: String,
}

impl Desk {
    fn open(scene: &Scene, arguments: &str) -> Result<Desk, Error> {
        let binary = env!("CARGO_BIN_EXE_kdsha");
        // The inner shell becomes kdsha, so that its id is known; the outer one outlives it.
        let script = format!(
            "trap : INT TERM; stty echo cols 120; sh -c 'echo id=$$; exec {binary} {arguments}'; \
             echo \"exit=$?\"; stty -a; echo end"
        );
        let prepared = scene.command(&[]);
        let mut command = Command::new("sh");
        command.args(["-c", &script]).env_clear().current_dir(scene.home.path()).env("TERM", "xterm");
        for (name, value) in prepared.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let mut terminal = spawn_command(command, Some(PATIENCE))?;
        let (_, id) = terminal.exp_regex("id=[0-9]+")?;
        Ok(Desk { terminal, kdsha: id["id=".len()..].to_owned(), seen: String::new() })
    }

    fn expect(&mut self, text: &str) -> Result<(), Error> {
        self.seen += &self.terminal.exp_string(text)?;
        self.seen += text;
        Ok(())
    }

    fn stop(&mut self, how: Stop) -> Result<(), Error> {
        match how {
            Stop::CtrlC => self.terminal.send_control('c')?,
            Stop::Terminate => {
                let sent = Command::new("kill").args(["-TERM", &self.kdsha]).status().expect("kill");
                assert!(sent.success(), "no process {}", self.kdsha);
            }
        }
        Ok(())
    }

    /// Reads to the end: exit code 130, echo on, line mode, cursor shown, the resuming command told.
    fn must_have_stopped_well(mut self, what: &str) -> Result<(), Error> {
        self.expect("exit=")?;
        let told = std::mem::take(&mut self.seen);
        let after = self.terminal.exp_string("end")?;
        assert!(after.starts_with("130"), "{what}: {after}\n{told}");
        let words: Vec<&str> = after.split([' ', ';', '\r', '\n']).collect();
        for word in ["echo", "icanon", "isig", "opost"] {
            assert!(words.contains(&word), "{what}: `{word}` is off\n{after}");
        }
        let (hidden, shown) = (told.rfind("\u{1b}[?25l"), told.rfind("\u{1b}[?25h"));
        assert!(hidden.is_none() || hidden < shown, "{what}: the cursor stays hidden\n{told:?}");
        assert!(told.contains("kdsha failover --to us-east-2"), "{what}: how to go on\n{told}");
        Ok(())
    }
}

#[test]
fn a_prompt_is_left_with_the_terminal_as_it_was() -> Result<(), Error> {
    for stop in [Stop::CtrlC, Stop::Terminate] {
        let scene = Scene::of(21, 60.0);
        let mut desk = Desk::open(&scene, COMMAND)?;
        desk.expect("(default: no) > ")?;
        desk.stop(stop)?;
        desk.must_have_stopped_well(&format!("{stop:?} at the first prompt"))?;
        assert!(scene.mark()["kdsha:run"].is_null(), "something was sent before a yes");

        let mut desk = Desk::open(&scene, COMMAND)?;
        desk.expect("(default: no) > ")?;
        desk.terminal.send_line("y")?;
        desk.expect("(default: no) > ")?;
        desk.stop(stop)?;
        if matches!(stop, Stop::CtrlC) {
            // Somebody is there to be asked.
            desk.expect("[n]o (default) > ")?;
            desk.terminal.send_line("")?;
        }
        desk.must_have_stopped_well(&format!("{stop:?} at the second prompt"))?;
        assert_eq!(scene.mark()["kdsha:state"], "open");
    }
    Ok(())
}

#[test]
fn a_wait_is_left_with_the_terminal_as_it_was_and_gone_on_with() -> Result<(), Error> {
    let scene = Scene::of(22, 60.0);
    for stop in [Stop::CtrlC, Stop::Terminate] {
        let mut desk = Desk::open(&scene, &format!("{COMMAND} --yes"))?;
        desk.expect("quiet")?;
        desk.expect("waiting")?;
        desk.stop(stop)?;
        desk.must_have_stopped_well(&format!("{stop:?} in a wait"))?;
    }
    scene.expect(0, &OVER);
    scene.expect(0, &["verify"]);
    scene.must_have_lost_nothing(&"interrupted twice");
    Ok(())
}
