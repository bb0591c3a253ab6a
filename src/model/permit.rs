//! The capability to change AWS. No permit, no mutation: `Aws::perform` asks for one.

/// Proof that an operator (or `--yes`) confirmed a stage. `engine/confirm` is the only place that grants
/// one; the test `layering` holds that.
#[derive(Debug)]
pub struct Permit(());

impl Permit {
    /// Grants the capability. To be called by `engine/confirm` alone.
    pub(crate) fn grant() -> Permit {
        Permit(())
    }
}
