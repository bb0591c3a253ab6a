//! Hand-made values for the tests of this room: the post's pipeline on an ordinary morning and on a bad one.

use crate::config::{
    Consumer, MappingOverrides, Objectives, PerSide, Pipeline, Producer, Regions, Replicator, StandbyMode,
    Timing, Topology,
};
use crate::model::failure::FailureKind;
use crate::model::*;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

pub(crate) fn id<T: FromStr<Err = ids::InvalidId>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn at(time: &str) -> Timestamp {
    format!("2026-11-22T{time}Z").parse().unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn west() -> Region {
    id("us-west-2")
}

pub(crate) fn east() -> Region {
    id("us-east-2")
}

pub(crate) fn account() -> AccountId {
    id("123456789012")
}

pub(crate) fn identity() -> Identity {
    Identity {
        account: account(),
        arn: "arn:aws:sts::123456789012:assumed-role/OnCall/maria".to_owned(),
        expires: None,
    }
}

pub(crate) fn topology() -> Topology {
    Topology {
        path: None,
        regions: Regions { primary: west(), standby: east() },
        account: Some(account()),
        objectives: Objectives::default(),
        timing: Timing::default(),
        endpoints: BTreeMap::new(),
        pipelines: vec![Pipeline {
            name: id("ticker-prices"),
            standby: StandbyMode::Cold,
            stream: PerSide { primary: id("KDS-HA-Stream"), standby: id("KDS-HA-Stream") },
            overlap_buffer: seconds(300),
            producers: vec![Producer {
                function: id("KDS-HA-ProducerLambda"),
                side: Side::Primary,
                alias: None,
                region_variable: "PRODUCING_TO_REGION".to_owned(),
                stream_variable: Some("INPUT_STREAM".to_owned()),
            }],
            consumer: Consumer {
                function: PerSide {
                    primary: id("KDS-HA-ConsumerLambda"),
                    standby: id("KDS-HA-ConsumerLambda"),
                },
                stream_consumer: None,
                overrides: MappingOverrides::default(),
            },
            replicator: Some(Replicator {
                function: id("KDS-HA-ReplicationAgentLambda"),
                stream_consumer: None,
            }),
            sink: None,
        }],
    }
}

fn function(region: &str, name: &str) -> Observed<FunctionView> {
    Observed::Known(FunctionView {
        arn: Arn::new(format!("arn:aws:lambda:{region}:123456789012:function:{name}")),
        state: "Active".to_owned(),
        last_update_status: "Successful".to_owned(),
        last_update_reason: None,
        revision_id: "7b0c5d3e-2f7a-4a55-9a44-2f9d4f0f2a11".to_owned(),
        timeout_seconds: 3,
        memory_mib: 128,
        environment: Environment::Readable(BTreeMap::from([
            ("PRODUCING_TO_REGION".to_owned(), Secret::new("us-west-2")),
            ("API_KEY".to_owned(), Secret::new("hunter2")),
        ])),
        reserved_concurrency: None,
        last_modified: Some(at("08:00:00")),
        effective_since: None,
        tags: BTreeMap::new(),
        tags_error: None,
        release: Release::default(),
    })
}

fn series(last: &str, values: &[f64]) -> Observed<Series> {
    let last = at(last);
    let count = values.len() as u64;
    let points = values
        .iter()
        .zip(0_u64..)
        .map(|(value, index)| Point { at: last - seconds(60 * (count - 1 - index)), value: *value });
    Observed::Known(Series { period: seconds(60), points: points.collect() })
}

fn empty() -> Observed<Series> {
    Observed::Known(Series { period: seconds(60), points: Vec::new() })
}

fn silent(operation: &str, resource: &str) -> Reason {
    let text = format!("{operation} for {resource} in us-west-2: no answer within 8s");
    Reason::new(FailureKind::TimedOut, text)
}

fn mapping(region: &str, function: &str, uuid: &str, position: StartingPosition) -> Mapping {
    Mapping {
        id: id(uuid),
        function: id(function),
        qualifier: None,
        source: Arn::new(format!("arn:aws:kinesis:{region}:123456789012:stream/KDS-HA-Stream")),
        state: MappingState::Enabled,
        position: Some(position),
        last_modified: Some(at("06:00:00")),
        last_processing_result: Some("OK".to_owned()),
        state_transition_reason: None,
        settings: Observed::Known(MappingSettings::default()),
    }
}

fn reader(region: &str, name: &str, mappings: Vec<Mapping>) -> ReaderView {
    ReaderView {
        name: id(name),
        function: function(region, name),
        mappings: Observed::Known(mappings),
        other_streams: Observed::Known(Vec::new()),
        stream_consumer: None,
        metrics: ReaderMetrics {
            iterator_age: series("10:43:00", &[900.0, 1200.0]),
            errors: series("10:43:00", &[0.0, 0.0]),
            throttles: series("10:43:00", &[0.0, 0.0]),
            invocations: series("10:43:00", &[60.0, 60.0]),
            duration: series("10:43:00", &[120.0, 110.0]),
            millis_behind_latest: None,
            polled_events: empty(),
        },
    }
}

fn stream_metrics(calls: &[f64], arrivals: &[f64], success: f64) -> StreamMetrics {
    let well: Vec<f64> = calls.iter().map(|n| n * success).collect();
    StreamMetrics {
        incoming_records: series("10:43:00", arrivals),
        iterator_age: series("10:43:00", &[800.0, 1_250.0]),
        put_record_success: series("10:43:00", &well),
        put_record_calls: series("10:43:00", calls),
        put_records_total: empty(),
        put_records_failed: empty(),
        get_records_success: series("10:43:00", &[300.0, 300.0]),
        get_records_calls: series("10:43:00", &[300.0, 300.0]),
        put_records_throttled: empty(),
        writes_throttled: empty(),
        reads_throttled: empty(),
        shard_iterator_age: None,
    }
}

fn stream(region: &str, mode: StreamMode) -> Observed<StreamView> {
    Observed::Known(StreamView {
        arn: Arn::new(format!("arn:aws:kinesis:{region}:123456789012:stream/KDS-HA-Stream")),
        status: "ACTIVE".to_owned(),
        mode,
        open_shards: 4,
        retention_hours: 24,
        max_record_size_kib: None,
        encryption: "KMS".to_owned(),
        has_shard_metrics: false,
    })
}

/// An ordinary morning: active in the primary Region, everything answers.
pub(crate) fn calm() -> Snapshot {
    let consumer = "KDS-HA-ConsumerLambda";
    let start = StartingPosition::AtTimestamp("2026-11-20T08:00:00Z".parse().expect("an instant"));
    let primary = SideView {
        region: west(),
        stream_name: id("KDS-HA-Stream"),
        stream: stream("us-west-2", StreamMode::OnDemand),
        mark: Observed::Unknown(Reason::not_asked()),
        probe: Observed::Unknown(Reason::not_asked()),
        metrics: stream_metrics(&[7100.0, 7200.0], &[7100.0, 7200.0], 0.9995),
        other_mappings: Observed::Known(Vec::new()),
        consumer: reader("us-west-2", consumer, vec![mapping("us-west-2", consumer, "91d3f7aa-0000", start)]),
        replicator: Some(reader(
            "us-west-2",
            "KDS-HA-ReplicationAgentLambda",
            vec![mapping(
                "us-west-2",
                "KDS-HA-ReplicationAgentLambda",
                "5c02e1bb-0000",
                StartingPosition::TrimHorizon,
            )],
        )),
    };
    let standby = SideView {
        region: east(),
        stream_name: id("KDS-HA-Stream"),
        stream: stream("us-east-2", StreamMode::Provisioned),
        mark: Observed::Known(None),
        probe: Observed::Unknown(Reason::not_asked()),
        metrics: stream_metrics(&[7090.0, 7180.0], &[7090.0, 7180.0], 1.0),
        other_mappings: Observed::Known(Vec::new()),
        consumer: reader("us-east-2", consumer, Vec::new()),
        replicator: None,
    };
    let producer = ProducerView {
        name: id("KDS-HA-ProducerLambda"),
        region: west(),
        function: function("us-west-2", "KDS-HA-ProducerLambda"),
        alias: None,
        other_aliases: Observed::Unknown(Reason::not_asked()),
        region_value: Observed::Known(Some("us-west-2".to_owned())),
        stream_value: Observed::Known(Some("KDS-HA-Stream".to_owned())),
    };
    let region = |side| RegionView { side, apis: Vec::new(), unreserved_concurrency: Observed::Known(900) };
    Snapshot {
        taken_at: at("10:45:01"),
        clock_skew_seconds: Some(1.0),
        identity: Observed::Known(identity()),
        regions: BTreeMap::from([(west(), region(Side::Primary)), (east(), region(Side::Standby))]),
        pipelines: BTreeMap::from([(
            id("ticker-prices"),
            PipelineView { producers: vec![producer], primary, standby, sink: None },
        )]),
        stats: RequestStats { requests: 41, longest_chain: 3 },
    }
}

/// A bad morning: the primary's Lambda API is silent, its stream answers with errors, a run is open.
pub(crate) fn outage() -> Snapshot {
    let mut snapshot = calm();
    let list = "lambda:ListEventSourceMappings";
    let get = "lambda:GetFunction";
    let pipeline = snapshot.pipelines.get_mut(&id::<PipelineName>("ticker-prices")).expect("the pipeline");
    let primary = &mut pipeline.primary;
    primary.metrics = stream_metrics(&[7100.0, 900.0], &[7100.0, 900.0], 0.82);
    primary.metrics.iterator_age = empty();
    for (reader, name) in [
        (Some(&mut primary.consumer), "KDS-HA-ConsumerLambda"),
        (primary.replicator.as_mut(), "KDS-HA-ReplicationAgentLambda"),
    ] {
        let reader = reader.expect("a reader");
        reader.function = Observed::Unknown(silent(get, name));
        reader.mappings = Observed::Unknown(silent(list, "the Region's mappings"));
    }
    pipeline.producers[0].function = Observed::Unknown(silent(get, "KDS-HA-ProducerLambda"));
    pipeline.producers[0].region_value = Observed::Unknown(silent(get, "KDS-HA-ProducerLambda"));
    pipeline.standby.mark = Observed::Known(Some(RunMark {
        run: id("20261122-104501-failover-us-east-2-3f9a"),
        intent: "failover".to_owned(),
        owner: "maria@laptop".to_owned(),
        state: RunState::Open,
        token: CutOverToken { position: Some(at("10:36:12")), marked_at: at("10:41:00"), emergency: None },
        owed: Vec::new(),
    }));
    let api = |operation: &str, failed| ApiAnswer {
        operation: operation.to_owned(),
        answered: 0,
        failed,
        reason: Some("no answer within 8s".to_owned()),
        kind: Some(crate::model::FailureKind::TimedOut),
        slowest: seconds(8),
    };
    let region = snapshot.regions.get_mut(&west()).expect("the Region");
    region.apis = vec![api(get, 3), api(list, 1)];
    snapshot
}

pub(crate) fn report(
    check: &str,
    region: Option<Region>,
    verdict: Verdict,
    evidence: &str,
    advice: Option<&str>,
) -> CheckReport {
    CheckReport {
        check: check.to_owned(),
        pipeline: region.as_ref().map(|_| id("ticker-prices")),
        region,
        verdict,
        evidence: evidence.to_owned(),
        advice: advice.map(str::to_owned),
        accepted: None,
    }
}

/// One of each verdict.
pub(crate) fn reports() -> Vec<CheckReport> {
    vec![
        report("identity", None, Verdict::Ok, "account 123456789012, as configured", None),
        report("stream", Some(west()), Verdict::Ok, "ACTIVE, on-demand, 4 shards", None),
        report(
            "other_automation",
            Some(west()),
            Verdict::Warn,
            "KDS-HA-ProducerLambda belongs to stack kds-ha: its next deploy reverts the switch",
            Some("set PRODUCING_TO_REGION in the template too, or hold deploys of kds-ha until the failback"),
        ),
        report(
            "consumer_mapping",
            Some(west()),
            Verdict::Unknown,
            "lambda:ListEventSourceMappings for the Region's mappings in us-west-2: no answer within 8s",
            Some("run again when the API answers, or fail over with --emergency"),
        ),
        report(
            "concurrency",
            Some(east()),
            Verdict::Fail,
            "4 concurrent executions are needed, 0 are left unreserved",
            Some("raise the account's concurrency in us-east-2, or lower a reservation"),
        ),
    ]
}
