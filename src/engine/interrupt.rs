//! Ctrl-C and SIGTERM: honoured between calls and during waits, never inside a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Whether the operator wants to stop. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    raised: AtomicBool,
    notify: Notify,
}

impl Interrupt {
    /// One that is raised by SIGINT or SIGTERM from now on. Call it within a runtime.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn on_signals() -> std::io::Result<Interrupt> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = Interrupt::default();
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let mut signals = signal(kind)?;
            let raise = interrupt.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    raise.raise();
                }
            });
        }
        Ok(interrupt)
    }

    /// Asks to stop.
    pub fn raise(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// Whether somebody asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Returns once somebody asked to stop.
    pub async fn raised(&self) {
        let notified = self.0.notify.notified();
        if !self.is_raised() {
            notified.await;
        }
    }
}
