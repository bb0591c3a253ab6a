//! Hand-made values for the tests of this room: the post's pipeline on an ordinary morning and on a bad one.

use crate::config::{
    Consumer, MappingOverrides, Objectives, PerSide, Pipeline, Producer, Regions, Replicator, StandbyMode,
    Timing, Topology,
};
use crate::model::failure::FailureKind;
use crate::model::*;
use crate::plan::position::{Anchor, Buffer, Origin, Position};
use crate::plan::{Intent, Mode, OnFailure, Plan, PlannedEffect, PlannedStep, Stage};
use crate::steps::{
    AnyStep, CreateMapping, Drain, MarkRun, ProveQuiet, Reader, Role, StartMapping, StopMapping,
    SwitchProducer, VerifyResult,
};
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
    Identity { account: account(), arn: "arn:aws:sts::123456789012:assumed-role/OnCall/maria".to_owned() }
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
        environment: Environment::Readable(BTreeMap::from([
            ("PRODUCING_TO_REGION".to_owned(), Secret::new("us-west-2")),
            ("API_KEY".to_owned(), Secret::new("hunter2")),
        ])),
        reserved_concurrency: None,
        last_modified: Some(at("08:00:00")),
        tags: BTreeMap::new(),
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
        stream_consumer: None,
        metrics: ReaderMetrics {
            iterator_age: series("10:43:00", &[900.0, 1200.0]),
            errors: series("10:43:00", &[0.0, 0.0]),
            throttles: series("10:43:00", &[0.0, 0.0]),
            invocations: series("10:43:00", &[60.0, 60.0]),
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
        consumer: reader("us-east-2", consumer, Vec::new()),
        replicator: None,
    };
    let producer = ProducerView {
        name: id("KDS-HA-ProducerLambda"),
        region: west(),
        function: function("us-west-2", "KDS-HA-ProducerLambda"),
        alias: None,
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
        token: CutOverToken { position: Some(at("10:36:12")), marked_at: at("10:41:00") },
    }));
    let api = |operation: &str, failed| ApiAnswer {
        operation: operation.to_owned(),
        answered: 0,
        failed,
        reason: Some("no answer within 8s".to_owned()),
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

pub(crate) fn position() -> Position {
    let anchor = |series: &str, time: &str, age: f64| Anchor {
        series: series.to_owned(),
        points: 5,
        decisive: Point { at: at(time), value: age },
        position: at(time) - Duration::from_millis(age as u64),
    };
    Position {
        start: StartAt::Timestamp(at("10:35:55")),
        origin: Origin::Derived {
            anchors: vec![
                anchor("AWS/Kinesis GetRecords.IteratorAgeMilliseconds Maximum", "10:42:00", 1_250.0),
                anchor("AWS/Lambda IteratorAge Maximum", "10:42:00", 900.0),
            ],
            window_from: at("10:39:00"),
            earliest: at("10:41:58.750"),
        },
        buffer: Buffer {
            overlap: seconds(300),
            consumer_timeout: seconds(3),
            batching_window: seconds(0),
            allowance: seconds(60),
        },
        duplicates: Some(43_212),
        notes: vec!["The window was widened past 10:40:00Z, a minute with Throttles.".to_owned()],
    }
}

fn reader_step(side: Side, role: Role) -> Reader {
    Reader {
        side,
        region: if side == Side::Primary { west() } else { east() },
        role,
        function: match role {
            Role::Consumer => id("KDS-HA-ConsumerLambda"),
            Role::Replicator => id("KDS-HA-ReplicationAgentLambda"),
        },
        source: MappingSource::Stream(id("KDS-HA-Stream")),
    }
}

fn mark(state: RunState) -> MarkRun {
    MarkRun {
        region: east(),
        stream: id("KDS-HA-Stream"),
        mark: RunMark {
            run: run(),
            intent: "failover".to_owned(),
            owner: "maria@laptop".to_owned(),
            state,
            token: CutOverToken { position: Some(at("10:35:55")), marked_at: at("10:45:01") },
        },
    }
}

pub(crate) fn run() -> RunId {
    id("20261122-104501-failover-us-east-2-3f9a")
}

pub(crate) fn switch() -> SwitchProducer {
    SwitchProducer {
        region: west(),
        side: Side::Primary,
        function: id("KDS-HA-ProducerLambda"),
        alias: None,
        to: east(),
        set: BTreeMap::from([
            ("INPUT_STREAM".to_owned(), "KDS-HA-Stream".to_owned()),
            ("PRODUCING_TO_REGION".to_owned(), "us-east-2".to_owned()),
        ]),
        was: BTreeMap::from([
            ("INPUT_STREAM".to_owned(), "KDS-HA-Stream".to_owned()),
            ("PRODUCING_TO_REGION".to_owned(), "us-west-2".to_owned()),
        ]),
    }
}

/// The planned failover of a cold pipeline.
pub(crate) fn plan() -> Plan {
    use Role::{Consumer, Replicator};
    use Side::{Primary, Standby};
    let drain = |role| Drain { reader: reader_step(Primary, role), hold: seconds(183), fresh: seconds(180) };
    let stop = |role| StopMapping { reader: reader_step(Primary, role), settle: seconds(60) };
    let stages: Vec<(&str, Vec<AnyStep>)> = vec![
        ("Mark the run", vec![mark(RunState::Open).into()]),
        (
            "Prepare the standby consumer, disabled",
            vec![
                CreateMapping {
                    reader: reader_step(Standby, Consumer),
                    start: position().start,
                    enabled: false,
                    settings: MappingSettings::default(),
                }
                .into(),
            ],
        ),
        ("Switch the producers to us-east-2", vec![switch().into()]),
        (
            "Prove the stream in us-west-2 quiet",
            vec![
                ProveQuiet {
                    side: Primary,
                    region: west(),
                    stream: id("KDS-HA-Stream"),
                    producers: vec![id("KDS-HA-ProducerLambda")],
                    quiet: seconds(60),
                    look_back: seconds(183),
                }
                .into(),
            ],
        ),
        ("Drain and stop the replicator", vec![drain(Replicator).into(), stop(Replicator).into()]),
        ("Drain and stop the consumer in us-west-2", vec![drain(Consumer).into(), stop(Consumer).into()]),
        (
            "Start the consumer in us-east-2",
            vec![StartMapping { reader: reader_step(Standby, Consumer), replay: None }.into()],
        ),
        (
            "Verify",
            vec![
                mark(RunState::Closed).into(),
                VerifyResult {
                    region: east(),
                    running: vec![reader_step(Standby, Consumer)],
                    stopped: vec![reader_step(Primary, Consumer), reader_step(Primary, Replicator)],
                    sink: false,
                }
                .into(),
            ],
        ),
    ];
    let stages = stages.into_iter().map(|(title, steps)| Stage {
        title: title.to_owned(),
        steps: steps.into_iter().map(|step| PlannedStep { pipeline: id("ticker-prices"), step }).collect(),
        on_failure: OnFailure::Stop,
        is_point_of_no_return: title.starts_with("Switch"),
        skip_risk: title
            .starts_with("Prove")
            .then(|| "records that arrive late in us-west-2 stay there".to_owned()),
        timeout: seconds(1800),
    });
    let well = reports().into_iter().filter(|r| matches!(r.verdict, Verdict::Ok | Verdict::Warn));
    Plan {
        run: run(),
        intent: Intent::Failover { to: east(), mode: Mode::Planned },
        taken_at: at("10:45:01"),
        owner: "maria@laptop".to_owned(),
        pipelines: vec![id("ticker-prices")],
        checks: well.collect(),
        positions: BTreeMap::from([(id("ticker-prices"), position())]),
        stages: stages.collect(),
        rto: seconds(900),
    }
}

/// What a run of the plan sends.
pub(crate) fn effects(plan: &Plan) -> Vec<PlannedEffect> {
    let steps = plan
        .stages
        .iter()
        .enumerate()
        .flat_map(|(index, stage)| stage.steps.iter().map(move |s| (index + 1, s)));
    let effects = steps.flat_map(|(stage, planned)| {
        planned.step.effects().into_iter().map(move |effect| PlannedEffect {
            stage,
            pipeline: planned.pipeline.clone(),
            step: planned.step.slug().to_owned(),
            effect,
        })
    });
    effects.collect()
}

/// A run that ends with a step owed, in order.
pub(crate) fn events() -> Vec<(Event, Timestamp)> {
    let pipeline: PipelineName = id("ticker-prices");
    let plan = plan();
    let of = plan.stages.len();
    let stage = |number: usize| Event::StageStarted {
        number,
        of,
        title: plan.stages[number - 1].title.clone(),
        is_point_of_no_return: plan.stages[number - 1].is_point_of_no_return,
    };
    let yes = |number| Event::StageConfirmed { number, by: "operator".to_owned() };
    let sent = |number: usize, n: usize| {
        let planned = &plan.stages[number - 1].steps[n];
        let (step, effect) = (planned.step.slug().to_owned(), planned.step.effects()[0].clone());
        let result =
            Performed::Applied { answer: "accepted".to_owned(), request_id: Some("7f2c-11".to_owned()) };
        [
            Event::EffectStarted {
                pipeline: id("ticker-prices"),
                step: step.clone(),
                effect: effect.clone(),
            },
            Event::EffectFinished { pipeline: id("ticker-prices"), step, effect, result },
        ]
    };
    let finished = |step: &str, region: Region, outcome| Event::StepFinished {
        pipeline: id("ticker-prices"),
        step: step.to_owned(),
        region,
        outcome,
    };
    let applied = |evidence: &str| StepOutcome::Applied { evidence: evidence.to_owned() };
    let waiting = |because: &str, lag: Option<u64>, waited| Event::Waiting {
        pipeline: id("ticker-prices"),
        step: "drain".to_owned(),
        progress: Progress {
            waiting_for: "lag of the replicator KDS-HA-ReplicationAgentLambda in us-west-2 to be proven zero"
                .to_owned(),
            because: because.to_owned(),
            lag: lag.map(seconds),
            sample_age: lag.map(|_| seconds(40)),
        },
        waited: seconds(waited),
        deadline: at("11:16:00"),
    };
    let [mark_sent, mark_answer] = sent(1, 0);
    let [create_sent, create_answer] = sent(2, 0);
    let [switch_sent, switch_answer] = sent(3, 0);
    let stop_effect = plan.stages[4].steps[1].step.effects()[0].clone();
    let refused = AwsFailure {
        operation: "lambda:UpdateEventSourceMapping".to_owned(),
        resource: "the mapping of KDS-HA-ReplicationAgentLambda".to_owned(),
        region: west(),
        kind: FailureKind::TimedOut,
        code: None,
        message: "no answer within 8s".to_owned(),
        request_id: None,
        sent: Sent::Unknown,
    };
    let started = Event::RunStarted {
        run: run(),
        title: plan.intent.to_string(),
        resumed: false,
        pipelines: vec![pipeline.clone()],
        stages: plan.stages.iter().map(|s| s.title.clone()).collect(),
        objective: Some(at("11:00:01")),
    };
    let ended = Event::RunFinished {
        exit: Exit::Owed,
        summary: "ticker-prices is active in us-east-2; 1 step is owed to us-west-2.".to_owned(),
        recovery: Some(seconds(431)),
        owed: vec![
            "us-west-2: stop the replicator KDS-HA-ReplicationAgentLambda (no answer within 8s)".to_owned(),
        ],
        next: Some("kdsha resume".to_owned()),
    };
    let owed = StepOutcome::Owed { reason: refused.to_string() };
    let events = [
        (started, "10:45:01"),
        (stage(1), "10:45:02"),
        (yes(1), "10:45:10"),
        (mark_sent, "10:45:10"),
        (mark_answer, "10:45:10"),
        (finished("mark_run", east(), applied("stream KDS-HA-Stream says so")), "10:45:11"),
        (stage(2), "10:45:11"),
        (yes(2), "10:45:15"),
        (create_sent, "10:45:15"),
        (create_answer, "10:45:16"),
        (
            finished(
                "create_mapping",
                east(),
                applied("mapping 0f3b77c1 is Disabled, AT_TIMESTAMP 2026-11-22T10:35:55Z"),
            ),
            "10:45:31",
        ),
        (stage(3), "10:45:31"),
        (yes(3), "10:45:40"),
        (switch_sent, "10:45:40"),
        (switch_answer, "10:45:41"),
        (
            finished("switch_producer", west(), applied("KDS-HA-ProducerLambda writes to us-east-2")),
            "10:45:46",
        ),
        (stage(5), "10:46:00"),
        (waiting("still behind", Some(42), 0), "10:46:00"),
        (waiting("still behind", Some(30), 5), "10:46:05"),
        (waiting("still behind", Some(12), 15), "10:46:15"),
        (waiting("zero for 35s; must hold for 3m3s, a batch may be in flight", Some(0), 20), "10:46:20"),
        (waiting("zero for 40s; must hold for 3m3s, a batch may be in flight", Some(0), 25), "10:46:25"),
        (
            finished(
                "drain",
                west(),
                applied("lag zero since 10:43:17Z, no arrivals, no errors, no throttles for 3m3s"),
            ),
            "10:49:08",
        ),
        (
            Event::EffectStarted {
                pipeline: pipeline.clone(),
                step: "stop_mapping".to_owned(),
                effect: stop_effect.clone(),
            },
            "10:49:08",
        ),
        (
            Event::EffectFailed {
                pipeline: pipeline.clone(),
                step: "stop_mapping".to_owned(),
                effect: stop_effect,
                failure: refused.clone(),
            },
            "10:49:16",
        ),
        (finished("stop_mapping", west(), owed), "10:49:17"),
        (
            Event::Note {
                text: "The clock of this machine is 41 s ahead; times shown are AWS's.".to_owned(),
            },
            "10:49:17",
        ),
        (ended, "10:52:12"),
    ];
    events.into_iter().map(|(event, time)| (event, at(time))).collect()
}
