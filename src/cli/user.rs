//! `potluck user`.
use anyhow::anyhow;
use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Format, Place, control, library, output};
use crate::accounts::{AccountChange, Caller, NewAccount};
use crate::facades::native::model;

/// Add, list and remove accounts
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  echo 'a good password' | potluck user add bob --password-stdin --library Films --library Shows
  echo 'another password' | potluck user password bob --password-stdin
  potluck user list
  potluck user remove bob")]
pub(super) enum User {
    /// Make an account
    Add(Add),
    /// List accounts
    List(Format),
    /// Remove an account with its sessions, keys and progress
    Remove(Named),
    /// Set another password; sessions end and API keys are revoked
    Password(Password),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Its name
    name: String,
    /// It may change libraries, accounts and settings
    #[arg(long)]
    admin: bool,
    /// Read its password (at least 8 characters) from standard input
    #[arg(long, required = true)]
    password_stdin: bool,
    /// A library it may see; again for more. Without any: all
    #[arg(long, value_name = "LIBRARY")]
    library: Vec<String>,
    /// Kilobits a second that a film may have for it; without it no limit
    #[arg(long, value_name = "KBIT")]
    max_kbit: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// Its name
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct Password {
    /// Its name
    name: String,
    /// Read the new password from standard input
    #[arg(long, required = true)]
    password_stdin: bool,
}

impl User {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(place).await,
            Self::List(format) => list(place, &format).await,
            Self::Remove(named) => named.remove(place).await,
            Self::Password(password) => password.run(place).await,
        }
    }
}

impl Add {
    async fn run(self, place: &Place) -> anyhow::Result<()> {
        let password = output::password()?;
        let libraries = self.libraries(place).await?;
        let max_bit_rate = self.max_kbit.map(|kbit| kbit.saturating_mul(1000));
        match control::running(place).await {
            Some(node) => {
                let new = json!({"name": self.name, "password": password, "admin": self.admin,
                    "libraries": libraries, "max_bit_rate": max_bit_rate});
                node.call::<model::Account>(Method::POST, "/api/v1/accounts", Some(&new)).await?;
            }
            None => {
                let store = place.store().await?;
                let new = NewAccount { name: self.name.clone(), password, admin: self.admin, libraries, max_bit_rate };
                let added = store.accounts.add(new).await;
                store.close().await;
                added?;
            }
        }
        output::line(format_args!("Added {}.", self.name))?;
        Ok(())
    }

    async fn libraries(&self, place: &Place) -> anyhow::Result<Option<Vec<String>>> {
        if self.library.is_empty() {
            return Ok(None);
        }
        let all = library::all(place).await?;
        let ids = self.library.iter().map(|name| library::named(&all, name).map(|found| found.id.clone()));
        ids.collect::<Result<_, _>>().map(Some)
    }
}

async fn all(place: &Place) -> anyhow::Result<Vec<model::Account>> {
    if let Some(node) = control::running(place).await {
        return node.get("/api/v1/accounts").await;
    }
    let store = place.store().await?;
    let all = store.accounts.list().into_iter().map(model::Account::from).collect();
    store.close().await;
    Ok(all)
}

async fn list(place: &Place, format: &Format) -> anyhow::Result<()> {
    let all = all(place).await?;
    if format.json {
        return output::json(&all);
    }
    for account in all {
        let libraries = account.libraries.map_or("all libraries".to_owned(), |ids| format!("{} libraries", ids.len()));
        let role = if account.admin { "admin" } else { "user" };
        output::line(format_args!("{:<20} {role:<6} {libraries}", account.name))?;
    }
    Ok(())
}

async fn named(place: &Place, name: &str) -> anyhow::Result<model::Account> {
    let same = |account: &model::Account| account.name.to_lowercase() == name.to_lowercase();
    all(place).await?.into_iter().find(same).ok_or_else(|| anyhow!("there is no account named {name}"))
}

impl Named {
    async fn remove(self, place: &Place) -> anyhow::Result<()> {
        let account = named(place, &self.name).await?;
        match control::running(place).await {
            Some(node) => {
                let path = format!("/api/v1/accounts/{}", account.id);
                node.call::<()>(Method::DELETE, &path, None::<&()>).await?;
            }
            None => {
                let store = place.store().await?;
                let removed = store.accounts.remove(&account.id).await;
                if removed.is_ok() {
                    store.catalog.remove_progress(&account.id).await?;
                }
                store.close().await;
                removed?;
            }
        }
        output::line(format_args!("Removed {}.", account.name))?;
        Ok(())
    }
}

impl Password {
    async fn run(self, place: &Place) -> anyhow::Result<()> {
        let password = output::password()?;
        let account = named(place, &self.name).await?;
        match control::running(place).await {
            Some(node) => {
                let path = format!("/api/v1/accounts/{}", account.id);
                node.call::<model::Account>(Method::PATCH, &path, Some(&json!({"password": password}))).await?;
            }
            None => {
                let store = place.store().await?;
                let change = AccountChange { password: Some(password), ..AccountChange::default() };
                let changed = store.accounts.update(&account.id, change, &Caller::local()).await;
                store.close().await;
                changed?;
            }
        }
        output::line(format_args!("{} has a new password.", account.name))?;
        Ok(())
    }
}
