//! What a look says and what it costs, whatever AWS does.

use super::script::{Answer, Scripted, mapping, primary, sound, standby, topology};
use crate::aws::{ConnectError, Probe, Scope, Sides};
use crate::config::Sink;
use crate::model::{FailureKind, Observed, ShardArrivals, Side};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

fn kind<T>(observed: &Observed<T>) -> Option<FailureKind> {
    observed.reason().map(|reason| reason.kind)
}

#[tokio::test(start_paused = true)]
async fn a_plain_look_is_two_round_trips_and_few_requests() {
    let aws = Scripted::new(|request| match request.operation.as_str() {
        "GET /2015-03-31/event-source-mappings" => {
            Answer::Ok(json!({"EventSourceMappings": [mapping(&request.region, "id-1", "Enabled")]}))
        }
        "GET /2015-03-31/event-source-mappings/id-1" => {
            Answer::Ok(mapping(&request.region, "id-1", "Enabled"))
        }
        _ => sound(request),
    });
    let topology = topology(1);
    let kdsha = aws.connect(&topology).await;
    let start = Instant::now();
    let snapshot = kdsha.observe(&topology, &Scope::status()).await;
    assert_eq!(snapshot.stats.longest_chain, 2);
    // Each side: list, get, function(s), account, stream, metrics; tags in the standby, a producer in the primary; who am I.
    assert_eq!(snapshot.stats.requests, 15);
    assert!(start.elapsed() < Duration::from_millis(150), "{:?}", start.elapsed());
    let view = snapshot.pipelines.values().next().expect("a pipeline");
    assert_eq!(view.producers[0].region_value.known(), Some(&Some("us-west-2".to_owned())));
    assert_eq!(view.standby.consumer.mappings.known().map(Vec::len), Some(1));
    assert_eq!(
        snapshot.identity.known().map(|who| who.account.as_str().to_owned()),
        Some("123456789012".to_owned())
    );
    // No answer about a series is unknown, never zero.
    assert!(view.primary.metrics.incoming_records.known().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_region_that_says_nothing_costs_ten_seconds_and_hides_nothing_of_the_other() {
    for pipelines in [1, 60] {
        let aws = Scripted::new(|request| match request.region.as_str() {
            "us-west-2" => Answer::Silence,
            _ => sound(request),
        });
        let topology = topology(pipelines);
        let kdsha = aws.connect(&topology).await;
        let start = Instant::now();
        let snapshot = kdsha.observe(&topology, &Scope::status()).await;
        // Sixty streams queue fourteen seconds for the quota of ListTagsForStream in the sound Region.
        let bound = if pipelines == 1 { 10 } else { 15 };
        assert!(start.elapsed() <= Duration::from_secs(bound), "{pipelines}: {:?}", start.elapsed());
        for view in snapshot.pipelines.values() {
            assert_eq!(kind(&view.primary.stream), Some(FailureKind::TimedOut));
            assert_eq!(kind(&view.primary.consumer.mappings), Some(FailureKind::TimedOut));
            assert_eq!(kind(&view.producers[0].region_value), Some(FailureKind::TimedOut));
            assert!(view.standby.stream.known().is_some_and(|stream| stream.is_usable()));
            assert_eq!(view.standby.mark, Observed::Known(None));
        }
        assert!(snapshot.identity.known().is_some());
        assert!(snapshot.regions[&primary()].apis.iter().all(|api| api.answered == 0));
        assert!(snapshot.regions[&standby()].apis.iter().all(|api| api.failed == 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_dearest_look_at_two_silent_regions_has_the_same_bound() {
    let aws = Scripted::new(|_| Answer::Silence);
    let mut topology = topology(1);
    let sink = Sink { table: "t".to_owned(), region_attribute: "r".to_owned() };
    topology.pipelines[0].sink = Some(sink);
    let kdsha = aws.connect(&topology).await;
    let probe = Some(Probe { sides: Sides::Both, look_back: Duration::from_secs(60) });
    let start = Instant::now();
    let snapshot = kdsha.observe(&topology, &Scope { probe, ..Scope::verify() }).await;
    assert!(start.elapsed() <= Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(kind(&snapshot.identity), Some(FailureKind::TimedOut));
    let view = snapshot.pipelines.values().next().expect("a pipeline");
    assert_eq!(view.sink.as_ref().and_then(kind), Some(FailureKind::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_workstation_clock_is_said_and_costs_a_second_read_of_the_metrics() {
    for (date, calls) in [("Sun, 22 Nov 2026 10:45:01 GMT", 2), ("Sun, 22 Nov 2026 11:00:00 GMT", 4)] {
        let mut aws = Scripted::new(sound);
        aws.date = Some(date);
        let topology = topology(1);
        let kdsha = aws.connect(&topology).await;
        let snapshot = kdsha.observe(&topology, &Scope::status()).await;
        assert_eq!(aws.asked("GetMetricData").len(), calls, "{date}");
        let skew = snapshot.clock_skew_seconds.expect("a server was heard");
        assert_eq!(skew > 30.0, calls == 4, "{skew}");
        let now = aws_smithy_types::DateTime::from_str(date, aws_smithy_types::date_time::Format::HttpDate);
        let off = snapshot.taken_at.as_second() - now.expect("a date").secs();
        assert!(off.abs() <= 2, "{off}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_page_of_mappings_is_read_and_a_lost_page_makes_the_list_unknown() {
    let script = |fails: bool| {
        Scripted::new(move |request| {
            if request.operation != "GET /2015-03-31/event-source-mappings" {
                return sound(request);
            }
            let page = if request.query.contains("Marker=two") { 2 } else { 1 };
            match page {
                1 => Answer::Ok(json!({"EventSourceMappings": [], "NextMarker": "two"})),
                _ if fails => Answer::Error(403, "AccessDeniedException", "no".to_owned()),
                _ => {
                    Answer::Ok(json!({"EventSourceMappings": [mapping(&request.region, "id-2", "Enabled")]}))
                }
            }
        })
    };
    for fails in [false, true] {
        let aws = script(fails);
        let topology = topology(1);
        let snapshot = aws.connect(&topology).await.observe(&topology, &Scope::status()).await;
        let mappings = &snapshot.pipelines.values().next().expect("a pipeline").standby.consumer.mappings;
        match fails {
            false => assert_eq!(mappings.known().map(Vec::len), Some(1)),
            true => assert_eq!(kind(mappings), Some(FailureKind::AccessDenied)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_never_ends_is_an_error_and_not_a_hang() {
    let aws = Scripted::new(|request| match request.operation.as_str() {
        "GET /2015-03-31/event-source-mappings" => {
            Answer::Ok(json!({"EventSourceMappings": [], "NextMarker": "again"}))
        }
        _ => sound(request),
    });
    let topology = topology(1);
    let snapshot = aws.connect(&topology).await.observe(&topology, &Scope::status()).await;
    let view = snapshot.pipelines.values().next().expect("a pipeline");
    assert_eq!(kind(&view.primary.consumer.mappings), Some(FailureKind::Unreadable));
}

#[tokio::test(start_paused = true)]
async fn one_side_can_be_left_out() {
    let aws = Scripted::new(sound);
    let topology = topology(1);
    let kdsha = aws.connect(&topology).await;
    let snapshot = kdsha.observe(&topology, &Scope::status().on(Sides::Only(Side::Standby))).await;
    let view = snapshot.pipelines.values().next().expect("a pipeline");
    assert_eq!(kind(&view.primary.stream), Some(FailureKind::NotAsked));
    assert_eq!(kind(&view.producers[0].function), Some(FailureKind::NotAsked));
    assert!(view.standby.stream.known().is_some());
    assert!(aws.asked.lock().expect("not poisoned").iter().all(|request| request.region == "us-east-2"));
}

#[tokio::test(start_paused = true)]
async fn a_torn_run_mark_is_unknown_and_not_absent() {
    let aws = Scripted::new(|request| match request.operation.as_str() {
        "ListTagsForStream" => {
            Answer::Ok(json!({"Tags": [{"Key": "kdsha:run", "Value": "r-1"}], "HasMoreTags": false}))
        }
        _ => sound(request),
    });
    let topology = topology(1);
    let snapshot = aws.connect(&topology).await.observe(&topology, &Scope::status()).await;
    let mark = &snapshot.pipelines.values().next().expect("a pipeline").standby.mark;
    assert_eq!(kind(mark), Some(FailureKind::Unreadable));
}

/// A stream of one shard whose reads are answered by `reads`, counted from 0.
async fn probed(reads: impl Fn(usize) -> serde_json::Value + Send + Sync + 'static) -> ShardArrivals {
    let count = AtomicUsize::new(0);
    let aws = Scripted::new(move |request| match request.operation.as_str() {
        "ListShards" => Answer::Ok(json!({"Shards": [{
            "ShardId": "shardId-000000000000", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
            "SequenceNumberRange": {"StartingSequenceNumber": "1"},
        }]})),
        "GetShardIterator" => Answer::Ok(json!({"ShardIterator": "i"})),
        "GetRecords" => Answer::Ok(reads(count.fetch_add(1, Ordering::Relaxed))),
        _ => sound(request),
    });
    let topology = topology(1);
    let kdsha = aws.connect(&topology).await;
    let probe = Probe { sides: Sides::Only(Side::Primary), look_back: Duration::from_secs(60) };
    let snapshot = kdsha.observe(&topology, &Scope::wait(Some(probe))).await;
    let view = snapshot.pipelines.values().next().expect("a pipeline");
    assert_eq!(kind(&view.standby.probe), Some(FailureKind::NotAsked));
    let found = view.primary.probe.known().expect("a probe");
    // Without metrics that show silence, the first look begins at the tip.
    assert_eq!(found.at.duration_since(found.since).as_secs(), 1);
    found.shards[0].seen.clone()
}

/// What is proven grows with time: a later look goes on where the one before ended.
#[tokio::test(start_paused = true)]
async fn a_second_probe_goes_on_from_the_first() {
    let aws = Scripted::new(|request| match request.operation.as_str() {
        "ListShards" => Answer::Ok(json!({"Shards": [{
            "ShardId": "shardId-000000000000", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
            "SequenceNumberRange": {"StartingSequenceNumber": "1"},
        }]})),
        "GetShardIterator" => Answer::Ok(json!({"ShardIterator": "i"})),
        "GetRecords" => Answer::Ok(json!({"Records": [], "NextShardIterator": "i", "MillisBehindLatest": 0})),
        _ => sound(request),
    });
    let topology = topology(1);
    let kdsha = aws.connect(&topology).await;
    let probe = Probe { sides: Sides::Only(Side::Primary), look_back: Duration::from_secs(240) };
    let mut proven = Vec::new();
    for _ in 0..3 {
        let snapshot = kdsha.observe(&topology, &Scope::wait(Some(probe))).await;
        let view = snapshot.pipelines.values().next().expect("a pipeline");
        let found = view.primary.probe.known().expect("a probe").clone();
        proven.push(found.at.duration_since(found.since).as_secs());
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    assert_eq!(proven, [1, 31, 61]);
    assert_eq!(aws.asked("GetShardIterator").len(), 1);
}

/// The machine slept: its iterator has expired, and the look after that begins anew.
#[tokio::test(start_paused = true)]
async fn an_iterator_that_expired_is_not_asked_with_again() {
    let looks = AtomicUsize::new(0);
    let aws = Scripted::new(move |request| match request.operation.as_str() {
        "ListShards" => Answer::Ok(json!({"Shards": [{
            "ShardId": "shardId-000000000000", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
            "SequenceNumberRange": {"StartingSequenceNumber": "1"},
        }]})),
        "GetShardIterator" => Answer::Ok(json!({"ShardIterator": "i"})),
        "GetRecords" if looks.fetch_add(1, Ordering::Relaxed) == 1 => {
            Answer::Error(400, "ExpiredIteratorException", "Iterator expired.".to_owned())
        }
        "GetRecords" => Answer::Ok(json!({"Records": [], "NextShardIterator": "i", "MillisBehindLatest": 0})),
        _ => sound(request),
    });
    let topology = topology(1);
    let kdsha = aws.connect(&topology).await;
    let probe = Probe { sides: Sides::Only(Side::Primary), look_back: Duration::from_secs(240) };
    let mut seen = Vec::new();
    for _ in 0..3 {
        let snapshot = kdsha.observe(&topology, &Scope::wait(Some(probe))).await;
        let view = snapshot.pipelines.values().next().expect("a pipeline");
        seen.push(view.primary.probe.known().expect("a probe").shards[0].seen.clone());
    }
    assert!(
        matches!(&seen[..], [ShardArrivals::Nothing, ShardArrivals::Unproven(_), ShardArrivals::Nothing]),
        "{seen:?}"
    );
    assert_eq!(aws.asked("GetShardIterator").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_probe_proves_silence_only_at_the_tip() {
    let read = |behind: i64| json!({"Records": [], "NextShardIterator": "i", "MillisBehindLatest": behind});
    assert_eq!(probed(move |n| read(if n < 3 { 5000 } else { 0 })).await, ShardArrivals::Nothing);
    assert!(matches!(probed(move |_| read(5000)).await, ShardArrivals::Unproven(_)));
    // A closed shard ends without a next iterator: what replaced it has to be looked at, too.
    let child = |id: &str| json!({"ShardId": id, "ParentShards": [], "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"}});
    let ended =
        |child: serde_json::Value| json!({"Records": [], "MillisBehindLatest": 10, "ChildShards": [child]});
    let known = ended(child("shardId-000000000000"));
    assert_eq!(probed(move |_| known.clone()).await, ShardArrivals::Nothing);
    let unknown = ended(child("shardId-000000000001"));
    assert!(matches!(probed(move |_| unknown.clone()).await, ShardArrivals::Unproven(_)));
    let record = |at: f64| json!({"SequenceNumber": "1", "Data": "", "ApproximateArrivalTimestamp": at});
    let arrived =
        json!({"Records": [record(1.5), record(2.5)], "NextShardIterator": "i", "MillisBehindLatest": 0});
    let newest = "1970-01-01T00:00:02.5Z".parse().expect("an instant");
    assert_eq!(probed(move |_| arrived.clone()).await, ShardArrivals::Newest(newest));
}

/// Five reads a second are all of a shard's standard readers' together (Kinesis quotas), and the probe must not take
/// them from the consumer: not in one look that never reaches the tip, nor across two.
#[tokio::test(start_paused = true)]
async fn a_probe_keeps_within_a_shards_five_reads_a_second() {
    let reads = Arc::new(Mutex::new(Vec::new()));
    let seen = reads.clone();
    let aws = Scripted::new(move |request| match request.operation.as_str() {
        "ListShards" => Answer::Ok(json!({"Shards": [{
            "ShardId": "shardId-000000000000", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
            "SequenceNumberRange": {"StartingSequenceNumber": "1"},
        }]})),
        "GetShardIterator" => Answer::Ok(json!({"ShardIterator": "i"})),
        "GetRecords" => {
            seen.lock().expect("not poisoned").push(Instant::now());
            Answer::Ok(json!({"Records": [], "NextShardIterator": "i", "MillisBehindLatest": 5000}))
        }
        _ => sound(request),
    });
    let topology = topology(1);
    let kdsha = aws.connect(&topology).await;
    let probe = Probe { sides: Sides::Only(Side::Primary), look_back: Duration::from_secs(60) };
    for _ in 0..2 {
        kdsha.observe(&topology, &Scope::wait(Some(probe))).await;
    }
    let reads = reads.lock().expect("not poisoned").clone();
    assert_eq!(reads.len(), 16);
    for at in &reads {
        let second = *at..*at + Duration::from_secs(1);
        let within = reads.iter().filter(|read| second.contains(read)).count();
        assert!(within <= 5, "{within} reads in a second");
    }
}

/// A producer without an alias is asked for those that it has where somebody plans, and a version is read only where one
/// runs it; the looks of a wait and of `status` ask for neither. Nothing waits for it.
#[tokio::test(start_paused = true)]
async fn aliases_that_nobody_named_cost_one_call_beside_the_others() {
    let of = |aliases: serde_json::Value| {
        Scripted::new(move |request| match request.operation.as_str() {
            "GET /2015-03-31/functions/P0/aliases" => Answer::Ok(json!({ "Aliases": aliases })),
            _ => sound(request),
        })
    };
    let alias = |name: &str, version: &str| json!({"Name": name, "FunctionVersion": version});
    let some = json!([alias("a", "1"), alias("b", "1"), alias("c", "$LATEST")]);
    for (aliases, scope, lists, versions) in [
        (json!([]), Scope::plan(), 1, 0),
        (some.clone(), Scope::verify(), 1, 1),
        (some.clone(), Scope::status(), 0, 0),
        (some, Scope::wait(None), 0, 0),
    ] {
        let aws = of(aliases);
        let topology = topology(1);
        let snapshot = aws.connect(&topology).await.observe(&topology, &scope).await;
        let asked = aws.asked("GET /2015-03-31/functions/P0");
        assert_eq!(asked.iter().filter(|r| r.operation.ends_with("/aliases")).count(), lists);
        assert_eq!(asked.iter().filter(|r| r.query.contains("Qualifier=1")).count(), versions);
        assert!(snapshot.stats.longest_chain <= 2, "{}", snapshot.stats.longest_chain);
        let producer = &snapshot.pipelines.values().next().expect("a pipeline").producers[0];
        assert_eq!(producer.other_aliases.known().is_some(), lists == 1);
    }
}

/// Who may not list aliases has an answer from every API that a run needs.
#[tokio::test(start_paused = true)]
async fn aliases_that_may_not_be_listed_are_no_api_that_failed() {
    let aws = Scripted::new(|request| match request.operation.as_str() {
        "GET /2015-03-31/functions/P0/aliases" => {
            Answer::Error(403, "AccessDeniedException", "no".to_owned())
        }
        _ => sound(request),
    });
    let topology = topology(1);
    let snapshot = aws.connect(&topology).await.observe(&topology, &Scope::plan()).await;
    let producer = &snapshot.pipelines.values().next().expect("a pipeline").producers[0];
    assert_eq!(kind(&producer.other_aliases), Some(FailureKind::AccessDenied));
    assert!(snapshot.regions[&primary()].apis.iter().all(|api| api.failed == 0));
}

#[tokio::test]
async fn one_endpoint_for_two_regions_is_refused_unless_it_is_this_machine() {
    let aws = Scripted::new(sound);
    for (url, is_fine) in [
        ("http://127.0.0.1:4566", true),
        ("https://vpce-1.lambda.us-west-2.vpce.amazonaws.com", false),
        ("localhost:4566", false),
    ] {
        let options = crate::aws::ConnectOptions {
            http_client: Some(aws.client()),
            endpoint: Some(url.to_owned()),
            ..crate::aws::ConnectOptions::new(standby())
        };
        let clock = crate::model::Clock::local();
        let result = crate::aws::Aws::connect(&topology(1), options, clock).await;
        match (is_fine, result) {
            (true, result) => assert!(result.is_ok(), "{url}"),
            (false, Ok(_)) => panic!("{url} was accepted"),
            (false, Err(error @ ConnectError::SharedEndpoint { .. })) => {
                let text = error.to_string();
                assert!(text.contains("[endpoints]") && text.contains("us-west-2"), "{text}");
            }
            (false, Err(error)) => assert!(matches!(error, ConnectError::BadEndpoint { .. }), "{error}"),
        }
    }
}
