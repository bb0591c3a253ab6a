//! The behaviours of AWS that the world plays, each stated as a test.

mod failback;
mod filters;
mod functions;
mod kinesis;
mod mappings;
mod metrics;
mod outages;
mod tables;

use super::{Ledger, Story, World};
use crate::model::{Region, Timestamp};
use crate::sandbox::call::{ApiCall, ApiError, Service};
use jiff::SignedDuration;
use serde_json::{Value, json};

const WEST: &str = "us-west-2";
const EAST: &str = "us-east-2";

fn start() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("an instant")
}

fn region(name: &str) -> Region {
    name.parse().expect("a Region")
}

/// A world and the calls one makes on it.
struct Play {
    world: World,
}

impl Play {
    fn of_the_post(story: &Story) -> Play {
        Play { world: World::of_the_post(7, start(), story) }
    }
    fn empty() -> Play {
        Play { world: World::empty(7, start()) }
    }
    fn wait(&mut self, seconds: i64) {
        let until = self.world.now() + SignedDuration::from_secs(seconds);
        self.world.advance_to(until);
    }
    fn try_call(
        &mut self,
        service: Service,
        at: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ApiError> {
        let account = "123456789012".parse().expect("an account");
        let call = ApiCall { service, region: region(at), account, operation: operation.to_owned(), input };
        self.world.call(&call).map(|reply| reply.output)
    }
    fn call(&mut self, service: Service, at: &str, operation: &str, input: Value) -> Value {
        let answer = self.try_call(service, at, operation, input);
        answer.unwrap_or_else(|error| panic!("{operation}: {} {}", error.code, error.message))
    }
    fn lambda(&mut self, at: &str, operation: &str, input: Value) -> Value {
        self.call(Service::Lambda, at, operation, input)
    }
    fn kinesis(&mut self, at: &str, operation: &str, input: Value) -> Value {
        self.call(Service::Kinesis, at, operation, input)
    }
    fn refused(&mut self, service: Service, at: &str, operation: &str, input: Value) -> ApiError {
        self.try_call(service, at, operation, input).expect_err("refused")
    }
    fn stream_arn(at: &str) -> String {
        format!("arn:aws:kinesis:{at}:123456789012:stream/{}", Story::STREAM)
    }
    /// The UUID of a function's only mapping in a Region.
    fn mapping(&mut self, at: &str, function: &str) -> String {
        let listed = self.lambda(at, "ListEventSourceMappings", json!({ "FunctionName": function }));
        let all = listed["EventSourceMappings"].as_array().expect("a list");
        assert_eq!(all.len(), 1, "one mapping of {function} in {at}");
        all[0]["UUID"].as_str().expect("a UUID").to_owned()
    }
    fn state(&mut self, at: &str, uuid: &str) -> Option<String> {
        let input = json!({ "UUID": uuid });
        let answer = self.try_call(Service::Lambda, at, "GetEventSourceMapping", input).ok()?;
        answer["State"].as_str().map(str::to_owned)
    }
    fn set_enabled(&mut self, at: &str, uuid: &str, enabled: bool) {
        self.lambda(at, "UpdateEventSourceMapping", json!({ "UUID": uuid, "Enabled": enabled }));
    }
    /// Waits until nothing is left of a transition, and until the pollers follow.
    fn wait_settled(&mut self, at: &str, uuid: &str) {
        for _ in 0..120 {
            match self.state(at, uuid).as_deref() {
                None | Some("Enabled" | "Disabled") => return self.wait(90),
                _ => self.wait(1),
            }
        }
        panic!("{uuid} never settles");
    }
    fn create_consumer_mapping(&mut self, at: &str, position: Value) -> String {
        let mut input = json!({
            "FunctionName": Story::CONSUMER, "EventSourceArn": Play::stream_arn(at), "BatchSize": 100,
        });
        input.as_object_mut().expect("an object").extend(position.as_object().expect("an object").clone());
        let created = self.lambda(at, "CreateEventSourceMapping", input);
        created["UUID"].as_str().expect("a UUID").to_owned()
    }
    /// Reads, merges and writes the producer's environment, as one should.
    fn switch_producer(&mut self, to: &str) {
        let name = json!({ "FunctionName": Story::PRODUCER });
        let configuration = self.lambda(WEST, "GetFunctionConfiguration", name);
        let mut variables = configuration["Environment"]["Variables"].clone();
        variables["PRODUCING_TO_REGION"] = json!(to);
        self.lambda(
            WEST,
            "UpdateFunctionConfiguration",
            json!({
                "FunctionName": Story::PRODUCER,
                "Environment": { "Variables": variables },
                "RevisionId": configuration["RevisionId"],
            }),
        );
    }
    /// The visible points of a metric over the last so many minutes, oldest first.
    fn points(
        &mut self,
        at: &str,
        metric: (&str, &str),
        dimensions: &[(&str, &str)],
        stat: &str,
        minutes: i64,
    ) -> Vec<(f64, f64)> {
        let dimensions: Vec<Value> =
            dimensions.iter().map(|(n, v)| json!({ "Name": n, "Value": v })).collect();
        let end = self.world.now().as_second();
        let input = json!({
            "MetricDataQueries": [{ "Id": "m", "MetricStat": {
                "Metric": { "Namespace": metric.0, "MetricName": metric.1, "Dimensions": dimensions },
                "Period": 60, "Stat": stat,
            } }],
            "StartTime": end - minutes * 60, "EndTime": end, "ScanBy": "TimestampAscending",
        });
        let output = self.call(Service::CloudWatch, at, "GetMetricData", input);
        let result = &output["MetricDataResults"][0];
        assert_eq!(result["StatusCode"], "Complete");
        let numbers = |name: &str| -> Vec<f64> {
            result[name].as_array().expect("a list").iter().filter_map(Value::as_f64).collect()
        };
        numbers("Timestamps").into_iter().zip(numbers("Values")).collect()
    }
    fn stream_points(&mut self, at: &str, name: &str, stat: &str, minutes: i64) -> Vec<(f64, f64)> {
        self.points(at, ("AWS/Kinesis", name), &[("StreamName", Story::STREAM)], stat, minutes)
    }
    fn ledger(&self) -> Ledger {
        self.world.ledger()
    }
    /// Ends the traffic and waits until everything that moves has come to rest.
    fn finish(&mut self) -> Ledger {
        self.world.stop_traffic();
        self.wait(400);
        self.ledger()
    }
}

#[test]
fn the_same_seed_and_calls_make_the_same_world() {
    let play = |seed: u64| {
        let mut world = World::of_the_post(seed, start(), &Story::default());
        world.advance_to(start() + SignedDuration::from_mins(3));
        (world.ledger(), world.uuid())
    };
    assert_eq!(play(1), play(1));
    assert_ne!(play(1).1, play(2).1);
}

#[test]
fn a_world_may_be_moved_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<World>();
}

#[test]
fn an_operation_that_is_not_played_is_named() {
    let error = Play::empty().refused(Service::Kinesis, WEST, "StartStreamEncryption", json!({}));
    assert_eq!((error.status, error.code.as_str()), (400, "UnknownOperationException"));
    assert!(error.message.contains("StartStreamEncryption"));
}

#[test]
fn the_post_runs_and_loses_nothing() {
    let mut play = Play::of_the_post(&Story::default());
    let before = play.ledger();
    assert!(before.put > 35 * 60 * 19, "{before:?}");
    assert_eq!(before.lost, 0, "{:?}", before.lost_records.first());
    let after = play.finish();
    assert_eq!((after.pending, after.lost, after.put), (0, 0, after.processed));
    assert_eq!(after.duplicates, 0);
}

#[test]
fn two_pipelines_live_side_by_side() {
    let story = Story { pipelines: 2, ..Story::default() };
    let mut play = Play::of_the_post(&story);
    let streams = play.kinesis(WEST, "ListStreams", json!({}));
    assert_eq!(streams["StreamNames"], json!(["KDS-HA-Stream", "KDS-HA-Stream-2"]));
    assert_eq!(play.finish().lost, 0);
}

#[test]
fn an_hour_of_the_post_takes_a_moment() {
    let mut world = World::of_the_post(3, start(), &Story::default());
    let begun = std::time::Instant::now();
    world.advance_to(start() + SignedDuration::from_hours(1));
    let took = begun.elapsed();
    // Well under half a second on an idle machine; the bound leaves room for a busy one.
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}

#[test]
fn who_am_i_names_the_account() {
    let answer = Play::empty().call(Service::Sts, WEST, "GetCallerIdentity", json!({}));
    assert_eq!(answer["Account"], "123456789012");
}

#[test]
fn a_story_knows_the_configuration_that_fits_it() {
    let topology = Story { pipelines: 2, ..Story::default() }.topology().expect("valid names");
    assert_eq!(topology.pipelines.len(), 2);
    assert_eq!(topology.pipelines[1].stream.primary.as_str(), "KDS-HA-Stream-2");
}
