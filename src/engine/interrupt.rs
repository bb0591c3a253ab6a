//! Ctrl-C and SIGTERM: honoured between calls and during waits, never inside a call.

use crate::model::Interrupt;
use tokio::signal::unix::{SignalKind, signal};

impl Interrupt {
    /// One that is raised by SIGINT or SIGTERM from now on. Call it within a runtime.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn on_signals() -> std::io::Result<Interrupt> {
        let interrupt = Interrupt::of_signals();
        type Raise = fn(&Interrupt);
        let (asks, tells): (Raise, Raise) = (Interrupt::raise, Interrupt::terminate);
        for (kind, raise) in [(SignalKind::interrupt(), asks), (SignalKind::terminate(), tells)] {
            let mut signals = signal(kind)?;
            let raised = interrupt.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    raise(&raised);
                }
            });
        }
        Ok(interrupt)
    }

    /// Another one that nobody has raised yet. A Ctrl-C that was heard before this call does not raise it, not even
    /// one whose handler has still to run.
    pub fn anew(&self) -> Interrupt {
        match self.hears_signals() {
            true => Interrupt::on_signals().unwrap_or_default(),
            false => Interrupt::default(),
        }
    }
}
