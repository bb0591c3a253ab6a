//! Credentials that end in the middle, that lack a right, that are another account's; and traps in the environment.
//! Each is told with the way out, and nothing is half done.

use super::proxy::{Fault, Rule};
use super::scene::{OVER, Scene};
use crate::support::process::Finished;
use std::fs;
use std::time::Duration;

fn flat(finished: &Finished) -> String {
    format!("{}{}", finished.stdout, finished.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The token expires in a wait: the run stops between calls, says what to do, and the same command goes on.
#[test]
fn a_token_that_expires_in_a_wait_stops_the_run_at_once() {
    let scene = Scene::of(61, 60.0);
    let running = scene.launch(&OVER);
    super::scene::until("the switch", || scene.environment()["PRODUCING_TO_REGION"] == "us-east-2");
    scene.proxy.inject(Rule::default(), Fault::Error(403, "ExpiredTokenException"));
    // Not the nine hours that the wait may take: the next look ends it.
    let finished = running.finish(Duration::from_secs(30)).expect("it stops");
    let told = flat(&finished);
    assert_eq!(finished.code(), Some(5), "{told}");
    assert!(told.contains("expired") && told.contains("aws sso login"), "{told}");
    assert!(told.contains("kdsha failover --to us-east-2"), "{told}");

    let again = scene.expect(2, &OVER);
    assert!(flat(&again).contains("renew the credentials"), "{}", again.stderr);
    scene.proxy.heal();
    scene.expect(0, &OVER);
    scene.expect(0, &["verify"]);
    scene.must_have_lost_nothing(&"an expired token");
}

/// The token expires at a call: nothing was changed by it, and the same command goes on.
#[test]
fn a_token_that_expires_at_a_call_fails_that_step_alone() {
    let scene = Scene::of(62, 60.0);
    for operation in ["AddTagsToStream", "CreateEventSourceMapping", "UpdateFunctionConfiguration"] {
        scene.proxy.inject(Rule::operation(operation), Fault::Error(403, "ExpiredTokenException"));
        let finished = scene.expect(5, &OVER);
        assert!(flat(&finished).contains("the credentials have expired"), "{operation}: {}", finished.stderr);
        assert_eq!(scene.environment()["PRODUCING_TO_REGION"], "us-west-2", "{operation}");
        scene.proxy.heal();
    }
    scene.expect(0, &OVER);
    scene.must_have_lost_nothing(&"expired at calls");
}

/// An answer that is lost after the call took effect is looked for, not repeated.
#[test]
fn an_answer_that_is_cut_off_is_no_effect_that_is_repeated() {
    let scene = Scene::of(63, 60.0);
    let mutating = [
        "AddTagsToStream",
        "CreateEventSourceMapping",
        "UpdateEventSourceMapping",
        "UpdateFunctionConfiguration",
    ];
    for (number, operation) in mutating.into_iter().enumerate() {
        let fault = if number % 2 == 0 { Fault::CutAfterApply } else { Fault::HangAfterApply };
        scene.proxy.inject(Rule::operation(operation).times(1), fault);
    }
    scene.expect(0, &OVER);
    let met = scene.proxy.take_seen().into_iter().filter(|seen| seen.met.is_some()).count();
    assert_eq!(met, mutating.len(), "every fault met its call");
    assert_eq!(scene.mappings("us-east-2").len(), 1);
    scene.expect(0, &["verify"]);
    scene.must_have_lost_nothing(&"lost answers");
}

#[test]
fn another_account_is_refused_before_anything_is_changed() {
    let scene = Scene::of(64, 1.0);
    let path = scene.home.path().join("kdsha.toml");
    let config = fs::read_to_string(&path).expect("a file");
    let guarded = config
        .replace("# [account]  ", "[account]  ")
        .replace("# id = \"123456789012\"", "id = \"999999999999\"");
    assert_ne!(config, guarded, "the post's configuration has changed its form");
    fs::write(&path, guarded).expect("a writable folder");
    let refused = scene.expect(4, &OVER);
    let told = flat(&refused);
    assert!(told.contains("999999999999") && told.contains("123456789012"), "{told}");
    assert!(scene.mark()["kdsha:run"].is_null());
    assert!(scene.journals().is_empty());
}

/// What the shell of an operator may hold at night.
#[test]
fn traps_in_the_environment_are_told() {
    let scene = Scene::of(65, 1.0);
    fs::write(scene.home.path().join("kdsha.toml"), kdsha::config::THE_POST).expect("a writable folder");
    let run = |name: &str, value: &str, arguments: &[&str]| {
        let mut command = scene.command(arguments);
        command.env(name, value);
        crate::support::process::run(&mut command, Duration::from_secs(60)).expect("it ends")
    };
    let shared = run("AWS_ENDPOINT_URL", "https://vpce-1.lambda.us-west-2.vpce.amazonaws.com", &["status"]);
    assert_eq!(shared.code(), Some(2), "{}", shared.stderr);
    assert!(flat(&shared).contains("one Region would be taken for the other"), "{}", shared.stderr);
    let bundle = run("AWS_CA_BUNDLE", "/nowhere/bundle.pem", &["status"]);
    assert_eq!(bundle.code(), Some(2), "{}", bundle.stderr);
    assert!(flat(&bundle).contains("AWS_CA_BUNDLE"), "{}", bundle.stderr);
}
