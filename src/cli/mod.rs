//! The `potluck` command: what can be said, and who does it. Each command is a file; facts go to standard output (as JSON
//! with `--json`), everything else to standard error. Exit codes: 0 done, 1 failed, 2 not understood.
mod cid;
mod control;
mod export;
mod friend;
mod import;
mod init;
mod library;
mod output;
mod pin;
mod publish;
mod replicate;
mod scan;
mod scrub;
mod serve;
mod status;
mod user;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::accounts::AccountsOptions;
use crate::config::Config;
use crate::node::Store;

/// Host your own media and share it with friends: everyone brings a dish.
#[derive(Debug, Parser)]
#[command(name = "potluck", version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "A first evening:
  echo 'a good password' | potluck --data ~/potluck init --admin ada --password-stdin
  potluck --data ~/potluck library add Films --kind movies --path /srv/films
  potluck --data ~/potluck serve --listen 0.0.0.0:8096

Set POTLUCK_DATA instead of writing --data each time. All but init and serve work with the node running or stopped.";

/// Where the node's own files are.
#[derive(Debug, Args)]
struct Place {
    /// The node's data folder
    #[arg(long, global = true, env = "POTLUCK_DATA", value_name = "DIR", default_value = "potluck-data")]
    data: PathBuf,
    /// The settings, instead of node.toml in the data folder
    #[arg(long, global = true, env = "POTLUCK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the data folder, the node's key and the first account
    Init(init::Init),
    /// Run the node until it is told to stop
    Serve(serve::Serve),
    /// Add, list and remove libraries
    #[command(subcommand)]
    Library(library::Library),
    /// Look through libraries for what is new, changed, moved or gone
    Scan(scan::Scan),
    /// Move in from another program, with its ids, accounts and everybody's progress, or take in a CAR
    #[command(subcommand)]
    Import(import::Import),
    /// Say how the node is
    Status(status::Status),
    /// Write what a CID names, with all its blocks, as a CAR
    Export(export::Export),
    /// Keep content from elsewhere here, and have pinning services keep what is public here
    #[command(subcommand)]
    Pin(pin::Pin),
    /// Publish renditions of an item as a folder with one CID
    Publish(publish::Publish),
    /// Read every file again and check it against its CID
    Scrub(scrub::Scrub),
    /// Add, list and remove accounts
    #[command(subcommand)]
    User(user::User),
    /// Link this node with friends' nodes, and share libraries with them
    #[command(subcommand)]
    Friend(friend::Friend),
    /// Keep a library, a series or a film of a friend's on this disk
    Replicate(replicate::Replicate),
    /// Say the CID of a file or folder; needs no node
    Cid(cid::CidOf),
}

/// Whether facts are printed for programs.
#[derive(Debug, Args)]
struct Format {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Cli {
    /// Does what was said.
    ///
    /// # Errors
    /// What went wrong, for the person who said it.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Init(command) => command.run(&self.place).await,
            Command::Serve(command) => command.run(&self.place).await,
            Command::Library(command) => command.run(&self.place).await,
            Command::Scan(command) => command.run(&self.place).await,
            Command::Import(command) => command.run(&self.place).await,
            Command::Status(command) => command.run(&self.place).await,
            Command::Export(command) => command.run(&self.place).await,
            Command::Pin(command) => command.run(&self.place).await,
            Command::Publish(command) => command.run(&self.place).await,
            Command::Scrub(command) => command.run(&self.place).await,
            Command::User(command) => command.run(&self.place).await,
            Command::Friend(command) => command.run(&self.place).await,
            Command::Replicate(command) => command.run(&self.place).await,
            Command::Cid(command) => command.run().await,
        }
    }
}

impl Place {
    fn config(&self) -> anyhow::Result<Config> {
        let named = self.config.is_some();
        let path = self.config.clone().unwrap_or_else(|| self.data.join("node.toml"));
        Ok(Config::load(
            &path,
            named,
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))),
        )?)
    }

    /// What is in the data folder of a node that is stopped.
    async fn store(&self) -> anyhow::Result<Store> {
        let options: AccountsOptions = self.config()?.accounts_options();
        Ok(Store::open(&self.data, options).await?)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_defined() {
        Cli::command().debug_assert();
    }
}
