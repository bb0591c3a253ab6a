//! The real engine and the real SDK on the sandbox in process, under tokio's paused clock: an hour of a pipeline's
//! life takes a moment.

mod crashes;
mod fleet;
mod journeys;
mod operator;
mod operators;
mod owed;
mod parity;
mod refusals;
mod seeds;
pub mod stage;
mod standby;
mod stops;
mod turning;
mod undo;
