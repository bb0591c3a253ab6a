//! `status` while the primary Region is ill: it answers within its bound, shows the other Region undelayed, and says
//! with its exit code that something is wrong.

use super::proxy::{BlackHole, Fault, Rule};
use super::scene::Scene;
use super::worst;
use crate::support::process::Finished;
use serde_json::Value;
use std::time::Duration;

/// What one look may take (`observe`), and what starting and printing a debug binary on a busy machine may add.
const BOUND: Duration = Duration::from_secs(10);
const SLACK: Duration = Duration::from_secs(4);
const PRIMARY: &str = "us-west-2";

fn status(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}{}", finished.stdout, finished.stderr))
}

/// The standby's part is complete, and its slowest answer was not held up by the other Region.
fn the_standby_is_there(status: &Value, what: &str) {
    let standby = &status["snapshot"]["regions"]["us-east-2"];
    let apis = standby["apis"].as_array().expect("the APIs of us-east-2");
    assert!(apis.len() >= 5, "{what}: {apis:?}");
    for api in apis {
        assert_eq!(api["failed"], 0, "{what}: {api}");
        assert!(api["slowest_seconds"].as_f64() < Some(3.0), "{what}: {api}");
    }
    let view = &status["snapshot"]["pipelines"]["ticker-prices"]["standby"];
    assert_eq!(view["stream"]["known"]["status"], "ACTIVE", "{what}: {view}");
    assert!(view["consumer"]["mappings"]["known"].is_array(), "{what}");
}

/// Every fault, met by everything that is for the primary.
#[test]
fn a_sick_primary_costs_a_bounded_time_and_hides_nothing_of_the_standby() {
    let scene = Scene::of(1, 1.0);
    let well = scene.expect(0, &["status", "--output", "json"]);
    the_standby_is_there(&status(&well), "well");
    assert!(status(&well)["reach"].is_null(), "there is a matrix when everything answers");
    let mut worst = (Duration::ZERO, "");
    for (what, fault) in [
        ("silent", Fault::Silence),
        ("reset", Fault::Reset),
        ("500", Fault::Error(500, "ServiceException")),
        ("503", Fault::Error(503, "ServiceUnavailable")),
        ("throttled", Fault::Throttle),
        ("stalled in the body", Fault::Stall),
        ("slow by a minute", Fault::Slow(Duration::from_secs(60))),
        ("cut after the call", Fault::CutAfterApply),
    ] {
        scene.proxy.inject(Rule::region(PRIMARY), fault);
        let (finished, took) = scene.timed(&["status", "--output", "json"]);
        scene.proxy.heal();
        println!("status, us-west-2 {what}: {:.2} s, exit {:?}", took.as_secs_f64(), finished.code());
        assert!(took < BOUND + SLACK, "{what}: {took:?}");
        if what == "silent" {
            worst::answered("status", took);
        }
        assert_eq!(finished.code(), Some(7), "{what}: {}{}", finished.stdout, finished.stderr);
        let status = status(&finished);
        the_standby_is_there(&status, what);
        let primary = &status["snapshot"]["regions"][PRIMARY]["apis"];
        let failed = primary.as_array().expect("APIs").iter().filter(|api| api["failed"] != 0).count();
        assert!(failed >= 4, "{what}: {primary}");
        let reach = status["reach"]["steps"].to_string();
        assert!(reach.contains("deferred") && reach.contains("kdsha resume"), "{what}: {reach}");
        worst = worst.max((took, what));
    }
    println!("worst: {:.2} s ({})", worst.0.as_secs_f64(), worst.1);
}

/// One service alone is ill: everything else of that Region is still seen.
#[test]
fn one_sick_service_hides_no_other() {
    let scene = Scene::of(2, 1.0);
    for service in ["lambda", "kinesis", "cloudwatch"] {
        scene.proxy.inject(Rule::service(PRIMARY, service), Fault::Silence);
        let (finished, took) = scene.timed(&["status", "--output", "json"]);
        scene.proxy.heal();
        assert!(took < BOUND + SLACK, "{service}: {took:?}");
        assert_eq!(finished.code(), Some(7), "{service}: {}", finished.stderr);
        let status = status(&finished);
        the_standby_is_there(&status, service);
        for api in status["snapshot"]["regions"][PRIMARY]["apis"].as_array().expect("APIs") {
            let is_of_it = api["operation"].as_str().is_some_and(|o| o.starts_with(&format!("{service}:")));
            assert_eq!(api["failed"] != 0, is_of_it, "{service}: {api}");
        }
    }
}

/// The network drops every packet to the primary: no SYN is answered.
#[test]
fn a_black_hole_costs_the_connect_time_out_alone() {
    let scene = Scene::of(3, 1.0);
    let hole = BlackHole::open();
    let endpoints = format!(
        "[endpoints]\nus-west-2 = \"{}\"\nus-east-2 = \"{}\"\n",
        hole.url(),
        scene.proxy.url("us-east-2")
    );
    scene.configure(&endpoints, None, 1.0);
    let (finished, took) = scene.timed(&["status", "--output", "json"]);
    println!("status, us-west-2 a black hole: {:.2} s", took.as_secs_f64());
    worst::answered("status", took);
    assert!(took < BOUND + SLACK, "{took:?}");
    assert_eq!(finished.code(), Some(7), "{}", finished.stderr);
    let status = status(&finished);
    the_standby_is_there(&status, "black hole");
    let primary = status["snapshot"]["regions"][PRIMARY]["apis"].to_string();
    assert!(primary.contains("no connection in time"), "{primary}");
}

/// Every request reached the door of its own Region.
#[test]
fn no_request_for_one_region_reaches_the_other() {
    let scene = Scene::of(4, 1.0);
    scene.expect(0, &["verify"]);
    let seen = scene.proxy.take_seen();
    assert!(seen.len() > 10, "{seen:?}");
    for one in seen {
        assert_eq!(one.door, one.about.region, "{one:?}");
    }
}
