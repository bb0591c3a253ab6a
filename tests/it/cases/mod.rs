//! Every way in which records can be skipped, stuck, looped, wiped or silently doubled that is known of the
//! procedure, one test each, named after the case: `positions` for the start position, `holes` for the manual steps
//! of the AWS post, `preflight`, `health`, `producers`, `mappings`, `drains` and `filters` for what is checked and done,
//! `adopted` for mappings that are not kdsha's own, `shared` for functions that read two streams, `kept`, `touched` and
//! `redeployed` for the way back, `next` for what is advised, `models` for the two models in which the obvious formula
//! loses records by the hundred thousand.

mod adopted;
mod drains;
mod filters;
mod health;
mod holes;
mod kept;
mod mappings;
mod models;
mod next;
mod positions;
mod post;
mod preflight;
mod producers;
mod redeployed;
mod shared;
mod touched;
