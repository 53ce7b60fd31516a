//! A wide-area link between this network and a namespace, in user space: some kernels delay nothing by themselves.
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::runtime::{Builder, Runtime};

/// The far side.
pub const NAMESPACE: &str = "potluckbench";
/// Addresses of this side and the far one.
pub const NEAR: &str = "10.77.0.1";
pub const FAR: &str = "10.77.0.2";

/// The link; taken down with the value.
pub struct Wan(());

impl Wan {
    /// `None`, which is said, without root.
    pub fn up(round_trip_ms: u32, loss_percent: f64) -> anyhow::Result<Option<Self>> {
        Self::with_rate(round_trip_ms, loss_percent, 0)
    }

    /// The same with a rate in Mbit/s; 0 for none.
    pub fn with_rate(round_trip_ms: u32, loss_percent: f64, rate_mbit: u32) -> anyhow::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("left out: {round_trip_ms} ms, {loss_percent} % loss (needs root)");
            return Ok(None);
        }
        // One that an earlier run left behind.
        script(&["down", NAMESPACE])?;
        let wan = Self(());
        ensure!(
            script(&["up", NAMESPACE, &round_trip_ms.to_string(), &loss_percent.to_string(), &rate_mbit.to_string()])?,
            "the link did not come up"
        );
        Ok(Some(wan))
    }

    /// Runs a program on the far side.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", NAMESPACE, program]);
        command
    }

    /// A runtime whose sockets are on the far side.
    pub fn far_runtime(&self) -> anyhow::Result<Runtime> {
        let namespace = File::open(Path::new("/run/netns").join(NAMESPACE))?;
        let moved = move || {
            let moved = move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network));
            moved.expect("root may, and the namespace was just made");
        };
        Ok(Builder::new_multi_thread().enable_all().on_thread_start(moved).build()?)
    }
}

impl Drop for Wan {
    fn drop(&mut self) {
        // The next run takes it down if this fails.
        let _ = script(&["down", NAMESPACE]);
    }
}

fn script(arguments: &[&str]) -> anyhow::Result<bool> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/wan/link.sh");
    Ok(Command::new("bash").arg(path).args(arguments).status()?.success())
}
