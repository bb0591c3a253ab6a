//! Flags of `rehearse` and `sandbox`.

use super::values::loopback;
use clap::{Args, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;
fn stories() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(crate::cli::rehearse::stories())
}

/// Flags of `rehearse`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct RehearseArgs {
    /// The story to play; without it, that of the AWS post. `--list` tells them all
    #[arg(long, value_name = "NAME", value_parser = stories())]
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
    #[arg(long, short = 'y')]
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
