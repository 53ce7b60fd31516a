//! `library/sync`: what is new, changed or gone since the answer that the device names.
use axum::Json as Answer;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{AppendHeaders, IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::Home;
use super::metadata::{entitlement, gone, said};
use super::state::state;
use crate::accounts::{Caller, Credential};
use crate::catalog::shelves::{BookNews, DeviceAsk, DeviceNews, ListNews, Round};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::Asker;
use crate::facades::komga::dates;
use crate::facades::komga::filters::seen_ids;

/// Books and lists of an answer.
const MOST: usize = 100;
const TOKEN: &str = "x-kobo-synctoken";
/// Longest token that is read, bytes. Kobo's own is longer, and is none of ours.
const TOKEN_MAX: usize = 128;
/// Before a token of ours.
const MARK: &str = "potluck 1 ";

/// News for a device. One without a token of ours is told everything.
pub(in crate::facades) async fn sync(
    State(app): State<App>,
    Asker(caller): Asker,
    home: Home,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Credential::ApiKey(api_key) = &caller.credential else {
        return Err(Refusal::invalid("only a device with an API key is told news"));
    };
    let last = headers.get(TOKEN).and_then(|token| token.to_str().ok()).and_then(round_of);
    let ask = DeviceAsk {
        api_key: api_key.clone(),
        account: caller.id().to_owned(),
        libraries: seen_ids(&app, &caller).await?,
        last,
        most: MOST,
    };
    let news = app.node().catalog().device_news(ask).await?;
    let token = [(TOKEN, token_of(&news.round))];
    let more = news.more.then_some(("x-kobo-sync", "continue"));
    let told = told(&app, &caller, &home, news).await?;
    Ok((token, AppendHeaders(more), Answer(told)).into_response())
}

fn token_of(round: &Round) -> String {
    BASE64URL_NOPAD.encode(format!("{MARK}{} {}", round.device, round.number).as_bytes())
}

/// `None` for what is no token of ours: of Kobo's, of another server, or of nobody.
fn round_of(token: &str) -> Option<Round> {
    let bytes = BASE64URL_NOPAD.decode(token.trim().as_bytes()).ok().filter(|_| token.len() <= TOKEN_MAX)?;
    let text = String::from_utf8(bytes).ok()?;
    let (device, number) = text.strip_prefix(MARK)?.split_once(' ')?;
    Some(Round { device: device.to_owned(), number: number.parse().ok()? })
}

async fn told(app: &App, caller: &Caller, home: &Home, news: DeviceNews) -> Result<Vec<Value>, Refusal> {
    let now = app.node().accounts().now();
    let mut told = Vec::new();
    for book in &news.books {
        let series = news.series.iter().find(|series| series.id == book.book.series);
        let said = said(home, &book.book, series);
        of_book(&mut told, book, said, state(app, caller, &book.book).await?, now);
    }
    let removed = |id: &String| json!({"ChangedEntitlement": {"BookEntitlement": entitlement(id, (now, now), now, true), "BookMetadata": gone(id)}});
    told.extend(news.gone.iter().map(removed));
    told.extend(news.lists.iter().map(of_list));
    let deleted = |id: &String| json!({"DeletedTag": {"Tag": {"Id": id, "LastModified": dates::instant(now)}}});
    told.extend(news.lists_gone.iter().map(deleted));
    Ok(told)
}

/// A device takes a file again with each entitlement, and loses what was underlined in the old one: so it gets one only for new bytes.
/// It does not read the state in that of a book that it has.
fn of_book(told: &mut Vec<Value>, news: &BookNews, said: Value, state: Value, now: i64) {
    let book = &news.book;
    if news.new || news.file {
        let owned = entitlement(&book.id, (book.added_at, book.modified_at), now, false);
        told.push(json!({"NewEntitlement": {"BookEntitlement": owned, "BookMetadata": said, "ReadingState": state}}));
    }
    if !news.new && news.words {
        told.push(json!({"ChangedProductMetadata": said}));
    }
    if !news.new && news.reading {
        told.push(json!({"ChangedReadingState": {"ReadingState": state}}));
    }
}

fn of_list(list: &ListNews) -> Value {
    let items: Vec<Value> =
        list.items.iter().map(|id| json!({"RevisionId": id, "Type": "ProductRevisionTagItem"})).collect();
    let tag = json!({"Tag": {"Id": list.id, "Name": list.name, "Type": "UserTag", "Items": items,
        "Created": dates::instant(list.created_at), "LastModified": dates::instant(list.changed_at)}});
    json!({ (if list.new { "NewTag" } else { "ChangedTag" }): tag })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_names_a_round_and_others_name_none() {
        let round = Round { device: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(), number: i64::MAX };
        assert_eq!(round_of(&token_of(&round)), Some(round.clone()));
        let other = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        for wrong in [
            String::new(),
            "abc.def".into(),
            other("potluck 2 x 1"),
            other("potluck 1 x"),
            other("potluck 1 x y"),
            other("potluck 1 x 9223372036854775808"),
            other(&format!("potluck 1 {} 1", "x".repeat(200))),
        ] {
            assert_eq!(round_of(&wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_token_is_read(token in "\\PC{0,200}") {
            let _ = round_of(&token);
        }
    }
}
