//! What is drawn from dice of its own: without it, a seed says what it has always said.

use super::{Cut, Dice, Event, Fate, Mishap, Scenario, minutes};
use kdsha::model::Side;
use kdsha::sandbox::world::{Copying, Outage};
use std::time::Duration;

/// Dice that roll independently of everything else that a seed says.
fn own(seed: u64, what: u64) -> Dice {
    Dice(fastrand::Rng::with_seed(seed ^ what))
}

impl Scenario {
    pub(super) fn draw_rarities(&mut self, seed: u64) {
        self.draw_where_and_when(&mut own(seed, 0x0a1b_51de));
        self.draw_outage_of_failback(&mut own(seed, 0xbac4_0a1b));
        self.draw_full_disk(&mut own(seed, 0xd154_f011));
        self.draw_expiry(&mut own(seed, 0x0e01_9e5e));
        self.draw_calm(&mut own(seed, 0xca1f_da15));
    }

    /// An outage does not wait for the operator to begin, and the standby is a Region like the other.
    fn draw_where_and_when(&mut self, dice: &mut Dice) {
        let side = dice.pick(&[Side::Primary, Side::Primary, Side::Primary, Side::Standby]);
        let later = match dice.one_in(2) {
            true => self.lead + dice.within(0, 600),
            false => Duration::ZERO,
        };
        for (at, event) in &mut self.events {
            match event {
                Event::Strike(struck, _) => *struck = side,
                Event::Heal(struck) => *struck = side,
                _ => continue,
            }
            *at += later;
        }
    }

    /// A second outage, or the first, while the operator fails back.
    fn draw_outage_of_failback(&mut self, dice: &mut Dice) {
        if !dice.one_in(4) {
            return;
        }
        let side = dice.pick(&[Side::Primary, Side::Standby]);
        let outage = dice.pick(&[
            Outage::DataPlaneDegraded { failure_share: 0.25 },
            Outage::DataPlaneDegraded { failure_share: 0.6 },
            Outage::ControlPlane,
            Outage::Silent,
        ]);
        let begins = dice.within(0, 900);
        self.back_events.push((begins, Event::Strike(side, outage)));
        self.back_events.push((begins + dice.within(60, 1_800), Event::Heal(side)));
    }

    /// Most runs write fewer than 80 records.
    fn draw_full_disk(&mut self, dice: &mut Dice) {
        if dice.one_in(12) {
            let cut = Cut::DiskFull { records: dice.0.u64(0..80) };
            self.mishaps.push(Mishap { phase: dice.phase(), cut, fate: Fate::Kept });
        }
    }

    /// The operator comes back when records have expired. What nobody copied and nobody could process is among them.
    fn draw_expiry(&mut self, dice: &mut Dice) {
        if !dice.one_in(20) {
            return;
        }
        self.retention_hours = 1;
        self.stay = minutes(dice.0.u64(70..=120));
        if dice.one_in(2) {
            self.hasty = true;
            self.pipelines[0].copying = Copying::None;
            self.events.push((Duration::ZERO, Event::Throttled(true)));
            self.events.push((self.lead + dice.within(300, 900), Event::Throttled(false)));
        }
    }

    /// A night on which nothing happens: what was printed must be what is sent.
    fn draw_calm(&mut self, dice: &mut Dice) {
        if dice.one_in(20) {
            self.events.retain(|(_, event)| !event.shakes());
            self.back_events.clear();
            self.faults.clear();
            self.people.clear();
            self.mishaps.clear();
        }
        self.dry_run |= self.is_calm();
    }
}
