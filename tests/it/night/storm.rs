//! A throttle storm: both Regions answer everything with their throttling errors. kdsha must not feed it, since the
//! quota is the whole account's, and must come through it.
//!
//! `KDSHA_NIGHT_STORM` is its length in seconds (default 15).

use super::proxy::{Fault, Rule, Seen};
use super::scene::{LIMIT, OVER, Scene};
use super::worst::{self, Storm};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

/// Lambda's control plane takes 15 requests a second of an account and Region, over all its APIs but GetFunction
/// and Invoke (Lambda quotas); kdsha keeps to 10 after a burst of 10.
const BURST: usize = 20;
const PACE: f64 = 10.0;

/// Requests by Region and second of the storm.
fn by_second(seen: &[Seen], began: Instant) -> BTreeMap<(String, u64), usize> {
    let mut counts = BTreeMap::new();
    for one in seen {
        let second = one.at.saturating_duration_since(began).as_secs();
        *counts.entry((one.about.region.to_string(), second)).or_default() += 1;
    }
    counts
}

fn of_lambda_control(seen: &[Seen], region: &str) -> Vec<Seen> {
    let is_it = |one: &&Seen| {
        let about = &one.about;
        about.region.as_str() == region && about.service == "lambda" && about.operation != "GetFunction"
    };
    seen.iter().filter(is_it).cloned().collect()
}

/// Prints what was sent, and holds it to the bounds.
fn must_be_bounded(what: &str, seen: &[Seen], began: Instant, length: Duration) {
    assert!(seen.iter().all(|one| one.met == Some(Fault::Throttle)), "{what}: something was let through");
    let counts = by_second(seen, began);
    let worst_second = |at: &u64| counts.iter().filter(|((_, second), _)| second == at).map(|(_, n)| n).sum();
    let most = counts.keys().map(|(_, second)| worst_second(second)).max().unwrap_or(0);
    worst::weathered(Storm { what: what.to_owned(), length, requests: seen.len(), most });
    for region in ["us-west-2", "us-east-2"] {
        let of_region: Vec<usize> =
            counts.iter().filter(|((name, _), _)| name == region).map(|(_, count)| *count).collect();
        let (sum, most) = (of_region.iter().sum::<usize>(), of_region.iter().copied().max().unwrap_or(0));
        let each = sum as f64 / length.as_secs_f64();
        println!("{what}, {region}: {sum} requests in {length:?}, {each:.1} a second, at most {most} in one");
        let control = of_lambda_control(seen, region);
        let most = by_second(&control, began).into_values().max().unwrap_or(0);
        assert!(most <= BURST, "{what}, {region}: {most} Lambda requests in one second");
        let allowed = BURST as f64 + PACE * length.as_secs_f64();
        assert!((control.len() as f64) < allowed, "{what}, {region}: {} Lambda requests", control.len());
    }
}

#[test]
fn a_storm_is_not_fed_and_is_come_through() {
    let length = std::env::var("KDSHA_NIGHT_STORM").map_or(15, |text| text.parse().expect("seconds"));
    let length = Duration::from_secs(length);
    let scene = Scene::of(41, 1.0);
    let run = scene.launch(&OVER);
    super::scene::until("the mark", || scene.mark()["kdsha:state"] == "open");
    super::scene::until("the first mapping", || !scene.mappings("us-east-2").is_empty());

    scene.proxy.take_seen();
    scene.proxy.inject(Rule::default(), Fault::Throttle);
    let began = Instant::now();
    std::thread::sleep(length);
    let seen = scene.proxy.take_seen();
    must_be_bounded("a failover", &seen, began, length);

    // Another look in the storm ends by itself, and says what it could not see.
    let (status, took) = scene.timed(&["status"]);
    println!("status in the storm: {:.1} s", took.as_secs_f64());
    assert_eq!(status.code(), Some(7), "{}", status.stderr);
    assert!(took < Duration::from_secs(12), "{took:?}");
    scene.proxy.heal();

    // It goes on where it was: the switch is made, with nobody's help.
    super::scene::until("the switch", || scene.environment()["PRODUCING_TO_REGION"] == "us-east-2");
    let signal = Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("kill");
    assert!(signal.success());
    let ended = run.finish(LIMIT).expect("it ends");
    assert_eq!(ended.code(), Some(130), "{}", ended.stderr);
}

/// A shorter look at the same: one `status` and nothing else.
#[test]
fn a_look_in_a_storm_sends_a_bounded_number_of_requests() {
    let scene = Scene::of(42, 1.0);
    scene.expect(0, &["status"]);
    let calm = scene.proxy.take_seen().len();
    scene.proxy.inject(Rule::default(), Fault::Throttle);
    let began = Instant::now();
    let (status, took) = scene.timed(&["status"]);
    assert_eq!(status.code(), Some(7), "{}", status.stderr);
    let seen = scene.proxy.take_seen();
    println!("status: {calm} requests when calm, {} in a storm, {:.1} s", seen.len(), took.as_secs_f64());
    must_be_bounded("status", &seen, began, Duration::from_secs(1).max(took));
    assert!(seen.len() <= 3 * calm, "{calm} calls came to {} requests", seen.len());
}
