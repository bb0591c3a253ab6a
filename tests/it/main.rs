//! The integration tests: the compiled binary from outside.
//!
//! | module | subject |
//! |---|---|
//! | `cases` | one case a test: positions, drains, producers, mappings, the holes of the post's procedure |
//! | `complete` | what the shell completes |
//! | `contract` | the sandbox before clients and contracts of others: boto3, the AWS CLI, service models, recorded answers |
//! | `dependencies` | what is compiled in |
//! | `documents` | the README and the runbooks, executed |
//! | `init` | `kdsha init` against the sandbox: the file that it writes, its questions, its refusals |
//! | `layering` | the house rules: who may import whom, who may print, who may grant a permit |
//! | `rehearsals` | the stories of a game day, and the reports of their runs |
//! | `terminal` | the binary on a pseudo-terminal: Ctrl-C, a no, an emergency |
//! | `support` | running the binary in a hermetic environment and within a time limit |
//! | `served` | the binary against the sandbox that it serves |
//! | `watch` | the live view on a pseudo-terminal |
//! | `simulation` | the engine and the SDK on the sandbox in process, in virtual time |
//! | `night` | the binary as a process under real faults: a fault proxy, kill -9, a terminal, two operators |
//! | `moto` | `kdsha init` on a second emulator |
//! | `tools` | documents and integration files, judged by validators of others |
//! | `ministack` | end to end on an AWS emulator that nobody here wrote, with the post's functions moving records |

mod cases;
mod complete;
mod contract;
mod dependencies;
mod documents;
mod init;
mod layering;
mod ministack;
mod moto;
mod night;
mod rehearsals;
mod served;
mod simulation;
mod support;
mod terminal;
mod tools;
mod watch;
