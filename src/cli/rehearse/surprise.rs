//! What somebody else does meanwhile: a colleague, a deploy, the Region itself. Each acts by the same API calls as
//! anybody, on the sandbox's own time.

use crate::config::{Pipeline, Regions};
use crate::model::{AccountId, FunctionName, Region, Side, Timestamp};
use crate::sandbox::Sandbox;
use crate::sandbox::call::{ApiCall, Service};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// How often somebody looks whether it is time to act, and for how long.
const LOOKS: Duration = Duration::from_secs(1);
const PATIENCE: u32 = 4 * 3600;

/// What happened, and when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Happened {
    pub at: Timestamp,
    pub what: String,
}

/// Everything that happened; shared with those who act.
pub(super) type Surprises = Rc<RefCell<Vec<Happened>>>;

/// Somebody with credentials of their own.
#[derive(Clone)]
pub(super) struct Meddler {
    sandbox: Sandbox,
    account: AccountId,
    happened: Surprises,
}

impl Meddler {
    pub fn new(sandbox: &Sandbox, account: AccountId, happened: Surprises) -> Meddler {
        Meddler { sandbox: sandbox.clone(), account, happened }
    }

    fn call(&self, region: &Region, operation: &str, input: Value) -> Option<Value> {
        let call = ApiCall {
            service: Service::Lambda,
            region: region.clone(),
            account: self.account.clone(),
            operation: operation.to_owned(),
            input,
        };
        self.sandbox.with_world(|world| world.call(&call)).ok().map(|reply| reply.output)
    }

    fn happened(&self, what: String) {
        self.happened.borrow_mut().push(Happened { at: self.sandbox.now(), what });
    }

    /// The only mapping of a function: UUID and state.
    fn mapping(&self, region: &Region, function: &FunctionName) -> Option<(String, String)> {
        let input = json!({ "FunctionName": function.as_str() });
        let all = self.call(region, "ListEventSourceMappings", input)?;
        let mapping = all["EventSourceMappings"].as_array()?.first()?.clone();
        Some((mapping["UUID"].as_str()?.to_owned(), mapping["State"].as_str()?.to_owned()))
    }

    /// A colleague sees a disabled mapping and enables it, a while after it was disabled.
    pub async fn enable_what_was_stopped(self, region: Region, function: FunctionName, after: Duration) {
        for _ in 0..PATIENCE {
            tokio::time::sleep(LOOKS).await;
            match self.mapping(&region, &function) {
                Some((_, state)) if state == "Disabled" => break,
                _ => {}
            }
        }
        tokio::time::sleep(after).await;
        let Some((id, _)) = self.mapping(&region, &function) else { return };
        let input = json!({ "UUID": id, "Enabled": true });
        if self.call(&region, "UpdateEventSourceMapping", input).is_some() {
            self.happened(format!("a colleague enabled the mapping of {function} in {region}"));
        }
    }

    /// The producer's environment, as a deploy would write it back.
    pub fn template(&self, pipeline: &Pipeline, regions: &Regions) -> Option<(Region, FunctionName, Value)> {
        let producer = pipeline.producers.first().filter(|producer| producer.alias.is_none())?;
        let region = regions.of(producer.side).clone();
        let input = json!({ "FunctionName": producer.function.as_str() });
        let function = self.call(&region, "GetFunction", input)?;
        let variables = function["Configuration"]["Environment"]["Variables"].clone();
        Some((region, producer.function.clone(), variables))
    }

    /// A deploy writes a whole environment.
    pub fn deploy(&self, (region, function, variables): &(Region, FunctionName, Value), what: &str) -> bool {
        let input =
            json!({ "FunctionName": function.as_str(), "Environment": { "Variables": variables.clone() } });
        let done = self.call(region, "UpdateFunctionConfiguration", input).is_some();
        if done {
            self.happened(format!("{what} ({function} in {region})"));
        }
        done
    }

    /// The same, a while after the producer was switched.
    pub async fn deploy_after_the_switch(self, template: (Region, FunctionName, Value), after: Duration) {
        for _ in 0..PATIENCE {
            tokio::time::sleep(LOOKS).await;
            let input = json!({ "FunctionName": template.1.as_str() });
            let now = self.call(&template.0, "GetFunction", input);
            if now.is_some_and(|now| now["Configuration"]["Environment"]["Variables"] != template.2) {
                break;
            }
        }
        tokio::time::sleep(after).await;
        self.deploy(&template, "a deploy wrote the old environment back");
    }

    /// The Region heals by itself.
    pub async fn heal(self, region: Region, after: Duration) {
        tokio::time::sleep(after).await;
        self.sandbox.with_world(|world| world.heal(&region));
        self.happened(format!("{region} healed by itself"));
    }

    /// Somebody mends a function's code.
    pub async fn mend(self, region: Region, function: FunctionName, after: Duration) {
        tokio::time::sleep(after).await;
        self.sandbox.with_world(|world| world.set_fault(&region, &function, None));
        self.happened(format!("somebody mended {function} in {region}"));
    }
}

/// The primary's consumer of a pipeline.
pub(super) fn consumer(pipeline: &Pipeline) -> FunctionName {
    pipeline.consumer.function.of(Side::Primary).clone()
}
