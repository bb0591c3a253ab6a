//! What the help says after the options: examples and exit codes.

/// What `--version` says; `-V` says the first word of it.
pub(super) const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), "\ncommit ", env!("KDSHA_BUILT_FROM"), "\n", env!("KDSHA_SDK"));

/// After the short help.
pub(super) const MORE: &str =
    "`kdsha help COMMAND` says more of a command; `kdsha --help` lists the exit codes.";

const START: &str = "\
EXAMPLES
  # play the whole procedure; nothing needs to be set up
  kdsha rehearse
  # write kdsha.toml by looking at the account
  kdsha init
  # where both Regions stand
  kdsha status
  kdsha failover --to us-east-2 --dry-run
  kdsha failover --to us-east-2
  kdsha verify && kdsha failback";

/// The exit codes: the same words as in the README.
pub(super) const EXIT_CODES: &str = "\
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
  130   interrupted between calls, never inside one; can be resumed";

/// What is read besides the command line.
pub(super) const ENVIRONMENT: &str = "\
ENVIRONMENT
  KDSHA_CONFIG       the configuration, where --config is not given
  KDSHA_STATE_DIR    where the journals are kept (default: the XDG state folder)
  XDG_CONFIG_HOME, XDG_STATE_HOME
                     where both are looked for otherwise
  AWS_*              credentials, profile, endpoints, AWS_CA_BUNDLE: as in the AWS CLI
  HTTPS_PROXY, NO_PROXY
                     the way to AWS
  NO_COLOR, TERM, COLUMNS, LC_ALL, LC_CTYPE, LANG
                     how results look";

/// Where to read on, and what a report of a fault needs.
const DOCUMENTATION: &str = "\
DOCUMENTATION
  `kdsha man` prints the manual page; README.md and runbooks/ come with the sources.
  A fault is reported where kdsha came from: with `kdsha --version`, the command,
  and `kdsha report` of the run, which shows no secret.";

/// After the long help of kdsha itself.
pub(super) fn main() -> String {
    format!("{START}\n\n{EXIT_CODES}\n\n{ENVIRONMENT}\n\n{DOCUMENTATION}")
}

/// Examples of `status`.
pub(super) const STATUS: &str = "\
EXAMPLES
  kdsha status
  kdsha status --watch --pipeline ticker-prices
  kdsha status --output json";

/// Examples of `failover`.
pub(super) const FAILOVER: &str = "\
EXAMPLES
  # every call it would make; makes none
  kdsha failover --to us-east-2 --dry-run
  # planned: drains the primary first
  kdsha failover --to us-east-2
  # the primary does not answer
  kdsha failover --to us-east-2 --emergency
  kdsha failover --to us-east-2 --emergency --start-at 2026-11-22T10:45:00Z";

/// After the long help of `failover`.
pub(super) fn failover() -> String {
    format!("{FAILOVER}\n\n{EXIT_CODES}")
}

/// Examples of `failback`.
pub(super) const FAILBACK: &str = "\
EXAMPLES
  kdsha failback --dry-run
  kdsha failback
  kdsha failback --pipeline ticker-prices --timeout 1h";

/// After the long help of `failback`.
pub(super) fn failback() -> String {
    format!("{FAILBACK}\n\n{EXIT_CODES}")
}

/// Examples of `verify`.
pub(super) const VERIFY: &str = "\
EXAMPLES
  kdsha verify
  # for a scheduler; exit code 7 is a deviation
  kdsha verify --quiet --output json";

/// Examples of `resume`.
pub(super) const RESUME: &str = "\
EXAMPLES
  kdsha resume
  kdsha resume --yes
  # put back what a stopped run has changed
  kdsha resume --undo
  # the old Region fell silent meanwhile
  kdsha resume --emergency";

/// After the long help of `resume`.
pub(super) fn resume() -> String {
    format!("{RESUME}\n\n{EXIT_CODES}")
}

/// Examples of `runs`.
pub(super) const RUNS: &str = "\
EXAMPLES
  kdsha runs
  kdsha runs 20261122-104501-failover-3f9a";

/// Examples of `report`.
pub(super) const REPORT: &str = "\
EXAMPLES
  kdsha report --out post-mortem.html
  kdsha report > post-mortem.md
  kdsha report 20261122-104501-failover-3f9a";

/// Examples of `init`.
pub(super) const INIT: &str = "\
EXAMPLES
  # asks what is not clear
  kdsha init
  kdsha init --primary us-west-2 --standby us-east-2 --dry-run
  kdsha init --stream KDS-HA-Stream --pipeline ticker-prices
  kdsha init --force --config ops/kdsha.toml";

/// Examples of `rehearse`.
pub(super) const REHEARSE: &str = "\
EXAMPLES
  # asks at every step, as the real thing does
  kdsha rehearse
  kdsha rehearse --yes --seed 7
  kdsha rehearse --list
  kdsha rehearse --scenario operator-killed --yes
  kdsha rehearse --interactive
  # your own pipelines, simulated
  kdsha rehearse --config kdsha.toml
  kdsha rehearse --real-time";

/// Examples of `sandbox`.
pub(super) const SANDBOX: &str = "\
EXAMPLES
  kdsha sandbox --listen 127.0.0.1:4566
  kdsha sandbox --listen 127.0.0.1:4566 --speed 60
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws kinesis list-streams";

/// Examples of `policy`.
pub(super) const POLICY: &str = "\
EXAMPLES
  kdsha policy > kdsha-policy.json";

/// Examples of `schema`.
pub(super) const SCHEMA: &str = "\
EXAMPLES
  # lists the documents
  kdsha schema
  kdsha schema event > kdsha.event.1.json";

/// Examples of `man`.
pub(super) const MAN: &str = "\
EXAMPLES
  kdsha man | man -l -
  kdsha man failover > ~/.local/share/man/man1/kdsha-failover.1";

/// Examples of `completions`.
pub(super) const COMPLETIONS: &str = "\
EXAMPLES
  source <(kdsha completions bash --dynamic)
  source <(kdsha completions bash)
  kdsha completions zsh > ~/.zfunc/_kdsha
  kdsha completions fish > ~/.config/fish/completions/kdsha.fish";
