//! Records that keep coming while the pipeline is moved, and the account of them afterwards.

use super::rig::Rig;
use crate::support::process::Running;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

/// Until the first data points are complete: a period of five seconds, after a mapping's start.
const FIRST_POINTS: Duration = Duration::from_secs(12);

/// The running traffic; ended when dropped.
pub struct Traffic {
    driver: Running,
    log: PathBuf,
    began: Instant,
}

/// What became of the acknowledged records.
#[derive(Debug)]
pub struct Account {
    /// Records that the stream took, as the producer said.
    pub acknowledged: u64,
    /// Acknowledged records that are in no table of either Region.
    pub lost: Vec<String>,
    /// How often a record was processed again, in both Regions together.
    pub duplicates: u64,
    /// Acknowledged records by the Region that the producer wrote to.
    pub written_to: Vec<(String, u64)>,
}

fn count(value: &Value) -> u64 {
    value.as_u64().expect("a count")
}

impl Traffic {
    pub(super) fn start(rig: &Rig) -> Traffic {
        let log = rig.path("acknowledged.jsonl");
        let mut command = rig.command("traffic");
        command.arg("--log").arg(&log).args(["--rate", "10"]).stdin(Stdio::piped());
        let driver = Running::start(&mut command).expect("a startable traffic driver");
        Traffic { driver, log, began: Instant::now() }
    }

    /// Waits until the metrics have something to say.
    pub fn settle(&self) {
        thread::sleep(FIRST_POINTS.saturating_sub(self.began.elapsed()));
    }

    /// Puts records at once into a Region's stream that take its readers about 40 ms each.
    pub fn backlog(&self, rig: &Rig, region: &str, records: u32) {
        let (log, records) = (self.log.to_str().expect("a path in UTF-8"), records.to_string());
        rig.script("backlog", &["--log", log, "--region", region, "--records", &records]);
    }

    /// Counts what has been acknowledged so far, without stopping.
    pub fn so_far(&self, rig: &Rig) -> Account {
        let log = self.log.to_str().expect("a path in UTF-8");
        let found = rig.script("account", &["--log", log, "--within", "60"]);
        let lost = found["lost"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one.as_str().unwrap_or_default().to_owned());
        let written_to = found["written_to"].as_object().expect("Regions");
        Account {
            acknowledged: count(&found["acknowledged"]),
            lost: lost.collect(),
            duplicates: count(&found["duplicates"]),
            written_to: written_to.iter().map(|(region, n)| (region.clone(), count(n))).collect(),
        }
    }

    /// Stops the traffic and counts, once everything that is on its way has arrived.
    pub fn stop(mut self, rig: &Rig) -> Account {
        self.driver.close_stdin();
        let ended = self.driver.wait(Duration::from_secs(30)).expect("a child process");
        assert!(
            ended.is_some_and(|status| status.success()),
            "the traffic driver did not stop well: {ended:?}"
        );
        let account = self.so_far(rig);
        let expected = self.began.elapsed().as_secs() * 3;
        assert!(account.acknowledged > expected, "too little traffic to prove anything: {account:?}");
        account
    }
}

impl Account {
    /// Not one acknowledged record is missing.
    pub fn assert_nothing_lost(&self) {
        let (lost, all) = (self.lost.len(), self.acknowledged);
        assert!(self.lost.is_empty(), "{lost} of {all} records lost: {:#?}", self.lost);
    }

    /// How many acknowledged records the producer wrote to a Region.
    pub fn written_to(&self, region: &str) -> u64 {
        self.written_to.iter().find(|(name, _)| name == region).map_or(0, |(_, n)| *n)
    }
}
