//! Links to songs for people without an account. What is behind them is in [`crate::facades::shares`].
use data_encoding::BASE32_NOPAD;

use super::call::{Answer, Call};
use super::dates::instant;
use super::fault::Fault;
use super::playlists::short;
use super::shapes;
use super::things::{Thing, hearer};
use super::tree::Element;
use super::within;
use crate::catalog::music::{SHARE_MAX, Share};
use crate::facades::shares;

/// Unix milliseconds at the end of the year 9999, which is the last that can be written.
const LAST: i64 = 253_402_300_799_999;

/// `getShares`: one's own.
pub(super) async fn list(call: Call) -> Result<Answer, Fault> {
    let mut elements = Vec::new();
    for share in call.app.node().catalog().shares(&call.account()?.id).await? {
        elements.push(element(&call, &share).await?);
    }
    Ok(Answer::one("shares", Element::new().many("share", elements)))
}

async fn element(call: &Call, share: &Share) -> Result<Element, Fault> {
    let songs = call.app.node().catalog().tracks_by_number(hearer(call).await?, share.tracks.clone()).await?;
    Ok(Element::new()
        .with("id", share.id.as_str())
        .with("url", shares::address(call.through.0.as_ref(), &share.id))
        .with("description", share.description.as_str())
        .with("username", call.account()?.name.as_str())
        .with("created", instant(share.created_at))
        .maybe("expires", share.expires_at.map(instant))
        .maybe("lastVisited", share.visited_at.map(instant))
        .with("visitCount", share.visits)
        .many("entry", songs.iter().map(shapes::song).collect()))
}

/// `createShare`: of songs, and of whatever has songs. Without `expires` it stays until it is taken back.
pub(super) async fn create(call: Call) -> Result<Answer, Fault> {
    call.params.need("id")?;
    let accounts = call.app.node().accounts();
    let owner = accounts.get(&call.account()?.id);
    let owner = owner.map_err(|_| Fault::forbidden("only who has an account at this node shares by a link"))?;
    let share = Share {
        id: new_link(),
        owner: owner.id,
        description: call.params.one("description").map(short).unwrap_or_default(),
        created_at: accounts.now(),
        expires_at: expires(&call)?.flatten(),
        visited_at: None,
        visits: 0,
        tracks: songs(&call).await?,
    };
    let (id, catalog) = (share.id.clone(), call.app.node().catalog());
    catalog.add_share(hearer(&call).await?, share).await?;
    let element = element(&call, &catalog.share(&id).await?).await?;
    Ok(Answer::one("shares", Element::new().many("share", vec![element])))
}

/// The numbers of the songs within what is named. What is not there is passed over, as long as something is.
async fn songs(call: &Call) -> Result<Vec<i64>, Fault> {
    let mut numbers = Vec::new();
    for thing in call.params.all("id").filter_map(Thing::parse) {
        let room = SHARE_MAX - numbers.len();
        match thing {
            _ if room == 0 => break,
            // Whether it may be seen is looked at when they are written.
            Thing::Track(number) => numbers.push(number),
            thing => match within::songs(call, thing, room).await {
                Ok(songs) => numbers.extend(songs.iter().map(|song| song.number)),
                Err(fault) if fault.is_absent() => {}
                Err(fault) => return Err(fault),
            },
        }
    }
    Ok(numbers)
}

/// 128 random bits, in letters that nothing changes on the way.
fn new_link() -> String {
    BASE32_NOPAD.encode(&rand::random::<[u8; 16]>()).to_ascii_lowercase()
}

/// When it ends: 0 for never.
fn expires(call: &Call) -> Result<Option<Option<i64>>, Fault> {
    match call.params.int("expires")? {
        None => Ok(None),
        Some(0) => Ok(Some(None)),
        Some(time) if (1..=LAST).contains(&time) => Ok(Some(Some(time))),
        Some(_) => Err(Fault::invalid("expires: must be milliseconds since 1970, or 0 for never")),
    }
}

/// `updateShare`
pub(super) async fn update(call: Call) -> Result<Answer, Fault> {
    let (id, expires) = (call.params.need("id")?, expires(&call)?);
    let description = call.params.all("description").next().map(short);
    call.app.node().catalog().change_share(&call.account()?.id, id, description, expires).await?;
    Ok(Answer::done())
}

/// `deleteShare`
pub(super) async fn delete(call: Call) -> Result<Answer, Fault> {
    let id = call.params.need("id")?;
    call.app.node().catalog().remove_share(&call.account()?.id, id).await?;
    Ok(Answer::done())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_26_letters_and_digits_and_is_never_the_same() {
        let link = new_link();
        assert!(link.len() == 26 && link.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        assert_ne!(link, new_link());
    }
}
