//! What is written is read again as the same topology, whatever it holds.

use super::super::*;
use crate::model::Side;
use proptest::prelude::*;
use std::time::Duration;

fn read(text: &str) -> Topology {
    let topology = parse(text, Path::new("kdsha.toml")).unwrap_or_else(|e| panic!("{e}\n{text}"));
    Topology { path: None, ..topology }
}

#[test]
fn the_posts_topology_is_written_and_read_again() {
    let post = read(THE_POST);
    let text = render(&post, &Remarks::default());
    assert_eq!(read(&text), post, "{text}");
}

#[test]
fn remarks_stay_remarks() {
    let post = read(THE_POST);
    let name = post.pipelines[0].name.clone();
    let hostile = vec!["a\n[regions]\nprimary = \"x\"".to_owned(), "function = \"F\"".to_owned()];
    let remarks = Remarks {
        head: hostile.clone(),
        pipelines: [(name.clone(), hostile.clone())].into(),
        spare: [(name, hostile)].into(),
    };
    let text = render(&post, &remarks);
    assert_eq!(read(&text), post, "{text}");
    assert_eq!(text.matches("# function = \"F\"").count(), 3, "{text}");
}

fn millis(least: u64, most: u64) -> impl Strategy<Value = Duration> {
    (least..most).prop_map(Duration::from_millis)
}

prop_compose! {
    fn topologies()(
        rto in millis(1, 10_000_000), rate in 1u32..1_000, poll in millis(1, 60_000), buffer in millis(0, 9_000_000),
        differ in any::<bool>(), warm in any::<bool>(), account in any::<bool>(), efo in any::<bool>(),
        sink in proptest::option::of("[^\\x00]{1,20}"), batch in proptest::option::of(1u32..10_000),
        window in proptest::option::of(0u32..300), alias in proptest::option::of("[a-z]{1,9}"),
        side in any::<bool>(), replicated in any::<bool>(), named in any::<bool>(),
    ) -> Topology {
        let mut topology = read(THE_POST);
        topology.account = account.then(|| "123456789012".parse().expect("an account"));
        topology.objectives.rto = rto;
        topology.objectives.error_rate = f64::from(rate) / 1_000.0;
        topology.timing.poll = poll;
        let one = &mut topology.pipelines[0];
        one.overlap_buffer = buffer;
        one.standby = if warm { StandbyMode::Warm } else { StandbyMode::Cold };
        let efo = efo.then(|| "efo".parse().expect("a name"));
        one.consumer.stream_consumer = efo;
        one.consumer.overrides.batch_size = batch;
        one.consumer.overrides.batching_window_seconds = window;
        if differ {
            one.stream.standby = "Other.Stream".parse().expect("a name");
            one.consumer.function.standby = "Other".parse().expect("a name");
        }
        one.producers[0].alias = alias;
        one.producers[0].side = if side { Side::Primary } else { Side::Standby };
        if !named {
            one.producers[0].stream_variable = None;
        }
        if !replicated {
            one.replicator = None;
        }
        one.sink = sink.map(|region_attribute| Sink { table: "a.table".to_owned(), region_attribute });
        topology
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_topology_is_written_and_read_again(topology in topologies()) {
        let text = render(&topology, &Remarks::default());
        prop_assert_eq!(read(&text), topology, "{}", text);
    }
}
