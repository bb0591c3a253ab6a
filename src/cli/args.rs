//! The command line as types: every command and flag, checked as far as words alone can be.
//!
//! Nothing here reads a file, the environment or the network, so `--help` costs nothing.

use super::{candidates, help};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCandidates;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::failure::Failure;
use crate::config::PerSide;
use crate::model::ids::InvalidId;
use crate::model::{
    Exit, FunctionName, PipelineName, Region, RunId, StartAt, StreamName, Timestamp, duration,
};
use crate::plan::Accepted;

/// Fail an Amazon Kinesis Data Streams pipeline over to another AWS Region, and back
///
/// kdsha moves a pipeline (producer functions, a stream, a consumer function, and a function that
/// replicates the stream) out of a failing Region and back again, without losing a record. Nothing is
/// changed before every check has run; every change is confirmed, written down before it is sent, and
/// can be resumed after an interruption at any instant.
///
/// Results go to stdout, everything else to stderr.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "kdsha", version, long_version = help::VERSION, arg_required_else_help = true, subcommand_required = true)]
#[command(max_term_width = 100, after_help = help::MORE, after_long_help = help::main())]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes, before or after its name.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Global {
    /// Read the configuration from this file
    ///
    /// Without it: the file named by KDSHA_CONFIG, then ./kdsha.toml, then kdsha/kdsha.toml in the
    /// user's configuration folder (XDG_CONFIG_HOME, else ~/.config).
    #[arg(long, global = true, help_heading = "Global options", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// Act on this pipeline only; may be given several times
    ///
    /// Without it, all pipelines of the configuration are acted on, side by side.
    #[arg(long = "pipeline", global = true, help_heading = "Global options", value_name = "NAME", add = ArgValueCandidates::new(candidates::pipelines))]
    pub pipelines: Vec<PipelineName>,

    /// Write results for people or for programs
    ///
    /// JSON carries `"schema": "kdsha.<thing>/1"`; runs write one event a line.
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        value_name = "FORMAT",
        default_value = "human"
    )]
    pub output: Output,

    /// Use colours
    #[arg(long, global = true, help_heading = "Global options", value_name = "WHEN", default_value = "auto")]
    pub color: Color,

    /// Use this profile of the AWS configuration
    #[arg(long, global = true, help_heading = "Global options", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub profile: Option<String>,

    /// Leave out progress; results, questions, warnings and errors remain
    #[arg(long, short, global = true, help_heading = "Global options", conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more: once for the count of requests, twice for each request
    #[arg(long, short, global = true, help_heading = "Global options", action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Whom results are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Tables and sentences
    Human,
    /// JSON with a schema
    Json,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Command {
    /// Show where both Regions stand
    ///
    /// For each pipeline, both Regions side by side: the stream, who writes where, mappings with state
    /// and position, lag with the age of its sample, error rates against the objective, and what is
    /// unfinished or owed. A part that did not answer is shown as unknown, with the reason. Changes nothing.
    #[command(after_help = help::STATUS)]
    Status(StatusArgs),

    /// Move the pipelines to the other Region
    ///
    /// Runs every check first and lists all that stand in the way. Then, stage by stage and each
    /// confirmed: prepares the standby's consumer, switches the producers, waits until the old stream is
    /// quiet and drained, starts the standby's consumer, and verifies. Run the same command again to go
    /// on after an interruption.
    #[command(after_help = help::FAILOVER, after_long_help = help::failover())]
    Failover(FailoverArgs),

    /// Move the pipelines back to the primary Region
    ///
    /// Both Regions must answer, and nothing may be owed. Starts the primary's consumer where it
    /// stopped, so that records stranded there are processed; switches the producers back; drains and stops
    /// the standby's consumer; and starts replication again.
    #[command(after_help = help::FAILBACK, after_long_help = help::failback())]
    Failback(FailbackArgs),

    /// Check that this is a sound resting state, from which a failover could run now
    ///
    /// Every deviation is listed; exit code 7 tells that there is one. Changes nothing, so it may run on a schedule.
    #[command(after_help = help::VERIFY)]
    Verify,

    /// Go on with the unfinished run, or settle what is owed
    ///
    /// Looks at the world again and at the run's journal; what is done already is not done twice.
    #[command(after_help = help::RESUME, after_long_help = help::resume())]
    Resume(ResumeArgs),

    /// List past runs, or show one in full
    #[command(after_help = help::RUNS)]
    Runs(RunArgs),

    /// Write a page for the post-mortem of a run
    ///
    /// The newest run, or the one that is named: the verdict against the objectives, the stages over the lag of
    /// both Regions, who confirmed what, the start position's arithmetic, what changed, every call, what was
    /// owed. Written from the journal; where a configuration is found, CloudWatch is asked for the rest of the curves.
    #[command(after_help = help::REPORT)]
    Report(ReportArgs),

    /// Write kdsha.toml by looking at the account
    ///
    /// Follows the event source mappings of both Regions: a stream that a function reads, and that has a twin in
    /// the other Region, is a pipeline's; its readers are told apart by their environment, its producers are
    /// found by theirs. What is not clear is asked, or said with a flag. Reads only (ListEventSourceMappings,
    /// ListFunctions, ListAliases, ListStreams, ListTables, and 25 items of a table that was found);
    /// of environments, the names of variables are shown, and no value but a Region or a stream's name. Then
    /// the file is read back and `verify` is run.
    #[command(after_help = help::INIT)]
    Init(Box<InitArgs>),

    /// Play the whole procedure against the built-in sandbox
    ///
    /// Needs no AWS account, no credentials and no configuration: a simulated pipeline with live
    /// traffic is struck, failed over, healed and failed back by the very code that runs against AWS. Ends with an
    /// account of every record: put, processed, lost, processed twice. With --config, the simulated pipelines are
    /// those of the file.
    #[command(after_help = help::REHEARSE)]
    Rehearse(RehearseArgs),

    /// Serve the built-in sandbox to any AWS client
    ///
    /// Two simulated Regions behind one loopback endpoint. The first line on stdout is its URL.
    #[command(after_help = help::SANDBOX)]
    Sandbox(SandboxArgs),

    /// Print the least IAM policy that this configuration needs
    #[command(after_help = help::POLICY)]
    Policy,

    /// Print the JSON Schema of what a command prints with --output json
    #[command(after_help = help::SCHEMA)]
    Schema(SchemaArgs),

    /// Print the manual page of kdsha, or of a command
    #[command(after_help = help::MAN)]
    Man(ManArgs),

    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(CompletionsArgs),
}

/// Flags of `status`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct StatusArgs {
    /// Look again until interrupted
    #[arg(long)]
    pub watch: bool,
}

/// Flags of `failover`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct FailoverArgs {
    /// The Region to move to: the standby of the configuration
    #[arg(long, value_name = "REGION", add = ArgValueCandidates::new(candidates::standby))]
    pub to: Region,

    /// Show the plan, with every call that would be made, and stop
    #[arg(long)]
    pub dry_run: bool,

    /// Answer the prompts with yes; lifts no guard
    #[arg(long)]
    pub yes: bool,

    /// The old Region may not answer: start the standby first, write down what the old Region owes
    ///
    /// Steps that the old Region refuses or cannot answer are kept as owed (exit code 9); `kdsha resume`
    /// settles them once it answers again.
    #[arg(long)]
    pub emergency: bool,

    /// Where the standby's consumer starts, instead of the derived position
    ///
    /// An instant with its offset (2026-11-22T10:45:00Z), or `trim-horizon` for the oldest record
    /// that the stream still has.
    #[arg(long, value_name = "TIME|trim-horizon", value_parser = start_at)]
    pub start_at: Option<StartAt>,

    /// How far before the derived position the standby's consumer starts, instead of the configured buffer
    #[arg(long, value_name = "DURATION", value_parser = buffer, conflicts_with = "start_at")]
    pub overlap_buffer: Option<Duration>,

    /// How long one wait may take, instead of the configured time-out
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    pub timeout: Option<Duration>,

    /// Overrides of checks.
    #[command(flatten)]
    pub accept: AcceptArgs,
}

/// Flags of `failback`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct FailbackArgs {
    /// Show the plan, with every call that would be made, and stop
    #[arg(long)]
    pub dry_run: bool,

    /// Answer the prompts with yes; lifts no guard
    #[arg(long)]
    pub yes: bool,

    /// Do not process the records that are stranded in the primary's stream; they are counted and logged
    #[arg(long)]
    pub skip_stranded: bool,

    /// How long one wait may take, instead of the configured time-out
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    pub timeout: Option<Duration>,

    /// Overrides of checks.
    #[command(flatten)]
    pub accept: AcceptArgs,
}

/// Overrides of checks, for `failover` and `failback`.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct AcceptArgs {
    /// Go on although this check failed or is unknown; may be given several times
    ///
    /// It lifts that check and nothing else, and is written to the journal with the reason. Checks that stand
    /// between you and a lost record cannot be accepted: they name their own way out.
    #[arg(long = "accept", value_name = "CHECK", requires = "reason", value_parser = acceptable())]
    pub checks: Vec<String>,

    /// Why the checks named by --accept do not matter now
    #[arg(long, value_name = "TEXT", requires = "checks", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
}

fn acceptable() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(crate::plan::ACCEPTABLE)
}

impl AcceptArgs {
    /// What is accepted, where anything is.
    ///
    /// # Errors
    /// A check that cannot be accepted.
    pub fn accepted(&self) -> Result<Option<Accepted>, Failure> {
        let Some(reason) = &self.reason else { return Ok(None) };
        let accepted = Accepted::new(self.checks.clone(), reason.clone());
        accepted.map(Some).map_err(|why| Failure::new(Exit::Usage, why))
    }
}

/// Flags of `resume`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ResumeArgs {
    /// Answer the prompts with yes; lifts no guard
    #[arg(long)]
    pub yes: bool,

    /// Put back what the unfinished run has changed, instead of going on
    ///
    /// Only until the run's point of no return, the switch of the producers. Every call is listed first.
    #[arg(long)]
    pub undo: bool,

    /// Go on with an unfinished failover as an emergency: the old Region may not answer
    #[arg(long, conflicts_with = "undo")]
    pub emergency: bool,
}

/// Arguments of `report`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ReportArgs {
    /// The run, as `kdsha runs` lists it
    #[arg(value_name = "RUN", add = ArgValueCandidates::new(candidates::runs))]
    pub run: Option<RunId>,

    /// Write the page as one HTML file or as Markdown; without it as the name of --out says, else Markdown
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<ReportFormat>,

    /// Write the page to this file instead of to stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,

    /// Ask AWS nothing: the page has what the journal has
    #[arg(long)]
    pub no_aws: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// One file that needs nothing else; opens in any browser, and prints
    Html,
    /// For a wiki or a ticket
    Markdown,
}

/// Arguments of `runs`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct RunArgs {
    /// The run, as `kdsha runs` lists it
    #[arg(value_name = "RUN", add = ArgValueCandidates::new(candidates::runs))]
    pub run: Option<RunId>,
}

/// Flags of `init`. The file is that of `--config`, else of KDSHA_CONFIG, else ./kdsha.toml; `--pipeline` names the
/// pipelines that are written, in the order of their streams.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct InitArgs {
    /// The Region where the pipelines belong; without it, that of the environment or the profile
    #[arg(long, value_name = "REGION")]
    pub primary: Option<Region>,

    /// The Region where they go; without it, the one that the functions' environments name
    #[arg(long, value_name = "REGION")]
    pub standby: Option<Region>,

    /// This stream only; may be given several times
    ///
    /// PRIMARY=STANDBY where it has another name in the standby Region.
    #[arg(long = "stream", value_name = "NAME[=NAME]", value_parser = both_sides::<StreamName>)]
    pub streams: Vec<PerSide<StreamName>>,

    /// This function is the consumer, where several may be; may be given several times
    ///
    /// PRIMARY=STANDBY where it has another name in the standby Region.
    #[arg(long = "consumer", value_name = "FUNCTION[=FUNCTION]", value_parser = both_sides::<FunctionName>)]
    pub consumers: Vec<PerSide<FunctionName>>,

    /// This function is the replicator, where several may be; may be given several times
    #[arg(long = "replicator", value_name = "FUNCTION", conflicts_with = "no_replicator")]
    pub replicators: Vec<FunctionName>,

    /// Nothing copies the streams to the standby Region
    #[arg(long)]
    pub no_replicator: bool,

    /// This function is a producer, though no variable of it names the stream; may be given several times
    #[arg(long = "producer", value_name = "FUNCTION")]
    pub producers: Vec<FunctionName>,

    /// This variable of a producer holds the Region, where several may; may be given several times
    #[arg(long = "region-variable", value_name = "NAME")]
    pub region_variables: Vec<String>,

    /// This variable of a producer holds the stream, where several may; may be given several times
    #[arg(long = "stream-variable", value_name = "NAME")]
    pub stream_variables: Vec<String>,

    /// This table is the sink, where several may be; may be given several times
    #[arg(long = "table", value_name = "NAME")]
    pub tables: Vec<String>,

    /// The attribute of the tables' items that names the Region which wrote them
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub region_attribute: Option<String>,

    /// Whether the standby's consumers are started at failover or always run; without it, as they are now
    #[arg(long, value_name = "MODE")]
    pub standby_mode: Option<Mode>,

    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,

    /// Print the file on stdout, and write none
    #[arg(long, visible_alias = "stdout", conflicts_with = "force")]
    pub dry_run: bool,
}

/// How a standby's consumer is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Started at failover
    Cold,
    /// Always runs
    Warm,
}

/// Flags of `rehearse`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct RehearseArgs {
    /// The story to play; without it, that of the AWS post. `--list` tells them all
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub scenario: Option<String>,

    /// List the stories and stop
    #[arg(long)]
    pub list: bool,

    /// Play it yourself: type the commands, notice what goes wrong meanwhile, and get a score
    ///
    /// With --yes the commands are read from stdin and their prompts are answered with yes.
    #[arg(long)]
    pub interactive: bool,

    /// Played by hand, and nobody interferes
    #[arg(long, requires = "interactive")]
    pub calm: bool,

    /// Answer the prompts with yes
    #[arg(long)]
    pub yes: bool,

    /// Replay the traffic and the timing of this seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Let simulated time pass as real time does
    #[arg(long)]
    pub real_time: bool,

    /// Keep the journals in this folder, for `KDSHA_STATE_DIR=DIR kdsha report`
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub keep: Option<PathBuf>,
}

/// Flags of `sandbox`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct SandboxArgs {
    /// The loopback address to serve on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub listen: SocketAddr,

    /// Begin with an empty account instead of the post's pipeline
    #[arg(long)]
    pub empty: bool,

    /// How many simulated seconds pass in a second, 1 to 3600
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub speed: u32,

    /// Replay the traffic and the timing of this seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Arguments of `completions`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,

    /// Complete Regions, pipelines and runs too
    ///
    /// The script asks kdsha itself, which reads the configuration and the names of the runs, both from
    /// local files, and never the network. `--config` is not seen: set KDSHA_CONFIG.
    #[arg(long)]
    pub dynamic: bool,
}

/// Arguments of `schema`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct SchemaArgs {
    /// The document, such as `event` or `kdsha.event/1`; without it, all are listed
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(candidates::schemas))]
    pub name: Option<String>,
}

/// Arguments of `man`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ManArgs {
    /// The command; without it, the page of kdsha itself
    #[arg(value_name = "COMMAND", add = ArgValueCandidates::new(candidates::commands))]
    pub command: Option<String>,
}

/// Longest length of time that a flag takes; the same as in `kdsha.toml`.
const MOST: Duration = Duration::from_secs(365 * 86_400);

/// A name, or PRIMARY=STANDBY.
fn both_sides<T: FromStr<Err = InvalidId> + Clone>(text: &str) -> Result<PerSide<T>, String> {
    let read = |name: &str| name.parse::<T>().map_err(|error| error.to_string());
    let (primary, standby) = text.split_once('=').unwrap_or((text, text));
    Ok(PerSide { primary: read(primary)?, standby: read(standby)? })
}

fn buffer(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        length if length <= MOST => Ok(length),
        _ => Err(format!("`{text}` is longer than 365 days, the longest that a stream keeps a record")),
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    match buffer(text)? {
        Duration::ZERO => Err(format!("`{text}` leaves no time at all; a wait needs minutes, such as 30m")),
        length => Ok(length),
    }
}

pub(super) fn start_at(text: &str) -> Result<StartAt, String> {
    match text.to_ascii_lowercase().replace('_', "-").as_str() {
        "trim-horizon" => return Ok(StartAt::TrimHorizon),
        "latest" => {
            let why = "a mapping that starts at the tip can miss records for minutes while it starts";
            return Err(format!("{why}; give a time, or trim-horizon"));
        }
        _ => {}
    }
    let expected =
        || format!("`{text}` is not an instant; write it like 2026-11-22T10:45:00Z, or trim-horizon");
    let at: Timestamp = text.parse().map_err(|_| expected())?;
    if at.as_second() < 0 {
        return Err(expected());
    }
    // Lambda documents whole seconds; an earlier start only reads a record again.
    let whole = Timestamp::from_second(at.as_second()).map_err(|_| expected())?;
    Ok(StartAt::Timestamp(whole))
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address: SocketAddr = numeric
        .as_deref()
        .unwrap_or(text)
        .parse()
        .map_err(|_| format!("`{text}` is not an address; write it like 127.0.0.1:4566"))?;
    match address.ip().is_loopback() {
        true => Ok(address),
        false => Err(format!(
            "`{text}` can be reached from other machines; the sandbox takes every caller for the \
             owner of the account, so it serves loopback addresses only, such as 127.0.0.1:4566"
        )),
    }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
