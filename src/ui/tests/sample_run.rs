//! Hand-made plan and events: a planned failover that ends with a step owed.

use super::samples::*;
use crate::model::failure::FailureKind;
use crate::model::*;
use crate::plan::position::{Anchor, Buffer, Origin, Position};
use crate::plan::{Intent, Mode, OnFailure, Plan, PlannedEffect, PlannedStep, Stage};
use crate::steps::{
    AnyStep, Cause, CreateMapping, Drain, MarkRun, ProveQuiet, Reader, Role, StartMapping, StopMapping,
    SwitchProducer, VerifyResult,
};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) fn position() -> Position {
    let anchor = |series: &str, time: &str, age: f64| Anchor {
        series: series.to_owned(),
        points: 5,
        newest: vec![Point { at: at("10:41:00"), value: 0.0 }, Point { at: at(time), value: age }],
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
        rewind: Some(seconds(605)),
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
            token: CutOverToken {
                position: Some(at("10:35:55")),
                marked_at: at("10:45:01"),
                emergency: Some(at("10:22:00")),
            },
            owed: Vec::new(),
        },
        replaced: None,
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
        target: Side::Standby,
        set: BTreeMap::from([
            ("INPUT_STREAM".to_owned(), "KDS-HA-Stream".to_owned()),
            ("PRODUCING_TO_REGION".to_owned(), "us-east-2".to_owned()),
        ]),
        was: BTreeMap::from([
            ("INPUT_STREAM".to_owned(), "KDS-HA-Stream".to_owned()),
            ("PRODUCING_TO_REGION".to_owned(), "us-west-2".to_owned()),
        ]),
        beside: BTreeMap::new(),
    }
}

/// The planned failover of a cold pipeline.
pub(crate) fn plan() -> Plan {
    use Role::{Consumer, Replicator};
    use Side::{Primary, Standby};
    let drain = |role| Drain {
        reader: reader_step(Primary, role),
        hold: seconds(183),
        fresh: seconds(180),
        is_deleted: false,
        missing: Cause::Unexplained,
        stopped: Cause::Unexplained,
    };
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
                    readers: vec![],
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
            vec![
                StartMapping {
                    oldest: None,
                    reader: reader_step(Standby, Consumer),
                    enable: true,
                    until: Default::default(),
                    replay: None,
                }
                .into(),
            ],
        ),
        (
            "Verify",
            vec![
                mark(RunState::Closed).into(),
                VerifyResult {
                    left: None,
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
        consent: crate::plan::Consent::Ask,
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
        summary: sentence(step),
        region,
        number: 1,
        index: 0,
        outcome,
    };
    let applied = |evidence: &str| StepOutcome::Applied { evidence: evidence.to_owned() };
    let waiting = |because: &str, lag: Option<u64>, waited| Event::Waiting {
        pipeline: id("ticker-prices"),
        step: "drain".to_owned(),
        summary: sentence("drain"),
        progress: Progress {
            waiting_for: "lag of the replicator KDS-HA-ReplicationAgentLambda in us-west-2 to be proven zero"
                .to_owned(),
            because: because.to_owned(),
            lag: lag.map(seconds),
            sample_age: lag.map(|_| seconds(40)),
            arrivals: lag.map(|lag| if lag > 0 { 12.5 } else { 0.0 }),
            left: lag.filter(|lag| *lag > 0).map(|lag| seconds(lag * 3)),
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
        consequences: vec![Consequence {
            pipeline: pipeline.clone(),
            repeated: Some(Repeated { from: StartAt::Timestamp(at("10:31:00")), records: Some(15_600) }),
            stranded: Some(Stranded {
                region: west(),
                expires: Some(at("11:31:00")),
                retention_hours: Some(1),
                waits_for: WaitsFor::Failback,
            }),
            is_growing: true,
        }],
        next: Some("kdsha resume".to_owned()),
    };
    let owed = StepOutcome::Owed { reason: refused.to_string() };
    let events = [
        (started, "10:45:01"),
        (stage(1), "10:45:02"),
        (yes(1), "10:45:10"),
        (mark_sent, "10:45:10"),
        (mark_answer, "10:45:10"),
        (finished("mark_run", east(), applied("stream KDS-HA-Stream carries the mark")), "10:45:11"),
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
                applied("replicator lag zero since 10:43:17Z, no arrivals, no errors, no throttles for 3m3s"),
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

/// A step's summary, short enough for the snapshots.
fn sentence(step: &str) -> String {
    let mut words = step.replace('_', " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}
