//! `potluck init`.
use clap::Args;

use super::{Place, output};
use crate::accounts::NewAccount;
use crate::node::Store;

/// Make the data folder (for you alone), the node's key, and the first account, which is an admin
#[derive(Debug, Args)]
#[command(after_help = "Example:
  echo 'a good password' | potluck --data ~/potluck init --admin ada --password-stdin

Nothing is ever written over: a folder that holds anything else is refused.")]
pub(super) struct Init {
    /// Name of the first account
    #[arg(long, value_name = "NAME")]
    admin: String,
    /// Read its password (at least 8 characters) from standard input
    #[arg(long, required = true)]
    password_stdin: bool,
}

impl Init {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let options = place.config()?.accounts_options();
        let password = output::password()?;
        let admin = NewAccount { name: self.admin, password, admin: true, libraries: None, max_bit_rate: None };
        let store = Store::create(&place.data, options, admin).await?;
        let (folder, id) = (store.folder.path().to_owned(), store.key.id());
        store.close().await;
        output::line(format_args!("Made {} for node {id}.", folder.display()))?;
        Ok(())
    }
}
