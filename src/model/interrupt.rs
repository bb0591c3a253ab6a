//! Whether the operator wants to stop: a flag that is heard between calls and during waits, never inside a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Notify;

const NOBODY: u8 = 0;
/// Ctrl-C: an operator who can be asked what he wants.
const ASKED: u8 = 1;
/// SIGTERM: nobody is there to be asked.
const TOLD: u8 = 2;

/// Whether the operator wants to stop. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    raised: AtomicU8,
    notify: Notify,
    hears_signals: bool,
}

impl Interrupt {
    /// One whose owner raises it on signals.
    pub(crate) fn of_signals() -> Interrupt {
        Interrupt(Arc::new(Inner { hears_signals: true, ..Inner::default() }))
    }

    /// Whether signals raise it.
    pub(crate) fn hears_signals(&self) -> bool {
        self.0.hears_signals
    }

    fn set(&self, level: u8) {
        self.0.raised.fetch_max(level, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// Asks to stop, as Ctrl-C does.
    pub fn raise(&self) {
        self.set(ASKED);
    }

    /// Tells to stop, as SIGTERM does: nobody is asked.
    pub fn terminate(&self) {
        self.set(TOLD);
    }

    /// Takes a Ctrl-C back, because the operator chose to go on.
    pub fn lower(&self) {
        // Only that: a SIGTERM that came meanwhile stays.
        let _ = self.0.raised.compare_exchange(ASKED, NOBODY, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Whether somebody asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst) != NOBODY
    }

    /// Whether it was SIGTERM.
    pub fn is_final(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst) == TOLD
    }

    /// Returns once somebody asked to stop.
    pub async fn raised(&self) {
        let notified = self.0.notify.notified();
        if !self.is_raised() {
            notified.await;
        }
    }

    /// What the work gives, unless somebody asks to stop before it is done.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.raised() => None,
            done = work => Some(done),
        }
    }
}
