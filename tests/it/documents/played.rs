//! Every command line of a document is executed, its exit code and its shown output are compared.
//!
//! Comments that nobody sees steer it: `day: STORY` begins a day by hand on the sandbox, on which the commands that look
//! at AWS are typed in order; `then: A; B` are further lines of that day; `exit: 7 0` are the next block's exit codes
//! (zero where it says nothing); `shows: A ; B` makes the next text block the lines of the output that begin so.

use super::{documents, messages, root};
use crate::support::binary::kdsha;
use crate::support::process;
use kdsha::config::THE_POST;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// What is typed when a document only says that one plays by hand.
const A_GOOD_DAY: &str = "status\nfailover --to us-east-2\nverify\nwait 10m\nheal\nwait 15m\nresume\nfailback\n\
                          wait 10m\nverify\ndone\n";

/// A command line of a document.
#[derive(Debug, Clone)]
struct Line {
    /// Counted from 1.
    number: usize,
    command: String,
    exit: i32,
    /// The day it belongs to, and its place there; none: a process of its own.
    day: Option<(usize, usize)>,
}

/// A shown output: the lines of the document between its fences, and of which commands.
#[derive(Debug)]
struct Shown {
    from: usize,
    to: usize,
    indent: String,
    prefixes: Vec<String>,
    commands: Vec<usize>,
}

/// A document, read.
#[derive(Debug, Default)]
struct Read {
    lines: Vec<Line>,
    shown: Vec<Shown>,
    /// Story and script of each day.
    days: Vec<(String, Vec<String>)>,
}

/// Commands that look at AWS, and so belong to a day.
fn is_of_a_day(command: &str) -> bool {
    let verb = command.split_whitespace().nth(1).unwrap_or_default();
    ["status", "verify", "failover", "failback", "resume", "runs", "report", "policy"].contains(&verb)
        && command.starts_with("kdsha ")
}

fn directive<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    line.strip_prefix("<!-- ")?.strip_suffix("-->")?.strip_prefix(name)?.strip_prefix(':')
}

fn read(text: &str) -> Read {
    let all: Vec<&str> = text.lines().collect();
    let mut read = Read::default();
    let (mut exits, mut block, mut shows) = (Vec::<i32>::new(), Vec::<usize>::new(), None::<Vec<String>>);
    let mut at = 0;
    while at < all.len() {
        let (line, indent) = (all[at].trim(), all[at].len() - all[at].trim_start().len());
        if let Some(story) = directive(line, "day") {
            read.days.push((story.trim().to_owned(), Vec::new()));
        } else if let Some(then) = directive(line, "then") {
            let day = read.days.last_mut().expect("a day before `then`");
            day.1.extend(then.split(';').map(|part| part.trim().to_owned()));
        } else if let Some(codes) = directive(line, "exit") {
            exits = codes.split_whitespace().map(|code| code.parse().expect("an exit code")).collect();
        } else if let Some(prefixes) = directive(line, "shows") {
            // A prefix may itself begin with spaces: only the one after the colon or semicolon is taken off.
            let one = |prefix: &str| prefix.strip_prefix(' ').unwrap_or(prefix).trim_end().to_owned();
            shows = Some(prefixes.split(" ;").map(one).collect());
        } else if line.starts_with("```") && line.len() > 3 {
            let end = (at + 1..all.len()).find(|n| all[*n].trim() == "```").expect("the block's end");
            if line == "```console" {
                let commands = commands(&all[at + 1..end], at + 2);
                assert!(
                    exits.is_empty() || exits.len() == commands.len(),
                    "line {at}: {exits:?} {commands:?}"
                );
                block = (read.lines.len()..read.lines.len() + commands.len()).collect();
                for (index, (number, command)) in commands.into_iter().enumerate() {
                    let exit = exits.get(index).copied().unwrap_or(0);
                    let day = is_of_a_day(&command).then(|| {
                        if read.days.is_empty() {
                            read.days.push(("data-plane-outage".to_owned(), Vec::new()));
                        }
                        let day = read.days.len() - 1;
                        read.days[day].1.push(command.clone());
                        (day, read.days[day].1.len() - 1)
                    });
                    read.lines.push(Line { number, command, exit, day });
                }
                exits = Vec::new();
            } else if let Some(prefixes) = shows.take() {
                let indent = " ".repeat(indent);
                read.shown.push(Shown { from: at + 1, to: end, indent, prefixes, commands: block.clone() });
            }
            at = end;
        }
        at += 1;
    }
    read
}

/// The command lines of a console block with their places.
fn commands(lines: &[&str], first: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(command) = line.trim().strip_prefix("$ ") else { continue };
        let command = command.split(" #").next().unwrap_or_default();
        for part in command.split(';').map(|part| part.trim().replace("cargo run -- ", "kdsha ")) {
            found.push((first + index, part));
        }
    }
    // Command lines of other tools may name kdsha too.
    let program =
        |command: &str| command.split_whitespace().find(|word| !word.contains('=')) == Some("kdsha");
    found.retain(|(_, command)| program(command));
    found
}

/// What a command said, and how it ended.
#[derive(Debug, Clone)]
struct Said {
    text: String,
    exit: i32,
}

/// Plays a day to its end; one answer a line of the script.
fn play(home: &Path, (story, script): &(String, Vec<String>)) -> Vec<Said> {
    let path = home.join("script");
    fs::write(&path, format!("{}\ndone\n", script.join("\n"))).expect("a script");
    let seed_and_story = ["--seed", "1", "--scenario", story.as_str()];
    let text =
        spoken(home, &["rehearse", "--interactive", "--calm", "--yes"], &seed_and_story, Some(&path)).text;
    let parts: Vec<&str> = text.split("game day> ").skip(1).collect();
    assert_eq!(parts.len(), script.len() + 1, "{story}: {script:?}\n{text}");
    let said = |part: &&str| {
        let exit =
            part.lines().rev().find_map(|line| line.strip_prefix("(exit ")?.strip_suffix(')')?.parse().ok());
        Said { text: (*part).to_owned(), exit: exit.unwrap_or(0) }
    };
    parts.iter().take(script.len()).map(said).collect()
}

/// Both streams of the binary, in their order.
fn spoken(home: &Path, first: &[&str], then: &[&str], stdin: Option<&Path>) -> Said {
    let mut command = kdsha(home);
    let (out, path) = (home.join("said"), home.join("said"));
    let both = fs::File::create(out).expect("a file");
    command.args(first).args(then).envs([("COLUMNS", "100"), ("TERM", "xterm"), ("LANG", "C.UTF-8")]);
    command.stdout(both.try_clone().expect("a file")).stderr(both);
    if let Some(stdin) = stdin {
        command.stdin(fs::File::open(stdin).expect("a script"));
    }
    let mut child = command.spawn().expect("the binary");
    let until = std::time::Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().expect("a process") {
            Some(status) => break status,
            None if std::time::Instant::now() > until => {
                child.kill().expect("kill");
                panic!("{first:?} {then:?} did not end");
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    Said { text: fs::read_to_string(path).expect("text"), exit: status.code().unwrap_or(-1) }
}

/// Runs a command that is a process of its own.
fn run(home: &Path, command: &str) -> Said {
    let (variables, command) = command.split_at(command.find("kdsha ").expect("kdsha"));
    let mut words: Vec<&str> = command.split_whitespace().skip(1).collect();
    match words.first() {
        Some(&"sandbox") => return serve(home),
        Some(&"rehearse") if !words.contains(&"--yes") && !words.contains(&"--list") => words.push("--yes"),
        _ => {}
    }
    let script = home.join("good-day");
    fs::write(&script, A_GOOD_DAY).expect("a script");
    let by_hand = words.contains(&"--interactive").then_some(script.as_path());
    match variables.trim().split_once('=') {
        // The state folder of the tests is the home's own; a document's is a folder beside it.
        Some(("KDSHA_STATE_DIR", folder)) => {
            let state = home.join("state");
            assert!(!state.exists(), "nothing of another run");
            fs::rename(home.join(folder), &state).expect(folder);
            spoken(home, &words, &[], by_hand)
        }
        other => {
            assert!(other.is_none(), "{variables}");
            spoken(home, &words, &[], by_hand)
        }
    }
}

/// Serves the sandbox on a free port, until it has said where.
fn serve(home: &Path) -> Said {
    let mut command = kdsha(home);
    command.args(["sandbox", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary");
    let (mut line, mut export) = (String::new(), String::new());
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    BufReader::new(child.stderr.take().expect("stderr")).read_line(&mut export).expect("a line");
    let wanted = format!("export AWS_ENDPOINT_URL={} ", line.trim());
    assert!(export.starts_with(&wanted), "a client's first line: {export}");
    child.kill().and_then(|()| child.wait()).expect("it ends");
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    Said { text: line, exit: 0 }
}

/// The lines of an output that begin so, with what belongs to them; `[...]` where there are others between.
fn selected(output: &str, prefixes: &[String]) -> String {
    let (mut kept, mut cut, mut within) = (String::new(), false, false);
    for line in output.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let begins = prefixes.iter().any(|prefix| line.starts_with(prefix.as_str()));
        let goes_on = within && line.starts_with("      ");
        within = begins || goes_on;
        if within {
            if cut && !kept.is_empty() {
                kept.push_str("[...]\n");
            }
            kept.push_str(line);
            kept.push('\n');
        }
        cut = !within;
    }
    kept
}

#[test]
fn what_is_shown_is_what_begins_so() {
    let output = "a one\n      more\nb two\n\nc three\na four\n";
    let prefixes = |all: &[&str]| all.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
    assert_eq!(selected(output, &prefixes(&["a", "c"])), "a one\n      more\n[...]\nc three\na four\n");
    assert_eq!(selected(output, &prefixes(&["x"])), "");
}

/// Holds the shown blocks of a document to what was said, or writes them anew.
fn hold(name: &str, text: &str, read: &Read, said: &[Said]) {
    let all: Vec<&str> = text.lines().collect();
    let mut anew: Vec<String> = all.iter().map(|line| (*line).to_owned()).collect();
    let bless = std::env::var_os("KDSHA_BLESS").is_some();
    for shown in read.shown.iter().rev() {
        let output: Vec<&str> = shown.commands.iter().map(|index| said[*index].text.as_str()).collect();
        let wanted = selected(&output.join("\n"), &shown.prefixes);
        for prefix in &shown.prefixes {
            let has = wanted.lines().any(|line| line.starts_with(prefix.as_str()));
            assert!(has, "{name}: no line begins with `{prefix}`:\n{}", output.join("\n"));
        }
        let wanted: Vec<String> = wanted.lines().map(|line| format!("{}{line}", shown.indent)).collect();
        let found: Vec<String> = all[shown.from..shown.to].iter().map(|line| (*line).to_owned()).collect();
        if found != wanted {
            assert!(bless, "{name}, line {}: it should be\n{}", shown.from + 1, wanted.join("\n"));
            anew.splice(shown.from..shown.to, wanted);
        }
    }
    if bless && anew != all {
        fs::write(root().join(name), anew.join("\n") + "\n").expect(name);
    }
}

/// Executes a document.
fn execute(name: &str, text: &str) -> Vec<Said> {
    let read = read(text);
    let home = tempfile::tempdir().expect("a temporary folder");
    fs::write(home.path().join("kdsha.toml"), THE_POST).expect("a configuration");
    let days: Vec<Vec<Said>> = read.days.iter().map(|day| play(home.path(), day)).collect();
    let mut processes: BTreeMap<&str, Said> = BTreeMap::new();
    let mut said = Vec::new();
    for line in &read.lines {
        let one = match line.day {
            Some((day, place)) => days[day][place].clone(),
            None => processes.entry(&line.command).or_insert_with(|| run(home.path(), &line.command)).clone(),
        };
        let (at, command) = (line.number, &line.command);
        assert_eq!(one.exit, line.exit, "{name}, line {at}: `{command}`\n{}", one.text);
        said.push(one);
    }
    hold(name, text, &read, &said);
    said
}

#[test]
fn every_runbook_does_what_it_says() {
    let (mut count, mut messages) = (0, 0);
    for (name, text) in documents().into_iter().filter(|(name, _)| name.starts_with("runbooks/")) {
        let said = execute(&name, &text);
        count += said.len();
        let outputs: Vec<&str> = said.iter().map(|said| said.text.as_str()).collect();
        if !name.contains("integrations") {
            messages += messages::hold(&name, &text, &outputs);
        }
    }
    assert!(messages >= 15, "only {messages} messages were found");
    assert!(count >= 25, "only {count} commands were found");
}

#[test]
fn the_readme_does_what_it_says() {
    let (name, text) = documents().swap_remove(0);
    assert_eq!(name, "README.md");
    assert!(execute(&name, &text).len() >= 12);
}

#[test]
fn every_shown_output_of_the_runbooks_is_held() {
    for (name, text) in documents().into_iter().filter(|(name, _)| name.starts_with("runbooks/")) {
        let shown = text.matches("```text").count();
        assert_eq!(read(&text).shown.len(), shown, "{name}: a block without `shows`");
    }
    let version = process::run(kdsha(Path::new("/")).arg("--version"), LIMIT).expect("a finished process");
    assert!(version.status.success());
}
