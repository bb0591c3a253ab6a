//! The worst night: the compiled binary as a process while its network, its Regions, its machine or its colleagues
//! do what they do at night. Loopback only; everything has a bound.
//!
//! | module | subject |
//! |---|---|
//! | `proxy`, `wire` | the fault proxy, ours: silence, resets, slowness, stalls, 5xx, throttles, answers cut off after the call took effect; a black hole |
//! | `scene` | a served sandbox whose world and ledger the test can see, the proxy before it, the binary beside it |
//! | `answers` | `status` while the primary Region is ill: the bound, the other Region's data, the exit code |
//! | `emergency` | a silent us-west-2: failover, healing, settling, failback, 0 lost |
//! | `interrupts` | Ctrl-C and SIGTERM while a Region says nothing |
//! | `kills` | kill -9 at any instant, seeded, hundreds when asked for |
//! | `sources`, `stub` | every source of credentials, handed out by loopback stubs; a proxy |
//! | `credentials` | credentials that end midway or lack a right, lost answers, traps in the environment |
//! | `storm` | a throttle storm: how many requests a second kdsha sends into it |
//! | `policy` | every action that is sent is in `kdsha policy`, and none more |
//! | `terminal` | Ctrl-C and SIGTERM in a pseudo-terminal, at a prompt and in a wait |
//! | `races` | two operators at once, on one machine and on two |

// Figures, for whoever runs it with --nocapture.
#![allow(clippy::print_stdout)]

mod answers;
mod credentials;
mod emergency;
mod interrupts;
mod kills;
mod policy;
pub mod proxy;
mod races;
mod scene;
mod sources;
mod storm;
mod stub;
mod terminal;
mod wire;
mod worst;
