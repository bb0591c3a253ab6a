//! Bad input: one clear error, the exit code of the table, and nothing changed.

use super::rig::{Mode, Rig};
use super::world::{PRIMARY, STANDBY};
use crate::support::process::Finished;
use std::fs;

/// Runs kdsha, which has to refuse with a code and name the reason; nothing mutating may be sent.
fn refused(rig: &Rig, code: i32, arguments: &[&str], names: &[&str]) -> Finished {
    let before = rig.mutations().len();
    let finished = rig.expect(code, arguments);
    let mutations = rig.mutations();
    assert_eq!(mutations.len(), before, "{arguments:?} sent: {:#?}", &mutations[before..]);
    let said = format!("{}{}", finished.stdout, finished.stderr);
    for name in names {
        assert!(said.contains(name), "{arguments:?} does not name `{name}`:\n{said}");
    }
    assert!(finished.stderr.contains("error:"), "{arguments:?}: no error on stderr:\n{said}");
    finished
}

/// Runs `failover` with a changed configuration.
fn misconfigured(rig: &Rig, code: i32, from: &str, to: &str, names: &[&str]) {
    let sound = rig.config(Mode::Cold);
    assert!(sound.contains(from), "the configuration has no {from}");
    fs::write(rig.path("kdsha.toml"), sound.replacen(from, to, 1)).expect("a writable file");
    refused(rig, code, &["failover", "--to", STANDBY, "--yes"], names);
    fs::write(rig.path("kdsha.toml"), sound).expect("a writable file");
}

#[test]
fn bad_input_is_refused_and_changes_nothing() {
    let rig = Rig::start(Mode::Cold);
    let traffic = rig.traffic();
    traffic.settle();
    let before = rig.world();

    // Refused before anything is looked at.
    refused(&rig, 2, &["failover", "--to", "eu-central-1", "--yes"], &["eu-central-1", PRIMARY, STANDBY]);
    refused(&rig, 2, &["failover", "--to", PRIMARY, "--yes"], &[PRIMARY, "failback"]);
    refused(&rig, 2, &["failover", "--to", STANDBY], &["--yes"]);
    refused(
        &rig,
        2,
        &["failover", "--to", STANDBY, "--yes", "--pipeline", "nosuch"],
        &["nosuch", "ticker-prices"],
    );
    misconfigured(&rig, 2, "[timing]\npoll", "[timing]\npol", &["pol", "poll"]);
    let looks = rig.sent();
    assert!(looks.is_empty(), "asked AWS before it could be sure of its input: {looks:#?}");

    // Refused by the preflight, with everything that blocks.
    refused(&rig, 4, &["failback", "--yes"], &["nothing was changed"]);
    misconfigured(&rig, 4, "KDS-HA-ConsumerLambda", "KDS-HA-NoSuchLambda", &["KDS-HA-NoSuchLambda"]);
    misconfigured(&rig, 4, "KDS-HA-ProducerLambda", "KDS-HA-NoProducer", &["KDS-HA-NoProducer"]);
    misconfigured(&rig, 4, "stream = \"KDS-HA-Stream\"", "stream = \"No-Such-Stream\"", &["No-Such-Stream"]);
    misconfigured(&rig, 4, "123456789012", "999999999999", &["999999999999", "123456789012"]);
    let after = rig.world();
    let changes = before.changes(&after);
    assert!(changes.is_empty(), "a refused command changed: {changes:#?}");

    let second = rig.script("meddle", &["second-mapping"]);
    let uuid = second["mapping"].as_str().expect("a UUID");
    refused(&rig, 4, &["failover", "--to", STANDBY, "--yes"], &[uuid, "KDS-HA-ConsumerLambda"]);
    let verified = rig.expect(7, &["verify"]);
    assert!(verified.stdout.contains(uuid), "{}", verified.stdout);
    rig.script("meddle", &["only-mapping"]);

    corrupt_journal(&rig);
    traffic.stop(&rig).assert_nothing_lost();
}

/// A journal that cannot be trusted, of a run that is nowhere under way by the marks: it is named, and stops nothing.
fn corrupt_journal(rig: &Rig) {
    let folder = rig.path("state").join("20260101-000000-failover-0000");
    fs::create_dir_all(&folder).expect("a writable folder");
    for text in ["not a journal\nat all\n", "{\"version\": 1}\n{\"somebody\": \"else\"}\n"] {
        fs::write(folder.join("journal.jsonl"), text).expect("a writable file");
        let looked = rig.expect(0, &["failover", "--to", STANDBY, "--dry-run"]);
        let said: String = looked.stderr.split_whitespace().collect();
        assert!(said.contains("20260101-000000-failover-0000"), "{}", looked.stderr);
        assert!(said.contains("leftaside"), "{}", looked.stderr);
    }
    fs::remove_dir_all(folder).expect("a removable folder");
}
