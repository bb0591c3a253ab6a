//! What calls cost.

use super::faults::{Fault, Rule};
use super::wire::HttpCall;
use super::world::{Delays, World};
use super::{Fate, Sandbox};
use std::time::Duration;

fn whoami() -> HttpCall {
    let scope = "AWS4-HMAC-SHA256 Credential=123456789012/20260302/us-west-2/sts/aws4_request";
    HttpCall {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers: [("authorization", scope), ("content-type", "application/x-www-form-urlencoded")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: b"Action=GetCallerIdentity&Version=2011-06-15".to_vec(),
    }
}

/// Milliseconds of the sandbox's time.
async fn cost(speed: f64, fault: Option<Fault>) -> i64 {
    let start = "2026-03-02T03:00:00Z".parse().expect("a time");
    let sandbox = Sandbox::with_speed(World::with_delays(1, start, Delays::default()), speed);
    if let Some(fault) = fault {
        sandbox.inject(Rule { fault: Some(fault), ..Rule::default() });
    }
    let begun = sandbox.now();
    assert!(matches!(sandbox.handle(whoami()).await, Fate::Answer(answer) if answer.status == 200));
    sandbox.now().as_millisecond() - begun.as_millisecond()
}

#[tokio::test(start_paused = true)]
async fn a_call_costs_no_more_of_the_sandboxs_time_when_that_runs_faster() {
    // Timers go by whole milliseconds, which are sixty of a sandbox that runs sixty times as fast.
    let (slow, most) = (Some(Fault::Slow(Duration::from_secs(30))), 4);
    assert!((20..=20 + most).contains(&cost(1.0, None).await));
    assert!((20..=20 + 60 * most).contains(&cost(60.0, None).await));
    assert!((30_020..=30_020 + most).contains(&cost(1.0, slow.clone()).await));
    assert!((30_020..=30_020 + 60 * most).contains(&cost(60.0, slow).await));
}
