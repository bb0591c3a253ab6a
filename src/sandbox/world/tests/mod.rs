//! The behaviours of AWS that the world plays, each stated as a test.
