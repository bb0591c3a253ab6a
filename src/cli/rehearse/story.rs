//! A story from beginning to end: what happens, and the command lines that answer it.

use super::scenario::Scenario;
use super::score::Ran;
use super::surprise::consumer;
use super::{MINUTE, Play};
use crate::cli::failure::Failure;
use crate::cli::look;
use crate::journal::RunRecord;
use crate::model::{Exit, FunctionName, Timestamp};
use crate::sandbox::world::{FunctionFault, Outage};
use crate::ui::Format;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the trouble is there before anybody acts.
const NOTICED_AFTER: Duration = Duration::from_secs(8 * 60);

/// How often kdsha is killed in its story.
const KILLS: u32 = 3;

impl Play<'_> {
    pub(super) async fn play(&mut self) -> Result<Exit, Failure> {
        let primary = self.primary();
        self.tell(&format!(
            "\n# {primary} at work: {}, with live traffic (seed {})",
            self.whose(),
            self.seed
        ));
        self.status().await?;
        self.pass(5 * MINUTE).await?;
        let what = self.strike();
        self.tell(&format!("\n# {what}"));
        self.pass(NOTICED_AFTER).await?;
        self.status().await?;
        self.over().await?;
        self.pass(10 * MINUTE).await?;
        if self.scenario == Scenario::Colleague {
            self.reverted().await?;
        }
        self.heal();
        self.pass(15 * MINUTE).await?;
        self.settle().await?;
        self.expect("kdsha failback", &[Exit::Done]).await?;
        self.pass(10 * MINUTE).await?;
        self.expect("kdsha verify", &[Exit::Done]).await?;
        self.account().await
    }

    pub(super) fn whose(&self) -> String {
        match &self.session.topology.path {
            Some(path) if path.is_file() => format!("the pipelines of {}", path.display()),
            _ => "the pipeline of the post".to_owned(),
        }
    }

    /// The trouble begins. Says what it is.
    pub(super) fn strike(&mut self) -> String {
        let primary = self.primary();
        let degraded = Outage::DataPlaneDegraded { failure_share: 0.25 };
        let outage = match self.scenario {
            Scenario::Silent => Some(Outage::Silent),
            Scenario::ControlPlane => Some(Outage::ControlPlane),
            Scenario::SlowConsumer => None,
            _ => Some(degraded),
        };
        let (consumers, replicators) = (self.consumers(), self.replicators());
        self.sandbox.with_world(|world| {
            if let Some(outage) = outage {
                world.strike(&primary, outage);
            }
            for function in consumers.iter().filter(|_| self.scenario == Scenario::SlowConsumer) {
                // A shard brings five records a second, four are processed.
                world.set_pace(&primary, function, Duration::from_millis(250));
            }
            for function in replicators.iter().filter(|_| self.scenario == Scenario::Replicator) {
                world.set_fault(&primary, function, Some(FunctionFault::Fails));
            }
        });
        match self.scenario {
            Scenario::SlowConsumer => format!("the consumer in {primary} falls behind"),
            Scenario::Replicator => format!("{primary} is struck, and the replicator fails"),
            Scenario::ControlPlane => format!("the control plane of {primary} fails"),
            _ => format!("{primary} is struck"),
        }
    }

    /// The trouble ends, whatever it was.
    pub(super) fn heal(&mut self) {
        let primary = self.primary();
        let (consumers, replicators) = (self.consumers(), self.replicators());
        self.sandbox.with_world(|world| {
            world.heal(&primary);
            for function in consumers.iter().filter(|_| self.scenario == Scenario::SlowConsumer) {
                world.set_pace(&primary, function, Duration::from_millis(2));
            }
            for function in &replicators {
                world.set_fault(&primary, function, None);
            }
        });
        self.tell(&format!("\n# {primary} is back"));
    }

    fn consumers(&self) -> Vec<FunctionName> {
        self.session.topology.pipelines.iter().map(consumer).collect()
    }

    fn replicators(&self) -> Vec<FunctionName> {
        let pipelines = self.session.topology.pipelines.iter();
        pipelines.filter_map(|p| p.replicator.as_ref()).map(|r| r.function.clone()).collect()
    }

    async fn status(&mut self) -> Result<(), Failure> {
        if self.ui.settings().format == Format::Human {
            self.execute("kdsha status").await?;
        } else {
            // It is not told, but it keeps what an emergency needs.
            look::look(&self.session, false).await?;
        }
        Ok(())
    }

    async fn expect(&mut self, line: &str, good: &[Exit]) -> Result<Exit, Failure> {
        let exit = self.execute(line).await?;
        match good.contains(&exit) {
            true => Ok(exit),
            false => Err(Failure::new(exit, format!("`{line}` ended with exit code {}", exit.code())).hint(
                format!(
                    "`kdsha rehearse --scenario {} --seed {}` plays it again",
                    self.scenario.name(),
                    self.seed
                ),
            )),
        }
    }

    /// The failover, as the trouble demands it.
    async fn over(&mut self) -> Result<(), Failure> {
        let planned = format!("kdsha failover --to {}", self.standby());
        match self.scenario {
            Scenario::Silent => {
                // A silent Region says nothing of its lag; the operator knows when it fell silent.
                let start = floor(self.session.aws.clock().now() - NOTICED_AFTER - 15 * MINUTE);
                let line = format!("{planned} --emergency --start-at {start}");
                self.expect(&line, &[Exit::Owed]).await?;
            }
            Scenario::ControlPlane => {
                self.expect(&planned, &[Exit::Blocked]).await?;
                self.expect(&format!("{planned} --emergency"), &[Exit::Owed]).await?;
            }
            Scenario::Replicator => {
                let meddler = self.meddler()?;
                for function in self.replicators() {
                    let after = self.between(90, 240);
                    tokio::task::spawn_local(meddler.clone().mend(self.primary(), function, after));
                }
                self.expect(&planned, &[Exit::Done]).await?;
                self.tell_surprises();
            }
            Scenario::Colleague => self.with_a_colleague(&planned).await?,
            Scenario::Killed => self.killed(&planned).await?,
            Scenario::DataPlane | Scenario::Warm | Scenario::SlowConsumer => {
                self.expect(&planned, &[Exit::Done]).await?;
            }
        }
        Ok(())
    }

    /// Somebody enables the primary's consumer again while the standby's is being started. The wait of the last proof
    /// says so; the operator interrupts it, looks, and goes on.
    async fn with_a_colleague(&mut self, planned: &str) -> Result<(), Failure> {
        let meddler = self.meddler()?;
        let noticed_after = self.between(30, 60);
        for function in self.consumers().into_iter().take(1) {
            let after = self.between(70, 100);
            let work = meddler.clone().enable_what_was_stopped(self.primary(), function, after);
            let interrupt = self.session.interrupt.clone();
            tokio::task::spawn_local(async move {
                work.await;
                tokio::time::sleep(noticed_after).await;
                interrupt.raise();
            });
        }
        let exit = self.expect(planned, &[Exit::Interrupted, Exit::Done]).await?;
        // Ctrl-C is over once it was heard.
        self.session.interrupt = super::world::signals()?;
        self.tell_surprises();
        if exit == Exit::Interrupted {
            let what = format!("`{planned}` did not call it done while the old consumer ran again");
            self.day.avoided.push(what);
            self.tell("\n# the operator sees it in the wait, and presses Ctrl-C");
            self.status().await?;
            self.expect("kdsha resume", &[Exit::Done]).await?;
        }
        Ok(())
    }

    /// A deploy writes the producer's old environment back. `verify` notices it, and the failover that it names
    /// switches the producer again.
    async fn reverted(&mut self) -> Result<(), Failure> {
        let (meddler, regions) = (self.meddler()?, self.session.topology.regions.clone());
        let Some(pipeline) = self.session.topology.pipelines.first().cloned() else { return Ok(()) };
        let Some(mut old) = meddler.template(&pipeline, &regions) else { return Ok(()) };
        for producer in pipeline.producers.iter().filter(|p| p.function == old.1) {
            old.2[&producer.region_variable] = regions.primary.to_string().into();
            if let Some(name) = &producer.stream_variable {
                old.2[name] = pipeline.stream.primary.to_string().into();
            }
        }
        meddler.deploy(&old, "a deploy wrote the old environment back");
        self.tell_surprises();
        self.pass(2 * MINUTE).await?;
        self.expect("kdsha verify", &[Exit::Deviation]).await?;
        let line = format!("kdsha failover --to {}", self.standby());
        self.expect(&line, &[Exit::Done]).await?;
        self.pass(5 * MINUTE).await?;
        self.expect("kdsha verify", &[Exit::Done]).await?;
        Ok(())
    }

    /// kdsha dies midway, as with `kill -9`: nothing of it runs on, what it wrote down is all that is left.
    async fn killed(&mut self, planned: &str) -> Result<(), Failure> {
        let mut line = planned.to_owned();
        let begun = self.session.aws.clock().now();
        for _ in 0..KILLS {
            let after = self.between(5, 120);
            let at = self.session.aws.clock().now();
            let exit = tokio::select! {
                exit = self.execute(&line) => Some(exit?),
                () = tokio::time::sleep(after) => None,
            };
            if let Some(exit) = exit {
                return match exit {
                    Exit::Done => Ok(()),
                    exit => Err(Failure::new(exit, format!("`{line}` ended with exit code {}", exit.code()))),
                };
            }
            self.day.kills += 1;
            self.day.ran.push(Ran { at, command: line, exit: None });
            self.tell(&format!("\n# kdsha was killed after {} s", after.as_secs()));
            let is_open = self.session.runs()?.iter().any(RunRecord::is_unfinished);
            line = if is_open { "kdsha resume".to_owned() } else { planned.to_owned() };
            self.pass(Duration::from_secs(20)).await?;
        }
        self.expect(&line, &[Exit::Done]).await?;
        let (calls, again) = self.sent_since(begun);
        let kills = self.day.kills;
        self.day
            .avoided
            .push(format!("{kills} kills: of {calls} mutating calls that took effect, {again} did so twice"));
        Ok(())
    }

    /// Mutating calls that reached the world since then, and those of them that did so a second time.
    fn sent_since(&self, since: Timestamp) -> (usize, usize) {
        let log = self.sandbox.log();
        let applied = log.iter().filter(|call| call.is_mutating && call.applied && call.at >= since);
        let keys: Vec<String> =
            applied.map(|c| format!("{} {} {}", c.region, c.operation, c.input)).collect();
        let different: BTreeSet<&String> = keys.iter().collect();
        (keys.len(), keys.len() - different.len())
    }

    /// What a silent Region owes is settled once it is back.
    async fn settle(&mut self) -> Result<(), Failure> {
        if self.session.runs()?.iter().all(|run| run.owed().is_empty()) {
            return Ok(());
        }
        self.expect("kdsha resume", &[Exit::Done]).await?;
        self.pass(5 * MINUTE).await
    }

    /// In a story nothing is kept from whoever watches.
    pub(super) fn tell_surprises(&self) {
        let happened = self.surprises.borrow();
        if let Some(last) = happened.last() {
            self.tell(&format!("\n# {} at {}", last.what, last.at.strftime("%H:%M:%SZ")));
        }
    }
}

fn floor(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
