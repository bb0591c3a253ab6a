//! kdsha moves an Amazon Kinesis Data Streams pipeline to another AWS Region, and back, without losing a record.

pub mod aws;
pub mod cli;
pub mod config;
pub mod engine;
pub mod journal;
pub mod model;
pub mod plan;
pub mod sandbox;
pub mod steps;
pub mod ui;
