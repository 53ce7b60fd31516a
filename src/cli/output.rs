//! Facts on standard output, and bars on standard error.
use std::io::{self, Read, Write};
use std::time::Duration;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Longest password or token read, bytes.
const SECRET_MAX: u64 = 8192;

/// One line. Whoever closed our output does not want the rest.
pub(super) fn line(text: impl std::fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(serde_json::to_string_pretty(value)?)?)
}

/// A bar that counts bytes; hidden where standard error is no terminal.
pub(super) fn byte_bar() -> ProgressBar {
    let style = "{spinner} {prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {msg}";
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Something that turns while it takes its time; hidden where standard error is no terminal.
pub(super) fn spinner(text: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(text);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The first line of standard input.
pub(super) fn password() -> anyhow::Result<String> {
    match first_line()? {
        password if password.is_empty() => {
            bail!("no password came on standard input; for instance: echo 'a good password' | potluck ...")
        }
        password => Ok(password),
    }
}

/// The same for a token of a service elsewhere.
pub(super) fn token() -> anyhow::Result<String> {
    match first_line()?.trim() {
        "" => bail!("no token came on standard input; for instance: potluck ... --token-stdin < file-with-the-token"),
        token => Ok(token.to_owned()),
    }
}

fn first_line() -> anyhow::Result<String> {
    let mut text = String::new();
    io::stdin().take(SECRET_MAX).read_to_string(&mut text).context("reading standard input")?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// `1.5 GiB`.
pub(super) fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}
