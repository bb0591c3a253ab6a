//! Arguments and wiring, one file a subcommand. Prints nothing itself, names no SDK type.

pub mod args;
mod candidates;
pub mod complete;
pub mod failback;
pub mod failover;
pub mod failure;
mod help;
mod init;
pub mod look;
mod man;
pub mod moving;
pub mod policy;
mod rehearse;
mod report;
pub mod resume;
mod runs;
mod sandbox;
mod schema;
pub mod session;
mod settling;
pub mod standing;
pub mod undo;
mod watch;

use crate::aws::{Aws, ConnectOptions, surroundings};
use crate::config::{self, Surroundings, Topology};
use crate::engine::Interrupt;
use crate::journal::{RunRecord, StateFolder};
use crate::model::{Clock, Exit, Side, duration};
use crate::ui::{self, Prompter, Ui};
use args::{Cli, Command, Global};
use clap::Parser;
use failure::Failure;
use session::Session;
use std::cell::RefCell;
use std::future::Future;

/// Reads the command line; where it is none, says why, and ends the process.
pub fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| candidates::with_standby(error).exit())
}

/// Runs a command to its exit code.
pub fn run(cli: &Cli) -> Exit {
    let ui = Ui::new(settings(&cli.global));
    let result = dispatch(cli, &ui);
    let exit = result.unwrap_or_else(|failure| {
        ui.failure(failure.exit, &[failure.message], &failure.hints);
        failure.exit
    });
    match ui.write_error() {
        Some(std::io::ErrorKind::BrokenPipe) | None => exit,
        Some(_) => Exit::Internal,
    }
}

fn settings(global: &Global) -> ui::Settings {
    ui::Settings {
        format: match global.output {
            args::Output::Human => ui::Format::Human,
            args::Output::Json => ui::Format::Json,
        },
        color: match global.color {
            args::Color::Auto => ui::Color::Auto,
            args::Color::Always => ui::Color::Always,
            args::Color::Never => ui::Color::Never,
        },
        quiet: global.quiet,
        verbose: global.verbose,
        ground: ui::Ground::Aws,
    }
}

fn dispatch(cli: &Cli, ui: &Ui) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Completions(args) => {
            ui.raw(&match args.dynamic {
                true => complete::registration(args.shell)?,
                false => complete::script(args.shell),
            });
            Ok(Exit::Done)
        }
        Command::Schema(args) => schema::run(ui, args),
        Command::Man(args) => man::run(ui, args),
        Command::Rehearse(args) if args.list => {
            rehearse::list(ui);
            Ok(Exit::Done)
        }
        Command::Init(args) => {
            let Some(written) = on_runtime(false, init::run(ui, &cli.global, args))? else {
                return Ok(Exit::Done);
            };
            // The very file that was written, with all that is in it.
            let global = Global { config: Some(written), pipelines: Vec::new(), ..cli.global.clone() };
            let cli = Cli { global, command: Command::Verify };
            connected(&cli, ui, Prompter::AssumeYes, async |session| look::verify(session, ui).await)
        }
        Command::Rehearse(args) => {
            let prompter = prompter(ui, args.yes, false)?;
            on_runtime(!args.real_time, rehearse::run(ui, &cli.global, args, prompter))
        }
        Command::Sandbox(args) => on_runtime(false, sandbox::run(ui, args)),
        Command::Policy => policy::run(ui, &topology(&cli.global)?),
        Command::Runs(args) => runs::run(ui, &state()?, args.run.as_ref()),
        Command::Report(args) => {
            let run = report::find(&state()?, args.run.as_ref())?;
            let asked = match report::may(args) {
                true => asked(cli, ui, &run),
                false => report::Asked::No(Some("--no-aws was given".to_owned())),
            };
            report::write(ui, args, &run, &asked)
        }
        Command::Status(args) => connected(cli, ui, Prompter::AssumeYes, async |session| match args.watch {
            true => watch::run(session, ui).await,
            false => look::status(session, ui).await,
        }),
        Command::Verify => {
            connected(cli, ui, Prompter::AssumeYes, async |session| look::verify(session, ui).await)
        }
        Command::Failover(args) => {
            let prompter = prompter(ui, args.yes || args.dry_run, true)?;
            connected(cli, ui, prompter, async |session| failover::run(session, ui, args).await)
        }
        Command::Failback(args) => {
            let prompter = prompter(ui, args.yes || args.dry_run, true)?;
            connected(cli, ui, prompter, async |session| failback::run(session, ui, args).await)
        }
        Command::Resume(args) => {
            let prompter = prompter(ui, args.yes, false)?;
            connected(cli, ui, prompter, async |session| resume::run(session, ui, args).await)
        }
    }
}

/// Who answers. Refused before anything is looked at, when nobody can.
fn prompter(ui: &Ui, yes: bool, has_dry_run: bool) -> Result<Prompter, Failure> {
    match (yes, ui::can_prompt()) {
        (true, _) => Ok(Prompter::AssumeYes),
        (false, true) => Ok(Prompter::terminal(ui)),
        (false, false) => {
            let failure = Failure::new(Exit::Usage, "there is no terminal to confirm on")
                .hint("run it in a terminal, or add --yes to confirm everything beforehand");
            Err(if has_dry_run { failure.hint("--dry-run needs no confirmation") } else { failure })
        }
    }
}

fn topology(global: &Global) -> Result<Topology, Failure> {
    let path = config::find(global.config.as_deref(), &Surroundings::of_process())?;
    Ok(config::load(&path)?)
}

fn state() -> Result<StateFolder, Failure> {
    StateFolder::from_environment().ok_or_else(|| {
        Failure::new(Exit::Usage, "there is no place for the journals").hint("set KDSHA_STATE_DIR, or HOME")
    })
}

/// One thread; `paused` is virtual time, which runs ahead whenever nothing else is to be done.
fn on_runtime<T>(paused: bool, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder
        .enable_all()
        .start_paused(paused)
        .build()
        .map_err(|e| Failure::new(Exit::Internal, format!("the runtime cannot start: {e}")))?;
    let result = runtime.block_on(tokio::task::LocalSet::new().run_until(work));
    // A prompt may still wait for a line that nobody will type.
    runtime.shutdown_background();
    result
}

/// What AWS says of a run's time, where a configuration and credentials are at hand.
fn asked(cli: &Cli, ui: &Ui, run: &RunRecord) -> report::Asked {
    let mut snapshot = None;
    let end = connected(cli, ui, Prompter::AssumeYes, async |session| {
        snapshot = Some(report::ask(session, run).await?);
        Ok(Exit::Done)
    });
    match (end, snapshot) {
        (Ok(_), Some(snapshot)) => report::Asked::Answered(Box::new(snapshot)),
        (Ok(_), None) => report::Asked::No(None),
        // The first sentence: what follows is for a command that needs the answer.
        (Err(failure), _) => report::Asked::No(failure.message.split([';', '\n']).next().map(str::to_owned)),
    }
}

/// The flags that the next command needs too.
fn again(cli: &Cli) -> ui::Again {
    let global = &cli.global;
    let config = global.config.iter().map(|path| ui::flag("--config", &path.display().to_string()));
    let profile = global.profile.iter().map(|name| ui::flag("--profile", name));
    let pipelines = global.pipelines.iter().map(|name| ui::flag("--pipeline", name.as_str()));
    let timeout = match &cli.command {
        Command::Failover(args) => args.timeout,
        Command::Failback(args) => args.timeout,
        _ => None,
    };
    ui::Again {
        everywhere: config.chain(profile).chain(pipelines).collect(),
        moving: timeout.map(|length| ui::flag("--timeout", &duration::show(length))).into_iter().collect(),
    }
}

/// Runs a command with everything that it needs to look at AWS.
fn connected(
    cli: &Cli,
    ui: &Ui,
    prompter: Prompter,
    command: impl AsyncFnOnce(&Session) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let topology = topology(&cli.global)?;
    let state = state()?;
    on_runtime(false, async {
        let interrupt = Interrupt::on_signals()
            .map_err(|e| Failure::new(Exit::Internal, format!("signals cannot be heard: {e}")))?;
        let options = ConnectOptions {
            profile: cli.global.profile.clone(),
            http_client: None,
            ..ConnectOptions::new(topology.regions.of(Side::Standby).clone())
        };
        let aws = Aws::connect(&topology, options, Clock::local()).await?;
        ui.set_context(&topology, None);
        ui.set_again(again(cli));
        if cli.global.verbose > 0 || matches!(cli.command, Command::Verify) {
            surroundings().iter().for_each(|note| ui.note(note));
        }
        let session = Session {
            topology,
            aws,
            state,
            prompter: RefCell::new(prompter),
            interrupt,
            owner: session::owner(),
            argv: std::env::args().collect(),
            selected: cli.global.pipelines.clone(),
        };
        let result = command(&session).await;
        if session.aws.clock().skew().is_none() {
            // It may be this machine that is cut off, and not two Regions: an emergency would be a mistake.
            ui.note(
                "nothing answered from this machine: check its network, VPN and proxy before anything else",
            );
            surroundings().iter().for_each(|note| ui.note(note));
        }
        result
    })
}
