//! Checks of the streams: usable, alike, healthy.

use super::Checks;
use crate::model::{Side, Verdict};
use crate::plan::assess::{self, Health};
use crate::plan::sequence::Selected;

/// What a Region is to the question that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The traffic is there, and nobody asked to move it.
    Active,
    /// It stands by.
    Idle,
    /// A failover leaves it.
    Left,
    /// A failover goes there.
    Entered,
    /// A failback goes there.
    Returned,
}

impl Checks<'_> {
    /// A side's stream.
    pub(crate) fn stream(&mut self, of: &Selected<'_>, side: Side) {
        let about = self.about(of, side);
        let view = of.view.side(side);
        let Some(stream) = self.known("stream", &about, &view.stream) else { return };
        let evidence = format!(
            "{} is {}, {} open shards, retention {} h",
            view.stream_name, stream.status, stream.open_shards, stream.retention_hours
        );
        match stream.is_usable() {
            true => self.ok("stream", &about, evidence),
            false => {
                self.advise("stream", &about, Verdict::Fail, evidence, "wait until the stream is ACTIVE")
            }
        }
    }

    /// The stream of the side that is moved to, against the one that is left.
    pub(crate) fn streams_match(&mut self, of: &Selected<'_>, to: Side) {
        let (check, about, from) = ("streams_match", self.about(of, to), to.other());
        let (Some(left), Some(entered)) =
            (of.view.side(from).stream.known(), of.view.side(to).stream.known())
        else {
            return;
        };
        let smaller = entered.falls_short_of(left, from);
        match smaller.is_empty() {
            true => self.ok(check, &about, format!("the {to}'s stream is no smaller than the {from}'s")),
            false => self.advise(
                check,
                &about,
                Verdict::Warn,
                smaller.join(", "),
                format!("give the {to}'s stream the {from}'s settings, or expect throttling there"),
            ),
        }
    }

    /// A Region's error rate, and what a bad one means there.
    pub(crate) fn health(&mut self, of: &Selected<'_>, side: Side, meaning: Meaning) {
        let about = self.about(of, side);
        let (topology, now) = (self.request.topology, self.request.snapshot.taken_at);
        let metrics = &of.view.side(side).metrics;
        let of = |share: f64| match share * 100.0 {
            percent if percent < 10.0 => format!("{}%", (percent * 100.0).round() / 100.0),
            percent => format!("{}%", (percent * 10.0).round() / 10.0),
        };
        match assess::health(metrics, &topology.objectives, &topology.timing, now) {
            Health::Healthy(rates) => {
                let evidence = format!("error rate {}, throttled {}", of(rates.errors), of(rates.throttled));
                self.ok("health", &about, evidence);
            }
            Health::Degraded(rates) => {
                let (errors, throttled) = (of(rates.errors), of(rates.throttled));
                let limit = of(topology.objectives.error_rate);
                let evidence =
                    format!("{} {errors} errors, throttled {throttled}, limit {limit}", rates.operation);
                let leave = match side {
                    Side::Primary => format!("failover --to {}", self.request.region(Side::Standby)),
                    Side::Standby => "failback".to_owned(),
                };
                let leave = format!("if it lasts, leave: `kdsha {leave} --dry-run` shows how");
                let (verdict, advice) = match meaning {
                    Meaning::Active => (Verdict::Fail, leave.as_str()),
                    Meaning::Idle => (Verdict::Warn, "do not move there before it is healthy"),
                    Meaning::Left => {
                        (Verdict::Warn, "a reason to leave, and the drain may take longer for it")
                    }
                    Meaning::Entered => (Verdict::Warn, "what is moved there meets the same errors"),
                    Meaning::Returned => (
                        Verdict::Fail,
                        "stay until it is healthy, or go with `--accept health --reason TEXT`",
                    ),
                };
                self.advise("health", &about, verdict, evidence, advice);
            }
            Health::Unknown(why) => {
                let evidence = format!("unknown: {why}; nothing tells whether the stream works");
                let advice =
                    "expected of a stream without traffic; where there should be some, look at its producers";
                self.advise("health", &about, Verdict::Warn, evidence, advice);
            }
        }
    }
}
