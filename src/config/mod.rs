//! `kdsha.toml` -> [`Topology`]: found, read, checked, with errors that name line, column and nearest known key.

mod topology;

pub use topology::{
    Consumer, MappingOverrides, Objectives, PerSide, Pipeline, Producer, Regions, Replicator, Sink,
    StandbyMode, Timing, Topology,
};
