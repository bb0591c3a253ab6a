//! Flags of the commands that move pipelines: `failover`, `failback`, `resume`.

use super::values::{buffer, start_at, timeout};
use crate::cli::candidates;
use crate::cli::failure::Failure;
use crate::model::{Exit, Region, StartAt};
use crate::plan::Accepted;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap_complete::engine::ArgValueCandidates;
use std::ffi::OsStr;
use std::time::Duration;

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
    #[arg(long, short = 'y')]
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
    #[arg(long, value_name = "TIME|trim-horizon", value_parser = start_at, add = ArgValueCandidates::new(candidates::starts))]
    pub start_at: Option<StartAt>,

    /// How far before the derived position the standby's consumer starts, such as 90s or 5m
    ///
    /// Instead of the overlap buffer of the configuration.
    #[arg(long, value_name = "DURATION", value_parser = buffer, conflicts_with = "start_at")]
    pub overlap_buffer: Option<Duration>,

    /// How long one wait may take, such as 90s, 30m or 1h30m, instead of the configured time-out
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
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Do not process the records that are stranded in the primary's stream; they are counted and logged
    #[arg(long)]
    pub skip_stranded: bool,

    /// How long one wait may take, such as 90s, 30m or 1h30m, instead of the configured time-out
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
    /// It lifts that check and nothing else, and is written to the journal with the reason. Where several of the
    /// name forbid the run, say which: CHECK@REGION, CHECK/PIPELINE or CHECK@REGION/PIPELINE; CHECK/* are all. Checks that stand
    /// between you and a lost record cannot be accepted: they name their own way out.
    #[arg(long = "accept", value_name = "CHECK", requires = "reason", value_parser = Acceptable)]
    pub checks: Vec<String>,

    /// Why the checks named by --accept do not matter now
    #[arg(long, value_name = "TEXT", requires = "checks", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
}

/// Reads the name of a check that can be accepted, with the Region and the pipeline that it may go on with.
#[derive(Debug, Clone, Copy)]
struct Acceptable;

fn acceptable() -> impl Iterator<Item = PossibleValue> {
    crate::plan::ACCEPTABLE.into_iter().map(|check| PossibleValue::new(check).help(meaning(check)))
}

impl TypedValueParser for Acceptable {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        let text = value.to_string_lossy();
        let check = text.split(['@', '/']).next().unwrap_or_default();
        PossibleValuesParser::new(acceptable()).parse_ref(command, arg, OsStr::new(check))?;
        Ok(text.into_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(acceptable()))
    }
}

/// What accepting a check takes upon oneself.
fn meaning(check: &str) -> &'static str {
    match check {
        "clock" => "This machine's clock is off",
        "concurrency" => "The standby's account may have too few concurrent executions left",
        "consumer_lag" => {
            "A consumer processes nothing, or may not: the run would wait for it, or move to it"
        }
        "credentials" => "The credentials may expire before the run ends",
        "health" => "The Region to move to fails too",
        "mapping_settings" => "A new mapping would not be set as the one that it stands for",
        "other_readers" => "Something else reads the stream too",
        "producer_alias" => "Nobody invokes a producer through an alias of its own",
        "reader_function" => "A function that reads may not be able to",
        "record_age" => "A mapping gives records up that are as old as its start",
        "replicator_lag" => "The copy is further behind than the RPO",
        "start_at" => "--start-at lies behind records that may be unprocessed: they would be skipped",
        "sink" => "The table does not say where its items come from",
        "streams_match" => "The standby's stream is smaller, or set otherwise",
        _ => "",
    }
}

impl AcceptArgs {
    /// What is accepted, where anything is.
    ///
    /// # Errors
    /// A check that cannot be accepted.
    pub fn accepted(&self) -> Result<Option<Accepted>, Failure> {
        let Some(reason) = &self.reason else { return Ok(None) };
        let accepted = Accepted::new(&self.checks, reason.clone());
        accepted.map(Some).map_err(|why| Failure::new(Exit::Usage, why))
    }
}

/// Flags of `resume`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ResumeArgs {
    /// Answer the prompts with yes; lifts no guard
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Put back what the unfinished run has changed, instead of going on
    ///
    /// Only until the run's point of no return, the switch of the producers. Every call is listed first.
    #[arg(long)]
    pub undo: bool,

    /// Go on with an unfinished failover as an emergency: the old Region may not answer
    #[arg(long, conflicts_with = "undo")]
    pub emergency: bool,

    /// Start the standby's consumer here, where neither the data points nor the run's mark tell
    ///
    /// An instant before the first unprocessed record, or trim-horizon.
    #[arg(long, value_name = "TIME|trim-horizon", requires = "emergency", value_parser = start_at, add = ArgValueCandidates::new(candidates::starts))]
    pub start_at: Option<StartAt>,
}
