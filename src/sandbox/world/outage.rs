//! What can befall a Region or a function.

/// An outage of one Region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outage {
    /// Kinesis puts and gets fail in this share with 500s; pollers and producers try again.
    DataPlaneDegraded {
        /// From 0 to 1.
        failure_share: f64,
    },
    /// The control APIs of Lambda and Kinesis answer 500; records go on moving.
    ControlPlane,
    /// Nothing answers and nothing moves in, into or out of the Region.
    Silent,
}

/// What is wrong with a function's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionFault {
    /// Every invocation ends with an error.
    Fails,
    /// Every invocation runs into its time-out.
    Hangs,
    /// An invocation with a poison record in its batch runs into its time-out; the others end well.
    HangsOnPoison,
    /// Every invocation ends well and names all items of its batch as failed. A mapping without ReportBatchItemFailures
    /// takes that for success (Lambda Developer Guide, services-kinesis-batchfailurereporting).
    ReportsFailures,
}

/// Kinesis operations of the data plane; the other ones are its control plane.
pub(super) fn is_kinesis_data_plane(operation: &str) -> bool {
    matches!(operation, "PutRecord" | "PutRecords" | "GetRecords" | "GetShardIterator")
}
