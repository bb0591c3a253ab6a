//! Ticks that people can read: round times of the day, round lengths of lag.

use crate::model::duration;
use std::time::Duration;

/// Steps of a lag, in seconds.
const STEPS: [f64; 16] =
    [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0];

/// An axis from zero upwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    /// Its end, in seconds.
    pub top: f64,
    step: f64,
}

impl Axis {
    /// An axis for lags up to `most` seconds, with a little room above.
    pub fn up_to(most: f64) -> Axis {
        let most = most.max(1.0) * 1.08;
        let step = STEPS.iter().copied().find(|step| most / step <= 4.5);
        // Beyond the last of them: whole hours.
        let step = step.unwrap_or_else(|| (most / 4.0 / 3_600.0).ceil() * 3_600.0);
        Axis { top: most, step }
    }
}

/// The round lags on an axis, zero included.
pub(super) fn ticks_of_lag(axis: &Axis) -> Vec<f64> {
    (0..).map(|n| f64::from(n) * axis.step).take_while(|lag| *lag <= axis.top).collect()
}

/// Seconds as a length of time.
pub(super) fn length(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
}

/// `0`, `500ms`, `2m`.
pub(super) fn label(seconds: f64) -> String {
    if seconds == 0.0 { "0".to_owned() } else { duration::show(length(seconds)) }
}

/// Round lengths of time for the other axis, in seconds.
const STRETCHES: [f64; 13] = [
    60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0,
    604_800.0,
];

/// The round length of time from `least` seconds on.
pub(super) fn stretch(least: f64) -> f64 {
    STRETCHES.iter().copied().find(|stretch| *stretch >= least).unwrap_or(2_419_200.0)
}

/// Round moments between two, at most a dozen.
pub(super) fn tick_times(from: f64, to: f64) -> Vec<f64> {
    let step = stretch((to - from) / 11.0);
    let first = (from / step).ceil() * step;
    (0..).map(|n| first + f64::from(n) * step).take_while(|at| *at <= to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for most in [0.0, 0.9, 4.2, 61.0, 599.0, 7_000.0, 250_000.0] {
            let axis = Axis::up_to(most);
            let ticks = ticks_of_lag(&axis);
            assert!((2..=6).contains(&ticks.len()), "{most}: {ticks:?}");
            assert!(axis.top > most, "{most}");
        }
        assert_eq!(label(0.5), "500ms");
        assert_eq!(label(120.0), "2m");
        assert_eq!(
            tick_times(30.0, 610.0),
            [60.0, 120.0, 180.0, 240.0, 300.0, 360.0, 420.0, 480.0, 540.0, 600.0]
        );
        for length in [60.0, 3_600.0, 86_400.0, 1_209_600.0, 1e8] {
            assert!(tick_times(7.0, 7.0 + length).len() <= 60, "{length}");
        }
    }
}
