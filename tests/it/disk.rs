//! Files that are put together block by block, and disks that are too small for them.
use std::path::{Path, PathBuf};
use std::process::Command;

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::watch;

const MIB: usize = 1024 * 1024;

/// A file that is written in its folder, and ticks whenever something is.
pub struct Growing {
    pub path: PathBuf,
    whole: Vec<u8>,
    ticks: watch::Receiver<()>,
    _watcher: notify::RecommendedWatcher,
}

impl Growing {
    /// The folder must be there; the file shall have these bytes in the end.
    pub fn at(path: PathBuf, whole: Vec<u8>) -> Self {
        let (tick, ticks) = watch::channel(());
        let mut watcher = notify::recommended_watcher(move |_| tick.send_replace(())).unwrap();
        watcher.watch(path.parent().unwrap(), RecursiveMode::NonRecursive).unwrap();
        Self { path, whole, ticks, _watcher: watcher }
    }

    /// How many of its blocks are right.
    pub fn right(&self) -> usize {
        let here = std::fs::read(&self.path).unwrap_or_default();
        here.chunks(MIB).zip(self.whole.chunks(MIB)).filter(|(here, right)| here == right).count()
    }

    /// Waits until this many are.
    pub async fn until(&mut self, blocks: usize) {
        while self.right() < blocks {
            self.ticks.changed().await.unwrap();
        }
    }

    pub async fn until_gone(&mut self) {
        while self.path.exists() {
            self.ticks.changed().await.unwrap();
        }
    }
}

/// A disk of this size, unmounted with the value.
pub struct Disk(PathBuf);

impl Disk {
    pub fn mount(at: &Path, mebibytes: usize) -> Self {
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status().unwrap();
        assert!(mounted.success());
        Self(at.to_owned())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The folder below it stays where it cannot be taken away.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
