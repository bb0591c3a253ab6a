//! The boundary against a scripted AWS: what no simulator is asked to play (broken connections, lost answers,
//! lists that never end), with the real SDK and virtual time.

mod observing;
mod performing;
mod script;
