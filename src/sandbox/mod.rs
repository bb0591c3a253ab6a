//! The built-in two-Region AWS, served in process or on loopback.

pub mod call;
pub mod world;
