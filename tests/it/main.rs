//! The integration tests: the compiled binary from outside.
//!
//! | module | subject |
//! |---|---|
//! | `documents` | the README and the runbooks, executed |
//! | `layering` | the house rules: who may import whom, who may print, who may grant a permit |
//! | `terminal` | the binary on a pseudo-terminal: Ctrl-C, a no, an emergency |
//! | `support` | running the binary in a hermetic environment and within a time limit |
//! | `served` | the binary against the sandbox that it serves |
//! | `simulation` | the engine and the SDK on the sandbox in process, in virtual time |
//! | `ministack` | end to end on an AWS emulator that nobody here wrote, with the post's functions moving records |

mod complete;
mod documents;
mod layering;
mod ministack;
mod served;
mod simulation;
mod support;
mod terminal;
