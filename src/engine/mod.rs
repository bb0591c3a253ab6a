//! The only loop: run stages, confirm, wait, interrupt.
