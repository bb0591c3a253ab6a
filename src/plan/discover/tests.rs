//! Topologies that are found, choices that stay open, and what is never said.

use super::*;
use crate::model::{Arn, FailureKind, Mapping, MappingState, Observed, Reason, Secret, Side};

fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("legal")
}

fn regions() -> Regions {
    Regions { primary: id("us-west-2"), standby: id("us-east-2") }
}

/// An account in the making.
struct Account(Survey);

impl Account {
    /// Two Regions with nothing in them.
    fn empty() -> Account {
        let region = |name: &str| RegionSurvey {
            region: id(name),
            mappings: Observed::Known(Vec::new()),
            functions: Observed::Known(BTreeMap::new()),
            streams: Observed::Known(Default::default()),
            tables: Observed::Known(Default::default()),
        };
        let identity = Observed::Unknown(Reason::not_asked());
        Account(Survey { identity, primary: region("us-west-2"), standby: region("us-east-2") })
    }

    /// The post's topology.
    fn of_the_post() -> Account {
        let secret = ("DB_PASSWORD", "hunter2-never-shown");
        let mut account = Account::empty();
        for side in [Side::Primary, Side::Standby] {
            account.stream(side, "S").table(side, "T").function(side, "C", &[("TABLE", "T"), secret]);
        }
        account
            .function(Side::Primary, "R", &[("FAILOVER_REGION", "us-east-2"), secret])
            .function(Side::Primary, "P", &[("TO_REGION", "us-west-2"), ("STREAM", "S"), secret])
            .function(Side::Primary, "Bystander", &[("FAILOVER_REGION", "us-east-2"), secret])
            .mapping(Side::Primary, "C", "S", true)
            .mapping(Side::Primary, "R", "S/consumer/efo:1", true);
        account
    }

    fn half(&mut self, side: Side) -> &mut RegionSurvey {
        match side {
            Side::Primary => &mut self.0.primary,
            Side::Standby => &mut self.0.standby,
        }
    }
    fn stream(&mut self, side: Side, name: &str) -> &mut Account {
        if let Observed::Known(streams) = &mut self.half(side).streams {
            streams.insert(id(name));
        }
        self
    }
    fn table(&mut self, side: Side, name: &str) -> &mut Account {
        if let Observed::Known(tables) = &mut self.half(side).tables {
            tables.insert(name.to_owned());
        }
        self
    }
    fn function(&mut self, side: Side, name: &str, variables: &[(&str, &str)]) -> &mut Account {
        let variables = variables.iter().map(|(k, v)| (k.to_string(), Secret::new(*v))).collect();
        if let Observed::Known(functions) = &mut self.half(side).functions {
            functions.insert(id(name), Environment::Readable(variables));
        }
        self
    }
    fn mapping(&mut self, side: Side, function: &str, source: &str, is_on: bool) -> &mut Account {
        let half = self.half(side);
        let region = half.region.clone();
        let mapping = Mapping {
            id: id("0000"),
            function: id(function),
            qualifier: None,
            source: Arn::new(format!("arn:aws:kinesis:{region}:123456789012:stream/{source}")),
            state: if is_on { MappingState::Enabled } else { MappingState::Disabled },
            position: None,
            last_modified: None,
            last_processing_result: None,
            state_transition_reason: None,
            settings: Observed::Unknown(Reason::not_asked()),
        };
        if let Observed::Known(mappings) = &mut half.mappings {
            mappings.push(mapping);
        }
        self
    }
    fn without_mappings(&mut self, side: Side) -> &mut Account {
        self.half(side).mappings = Observed::Known(Vec::new());
        self
    }

    fn discover(&self, wishes: &Wishes) -> Result<Found, Open> {
        discover(&regions(), &self.0, wishes)
    }
    /// The only pipeline.
    fn one(&self, wishes: &Wishes) -> FoundPipeline {
        let mut found = self.discover(wishes).expect("nothing is open");
        assert_eq!(found.pipelines.len(), 1, "{found:?}");
        found.pipelines.remove(0)
    }
    fn choice(&self, wishes: &Wishes) -> Choice {
        match self.discover(wishes) {
            Err(Open::Choice(choice)) => *choice,
            other => panic!("no choice is open: {other:?}"),
        }
    }
}

fn names(choice: &Choice) -> Vec<&str> {
    choice.candidates.iter().map(|candidate| candidate.name.as_str()).collect()
}

#[test]
fn the_posts_topology_is_found() {
    let account = Account::of_the_post();
    let found = account.one(&Wishes::default());
    let Pipeline { name, standby, stream, producers, consumer, replicator, .. } = found.pipeline;
    assert_eq!((name.as_str(), standby), ("S", StandbyMode::Cold));
    assert_eq!((stream.primary.as_str(), stream.standby.as_str()), ("S", "S"));
    assert_eq!(consumer.function.primary.as_str(), "C");
    let replicator = replicator.expect("a replicator");
    assert_eq!(replicator.function.as_str(), "R");
    assert_eq!(replicator.stream_consumer.as_ref().map(|name| name.as_str()), Some("efo"));
    let [producer] = &producers[..] else { panic!("{producers:?}") };
    assert_eq!((producer.function.as_str(), producer.side), ("P", Side::Primary));
    assert_eq!(producer.region_variable, "TO_REGION");
    assert_eq!(producer.stream_variable.as_deref(), Some("STREAM"));
    assert_eq!(found.table.map(|table| table.name).as_deref(), Some("T"));
    assert_eq!(found.doubts, Vec::<String>::new());
}

#[test]
fn no_other_value_of_an_environment_is_said() {
    let account = Account::of_the_post();
    let said =
        format!("{:?}{:?}", account.discover(&Wishes::default()), standby_candidates(&account.0.primary));
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn failed_over_it_is_the_same_pipeline_with_a_doubt() {
    let mut account = Account::of_the_post();
    let before = account.one(&Wishes::default());
    account
        .without_mappings(Side::Primary)
        .mapping(Side::Primary, "R", "S/consumer/efo:1", false)
        .mapping(Side::Standby, "C", "S", true)
        .function(Side::Primary, "P", &[("TO_REGION", "us-east-2"), ("STREAM", "S")]);
    let after = account.one(&Wishes::default());
    assert_eq!(after.pipeline, before.pipeline);
    assert_eq!(after.doubts.len(), 1, "{:?}", after.doubts);
    account.mapping(Side::Primary, "C", "S", true);
    let both = account.one(&Wishes::default());
    assert_eq!((both.pipeline.standby, both.doubts.len()), (StandbyMode::Warm, 0));
    let wished = account.one(&Wishes { mode: Some(StandbyMode::Cold), ..Wishes::default() });
    assert_eq!(wished.pipeline.standby, StandbyMode::Cold);
}

#[test]
fn which_of_two_readers_consumes_is_asked_answered_or_said() {
    let mut account = Account::of_the_post();
    account.function(Side::Primary, "Audit", &[]).mapping(Side::Primary, "Audit", "S", true);
    let choice = account.choice(&Wishes::default());
    assert_eq!((choice.question.clone(), names(&choice)), (Question::Consumer(id("S")), vec!["Audit", "C"]));
    let answered = Wishes { answers: [(choice.question, "C".to_owned())].into(), ..Wishes::default() };
    assert_eq!(account.one(&answered).pipeline.consumer.function.primary.as_str(), "C");
    let said =
        Wishes { consumers: vec![PerSide { primary: id("C"), standby: id("C") }], ..Wishes::default() };
    assert_eq!(account.one(&said).pipeline, account.one(&answered).pipeline);
}

#[test]
fn a_consumer_of_another_name_in_the_standby_region() {
    let mut account = Account::of_the_post();
    account.half(Side::Standby).functions = Observed::Known(BTreeMap::new());
    let found = account.discover(&Wishes::default()).expect("nothing is open");
    assert!(found.left_out[0].why.contains("us-east-2 has no function C"), "{found:?}");
    account.function(Side::Standby, "C2", &[]).mapping(Side::Standby, "C2", "S", false);
    let function = account.one(&Wishes::default()).pipeline.consumer.function;
    assert_eq!((function.primary.as_str(), function.standby.as_str()), ("C", "C2"));
    account.function(Side::Standby, "C3", &[]).mapping(Side::Standby, "C3", "S", false);
    assert_eq!(names(&account.choice(&Wishes::default())), ["C2", "C3"]);
    let said =
        Wishes { consumers: vec![PerSide { primary: id("C"), standby: id("C3") }], ..Wishes::default() };
    assert_eq!(account.one(&said).pipeline.consumer.function.standby.as_str(), "C3");
}

#[test]
fn a_replicator_whose_environment_says_nothing_is_told_by_its_fan_out() {
    let mut account = Account::of_the_post();
    account.function(Side::Primary, "R", &[]);
    let found = account.one(&Wishes::default());
    assert_eq!(found.pipeline.replicator.expect("a replicator").function.as_str(), "R");
    assert!(found.evidence.iter().any(|e| e.because.contains("no variable says so")), "{:?}", found.evidence);
    let none = Wishes { no_replicator: true, ..Wishes::default() };
    assert_eq!(names(&account.choice(&none)), ["C", "R"], "then it may be the consumer");
}

#[test]
fn a_lone_reader_that_names_the_other_region_is_not_guessed_to_be_the_consumer() {
    let mut account = Account::of_the_post();
    account.without_mappings(Side::Primary).mapping(Side::Primary, "R", "S", true);
    let found = account.discover(&Wishes::default()).expect("nothing is open");
    assert!(found.pipelines.is_empty());
    assert!(found.left_out[0].why.contains("say --consumer R"), "{found:?}");
    account.function(Side::Standby, "R", &[]);
    let said =
        Wishes { consumers: vec![PerSide { primary: id("R"), standby: id("R") }], ..Wishes::default() };
    assert_eq!(account.one(&said).pipeline.consumer.function.primary.as_str(), "R");
}

#[test]
fn streams_of_two_names_are_paired_by_the_replicator_or_by_a_flag() {
    let mut account = Account::of_the_post();
    account.half(Side::Standby).streams = Observed::Known([id("S-copy")].into());
    let found = account.discover(&Wishes::default()).expect("nothing is open");
    assert_eq!(found.left_out[0].why, "us-east-2 has no stream of this name");
    let said =
        Wishes { streams: vec![PerSide { primary: id("S"), standby: id("S-copy") }], ..Wishes::default() };
    assert_eq!(account.one(&said).pipeline.stream.standby.as_str(), "S-copy");
    account.function(Side::Primary, "R", &[("FAILOVER_REGION", "us-east-2"), ("TARGET", "S-copy")]);
    assert_eq!(account.one(&Wishes::default()).pipeline, account.one(&said).pipeline);
}

#[test]
fn a_producer_of_both_regions_is_taken_once_and_its_twin_is_said() {
    let mut account = Account::of_the_post();
    account.function(Side::Standby, "P", &[("TO_REGION", "us-west-2"), ("STREAM", "S")]);
    account.function(Side::Standby, "Q", &[("TO_REGION", "us-west-2"), ("STREAM", "S")]);
    let found = account.one(&Wishes::default());
    let sides: Vec<_> = found.pipeline.producers.iter().map(|p| (p.function.as_str(), p.side)).collect();
    assert_eq!(sides, [("P", Side::Primary), ("Q", Side::Standby)]);
    assert_eq!((found.spare.len(), found.spare[0].side), (1, Side::Standby));
    assert_eq!(found.doubts.len(), 1, "{:?}", found.doubts);
}

#[test]
fn a_producer_with_two_region_variables_or_none_for_the_stream() {
    let mut account = Account::of_the_post();
    let two = [("TO_REGION", "us-west-2"), ("HOME_REGION", "us-west-2"), ("STREAM", "S")];
    account.function(Side::Primary, "P", &two);
    assert_eq!(names(&account.choice(&Wishes::default())), ["HOME_REGION", "TO_REGION"]);
    let said = Wishes { region_variables: vec!["TO_REGION".to_owned()], ..Wishes::default() };
    assert_eq!(account.one(&said).pipeline.producers[0].region_variable, "TO_REGION");
    account.function(Side::Primary, "P", &[("TO_REGION", "us-west-2")]);
    let found = account.discover(&Wishes::default()).expect("nothing is open");
    assert!(found.left_out[0].why.contains("--producer"), "{found:?}");
    let named = Wishes { producers: vec![id("P")], ..Wishes::default() };
    assert_eq!(account.one(&named).pipeline.producers[0].stream_variable, None);
}

#[test]
fn what_could_not_be_read_is_not_taken_for_absent() {
    let mut account = Account::of_the_post();
    let reason = |text: &str| Reason::new(FailureKind::AccessDenied, text);
    account.half(Side::Primary).functions = Observed::Unknown(reason("functions"));
    account.half(Side::Standby).streams = Observed::Unknown(reason("streams"));
    let open = account.discover(&Wishes::default()).expect_err("nothing can be said");
    assert_eq!(open, Open::Unread(vec!["functions".to_owned(), "streams".to_owned()]));
    assert!(standby_candidates(&account.0.primary).is_empty());
}

#[test]
fn the_standby_region_is_told_by_readers_and_writers_and_not_by_look_alikes() {
    let mut account = Account::of_the_post();
    let named = |account: &Account| {
        let found = standby_candidates(&account.0.primary);
        found.iter().map(|(region, _)| region.to_string()).collect::<Vec<String>>()
    };
    account.function(Side::Primary, "Q", &[("STREAM", "S"), ("QUEUE", "my-queue-1"), ("HOME", "us-west-2")]);
    account.function(Side::Primary, "Other", &[("R", "eu-west-1")]);
    assert_eq!(named(&account), ["us-east-2"]);
    account.function(Side::Primary, "Q", &[("STREAM", "S"), ("R", "eu-central-1")]);
    assert_eq!(named(&account), ["eu-central-1", "us-east-2"]);
}
