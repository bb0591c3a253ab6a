//! What a shell is offered at a key press: from local files alone, and nothing where they say nothing.

use crate::config::{self, Surroundings, Topology};
use crate::journal::StateFolder;
use clap_complete::CompletionCandidate;

/// The configuration that a command without `--config` would take.
fn topology() -> Option<Topology> {
    let path = config::find(None, &Surroundings::of_process()).ok()?;
    config::load(&path).ok()
}

fn candidate(value: impl Into<String>, about: String) -> CompletionCandidate {
    CompletionCandidate::new(value.into()).help(Some(about.into()))
}

/// The refusal of a failover without `--to`, with the command that the configuration suggests. It is not taken for
/// granted: where a pipeline goes is typed by whoever moves it.
pub(super) fn with_standby(mut error: clap::Error) -> clap::Error {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let lacks = |value: &ContextValue| match value {
        ContextValue::Strings(all) => all.iter().any(|one| one.starts_with("--to ")),
        _ => false,
    };
    let is_it = error.kind() == ErrorKind::MissingRequiredArgument
        && error.get(ContextKind::InvalidArg).is_some_and(lacks);
    if let Some(topology) = topology().filter(|_| is_it) {
        let standby = &topology.regions.standby;
        let tip = format!("the configured standby is {standby}: kdsha failover --to {standby}");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// The Region that a failover may move to.
pub(super) fn standby() -> Vec<CompletionCandidate> {
    let region = topology().map(|topology| topology.regions.standby);
    region.map(|region| candidate(region, "the standby Region".to_owned())).into_iter().collect()
}

/// The pipelines of the configuration.
pub(super) fn pipelines() -> Vec<CompletionCandidate> {
    let pipelines = topology().map(|topology| topology.pipelines).unwrap_or_default();
    pipelines
        .into_iter()
        .map(|pipeline| candidate(pipeline.name, format!("stream {}", pipeline.stream.primary)))
        .collect()
}

/// The runs of this machine, the newest first.
pub(super) fn runs() -> Vec<CompletionCandidate> {
    let names = StateFolder::from_environment().map(|folder| folder.names()).unwrap_or_default();
    names
        .into_iter()
        .enumerate()
        .map(|(order, name)| CompletionCandidate::new(name).display_order(Some(order)))
        .collect()
}

/// The documents that have a schema.
pub(super) fn schemas() -> Vec<CompletionCandidate> {
    super::schema::SCHEMAS.iter().map(|(name, about, _)| candidate(*name, (*about).to_owned())).collect()
}

/// Where a consumer may start; an instant is only known to whoever types it.
pub(super) fn starts() -> Vec<CompletionCandidate> {
    vec![candidate("trim-horizon", "the oldest record that the stream still has".to_owned())]
}

/// The commands.
pub(super) fn commands() -> Vec<CompletionCandidate> {
    use clap::CommandFactory;
    let command = super::args::Cli::command();
    command.get_subcommands().map(|c| CompletionCandidate::new(c.get_name().to_owned())).collect()
}
