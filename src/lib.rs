//! kdsha moves an Amazon Kinesis Data Streams pipeline to another AWS Region, and back, without losing a record.
//!
//! # The flow
//!
//! ```text
//! arguments + kdsha.toml -> Topology -> observe -> Snapshot -> plan -> Plan
//!     (reads only, both Regions at once, bounded)      (pure)     |-> --dry-run: show it, stop
//!                                                                 '-> per stage: look -> confirm -> journal -> perform -> journal -> look
//!                                    events -> journal | terminal | JSON
//! ```
//!
//! Data flows one way. A plan is pure data: a list of stages; a stage is a list of steps, confirmed once for all
//! pipelines. A step knows its effects (the exact calls) and its check, which is precondition, postcondition,
//! resume test and `verify` in one. The engine looks, asks, writes down, performs, and looks again; running it a
//! second time is the repair, running it after a kill is the resume.
//!
//! # The rooms
//!
//! | room | is |
//! |---|---|
//! | [`model`] | plain words: ids, snapshot, effects, checks, events, the server's clock; imports nothing of ours |
//! | [`config`] | `kdsha.toml` -> topology; illegal combinations cannot be built |
//! | [`steps`] | one file a kind of step: pure data and a check |
//! | [`plan`] | pure and synchronous: failover, failback, position, preflight, the resting state |
//! | [`journal`] | one run's record on disk, folded into a state |
//! | [`aws`] | the only room that names `aws_sdk_*`: observe reads, perform writes, and asks for a permit |
//! | [`sandbox`] | the built-in two-Region AWS: a living world, served in process or on loopback |
//! | [`ui`] | the only room that prints: terminal, tables, prompts, JSON |
//! | [`engine`] | the only loop, and the only place that grants permits |
//! | [`cli`] | arguments and wiring, one file a subcommand |
//!
//! Imports run one way: `model` <- `config`, `steps` <- `plan` <- `journal`, `ui` <- `engine` <- `cli`; `aws` and
//! `sandbox` know `model` and `config` only. A test reads the `use` lines and holds this.
//!
//! # To add a step
//!
//! One file in [`steps`] that implements [`steps::Step`], one line in its catalogue, one line in the sequence of
//! [`plan`] that uses it. A new mutation is a variant of [`model::Effect`], an arm in `aws/perform`, its AWS CLI
//! lines in `ui/aws_cli`, and its action in `cli/policy`.

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
