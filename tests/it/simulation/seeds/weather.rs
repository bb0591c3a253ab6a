//! What happens while the operator works: outages, traffic, faults, and other people.

use super::draw::{Deed, Event, Person, Phase, Scenario, When};
use super::onlooker::Mappings;
use super::theatre::{Command, Desk, Ended, Over, Theatre};
use kdsha::model::Side;
use kdsha::sandbox::call::Service;
use kdsha::sandbox::faults::{Fault, Rule};
use kdsha::sandbox::world::{FunctionFault, Story};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Before somebody looks again whether it is their turn.
const GLANCE: Duration = Duration::from_millis(500);
/// How long a colleague's mapping stays.
const STAYS: Duration = Duration::from_secs(240);

/// The environment of a function.
pub type Variables = BTreeMap<String, String>;

/// Everything around the operator.
pub struct Weather<'a> {
    pub theatre: &'a Theatre,
    pub scenario: &'a Scenario,
    /// Every function.
    pub functions: Vec<(Side, String)>,
    /// The variables that are not kdsha's, as their owners wrote them, oldest first, by function.
    pub owned: RefCell<BTreeMap<(Side, String), Vec<Variables>>>,
    /// What other people did, in words.
    pub diary: RefCell<Vec<String>>,
    /// Whether somebody moved the producers by hand.
    pub meddled: Cell<bool>,
}

/// The variables that kdsha must never change.
pub fn foreign(environment: &Variables) -> Variables {
    let mine = ["PRODUCING_TO_REGION", "INPUT_STREAM"];
    environment
        .iter()
        .filter(|(key, _)| !mine.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

impl<'a> Weather<'a> {
    pub fn over(theatre: &'a Theatre, scenario: &'a Scenario) -> Weather<'a> {
        let weather = Weather {
            theatre,
            scenario,
            functions: functions(theatre),
            owned: RefCell::default(),
            diary: RefCell::default(),
            meddled: Cell::new(false),
        };
        for (side, name) in &weather.functions {
            let now = weather.environment_in(*side, name, None);
            let own = if weather.is_producer(name) { foreign(&now) } else { now };
            weather.owned.borrow_mut().insert((*side, name.clone()), vec![own]);
        }
        weather
    }

    pub fn is_producer(&self, function: &str) -> bool {
        let mut producers = self.theatre.topology.pipelines.iter().flat_map(|p| &p.producers);
        producers.any(|producer| producer.function.as_str() == function)
    }

    /// Somebody wrote a producer's environment.
    fn owns_now(&self, function: &str, variables: &Variables) {
        let key = (Side::Primary, function.to_owned());
        self.owned.borrow_mut().entry(key).or_default().push(foreign(variables));
    }

    /// A function's whole environment: what the next invocation by this qualifier gets.
    pub fn environment_in(&self, side: Side, function: &str, qualifier: Option<&str>) -> Variables {
        let input = json!({"FunctionName": function, "Qualifier": qualifier});
        let output = self.theatre.inspect(Service::Lambda, side, "GetFunctionConfiguration", input);
        serde_json::from_value(output["Environment"]["Variables"].clone()).unwrap_or_default()
    }

    fn note(&self, text: String) {
        let at = kdsha::model::duration::show(Duration::from_secs(self.theatre.elapsed().as_secs()));
        self.diary.borrow_mut().push(format!("{at}: {text}"));
    }

    /// The scenario's events, at their times. Never ends.
    pub async fn blow(&self) {
        for (at, event) in &self.scenario.events {
            self.theatre.until(*at).await;
            self.happen(event);
        }
        std::future::pending().await
    }

    /// The events of the failback, which begins now.
    pub async fn blow_back(&self) {
        let since = self.theatre.elapsed();
        for (at, event) in &self.scenario.back_events {
            self.theatre.until(since + *at).await;
            self.happen(event);
        }
    }

    fn happen(&self, event: &Event) {
        let primary = Scenario::region(Side::Primary);
        self.theatre.sandbox.with_world(|world| match event {
            Event::Strike(side, outage) => world.strike(&Scenario::region(*side), *outage),
            Event::Heal(side) => world.heal(&Scenario::region(*side)),
            Event::Metrics(side, trouble) => world.set_metric_trouble(&Scenario::region(*side), *trouble),
            Event::Traffic(factor) => world.scale_rate(*factor),
            Event::Poison(Some(share)) => world.set_poison(*share),
            Event::Poison(None) => world.cure_poison(),
            Event::Reshard { pipeline, side, shards } => {
                let streams = &self.theatre.topology.pipelines[*pipeline as usize - 1].stream;
                world.reshard_to(&Scenario::region(*side), streams.of(*side).as_str(), *shards);
            }
            Event::Throttled(on) => self.each_consumer(|name| {
                world.throttle(&primary, name, *on);
            }),
            Event::Hung(on) => self.each_consumer(|name| {
                world.set_fault(&primary, name, on.then_some(FunctionFault::Hangs));
            }),
        });
    }

    fn each_consumer(&self, mut f: impl FnMut(&kdsha::model::FunctionName)) {
        self.theatre.topology.pipelines.iter().for_each(|p| f(p.consumer.function.of(Side::Primary)));
    }

    /// The API faults of a phase, from now on.
    pub fn spoil(&self, phase: Phase) {
        let now = self.theatre.sandbox.now();
        for fault in self.scenario.faults.iter().filter(|fault| fault.phase == phase) {
            self.theatre.sandbox.inject(Rule {
                region: fault.side.map(Scenario::region),
                service: fault.service,
                only_mutating: fault.only_mutating,
                every: fault.every,
                times: fault.times,
                from: Some(now + fault.from),
                until: Some(now + fault.from + fault.lasts),
                fault: Some(fault.fault.clone()),
                ..Rule::default()
            });
        }
    }

    /// Calls of other people that arrive just before the run's own. The colleague's mapping is a full one.
    fn overtaking(&self, person: &Person) -> Option<Rule> {
        let story = &self.theatre.stories[person.pipeline as usize - 1];
        let (side, operation, input) = match person.deed {
            Deed::Mapping { enabled } => {
                (Side::Standby, "CreateEventSourceMapping", self.mapping_input(person.pipeline, enabled)?)
            }
            _ => {
                let function = story.producer_name(1, person.pipeline);
                let variables = self.deployed(&function);
                let input = json!({"FunctionName": function, "Environment": {"Variables": variables}});
                (Side::Primary, "UpdateFunctionConfiguration", input)
            }
        };
        let call = self.theatre.api(Service::Lambda, side, operation, input);
        Some(Rule {
            region: Some(call.region.clone()),
            service: Some(Service::Lambda),
            operation: Some(operation.to_owned()),
            times: Some(1),
            every: 1,
            fault: Some(Fault::Overtaken(Box::new(call))),
            ..Rule::default()
        })
    }

    /// Writes down what other people's overtaking calls came to.
    pub fn take_note(&self) {
        for (call, was_taken) in self.theatre.sandbox.overtaking() {
            self.note(format!("a run's call was overtaken by {}, taken: {was_taken}", call.operation));
            let variables =
                serde_json::from_value::<Variables>(call.input["Environment"]["Variables"].clone());
            if let (true, Ok(variables), Some(function)) =
                (was_taken, variables, call.input["FunctionName"].as_str())
            {
                self.owns_now(function, &variables);
                self.meddled.set(true);
            }
        }
    }

    fn deployed(&self, function: &str) -> Variables {
        let mut variables = self.environment_in(Side::Primary, function, None);
        variables.insert("LOG_LEVEL".to_owned(), "DEBUG".to_owned());
        variables.insert("DEPLOYED".to_owned(), "yes".to_owned());
        variables
    }

    /// What people do in a phase. Ends when everybody is done, or when the phase is over.
    pub async fn people(&self, phase: Phase, is_over: &Cell<bool>, audit: &dyn Fn(&Ended, &Desk)) {
        let (since, calls) = (self.theatre.elapsed(), self.theatre.sandbox.calls().1);
        let mine = self.scenario.people.iter().filter(|person| person.phase == phase);
        let (overtaking, mine): (Vec<&Person>, Vec<&Person>) =
            mine.partition(|person| person.when == When::Overtaking);
        let rules: Vec<Rule> = overtaking.iter().filter_map(|person| self.overtaking(person)).collect();
        rules.into_iter().for_each(|rule| self.theatre.sandbox.inject(rule));
        futures_util::future::join_all(mine.into_iter().map(async |person| {
            let due = || match person.when {
                When::After(time) => self.theatre.elapsed() >= since + time,
                When::Overtaking => false,
                When::AtCall(nth) => self.theatre.sandbox.calls().1 >= calls + nth as usize,
            };
            while !due() {
                if is_over.get() {
                    return;
                }
                tokio::time::sleep(GLANCE).await;
            }
            self.act(phase, person, audit).await;
        }))
        .await;
    }

    async fn act(&self, phase: Phase, person: &Person, audit: &dyn Fn(&Ended, &Desk)) {
        match person.deed {
            Deed::SecondOperator => {
                let command = match phase {
                    Phase::Over => Command::Failover(Over::default()),
                    Phase::Back => Command::Failback { accept_settings: false },
                };
                self.note("another operator begins".to_owned());
                let ended = self.theatre.run(&self.theatre.theirs, command, None).await;
                self.note(format!(
                    "the other operator's command ended: {:?} {}",
                    ended.how.exit(),
                    ended.how.advice()
                ));
                audit(&ended, &self.theatre.theirs);
            }
            Deed::Deploy => self.deploy(person.pipeline, true),
            Deed::OtherVariable => self.deploy(person.pipeline, false),
            Deed::Mapping { enabled } => self.meddle(person.pipeline, enabled).await,
        }
    }

    fn deploy(&self, pipeline: u32, resets: bool) {
        let story = &self.theatre.stories[pipeline as usize - 1];
        let function = story.producer_name(1, pipeline);
        let mut variables = self.deployed(&function);
        if resets {
            variables.insert("PRODUCING_TO_REGION".to_owned(), Scenario::region(Side::Primary).to_string());
        }
        self.write(&function, variables, resets);
    }

    fn write(&self, function: &str, variables: Variables, resets: bool) {
        let input = json!({"FunctionName": function, "Environment": {"Variables": variables}});
        let said = self.theatre.call(Service::Lambda, Side::Primary, "UpdateFunctionConfiguration", input);
        match said {
            Ok(_) => {
                self.owns_now(function, &variables);
                self.meddled.set(self.meddled.get() || resets);
                self.note(format!("{function} was written by somebody else, resets: {resets}"));
            }
            Err(error) => {
                self.note(format!("{function} could not be written by somebody else: {}", error.code))
            }
        }
    }

    /// Whoever wrote variables that the version behind an alias does not have releases them; where that would move the
    /// producer too, sets them back.
    pub fn release(&self) {
        let producers = self.theatre.topology.pipelines.iter().flat_map(|pipeline| &pipeline.producers);
        for (producer, alias) in producers.filter_map(|p| Some((p, p.alias.as_deref()?))) {
            let function = producer.function.to_string();
            let newest = self.environment_in(producer.side, &function, None);
            let released = self.environment_in(producer.side, &function, Some(alias));
            if newest.get("PRODUCING_TO_REGION") != released.get("PRODUCING_TO_REGION") {
                self.write(&function, released, false);
            } else if newest != released {
                self.publish(&function, alias);
            }
        }
    }

    fn publish(&self, function: &str, alias: &str) {
        let lambda = |operation, input| self.theatre.call(Service::Lambda, Side::Primary, operation, input);
        let said = lambda("PublishVersion", json!({"FunctionName": function})).and_then(|version| {
            let input =
                json!({"FunctionName": function, "Name": alias, "FunctionVersion": version["Version"]});
            lambda("UpdateAlias", input)
        });
        self.note(format!("{function} was released, refused: {:?}", said.err().map(|error| error.code)));
    }

    /// Whoever reset the producers points them where the operator says.
    pub fn put_right(&self, side: Side) {
        for (number, pipeline) in (1..).zip(&self.theatre.topology.pipelines) {
            let story = &self.theatre.stories[number - 1];
            for producer in &pipeline.producers {
                let function = producer.function.to_string();
                let mut variables = self.environment_in(Side::Primary, &function, None);
                let region = Scenario::region(side).to_string();
                if variables.get("PRODUCING_TO_REGION") != Some(&region) && story.producer_alias.is_none() {
                    variables.insert("PRODUCING_TO_REGION".to_owned(), region);
                    self.write(&function, variables, false);
                }
            }
        }
    }

    fn mapping_input(&self, pipeline: u32, enabled: bool) -> Option<Value> {
        let story = &self.theatre.stories[pipeline as usize - 1];
        let configured = &self.theatre.topology.pipelines[pipeline as usize - 1];
        if story.warm || story.fan_out_consumers {
            return None; // its mapping is there already, or needs another ARN than a colleague would type
        }
        let function = configured.consumer.function.of(Side::Standby).to_string();
        let stream = configured.stream.of(Side::Standby);
        let region = Scenario::region(Side::Standby);
        let arn = format!("arn:aws:kinesis:{region}:{}:stream/{stream}", story.account);
        Some(json!({"FunctionName": function, "EventSourceArn": arn, "StartingPosition": "LATEST",
            "Enabled": enabled}))
    }

    async fn meddle(&self, pipeline: u32, enabled: bool) {
        let Some(input) = self.mapping_input(pipeline, enabled) else { return };
        let made = self.theatre.call(Service::Lambda, Side::Standby, "CreateEventSourceMapping", input);
        let Some(id) = made.as_ref().ok().and_then(|made| made["UUID"].as_str()) else {
            return self.note(format!("a colleague's mapping was refused: {:?}", made.err().map(|e| e.code)));
        };
        self.note(format!("a colleague created mapping {id}"));
        tokio::time::sleep(STAYS).await;
        let gone = self.take_away(id).await;
        self.note(format!("the colleague took mapping {id} away: {gone}"));
    }

    /// The colleague whose mapping stands in the way takes it away, once asked.
    pub async fn clear_the_way(&self) {
        for mapping in self.mappings(Side::Standby) {
            let position = mapping["StartingPosition"].as_str().unwrap_or_default();
            if let (Some(id), "LATEST") = (mapping["UUID"].as_str(), position) {
                let gone = self.take_away(id).await;
                self.note(format!("asked, the colleague took mapping {id} away: {gone}"));
            }
        }
    }

    /// The operator gives the printed commands that enable mappings of the primary whose drain nothing proves.
    pub fn enable_again(&self, said: &str) {
        let command = "`aws lambda update-event-source-mapping --region us-west-2 --uuid ";
        for rest in said.split(command).skip(1) {
            let mut words = rest.split_whitespace();
            let (Some(id), Some("--enabled`,")) = (words.next(), words.next()) else { continue };
            let input = json!({"UUID": id, "Enabled": true});
            let done = self.theatre.call(Service::Lambda, Side::Primary, "UpdateEventSourceMapping", input);
            self.note(format!("as it was told, mapping {id} was enabled: {}", done.is_ok()));
        }
    }

    async fn take_away(&self, id: &str) -> bool {
        for _ in 0..20 {
            let input = json!({"UUID": id});
            match self.theatre.call(Service::Lambda, Side::Standby, "DeleteEventSourceMapping", input) {
                Ok(_) => return true,
                Err(error) if error.status == 404 => return false,
                Err(_) => tokio::time::sleep(Duration::from_secs(10)).await,
            }
        }
        false
    }

    /// The mappings of a side, as they are.
    pub fn mappings(&self, side: Side) -> Vec<Value> {
        self.theatre.mappings().of(side).to_vec()
    }

    /// The mappings of both sides.
    pub fn all_mappings(&self) -> Mappings {
        self.theatre.mappings()
    }

    /// Whether nothing has been wrong for long enough that no metric tells of it any more.
    pub fn is_fair(&self, phase: Phase) -> bool {
        const LATELY: Duration = Duration::from_secs(30 * 60);
        let scenario = self.scenario;
        let is_quiet = match phase {
            Phase::Over => scenario.calm_again() + LATELY <= self.theatre.elapsed() || scenario.is_calm(),
            Phase::Back => scenario.back_events.is_empty(),
        };
        is_quiet && !scenario.faults.iter().any(|fault| fault.phase == phase)
    }
}

fn functions(theatre: &Theatre) -> Vec<(Side, String)> {
    let mut all = BTreeSet::new();
    for (number, (pipeline, story)) in (1..).zip(theatre.topology.pipelines.iter().zip(&theatre.stories)) {
        all.extend(pipeline.producers.iter().map(|p| (p.side, p.function.to_string())));
        all.extend(pipeline.replicator.iter().map(|r| (Side::Primary, r.function.to_string())));
        let sides = [Side::Primary, Side::Standby];
        all.extend(sides.map(|side| (side, pipeline.consumer.function.of(side).to_string())));
        all.insert((Side::Primary, story.name(Story::FAILOVER, number)));
    }
    all.into_iter().collect()
}
