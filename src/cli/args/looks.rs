//! Flags and arguments of the commands that only show something.

use crate::cli::candidates;
use crate::model::RunId;
use clap::{Args, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCandidates;
use std::path::PathBuf;
/// Flags of `status`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct StatusArgs {
    /// Show a live view: look again until interrupted
    ///
    /// `r` looks at once, `p` pauses, `q` or Ctrl-C leaves it. Without a terminal, a status is printed at each look.
    #[arg(long)]
    pub watch: bool,
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
