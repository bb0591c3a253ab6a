//! The command line as its users meet it.

use super::*;
use crate::model::{StartAt, Timestamp};
use clap::CommandFactory;
use clap::error::ErrorKind;
use snapbox::{assert_data_eq, str};
use std::time::Duration;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

/// What is printed instead of a command being run, at a width that does not depend on the terminal.
fn refused(line: &str) -> String {
    let command = Cli::command().term_width(100);
    command.try_get_matches_from(line.split_whitespace()).expect_err("a refusal").render().to_string()
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn the_commands_are_those_of_the_design() {
    let names: Vec<String> = Cli::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let expected = "status failover failback verify resume runs report init rehearse sandbox policy schema man completions";
    assert_eq!(names.join(" "), expected);
}

#[test]
fn every_command_has_a_summary_and_examples() {
    for command in Cli::command().get_subcommands() {
        let summary = command.get_about().expect("a summary").to_string();
        assert!(summary.len() <= 80 && !summary.ends_with('.'), "{summary}");
        let examples = command.get_after_help().expect("examples").to_string();
        assert!(examples.starts_with("EXAMPLES\n"), "{examples}");
        assert!(
            examples.lines().all(|line| line.chars().count() <= 80),
            "broken on a narrow terminal: {examples}"
        );
    }
}

/// A line of an example that calls kdsha is a command line that works.
#[test]
fn every_example_is_a_valid_command_line() {
    let command = Cli::command();
    let texts =
        command.get_subcommands().filter_map(|c| c.get_after_help()).chain(command.get_after_long_help());
    let mut tried = 0;
    for line in texts.map(ToString::to_string).collect::<Vec<_>>().join("\n").lines() {
        let Some(rest) = line.strip_prefix("  kdsha ") else { continue };
        let ends = ["  ", " > ", " | "].into_iter().filter_map(|end| rest.find(end));
        let end = ends.min().unwrap_or(rest.len());
        for part in format!("kdsha {}", &rest[..end]).split(" && ") {
            assert!(parse(part).is_ok(), "{part}: {:?}", parse(part));
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried} examples");
}

#[test]
fn every_check_that_can_be_accepted_says_what_that_means() {
    let failover = Cli::command().find_subcommand("failover").cloned().expect("a command");
    let accept = failover.get_arguments().find(|arg| arg.get_id() == "checks").cloned().expect("a flag");
    let values = accept.get_possible_values();
    assert_eq!(values.len(), crate::plan::ACCEPTABLE.len());
    for value in values {
        assert!(value.get_help().is_some_and(|help| !help.to_string().is_empty()), "{}", value.get_name());
    }
}

#[test]
fn the_help_names_the_variables_that_are_read() {
    let help = refused("kdsha --help");
    for name in ["KDSHA_CONFIG", "KDSHA_STATE_DIR", "AWS_CA_BUNDLE", "HTTPS_PROXY", "NO_COLOR"] {
        assert!(help.contains(name), "{name}");
    }
}

#[test]
fn the_help_lists_every_exit_code() {
    let told: Vec<String> = help::EXIT_CODES
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(told, crate::model::Exit::ALL.map(|exit| exit.code().to_string()));
    for command in ["--help", "help failover", "failover --help", "failback --help", "resume --help"] {
        assert!(refused(&format!("kdsha {command}")).contains(help::EXIT_CODES), "{command}");
    }
}

#[test]
fn global_flags_may_follow_the_command() {
    let one = parse("kdsha --pipeline a --output json -vv status --watch").expect("valid");
    let other = parse("kdsha status --watch --pipeline a --output json -v -v").expect("valid");
    assert_eq!(one, other);
    assert_eq!((one.global.output, one.global.verbose), (Output::Json, 2));
    let two = parse("kdsha verify --pipeline a --pipeline b").expect("valid");
    assert_eq!(two.global.pipelines.iter().map(|p| p.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn failover_takes_all_its_flags() {
    let line = "kdsha failover --to us-east-2 --yes --emergency --start-at 2026-11-22T12:45:00.9+02:00 --timeout 90s";
    let Command::Failover(args) = parse(line).expect("valid").command else { panic!("failover") };
    assert_eq!(args.to.as_str(), "us-east-2");
    let at: Timestamp = "2026-11-22T10:45:00Z".parse().expect("an instant");
    assert_eq!(args.start_at, Some(StartAt::Timestamp(at)));
    assert_eq!(args.timeout, Some(Duration::from_secs(90)));
    let Command::Failover(args) =
        parse("kdsha failover --to us-east-2 --start-at TRIM_HORIZON").expect("valid").command
    else {
        panic!("failover")
    };
    assert_eq!(args.start_at, Some(StartAt::TrimHorizon));
}

#[test]
fn the_sandbox_serves_loopback_alone() {
    let listen = |text: &str| match parse(&format!("kdsha sandbox --listen {text}")).map(|cli| cli.command) {
        Ok(Command::Sandbox(args)) => Some(args.listen.to_string()),
        _ => None,
    };
    assert_eq!(listen("127.0.0.1:4566").as_deref(), Some("127.0.0.1:4566"));
    assert_eq!(listen("localhost:4566").as_deref(), Some("127.0.0.1:4566"));
    assert_eq!(listen("[::1]:0").as_deref(), Some("[::1]:0"));
    for bad in ["0.0.0.0:4566", "[::]:1", "10.0.0.1:1", "4566", "127.0.0.1", "example.com:1"] {
        assert_eq!(listen(bad), None, "{bad}");
    }
}

#[test]
fn without_a_command_the_help_is_shown_and_it_is_an_error() {
    let error = parse("kdsha").expect_err("no command");
    assert_eq!(error.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand);
    assert_eq!(error.exit_code(), 2);
    assert_eq!(parse("kdsha --version").expect_err("shown").exit_code(), 0);
    assert_eq!(refused("kdsha -V"), format!("kdsha {}\n", env!("CARGO_PKG_VERSION")));
    let long = refused("kdsha --version");
    for line in ["commit ", "aws-config ", "aws-sdk-lambda "] {
        assert!(long.contains(line), "{long}");
    }
}

#[test]
fn refusals_say_what_is_expected() {
    let lines = [
        "failover",
        "failover --to us-east2",
        "failover --to us-east-2 --start-at LATEST",
        "failover --to us-east-2 --start-at noon",
        "failover --to us-east-2 --timeout 5",
        "failover --to us-east-2 --timeout 0s",
        "failover --to us-east-2 --overlap-buffer 9000h",
        "failover --to us-east-2 --start-at trim-horizon --overlap-buffer 1m",
        "fialover --to us-east-2",
        "status --output yaml",
        "status --pipeline a/b",
        "runs ../../etc",
        "sandbox --listen 0.0.0.0:4566",
        "sandbox --speed 0",
        "status --quiet -v",
        "failback --dryrun",
    ];
    let said: Vec<String> = lines.iter().map(|line| refused(&format!("kdsha {line}"))).collect();
    assert_data_eq!(
        said.join("----\n"),
        str![[r#"
error: the following required arguments were not provided:
  --to <REGION>

Usage: kdsha failover --to <REGION>

For more information, try '--help'.
----
error: invalid value 'us-east2' for '--to <REGION>': `us-east2` is not an AWS Region such as us-west-2

For more information, try '--help'.
----
error: invalid value 'LATEST' for '--start-at <TIME|trim-horizon>': a mapping that starts at the tip can miss records for minutes while it starts; give a time, or trim-horizon

For more information, try '--help'.
----
error: invalid value 'noon' for '--start-at <TIME|trim-horizon>': `noon` is not an instant; write it like 2026-11-22T10:45:00Z, or trim-horizon

For more information, try '--help'.
----
error: invalid value '5' for '--timeout <DURATION>': `5` is not a length of time; write it like 90s, 5m or 1h30m

For more information, try '--help'.
----
error: invalid value '0s' for '--timeout <DURATION>': `0s` leaves no time at all; a wait needs minutes, such as 30m

For more information, try '--help'.
----
error: invalid value '9000h' for '--overlap-buffer <DURATION>': `9000h` is longer than 365 days, the longest that a stream keeps a record

For more information, try '--help'.
----
error: the argument '--start-at <TIME|trim-horizon>' cannot be used with '--overlap-buffer <DURATION>'

Usage: kdsha failover --to <REGION> --start-at <TIME|trim-horizon>

For more information, try '--help'.
----
error: unrecognized subcommand 'fialover'

  tip: a similar subcommand exists: 'failover'

Usage: kdsha [OPTIONS] <COMMAND>

For more information, try '--help'.
----
error: invalid value 'yaml' for '--output <FORMAT>'
  [possible values: human, json]

For more information, try '--help'.
----
error: invalid value 'a/b' for '--pipeline <NAME>': `a/b` is not a pipeline name (1 to 64 letters, digits, `_`, `.`, `-`)

For more information, try '--help'.
----
error: invalid value '../../etc' for '[RUN]': `../../etc` is not a run id

For more information, try '--help'.
----
error: invalid value '0.0.0.0:4566' for '--listen <ADDR:PORT>': `0.0.0.0:4566` can be reached from other machines; the sandbox takes every caller for the owner of the account, so it serves loopback addresses only, such as 127.0.0.1:4566

For more information, try '--help'.
----
error: invalid value '0' for '--speed <N>': 0 is not in 1..=3600

For more information, try '--help'.
----
error: the argument '--quiet' cannot be used with '--verbose...'

Usage: kdsha status --quiet

For more information, try '--help'.
----
error: unexpected argument '--dryrun' found

  tip: a similar argument exists: '--dry-run'

Usage: kdsha failback --dry-run

For more information, try '--help'.

"#]]
    );
}

#[test]
fn the_long_help_of_failover() {
    assert_data_eq!(
        refused("kdsha failover --help"),
        str![[r#"
Move the pipelines to the other Region

Runs every check first and lists all that stand in the way. Then, stage by stage and each confirmed:
prepares the standby's consumer, switches the producers, waits until the old stream is quiet and
drained, starts the standby's consumer, and verifies. Run the same command again to go on after an
interruption.

Usage: kdsha failover [OPTIONS] --to <REGION>

Options:
      --to <REGION>
          The Region to move to: the standby of the configuration

      --dry-run
          Show the plan, with every call that would be made, and stop

  -y, --yes
          Answer the prompts with yes; lifts no guard

      --emergency
          The old Region may not answer: start the standby first, write down what the old Region
          owes
          
          Steps that the old Region refuses or cannot answer are kept as owed (exit code 9); `kdsha
          resume` settles them once it answers again.

      --start-at <TIME|trim-horizon>
          Where the standby's consumer starts, instead of the derived position
          
          An instant with its offset (2026-11-22T10:45:00Z), or `trim-horizon` for the oldest record
          that the stream still has.

      --overlap-buffer <DURATION>
          How far before the derived position the standby's consumer starts, such as 90s or 5m
          
          Instead of the overlap buffer of the configuration.

      --timeout <DURATION>
          How long one wait may take, such as 90s, 30m or 1h30m, instead of the configured time-out

      --accept <CHECK>
          Go on although this check failed or is unknown; may be given several times
          
          It lifts that check and nothing else, and is written to the journal with the reason. Where
          several of the name forbid the run, say which: CHECK@REGION, CHECK/PIPELINE or
          CHECK@REGION/PIPELINE; CHECK/* are all. Checks that stand between you and a lost record
          cannot be accepted: they name their own way out.

          Possible values:
          - clock:            This machine's clock is off
          - concurrency:      The standby's account may have too few concurrent executions left
          - consumer_lag:     A consumer processes nothing, or may not: the run would wait for it,
            or move to it
          - credentials:      The credentials may expire before the run ends
          - health:           The Region to move to fails too
          - mapping_settings: A new mapping would not be set as the one that it stands for
          - other_readers:    Something else reads the stream too
          - producer_alias:   Nobody invokes a producer through an alias of its own
          - reader_function:  A function that reads may not be able to
          - record_age:       A mapping gives records up that are as old as its start
          - replicator_lag:   The copy is further behind than the RPO
          - sink:             The table does not say where its items come from
          - start_at:         --start-at lies behind records that may be unprocessed: they would be
            skipped
          - streams_match:    The standby's stream is smaller, or set otherwise

      --reason <TEXT>
          Why the checks named by --accept do not matter now

  -h, --help
          Print help (see a summary with '-h')

Global options:
      --config <PATH>
          Read the configuration from this file
          
          Without it: the file named by KDSHA_CONFIG, then ./kdsha.toml, then kdsha/kdsha.toml in
          the user's configuration folder (XDG_CONFIG_HOME, else ~/.config).

      --pipeline <NAME>
          Act on this pipeline only; may be given several times
          
          Without it, all pipelines of the configuration are acted on, side by side.

      --output <FORMAT>
          Write results for people or for programs
          
          JSON carries `"schema": "kdsha.<thing>/1"`; runs write one event a line.

          Possible values:
          - human: Tables and sentences
          - json:  JSON with a schema
          
          [default: human]

      --color <WHEN>
          Use colours

          Possible values:
          - auto:   On a terminal, unless NO_COLOR is set
          - always: Always
          - never:  Never
          
          [default: auto]

      --profile <NAME>
          Use this profile of the AWS configuration

  -q, --quiet
          Leave out progress; results, questions, warnings and errors remain

  -v, --verbose...
          Say more: once for ok checks and answers, twice for each request

EXAMPLES
  # every call it would make; makes none
  kdsha failover --to us-east-2 --dry-run
  # planned: drains the primary first
  kdsha failover --to us-east-2
  # the primary does not answer
  kdsha failover --to us-east-2 --emergency
  kdsha failover --to us-east-2 --emergency --start-at 2026-11-22T10:45:00Z

EXIT CODES
    0   done and verified; healthy; a dry run that could run
    1   internal error; the journal tells what was changed
    2   usage, configuration or no terminal to ask on; nothing was changed
    3   declined at a prompt; can be resumed
    4   blocked by a check, all blockers are listed; nothing was changed
    5   a step failed; can be resumed
    6   a wait ran out of time; can be resumed
    7   status or verify found a deviation; nothing was changed
    8   another run is unfinished, or the state changed meanwhile; nothing was changed
    9   done, with steps owed by a Region that did not answer: see kdsha resume
  130   interrupted between calls, never inside one; can be resumed

"#]]
    );
}

#[test]
fn the_short_help() {
    assert_data_eq!(
        refused("kdsha -h"),
        str![[r#"
Fail an Amazon Kinesis Data Streams pipeline over to another AWS Region, and back

Usage: kdsha [OPTIONS] <COMMAND>

Commands:
  status       Show where both Regions stand
  failover     Move the pipelines to the other Region
  failback     Move the pipelines back to the primary Region
  verify       Check that this is a sound resting state, from which a failover could run now
  resume       Go on with the unfinished run, or settle what is owed
  runs         List past runs, or show one in full
  report       Write a page for the post-mortem of a run
  init         Write kdsha.toml by looking at the account
  rehearse     Play the whole procedure against the built-in sandbox
  sandbox      Serve the built-in sandbox to any AWS client
  policy       Print the least IAM policy that this configuration needs
  schema       Print the JSON Schema of what a command prints with --output json
  man          Print the manual page of kdsha, or of a command
  completions  Print a completion script for a shell
  help         Print this message or the help of the given subcommand(s)

Options:
  -h, --help     Print help (see more with '--help')
  -V, --version  Print version

Global options:
      --config <PATH>    Read the configuration from this file
      --pipeline <NAME>  Act on this pipeline only; may be given several times
      --output <FORMAT>  Write results for people or for programs [default: human] [possible values:
                         human, json]
      --color <WHEN>     Use colours [default: auto] [possible values: auto, always, never]
      --profile <NAME>   Use this profile of the AWS configuration
  -q, --quiet            Leave out progress; results, questions, warnings and errors remain
  -v, --verbose...       Say more: once for ok checks and answers, twice for each request

`kdsha help COMMAND` says more of a command; `kdsha --help` lists the exit codes.

"#]]
    );
}
