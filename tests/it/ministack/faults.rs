//! The fault proxy in front of MiniStack: real Python functions go on producing, copying and consuming while the API
//! of us-west-2 is silent, loses answers, throttles and stalls.

use super::rig::{Mode, Rig};
use super::world::STANDBY;
use crate::night::proxy::{Fault, Proxy, Rule};
use std::fs;

fn behind_a_proxy(rig: &Rig) -> Proxy {
    let proxy = Proxy::start(rig.address());
    let config = rig.config(Mode::Cold);
    let (before, rest) = config.split_once("[endpoints]\n").expect("the section");
    let (_, after) = rest.split_once("[[pipeline]]").expect("a pipeline");
    let config = format!("{before}{}[[pipeline]]{after}", proxy.endpoints());
    fs::write(rig.path("kdsha.toml"), config).expect("a writable folder");
    proxy
}

/// Every mutating call of a failover loses its answer once, every service throttles, every Region stalls once.
#[test]
fn lost_answers_throttles_and_stalls_do_not_end_a_failover() {
    let rig = Rig::start(Mode::Cold);
    let before = rig.world();
    let proxy = behind_a_proxy(&rig);
    let traffic = rig.traffic();
    traffic.settle();
    let faults = [
        (Rule::operation("AddTagsToStream").times(1), Fault::CutAfterApply),
        (Rule::operation("CreateEventSourceMapping").times(1), Fault::CutAfterApply),
        (Rule::operation("UpdateFunctionConfiguration").times(1), Fault::HangAfterApply),
        (Rule::operation("UpdateEventSourceMapping").times(2), Fault::CutAfterApply),
        (Rule::operation("ListEventSourceMappings").times(2), Fault::Throttle),
        (Rule::operation("GetMetricData").times(2), Fault::Throttle),
        (Rule::operation("DescribeStreamSummary").times(1), Fault::Error(500, "InternalFailureException")),
        (Rule::operation("GetFunction").times(1), Fault::Stall),
        (Rule::operation("GetRecords").times(2), Fault::Reset),
    ];
    let wanted: u32 = faults.iter().filter_map(|(rule, _)| rule.times).sum();
    for (rule, fault) in faults {
        proxy.inject(rule, fault);
    }
    rig.succeed(&["failover", "--to", STANDBY, "--yes"]);
    let met = proxy.take_seen().iter().filter(|seen| seen.met.is_some()).count();
    assert_eq!(met, wanted as usize, "every fault met its call");
    proxy.heal();
    rig.world().assert_failed_over(&before);
    rig.succeed(&["verify"]);
    traffic.stop(&rig).assert_nothing_lost();
}

/// The API of us-west-2 is silent while its functions run on.
#[test]
fn an_emergency_is_settled_and_returned_from_with_nothing_lost() {
    let rig = Rig::start(Mode::Cold);
    let before = rig.world();
    let proxy = behind_a_proxy(&rig);
    let traffic = rig.traffic();
    traffic.settle();
    proxy.inject(Rule::region("us-west-2"), Fault::Silence);
    let from = kdsha::model::Timestamp::now() - std::time::Duration::from_secs(40);
    let from = from.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let blindly = ["--accept", "mapping_settings", "--reason", "nobody looked before"];
    let arguments =
        [&["failover", "--to", STANDBY, "--emergency", "--yes", "--start-at", &from], &blindly[..]].concat();
    let over = rig.expect(9, &arguments);
    assert!(over.stderr.contains("kdsha resume"), "{}", over.stderr);
    proxy.heal();
    rig.succeed(&["resume", "--yes"]);
    // The silent Region could not be asked for the mapping's settings, which the run had said beforehand.
    assert!(over.stderr.contains("the settings of the primary's mapping are not known"), "{}", over.stderr);
    assert_eq!(rig.world().active(), STANDBY);
    rig.succeed(&["failback", "--yes"]);
    rig.world().assert_home(&before);
    rig.succeed(&["verify"]);
    traffic.stop(&rig).assert_nothing_lost();
    rig.assert_no_secret_on_disk();
}
