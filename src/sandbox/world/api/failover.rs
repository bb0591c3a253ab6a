//! What the post's failover function does when it is invoked. Its code was never published; the post's text says this
//! much: the producer's environment names the other Region, the consumer is shut down and starts there five minutes
//! before what it still had to read, and the replicator stops (the failback's commands make both mappings anew).

use super::super::clock::{MINUTE, SECOND, seconds};
use super::super::functions::{Configuration, FunctionId};
use super::World;
use crate::model::Region;
use crate::sandbox::call::{ApiCall, Service};
use serde_json::{Value, json};

/// The post's overlap.
const BUFFER_SECONDS: i64 = 300;

/// The post's functions of one pipeline, in one account, as the failover function finds them.
struct Failover<'a> {
    world: &'a mut World,
    of: FunctionId,
    name: String,
    from: Region,
    to: Region,
}

impl World {
    /// One invocation. `None`: a call was refused, and the code ended with that error.
    pub(super) fn invoke_failover(
        &mut self,
        function: FunctionId,
        configuration: &Configuration,
    ) -> Option<Value> {
        let here = &self.functions[function.0];
        let (to, _) = configuration.replica()?;
        let (name, from) = (here.name.clone(), self.places[here.place.0].region.clone());
        Failover { world: self, of: function, name, from, to }.play()
    }
}

impl Failover<'_> {
    fn play(mut self) -> Option<Value> {
        let stream = self.switch_the_producer()?;
        let start = self.start_the_consumer(&stream)?;
        for part in ["Consumer", "ReplicationAgent"] {
            self.stop(part)?;
        }
        Some(json!({ "region": self.to.to_string(), "startingPositionTimestamp": start }))
    }

    /// Functions of one pipeline differ in one word of their names.
    fn named(&self, part: &str) -> String {
        self.name.replace("Failover", part)
    }

    fn call(&mut self, service: Service, region: &Region, operation: &str, input: Value) -> Option<Value> {
        let place = self.world.functions[self.of.0].place;
        let account = self.world.places[place.0].account.clone();
        let call =
            ApiCall { service, region: region.clone(), account, operation: operation.to_owned(), input };
        self.world.answer(&call).ok().map(|reply| reply.output)
    }

    /// The producer's Region variable, and nothing else; says its stream.
    fn switch_the_producer(&mut self) -> Option<String> {
        let (region, name) = (self.from.clone(), self.named("Producer"));
        let found = json!({ "FunctionName": name });
        let found = self.call(Service::Lambda, &region, "GetFunctionConfiguration", found)?;
        let mut variables = found["Environment"]["Variables"].clone();
        let stream = variables["INPUT_STREAM"].as_str()?.to_owned();
        variables["PRODUCING_TO_REGION"] = json!(self.to.to_string());
        let change = json!({ "FunctionName": name, "Environment": { "Variables": variables } });
        self.call(Service::Lambda, &region, "UpdateFunctionConfiguration", change)?;
        Some(stream)
    }

    /// Starts the consumer of the other Region; says from when.
    fn start_the_consumer(&mut self, stream: &str) -> Option<i64> {
        let start = (self.world.now - self.age(stream)?).div_euclid(SECOND) - BUFFER_SECONDS;
        let place = &self.world.places[self.world.functions[self.of.0].place.0];
        let arn = format!("arn:aws:kinesis:{}:{}:stream/{stream}", self.to, place.account);
        let new = json!({
            "FunctionName": self.named("Consumer"),
            "EventSourceArn": arn,
            "BatchSize": 100,
            "StartingPosition": "AT_TIMESTAMP",
            "StartingPositionTimestamp": start,
        });
        let region = self.to.clone();
        self.call(Service::Lambda, &region, "CreateEventSourceMapping", new)?;
        Some(start)
    }

    /// The greatest iterator age of the last minutes, in milliseconds; where there is none, none is added.
    fn age(&mut self, stream: &str) -> Option<i64> {
        let now = self.world.now;
        let wanted = json!({
            "Namespace": "AWS/Kinesis",
            "MetricName": "GetRecords.IteratorAgeMilliseconds",
            "Dimensions": [{ "Name": "StreamName", "Value": stream }],
            "Period": 60,
            "Statistics": ["Maximum"],
            "StartTime": seconds(now - 5 * MINUTE),
            "EndTime": seconds(now),
        });
        let region = self.from.clone();
        let found = self.call(Service::CloudWatch, &region, "GetMetricStatistics", wanted)?;
        let points = found["Datapoints"].as_array().map_or(&[][..], Vec::as_slice);
        let ages = points.iter().filter_map(|point| point["Maximum"].as_f64());
        Some(ages.fold(0.0, f64::max).ceil() as i64)
    }

    /// Deletes what reads for a function in the old Region.
    fn stop(&mut self, part: &str) -> Option<()> {
        let region = self.from.clone();
        let of = json!({ "FunctionName": self.named(part) });
        let found = self.call(Service::Lambda, &region, "ListEventSourceMappings", of)?;
        for mapping in found["EventSourceMappings"].as_array().into_iter().flatten() {
            let gone = json!({ "UUID": mapping["UUID"] });
            self.call(Service::Lambda, &region, "DeleteEventSourceMapping", gone)?;
        }
        Some(())
    }
}
