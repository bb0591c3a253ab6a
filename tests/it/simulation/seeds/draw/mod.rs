//! A scenario: plain data, drawn whole from one number before anything happens.

mod rarely;

use kdsha::model::{Region, Side};
use kdsha::sandbox::call::Service;
use kdsha::sandbox::faults::Fault;
use kdsha::sandbox::world::{Copying, Delays, MetricTrouble, Outage, Span, Story};
use std::time::Duration;

/// One pipeline's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    pub shards: u32,
    pub warm: bool,
    pub copying: Copying,
    pub fan_out_consumers: bool,
    pub producers: u32,
    pub alias: bool,
    pub sink: bool,
    pub rate: f64,
    pub batch_size: u32,
    pub timeout: u32,
    pub producer_timeout: u32,
    pub slow_share: f64,
    pub count_events: bool,
    pub bisect: bool,
}

/// What happens in the world by itself. Times are counted from the beginning of the scenario, or of the failback.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Strike(Side, Outage),
    Heal(Side),
    Metrics(Side, Option<MetricTrouble>),
    /// The traffic changes by this factor.
    Traffic(f64),
    /// This share of the new records is poison; none: the code is mended.
    Poison(Option<f64>),
    /// The primary consumers have no concurrency left.
    Throttled(bool),
    /// Every invocation of the primary consumers runs into its time-out.
    Hung(bool),
    /// The stream of a pipeline gets so many shards.
    Reshard {
        pipeline: u32,
        side: Side,
        shards: u32,
    },
}

impl Event {
    /// Whether it is trouble, or the end of it. Traffic and shards change on good days too.
    pub fn shakes(&self) -> bool {
        !matches!(self, Event::Traffic(_) | Event::Reshard { .. })
    }
}

/// An API that misbehaves for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiFault {
    pub side: Option<Side>,
    pub service: Option<Service>,
    pub only_mutating: bool,
    pub every: u32,
    pub times: Option<u32>,
    pub fault: Fault,
    /// Counted from the beginning of its phase.
    pub from: Duration,
    pub lasts: Duration,
    pub phase: Phase,
}

/// The two moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Over,
    Back,
}

/// When something meets a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long after its phase began.
    After(Duration),
    /// As soon as so many changing calls of its phase have been seen.
    AtCall(u32),
    /// Just before the run's own call to the same thing arrives.
    Overtaking,
}

/// What other people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Another operator runs the same command on another machine.
    SecondOperator,
    /// A deploy writes the template's environment: the producers' Region is the primary again.
    Deploy,
    /// A colleague changes another variable of a producer.
    OtherVariable,
    /// A colleague creates the standby's mapping at LATEST, and takes it away again later.
    Mapping { enabled: bool },
}

/// Somebody does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub phase: Phase,
    pub when: When,
    pub pipeline: u32,
    pub deed: Deed,
}

/// How a process ends before its work does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Killed at any moment.
    Killed(Duration),
    /// Killed when a changing call was sent: before it took effect, or after.
    AtCall { nth: u32, applied: bool },
    /// Ctrl-C.
    Interrupted(Duration),
    /// Not cut off: the disk has room for so many records of a journal.
    DiskFull { records: u64 },
}

/// What becomes of the journal then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Kept,
    /// The last line lacks its end.
    Torn(u32),
    Lost,
}

/// A process fault of the next command of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mishap {
    pub phase: Phase,
    pub cut: Cut,
    pub fate: Fate,
}

/// The whole scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    pub seed: u64,
    pub pipelines: Vec<Shape>,
    pub delays: Delays,
    /// Between two looks of a wait.
    pub poll: Duration,
    /// From the beginning until the operator acts.
    pub lead: Duration,
    pub events: Vec<(Duration, Event)>,
    /// What happens while the operator fails back, counted from there.
    pub back_events: Vec<(Duration, Event)>,
    pub faults: Vec<ApiFault>,
    pub people: Vec<Person>,
    pub mishaps: Vec<Mishap>,
    /// Whether the operator looks at a dry run first.
    pub dry_run: bool,
    /// Whether the operator chooses the emergency where both ways are open.
    pub hasty: bool,
    /// Whether the operator answers "from where" with the trim horizon.
    pub from_horizon: bool,
    /// Between the two moves.
    pub stay: Duration,
    /// Retention of the streams. Less than a day is no retention of AWS's: what expires, expires within a story.
    pub retention_hours: u32,
    pub goes_back: bool,
}

pub fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// The dice.
pub struct Dice(fastrand::Rng);

impl Dice {
    fn one_in(&mut self, n: u32) -> bool {
        self.0.u32(0..n) == 0
    }
    fn within(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_secs(self.0.u64(least..=most))
    }
    fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.0.u64(least..=most))
    }
    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.0.usize(0..of.len())].clone()
    }
    fn phase(&mut self) -> Phase {
        self.pick(&[Phase::Over, Phase::Over, Phase::Back])
    }
    fn when(&mut self) -> When {
        match self.one_in(2) {
            true => When::AtCall(self.0.u32(1..12)),
            false => When::After(self.within(0, 900)),
        }
    }
}

impl Scenario {
    /// The same number, the same scenario.
    pub fn draw(seed: u64) -> Scenario {
        let mut dice = Dice(fastrand::Rng::with_seed(seed ^ 0x5eed_0f0d_15a5_7e00));
        let pipelines = shapes(&mut dice);
        let lead = minutes(dice.pick(&[1, 3, 5, 8, 12]));
        let mut scenario = Scenario {
            seed,
            pipelines,
            delays: delays(&mut dice),
            // Fewer looks than on AWS: what is tested does not depend on how often one looks.
            poll: Duration::from_secs(dice.pick(&[15, 60, 60, 90])),
            lead,
            events: Vec::new(),
            back_events: Vec::new(),
            faults: Vec::new(),
            people: Vec::new(),
            mishaps: Vec::new(),
            dry_run: dice.one_in(6),
            hasty: dice.one_in(3),
            from_horizon: dice.one_in(3),
            stay: dice.within(60, 900),
            retention_hours: 24,
            goes_back: !dice.one_in(8),
        };
        scenario.draw_outage(&mut dice);
        scenario.draw_traffic(&mut dice);
        // Troubles come one by one more often than together: what fails can be told from what happened.
        for _ in 0..dice.pick(&[0, 1, 1, 1, 2, 3]) {
            match dice.0.u32(0..6) {
                0 | 1 => scenario.draw_fault(&mut dice),
                2 => scenario.draw_person(&mut dice),
                _ => scenario.draw_mishap(&mut dice),
            }
        }
        scenario.draw_long_producers(&mut Dice(fastrand::Rng::with_seed(seed ^ 0x10f6_9d0c)));
        scenario.draw_resharding(&mut Dice(fastrand::Rng::with_seed(seed ^ 0x5a4d_5a4d)));
        scenario.draw_rarities(seed);
        scenario.events.sort_by_key(|(at, _)| *at);
        scenario
    }

    fn draw_outage(&mut self, dice: &mut Dice) {
        let begins = Duration::ZERO;
        let heals = self.lead + dice.within(60, 2_700);
        let outage = match dice.0.u32(0..10) {
            0..=3 => None,
            4 | 5 => Some(Outage::DataPlaneDegraded { failure_share: dice.pick(&[0.05, 0.25, 0.6]) }),
            6 => Some(Outage::ControlPlane),
            _ => Some(Outage::Silent),
        };
        if let Some(outage) = outage {
            self.events.push((begins, Event::Strike(Side::Primary, outage)));
            if dice.one_in(4) {
                // It comes and goes.
                let mut at = begins + dice.within(60, 300);
                while at + minutes(4) < heals {
                    self.events.push((at, Event::Heal(Side::Primary)));
                    at += dice.within(30, 240);
                    self.events.push((at, Event::Strike(Side::Primary, outage)));
                    at += dice.within(60, 300);
                }
            }
            self.events.push((heals, Event::Heal(Side::Primary)));
        }
        if dice.one_in(5) {
            let trouble = match dice.one_in(2) {
                true => MetricTrouble::Absent,
                false => MetricTrouble::Late(dice.within(60, 600)),
            };
            let side = dice.pick(&[Side::Primary, Side::Primary, Side::Standby]);
            self.events.push((begins, Event::Metrics(side, Some(trouble))));
            self.events.push((self.lead + dice.within(60, 1_800), Event::Metrics(side, None)));
        }
        if dice.one_in(6) {
            let ends = self.lead + dice.within(0, 1_200);
            let event: fn(bool) -> Event = if dice.one_in(2) { Event::Throttled } else { Event::Hung };
            self.events.push((begins, event(true)));
            self.events.push((ends, event(false)));
        }
        if dice.one_in(10) {
            self.events.push((begins, Event::Poison(Some(0.01))));
            self.events.push((self.lead + dice.within(0, 600), Event::Poison(None)));
        }
    }

    fn draw_traffic(&mut self, dice: &mut Dice) {
        match dice.0.u32(0..6) {
            0 => {
                let at = self.lead + dice.within(0, 1_200);
                let factor = dice.pick(&[4.0, 10.0]);
                self.events.push((at, Event::Traffic(factor)));
                self.events.push((at + dice.within(30, 300), Event::Traffic(1.0 / factor)));
            }
            1 => {
                let at = dice.within(0, 900);
                self.events.push((at, Event::Traffic(0.01)));
                self.events.push((at + dice.within(300, 1_800), Event::Traffic(100.0)));
            }
            _ => {}
        }
    }

    /// Producers whose invocations outlast every consumer's. From dice of its own, as the resharding is: what else
    /// a seed says does not depend on it.
    fn draw_long_producers(&mut self, dice: &mut Dice) {
        for shape in &mut self.pipelines {
            if dice.one_in(5) {
                shape.producer_timeout = dice.pick(&[120, 300, 900]);
                shape.slow_share = dice.pick(&[0.02, 0.1]);
            }
        }
    }

    fn draw_resharding(&mut self, dice: &mut Dice) {
        for _ in 0..dice.pick(&[0, 0, 0, 1, 1, 2]) {
            let pipeline = dice.0.u32(1..=self.pipelines.len() as u32);
            let shards = self.pipelines[pipeline as usize - 1].shards;
            let shards = dice.pick(&[shards * 2, shards + 1, shards.div_ceil(2), (shards * 3).div_ceil(2)]);
            let side = dice.pick(&[Side::Primary, Side::Standby]);
            let at = dice.within(0, 2_400);
            self.events.push((at, Event::Reshard { pipeline, side, shards }));
        }
    }

    fn draw_fault(&mut self, dice: &mut Dice) {
        let error = |status: u16, code: &str| Fault::Error { status, code: code.to_owned() };
        let faults = [
            Fault::Throttle,
            Fault::Throttle,
            error(500, "ServiceException"),
            error(409, "ResourceConflictException"),
            error(412, "PreconditionFailedException"),
            error(403, "ExpiredTokenException"),
            Fault::ApplyThenDrop,
            Fault::ApplyThenHang,
            Fault::Drop,
            Fault::Hang,
            Fault::Twice,
            Fault::Slow(dice.millis(500, 12_000)),
        ];
        let fault = dice.pick(&faults);
        let expired = matches!(&fault, Fault::Error { status: 403, .. });
        let conflict = matches!(&fault, Fault::Error { status: 409 | 412, .. }) || fault == Fault::Twice;
        let services = [None, Some(Service::Lambda), Some(Service::Kinesis), Some(Service::CloudWatch)];
        self.faults.push(ApiFault {
            side: if expired { None } else { dice.pick(&[None, Some(Side::Primary), Some(Side::Standby)]) },
            service: match (expired, conflict) {
                (true, _) => None,
                (_, true) => Some(Service::Lambda),
                _ => dice.pick(&services),
            },
            only_mutating: conflict || (!expired && dice.one_in(2)),
            every: if expired { 1 } else { dice.pick(&[1, 2, 3, 7]) },
            times: if dice.one_in(2) && !expired { Some(dice.pick(&[1, 2, 5])) } else { None },
            fault,
            from: dice.within(0, 600),
            lasts: dice.within(10, 600),
            phase: dice.phase(),
        });
    }

    fn draw_person(&mut self, dice: &mut Dice) {
        let deed = match dice.0.u32(0..5) {
            0 => Deed::SecondOperator,
            1 => Deed::Deploy,
            2 => Deed::OtherVariable,
            _ => Deed::Mapping { enabled: dice.one_in(2) },
        };
        let phase = match deed {
            Deed::Mapping { .. } => Phase::Over,
            _ => dice.phase(),
        };
        let pipeline = dice.0.u32(1..=self.pipelines.len() as u32);
        // A mapping matters before it is created by the run, the other deeds at any time.
        let when = match deed {
            Deed::Mapping { .. } => {
                dice.pick(&[When::After(Duration::ZERO), When::Overtaking, When::Overtaking])
            }
            Deed::OtherVariable if dice.one_in(2) => When::Overtaking,
            _ => dice.when(),
        };
        self.people.push(Person { phase, when, pipeline, deed });
    }

    fn draw_mishap(&mut self, dice: &mut Dice) {
        let cut = match dice.0.u32(0..6) {
            0 | 1 => Cut::Killed(dice.millis(0, 900_000)),
            5 => Cut::Interrupted(dice.millis(0, 900_000)),
            _ => Cut::AtCall { nth: dice.0.u32(0..14), applied: dice.one_in(2) },
        };
        let fate = match dice.0.u32(0..4) {
            0 => Fate::Torn(dice.0.u32(1..200)),
            1 => Fate::Lost,
            _ => Fate::Kept,
        };
        self.mishaps.push(Mishap { phase: dice.phase(), cut, fate });
    }

    /// Whether nothing but the operator's own commands happens.
    pub fn is_calm(&self) -> bool {
        self.faults.is_empty()
            && self.people.is_empty()
            && self.mishaps.is_empty()
            && !self.events.iter().chain(&self.back_events).any(|(_, event)| event.shakes())
    }

    /// When the first trouble begins; before it everything was processed in time.
    pub fn first_trouble(&self) -> Option<Duration> {
        self.events.iter().find(|(_, event)| event.shakes()).map(|(at, _)| *at)
    }

    /// When the world has calmed down, counted from the beginning. Traffic goes on changing.
    pub fn calm_again(&self) -> Duration {
        self.events.iter().map(|(at, _)| *at).max().unwrap_or_default()
    }

    /// The same of the primary alone.
    pub fn primary_calm_again(&self) -> Duration {
        let is_other =
            |event: &Event| matches!(event, Event::Strike(Side::Standby, _) | Event::Heal(Side::Standby));
        self.events.iter().filter(|(_, event)| !is_other(event)).map(|(at, _)| *at).max().unwrap_or_default()
    }

    /// The same of the failback, counted from there.
    pub fn back_calm_again(&self) -> Duration {
        self.back_events.iter().map(|(at, _)| *at).max().unwrap_or_default()
    }

    /// What the sandbox plays for each pipeline.
    pub fn stories(&self) -> Vec<Story> {
        let story = |shape: &Shape| Story {
            shards: shape.shards,
            records_per_second: shape.rate,
            warm: shape.warm,
            history: minutes(20),
            retention_hours: self.retention_hours,
            delays: self.delays,
            batch_size: shape.batch_size,
            function_timeout_seconds: shape.timeout,
            producer_timeout_seconds: shape.producer_timeout,
            producer_alias: shape.alias.then(|| "live".to_owned()),
            slow_share: shape.slow_share,
            count_events: shape.count_events,
            producers: shape.producers,
            copying: shape.copying,
            fan_out_consumers: shape.fan_out_consumers,
            sink: shape.sink,
            bisect: shape.bisect,
            ..Story::default()
        };
        self.pipelines.iter().map(story).collect()
    }

    pub fn region(side: Side) -> Region {
        let story = Story::default();
        match side {
            Side::Primary => story.primary,
            Side::Standby => story.standby,
        }
    }
}

fn shapes(dice: &mut Dice) -> Vec<Shape> {
    let count = if dice.one_in(40) { 5 } else { dice.pick(&[1, 1, 1, 1, 1, 1, 1, 2, 2, 3]) };
    let fan_out = [Copying::FanOut, Copying::FanOut, Copying::FanOut, Copying::Standard, Copying::None];
    let shape = |dice: &mut Dice| Shape {
        shards: if count == 1 && dice.one_in(250) { 64 } else { dice.pick(&[1, 1, 1, 2, 2, 2, 3, 4]) },
        warm: dice.one_in(4),
        copying: dice.pick(&fan_out),
        fan_out_consumers: dice.one_in(6),
        producers: dice.pick(&[1, 1, 1, 2, 3]),
        alias: dice.one_in(4),
        sink: !dice.one_in(3),
        rate: dice.pick(&[0.2, 1.0, 3.0, 6.0]),
        batch_size: dice.pick(&[10, 100, 100, 500]),
        timeout: dice.pick(&[3, 15, 30, 60]),
        producer_timeout: 30,
        slow_share: dice.pick(&[0.0, 0.002, 0.02]),
        count_events: dice.one_in(4),
        bisect: dice.one_in(3),
    };
    (0..count).map(|_| shape(dice)).collect()
}

fn delays(dice: &mut Dice) -> Delays {
    let usual = Delays::default();
    match dice.0.u32(0..4) {
        0 => Delays {
            metric: dice.within(30, 150),
            polling_starts: Span::millis(1_000, 240_000),
            polling_stops: Span::millis(0, 50_000),
            ..usual
        },
        1 => Delays {
            mapping: Span::millis(1_000, 60_000),
            function_update: Span::millis(200, 45_000),
            ..usual
        },
        _ => usual,
    }
}
