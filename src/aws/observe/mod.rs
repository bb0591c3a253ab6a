//! Reads -> Snapshot. Both Regions at once, everything that can be asked at once is, parts that do not answer are
//! unknown with their reason, and the whole is bounded in time.

mod functions;
mod mappings;
mod metrics;
mod probe;
mod sink;
mod streams;

pub(super) use probe::ProbeMemory;

use super::connect::{Aws, Clients};
use super::errors::Asked;
use crate::config::{Pipeline, Topology};
use crate::model::{
    ApiAnswer, AwsFailure, FailureKind, FunctionName, FunctionView, Identity, Mapping, Observed,
    PipelineName, PipelineView, ProducerView, ReaderView, Reason, Region, RegionView, RequestStats, RunMark,
    Sent, Side, SideView, Snapshot, StreamConsumer, StreamView,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures_util::future::{join, join_all};
use metrics::SideMetrics;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How much is looked at.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Empty is all.
    pub pipelines: Vec<PipelineName>,
    /// A wait never touches a Region that it does not need.
    pub sides: Vec<Side>,
    /// How far back the shards of these sides are read directly.
    pub probe: Option<Duration>,
    /// Whether the sink is read.
    pub sink: bool,
    /// How far back metrics are read.
    pub metrics_window: Duration,
}

impl Scope {
    /// Everything that `status` shows.
    pub fn status() -> Scope {
        Scope {
            pipelines: Vec::new(),
            sides: vec![Side::Primary, Side::Standby],
            probe: None,
            sink: false,
            metrics_window: Duration::from_secs(3600),
        }
    }

    /// What the checks of a wait need.
    pub fn of_needs(
        pipelines: Vec<PipelineName>,
        sides: Vec<Side>,
        probe: Option<Duration>,
        sink: bool,
        metrics_window: Duration,
    ) -> Scope {
        Scope { pipelines, sides, probe, sink, metrics_window }
    }

    fn covers(&self, side: Side) -> bool {
        self.sides.contains(&side)
    }
}

/// A look is over by then, whatever does not answer. Probing many shards within their limits takes longer.
const BOUND: Duration = Duration::from_secs(10);
const BOUND_WITH_PROBE: Duration = Duration::from_secs(40);

/// One look under way: the bound, and what it cost.
pub(super) struct Look<'a> {
    pub(super) aws: &'a Aws,
    pub(super) topology: &'a Topology,
    pub(super) scope: &'a Scope,
    deadline: Instant,
    answers: RefCell<BTreeMap<(Region, String), ApiAnswer>>,
    longest_chain: Cell<u32>,
}

impl Look<'_> {
    /// Sends a read and keeps account of it. `depth` is its place in the chain of calls that wait for each other.
    pub(super) async fn ask<T, E>(
        &self,
        asked: Asked<'_>,
        depth: u32,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, AwsFailure>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let begun = Instant::now();
        self.longest_chain.set(self.longest_chain.get().max(depth));
        let result = match tokio::time::timeout_at(self.deadline, call).await {
            Ok(result) => result.map_err(|error| asked.sdk(&error)),
            Err(_) => Err(asked.failure(FailureKind::TimedOut, Sent::No, "no answer in time")),
        };
        self.account(asked, begun.elapsed(), result.as_ref().err());
        result
    }

    fn account(&self, asked: Asked<'_>, took: Duration, failure: Option<&AwsFailure>) {
        let key = (asked.region.clone(), asked.operation.to_owned());
        let mut answers = self.answers.borrow_mut();
        let answer = answers.entry(key).or_insert_with(|| ApiAnswer {
            operation: asked.operation.to_owned(),
            answered: 0,
            failed: 0,
            reason: None,
            slowest: Duration::ZERO,
        });
        answer.slowest = answer.slowest.max(took);
        match failure {
            // An answer that says "no such thing" is an answer.
            None => answer.answered += 1,
            Some(f) if matches!(f.kind, FailureKind::NotFound | FailureKind::Invalid) => answer.answered += 1,
            Some(f) => {
                answer.failed += 1;
                answer.reason = Some(match &f.code {
                    Some(code) => format!("{code}: {}", f.message),
                    None => f.message.clone(),
                });
            }
        }
    }

    /// The selected pipelines.
    fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        let wanted = &self.scope.pipelines;
        self.topology.pipelines.iter().filter(|p| wanted.is_empty() || wanted.contains(&p.name))
    }

    /// Every function of a side that is looked at.
    fn functions_of(&self, side: Side) -> BTreeSet<FunctionName> {
        let mut names = BTreeSet::new();
        for pipeline in self.pipelines() {
            names.insert(pipeline.consumer.function.of(side).clone());
            names.extend(pipeline.producers.iter().filter(|p| p.side == side).map(|p| p.function.clone()));
            if let (Side::Primary, Some(replicator)) = (side, &pipeline.replicator) {
                names.insert(replicator.function.clone());
            }
        }
        names
    }
}

/// What a Region said.
struct SideAnswers {
    functions: BTreeMap<FunctionName, Observed<FunctionView>>,
    aliases: BTreeMap<(FunctionName, String), Observed<crate::model::AliasView>>,
    unreserved: Observed<u32>,
    pipelines: BTreeMap<PipelineName, PipelineSide>,
}

/// What a Region said of a pipeline.
struct PipelineSide {
    stream: Observed<StreamView>,
    mark: Observed<Option<RunMark>>,
    probe: Observed<crate::model::StreamProbe>,
    metrics: SideMetrics,
    consumer_mappings: Observed<Vec<Mapping>>,
    replicator_mappings: Observed<Vec<Mapping>>,
    stream_consumers: Observed<Vec<StreamConsumer>>,
}

impl Aws {
    /// Looks. Never fails: what does not answer is unknown, with its reason.
    pub async fn observe(&self, topology: &Topology, scope: &Scope) -> Snapshot {
        let before = self.requests_sent();
        let bound = if scope.probe.is_some() { BOUND_WITH_PROBE } else { BOUND };
        let look = Look {
            aws: self,
            topology,
            scope,
            deadline: Instant::now() + bound,
            answers: RefCell::default(),
            longest_chain: Cell::new(0),
        };
        let sides = join(Box::pin(look.side(Side::Primary)), Box::pin(look.side(Side::Standby)));
        let ((primary, standby), identity) = join(sides, look.identity()).await;
        let mut pipelines: BTreeMap<PipelineName, PipelineView> = BTreeMap::new();
        for pipeline in look.pipelines() {
            pipelines.insert(pipeline.name.clone(), look.assemble(pipeline, &primary, &standby));
        }
        if scope.sink {
            look.sinks(&mut pipelines).await;
        }
        let regions = [(Side::Primary, &primary), (Side::Standby, &standby)]
            .into_iter()
            .map(|(side, answers)| look.region(side, answers))
            .collect();
        Snapshot {
            taken_at: self.clock.now(),
            clock_skew_seconds: self.clock.skew().map(|skew| skew.as_secs_f64()),
            identity,
            regions,
            pipelines,
            stats: RequestStats {
                requests: self.requests_sent() - before,
                longest_chain: look.longest_chain.get(),
            },
        }
    }
}

impl Look<'_> {
    async fn identity(&self) -> Observed<Identity> {
        let clients = self.aws.healthy();
        let asked = Asked {
            operation: "sts:GetCallerIdentity",
            resource: "these credentials",
            region: &clients.region,
        };
        let answer = self.ask(asked, 1, clients.sts.get_caller_identity().send()).await;
        let read = |output: aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput| {
            let account = output.account().and_then(|a| a.parse().ok());
            let unreadable = || asked.failure(FailureKind::Unreadable, Sent::No, "the answer has no account");
            Ok(Identity {
                account: account.ok_or_else(unreadable)?,
                arn: output.arn().unwrap_or_default().to_owned(),
            })
        };
        Observed::from(answer.and_then(read))
    }

    async fn unreserved(&self, clients: &Clients) -> Observed<u32> {
        clients.control.turn().await;
        let asked = Asked {
            operation: "lambda:GetAccountSettings",
            resource: "the account",
            region: &clients.region,
        };
        let answer = self.ask(asked, 1, clients.lambda.get_account_settings().send()).await;
        let count = answer.map(|output| {
            output.account_limit().and_then(|l| l.unreserved_concurrent_executions()).unwrap_or_default()
        });
        Observed::from(count.map(|n| u32::try_from(n).unwrap_or(0)))
    }

    /// Everything of one Region: a first wave of all that can be asked at once, then what depends on it.
    async fn side(&self, side: Side) -> SideAnswers {
        if !self.scope.covers(side) {
            return self.unasked(side);
        }
        let clients = self.aws.clients(side);
        let streams = join_all(self.pipelines().map(|p| self.stream_part(clients, p, side)));
        let functions = join(self.functions(clients, side), self.aliases(clients, side));
        let first = join(join(streams, functions), self.unreserved(clients));
        let second = join(self.metrics(clients, side), self.mappings(clients, side));
        let (((streams, (functions, aliases)), unreserved), (mut metrics, mut mappings)) =
            join(first, second).await;
        let mut pipelines = BTreeMap::new();
        for (pipeline, (stream, mark, stream_consumers)) in self.pipelines().zip(streams) {
            let metrics = metrics.remove(&pipeline.name).unwrap_or_else(SideMetrics::unasked);
            let probe = self.probe(clients, pipeline, side, &metrics).await;
            let (consumer_mappings, replicator_mappings) =
                mappings.remove(&pipeline.name).unwrap_or_else(|| {
                    (Observed::Unknown(Reason::not_asked()), Observed::Unknown(Reason::not_asked()))
                });
            let part = PipelineSide {
                stream,
                mark,
                probe,
                metrics,
                consumer_mappings,
                replicator_mappings,
                stream_consumers,
            };
            pipelines.insert(pipeline.name.clone(), part);
        }
        let mut answers = SideAnswers { functions, aliases, unreserved, pipelines };
        self.polled(clients, &mut answers).await;
        answers
    }

    fn unasked(&self, side: Side) -> SideAnswers {
        fn unknown<T>() -> Observed<T> {
            Observed::Unknown(Reason::not_asked())
        }
        let part = || PipelineSide {
            stream: unknown(),
            mark: unknown(),
            probe: unknown(),
            metrics: SideMetrics::unasked(),
            consumer_mappings: unknown(),
            replicator_mappings: unknown(),
            stream_consumers: unknown(),
        };
        SideAnswers {
            functions: self.functions_of(side).into_iter().map(|name| (name, unknown())).collect(),
            aliases: BTreeMap::new(),
            unreserved: unknown(),
            pipelines: self.pipelines().map(|p| (p.name.clone(), part())).collect(),
        }
    }

    fn region(&self, side: Side, answers: &SideAnswers) -> (Region, RegionView) {
        let region = self.topology.regions.of(side).clone();
        let apis = self.answers.borrow();
        let apis =
            apis.iter().filter(|((of, _), _)| *of == region).map(|(_, answer)| answer.clone()).collect();
        (region, RegionView { side, apis, unreserved_concurrency: answers.unreserved.clone() })
    }

    fn assemble(&self, pipeline: &Pipeline, primary: &SideAnswers, standby: &SideAnswers) -> PipelineView {
        let producers = pipeline.producers.iter().map(|producer| {
            let answers = if producer.side == Side::Primary { primary } else { standby };
            self.producer(producer, answers)
        });
        PipelineView {
            producers: producers.collect(),
            primary: self.side_view(pipeline, Side::Primary, primary),
            standby: self.side_view(pipeline, Side::Standby, standby),
            sink: pipeline.sink.as_ref().map(|_| Observed::Unknown(Reason::not_asked())),
        }
    }

    fn producer(&self, producer: &crate::config::Producer, answers: &SideAnswers) -> ProducerView {
        let function = function_of(&answers.functions, &producer.function);
        let alias = producer.alias.as_ref().map(|alias| {
            let key = (producer.function.clone(), alias.clone());
            answers.aliases.get(&key).cloned().unwrap_or_else(|| Observed::Unknown(Reason::not_asked()))
        });
        let value = |key: Option<&String>| -> Observed<Option<String>> {
            let Some(key) = key else { return Observed::Known(None) };
            let environment = match &alias {
                Some(alias) => alias.as_ref().map(|a| &a.environment),
                None => function.as_ref().map(|f| &f.environment),
            };
            match environment {
                Observed::Unknown(reason) => Observed::Unknown(reason),
                Observed::Known(crate::model::Environment::Unreadable(why)) => {
                    Observed::Unknown(Reason::new(FailureKind::AccessDenied, why.clone()))
                }
                Observed::Known(environment) => Observed::Known(environment.get(key).map(str::to_owned)),
            }
        };
        ProducerView {
            name: producer.function.clone(),
            region: self.topology.regions.of(producer.side).clone(),
            region_value: value(Some(&producer.region_variable)),
            stream_value: value(producer.stream_variable.as_ref()),
            function,
            alias,
        }
    }

    fn side_view(&self, pipeline: &Pipeline, side: Side, answers: &SideAnswers) -> SideView {
        let unasked = self.unasked(side);
        let part = answers.pipelines.get(&pipeline.name).or(unasked.pipelines.get(&pipeline.name));
        let function = pipeline.consumer.function.of(side);
        // `unasked` has every selected pipeline.
        let Some(part) = part else { unreachable!("every selected pipeline has a part") };
        let fan_out = |name: Option<&crate::model::StreamName>| {
            let name = name?.as_str().to_owned();
            Some(part.stream_consumers.clone().map(|all| all.into_iter().find(|c| c.name == name)))
        };
        let replicator = pipeline.replicator.as_ref().filter(|_| side == Side::Primary);
        SideView {
            region: self.topology.regions.of(side).clone(),
            stream_name: pipeline.stream.of(side).clone(),
            stream: part.stream.clone(),
            mark: part.mark.clone(),
            probe: part.probe.clone(),
            metrics: part.metrics.stream.clone(),
            consumer: ReaderView {
                name: function.clone(),
                function: function_of(&answers.functions, function),
                mappings: part.consumer_mappings.clone(),
                stream_consumer: fan_out(pipeline.consumer.stream_consumer.as_ref()),
                metrics: part.metrics.consumer.clone(),
            },
            replicator: replicator.map(|replicator| ReaderView {
                name: replicator.function.clone(),
                function: function_of(&answers.functions, &replicator.function),
                mappings: part.replicator_mappings.clone(),
                stream_consumer: fan_out(replicator.stream_consumer.as_ref()),
                metrics: part.metrics.replicator.clone(),
            }),
        }
    }
}

fn function_of(
    functions: &BTreeMap<FunctionName, Observed<FunctionView>>,
    name: &FunctionName,
) -> Observed<FunctionView> {
    functions.get(name).cloned().unwrap_or_else(|| Observed::Unknown(Reason::not_asked()))
}
