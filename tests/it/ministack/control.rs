//! The control: on the very same rig, the post's own failback loses records. A rig on which nothing can be lost
//! would prove nothing.

use super::rig::{Mode, Rig};
use super::world::PRIMARY;
use std::thread;
use std::time::Duration;

#[test]
fn the_posts_own_failback_loses_records() {
    let rig = Rig::start(Mode::Cold);
    let before = rig.world();
    let traffic = rig.traffic();
    thread::sleep(Duration::from_secs(3));
    rig.script("post_story", &["failover"]);
    traffic.so_far(&rig).assert_nothing_lost();
    rig.script("post_story", &["failback"]);
    thread::sleep(Duration::from_secs(5));
    let account = traffic.stop(&rig);
    assert!(!account.lost.is_empty(), "the mapping at LATEST missed nothing: {account:?}");
    let lost_there = account.lost.iter().filter(|lost| lost.contains(PRIMARY)).count();
    assert_eq!(lost_there, account.lost.len(), "lost elsewhere than before the first poll: {account:#?}");
    let variables = rig.world().environment().len();
    assert_eq!(
        (before.environment().len(), variables),
        (12, 2),
        "the post's command replaces the environment"
    );
}
