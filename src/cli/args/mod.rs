//! The command line as types: every command and flag, checked as far as words alone can be.
//!
//! Nothing here reads a file, the environment or the network, so `--help` costs nothing.

mod looks;
mod moves;
mod practice;
mod setup;
mod values;

pub use looks::{CompletionsArgs, ManArgs, ReportArgs, ReportFormat, RunArgs, SchemaArgs, StatusArgs};
pub use moves::{AcceptArgs, FailbackArgs, FailoverArgs, ResumeArgs};
pub use practice::{RehearseArgs, SandboxArgs};
pub use setup::{InitArgs, Mode};
pub(super) use values::start_at;

use super::{candidates, help};
use crate::model::PipelineName;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCandidates;
use std::path::PathBuf;

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

    /// Say more: once for ok checks and answers, twice for each request
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

#[cfg(test)]
mod tests;
