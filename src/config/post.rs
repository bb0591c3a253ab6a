//! The post's own topology: what `kdsha rehearse` plays, the README shows and tests start from.

/// A commented `kdsha.toml` for the pipeline of the AWS Big Data post "Build highly available streams
/// with Amazon Kinesis Data Streams". Values that the file leaves out have the same defaults.
pub const THE_POST: &str = include_str!("post.toml");
