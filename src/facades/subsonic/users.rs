//! Accounts, as the protocol has them. Of its roles only that of an admin is one of ours; the others say what an account can do here,
//! and cannot be given or taken away.
use super::call::{Answer, Call};
use super::entry::plain;
use super::fault::Fault;
use super::folders::{self, Folder};
use super::tree::Element;
use crate::accounts::{Account, AccountChange, Accounts, NewAccount};
use crate::catalog::Id;

/// Kilobits a second that limits are told in.
const KILO: u64 = 1000;

/// `getUser`: oneself; others for who manages people.
pub(super) async fn show(call: Call) -> Result<Answer, Fault> {
    let asked = call.params.need("username")?;
    let own = call.account()?;
    let account = match is_called(own, asked) {
        true => own.clone(),
        false => managed(&call, asked)?,
    };
    Ok(Answer::one("user", user(&call, &account).await?))
}

/// `getUsers`
pub(super) async fn list(call: Call) -> Result<Answer, Fault> {
    let mut users = Vec::new();
    for account in accounts(&call).list() {
        users.push(user(&call, &account).await?);
    }
    Ok(Answer::one("users", Element::new().many("user", users)))
}

/// `createUser`. Without a list of folders it sees all that there is.
pub(super) async fn create(call: Call) -> Result<Answer, Fault> {
    let params = &call.params;
    let (name, password) = (params.need("username")?.to_owned(), plain(params.need("password")?));
    let libraries = chosen(&call).await?.map(|folders| folders.into_iter().map(|folder| folder.id).collect());
    let admin = params.flag("adminRole")?.unwrap_or(false);
    let new = NewAccount { name, password, admin, libraries, max_bit_rate: max_bit_rate(&call)?.flatten() };
    accounts(&call).add(new).await?;
    Ok(Answer::done())
}

/// `updateUser`: what is told is changed.
pub(super) async fn update(call: Call) -> Result<Answer, Fault> {
    let account = managed(&call, call.params.need("username")?)?;
    let libraries = match chosen(&call).await? {
        Some(chosen) => Some(with_folders(&call, &account, &chosen).await?),
        None => None,
    };
    let change = AccountChange {
        name: None,
        password: call.params.one("password").map(plain),
        admin: call.params.flag("adminRole")?,
        libraries,
        max_bit_rate: max_bit_rate(&call)?,
    };
    accounts(&call).update(&account.id, change, &call.caller).await?;
    Ok(Answer::done())
}

/// `deleteUser`
pub(super) async fn delete(call: Call) -> Result<Answer, Fault> {
    let account = managed(&call, call.params.need("username")?)?;
    accounts(&call).remove(&account.id).await?;
    call.app.node().catalog().remove_progress(&account.id).await?;
    Ok(Answer::done())
}

/// `changePassword`: one's own; others' for who manages people. A program with a password of its own changes none.
pub(super) async fn change_password(call: Call) -> Result<Answer, Fault> {
    let (name, password) = (call.params.need("username")?, plain(call.params.need("password")?));
    let own = call.account()?;
    if call.is_app() {
        return Err(Fault::forbidden("an app password changes no password; that is done on the node's page"));
    }
    let account = match is_called(own, name) {
        true => own.clone(),
        false => managed(&call, name)?,
    };
    let change = AccountChange { password: Some(password), ..AccountChange::default() };
    accounts(&call).update(&account.id, change, &call.caller).await?;
    Ok(Answer::done())
}

fn accounts(call: &Call) -> &Accounts {
    call.app.node().accounts()
}

fn is_called(account: &Account, name: &str) -> bool {
    account.name.to_lowercase() == name.trim().to_lowercase()
}

/// Another's account, for who manages people.
fn managed(call: &Call, name: &str) -> Result<Account, Fault> {
    if !call.manages_people() {
        return Err(Fault::forbidden("only an admin may do this, and not with an app password"));
    }
    accounts(call).named(name).map_err(|_| Fault::absent("user"))
}

/// What the protocol says of an account.
async fn user(call: &Call, account: &Account) -> Result<Element, Fault> {
    let folders = folders::seen(&call.app, account).await?;
    let own = account.id == call.caller.id();
    // What a program is told that it may do, it shows.
    let admin = if own { call.manages_people() } else { account.admin };
    // What programs with a password of their own do too.
    let podcasts = if own { call.caller.is_admin() } else { account.admin };
    let settings = account.home.is_none() && !(own && call.is_app());
    Ok(Element::new()
        .with("username", account.name.as_str())
        .with("scrobblingEnabled", true)
        .maybe("maxBitRate", account.max_bit_rate.map(|limit| limit / KILO))
        .with("adminRole", admin)
        .with("settingsRole", settings)
        .with("downloadRole", true)
        .with("uploadRole", false)
        .with("playlistRole", true)
        .with("coverArtRole", false)
        .with("commentRole", false)
        .with("podcastRole", podcasts)
        .with("streamRole", true)
        .with("jukeboxRole", false)
        .with("shareRole", account.home.is_none() && !call.app.options().no_shares)
        .with("videoConversionRole", false)
        .plains("folder", folders.iter().map(|folder| folder.number.into()).collect()))
}

/// `maxBitRate` in kilobits a second; 0 for none.
fn max_bit_rate(call: &Call) -> Result<Option<Option<u64>>, Fault> {
    let wrong = || Fault::invalid("maxBitRate: must be kilobits a second, or 0 for no limit");
    let told =
        call.params.int("maxBitRate")?.map(|kilobits| u64::try_from(kilobits).map_err(|_| wrong())).transpose()?;
    told.map(|kilobits| match kilobits {
        0 => Ok(None),
        _ => kilobits.checked_mul(KILO).map(Some).ok_or_else(wrong),
    })
    .transpose()
}

/// The folders that were named; `None` where none was.
async fn chosen(call: &Call) -> Result<Option<Vec<Folder>>, Fault> {
    let numbers = call.params.ints("musicFolderId")?;
    if numbers.is_empty() {
        return Ok(None);
    }
    let all = folders::all(&call.app).await?;
    let named = |number: i64| {
        all.iter().find(|folder| folder.number == number).cloned().ok_or_else(|| Fault::absent("music folder"))
    };
    numbers.into_iter().map(named).collect::<Result<_, _>>().map(Some)
}

/// Libraries of an account with these of music: what else it sees, films and books, stays as it is.
async fn with_folders(call: &Call, account: &Account, chosen: &[Folder]) -> Result<Option<Vec<Id>>, Fault> {
    let music = folders::all(&call.app).await?;
    let is_chosen = |id: &Id| chosen.iter().any(|folder| folder.id == *id);
    if account.libraries.is_none() && music.iter().all(|folder| is_chosen(&folder.id)) {
        return Ok(None);
    }
    let other = match &account.libraries {
        Some(libraries) => libraries.clone(),
        None => call.app.node().catalog().libraries().await?.into_iter().map(|library| library.id).collect(),
    };
    let kept = other.into_iter().filter(|id| !music.iter().any(|folder| folder.id == *id));
    Ok(Some(kept.chain(chosen.iter().map(|folder| folder.id.clone())).collect()))
}
