//! Supysonic, the server of Subsonic's protocol that PyPI has: the same library, the same questions.
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::node::{PASSWORD, of_status};

/// How often its weight is looked at while it scans.
const LOOK: Duration = Duration::from_millis(200);

pub struct Supysonic {
    programs: PathBuf,
    /// Where it finds its settings.
    folder: PathBuf,
}

/// What a scan took.
pub struct Scanned {
    pub took: Duration,
    /// Bytes.
    pub peak: u64,
}

impl Supysonic {
    /// Where `POTLUCK_BENCH_SUPYSONIC` names the `bin` folder that has it; `None` without.
    pub fn new(folder: &Path, music: &Path) -> anyhow::Result<Option<Self>> {
        let Some(programs) = std::env::var_os("POTLUCK_BENCH_SUPYSONIC").map(PathBuf::from) else { return Ok(None) };
        fs::create_dir(folder)?;
        let place = folder.display();
        let settings = format!(
            "[base]\ndatabase_uri = sqlite:///{place}/supysonic.db\n[webapp]\ncache_dir = {place}/cache\nmount_webui = off\n[daemon]\nsocket = {place}/socket\n"
        );
        fs::write(folder.join("supysonic.conf"), settings)?;
        let this = Self { programs, folder: folder.to_owned() };
        this.tell(&["user", "add", "ada", "--password", PASSWORD])?;
        this.tell(&["folder", "add", "music", music.to_str().context("its path is text")?])?;
        Ok(Some(this))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.folder).env("HOME", &self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn tell(&self, arguments: &[&str]) -> anyhow::Result<()> {
        ensure!(
            self.command("supysonic-cli").args(arguments).status()?.success(),
            "supysonic-cli {arguments:?} failed"
        );
        Ok(())
    }

    /// Scans, and says how long that took.
    pub fn scan(&self) -> anyhow::Result<Scanned> {
        let begun = Instant::now();
        let mut scan = self.command("supysonic-cli").args(["folder", "scan", "--foreground", "music"]).spawn()?;
        let mut peak = 0;
        loop {
            if let Some(ended) = scan.try_wait()? {
                ensure!(ended.success(), "the scan failed");
                return Ok(Scanned { took: begun.elapsed(), peak });
            }
            peak = peak.max(of_status(scan.id(), "VmHWM:").unwrap_or_default());
            std::thread::sleep(LOOK);
        }
    }

    pub fn serve(&self) -> anyhow::Result<Serving> {
        let mut server = self.command("supysonic-server");
        server.args(["-S", "gunicorn", "--host", "127.0.0.1", "--port", "0"]).stderr(Stdio::piped());
        let mut process = server.spawn()?;
        let mut lines = BufReader::new(process.stderr.take().context("its errors")?).lines();
        let url = loop {
            let line = lines.next().context("it ended")??;
            if let Some(address) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break address.to_owned();
            }
        };
        // What it goes on to say is of no use, but must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Serving { process, url })
    }
}

/// It answers until this is dropped.
pub struct Serving {
    process: Child,
    pub url: String,
}

impl Serving {
    /// What all of its processes weigh, in bytes.
    pub fn resident(&self) -> u64 {
        let own = of_status(self.process.id(), "VmRSS:").unwrap_or_default();
        own + crate::node::children(self.process.id()).filter_map(|id| of_status(id, "VmRSS:").ok()).sum::<u64>()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        for child in crate::node::children(self.process.id()) {
            // The first process starts another one for one that ends before it does.
            let _ = Command::new("kill").arg(child.to_string()).status();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
