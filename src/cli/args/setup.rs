//! Flags of `init`.

use super::values::both_sides;
use crate::config::PerSide;
use crate::model::{FunctionName, Region, StreamName};
use clap::{Args, ValueEnum};
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
