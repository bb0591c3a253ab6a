//! `kdsha sandbox`: the built-in two-Region AWS as an endpoint for any AWS client.

use super::args::SandboxArgs;
use super::failure::Failure;
use crate::engine::Interrupt;
use crate::model::{Exit, Timestamp};
use crate::sandbox::Sandbox;
use crate::sandbox::world::{Story, World};
use crate::ui::Ui;

/// Serves until interrupted.
///
/// # Errors
/// When the address cannot be served on.
pub async fn run(ui: &Ui, args: &SandboxArgs) -> Result<Exit, Failure> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let now = Timestamp::now();
    let world = match args.empty {
        true => World::empty(seed, now),
        false => World::of_the_post(seed, now, &Story::default()),
    };
    let sandbox = Sandbox::with_speed(world, f64::from(args.speed));
    let unusable = |e: std::io::Error| {
        Failure::new(Exit::Usage, format!("--listen {}: {e}", args.listen)).hint("port 0 takes a free one")
    };
    let listener = tokio::net::TcpListener::bind(args.listen).await.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    let interrupt =
        Interrupt::on_signals().map_err(|e| Failure::new(Exit::Internal, format!("signals: {e}")))?;
    ui.raw(&format!("http://{address}\n"));
    // Whatever the sandbox is given, it takes the caller for the owner of the account.
    ui.note(&format!("export AWS_ENDPOINT_URL=http://{address} AWS_REGION=us-west-2"));
    ui.note("export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox");
    ui.note("serving Kinesis, Lambda, CloudWatch, DynamoDB and STS for any Region; Ctrl-C ends it");
    sandbox
        .serve(listener, async move { interrupt.raised().await })
        .await
        .map_err(|e| Failure::new(Exit::Internal, format!("the sandbox stopped: {e}")))?;
    Ok(Exit::Done)
}
