//! Every method of the protocol, with who may call it and what it answers, in one table. Nothing is left without an answer: programs
//! take a status of HTTP for a broken line, and try again.
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::call::{Answer, Call};
use super::fault::{FORBIDDEN, Fault, GENERIC};
use super::tree::Element;
use super::{
    browse, chat, cover, download, folders, hls, lists as listing, lyrics, opinions, playlists, podcasts, queue, radio,
    scan, shares, stream, system, transcoding, users,
};

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Anyone.
    Anyone,
    /// Whoever signed in.
    Account,
    /// Admins.
    Admin,
    /// Admins, but not programs that have a password of their own.
    People,
}

type Run = fn(Call) -> BoxFuture<'static, Result<Answer, Fault>>;
type Send = fn(Call) -> BoxFuture<'static, Result<Response, Fault>>;

/// What a method does. All but the first are for what this node does not have.
enum Does {
    Run(Run),
    /// Bytes, rather than a tree.
    Send(Send),
    /// An element with lists that are empty.
    Lists {
        needs: &'static [&'static str],
        name: &'static str,
        lists: &'static [&'static str],
    },
    /// There is nothing of that id.
    Absent {
        needs: &'static [&'static str],
        what: &'static str,
    },
    Refused {
        code: u16,
        why: &'static str,
    },
}

/// A row of the table.
pub struct Method {
    /// As it stands in the path.
    pub name: &'static str,
    /// Who may call it.
    pub right: Right,
    /// What it answers, for people.
    pub about: &'static str,
    does: Does,
}

macro_rules! run {
    ($handler:path) => {
        Does::Run(|call| $handler(call).boxed())
    };
}

macro_rules! send {
    ($handler:path) => {
        Does::Send(|call| $handler(call).boxed())
    };
}

const fn method(name: &'static str, right: Right, does: Does, about: &'static str) -> Method {
    Method { name, right, about, does }
}

const fn lists(needs: &'static [&'static str], name: &'static str, lists: &'static [&'static str]) -> Does {
    Does::Lists { needs, name, lists }
}

const fn absent(needs: &'static [&'static str], what: &'static str) -> Does {
    Does::Absent { needs, what }
}

const fn refused(code: u16, why: &'static str) -> Does {
    Does::Refused { code, why }
}

const NO_SIMILARITY: &str = "this node does not compare how songs sound";

use Right::{Account, Admin, Anyone, People};

/// The table, by name within each part.
#[rustfmt::skip]
pub const METHODS: &[Method] = &[
    method("getLicense", Account, run!(system::license), "valid"),
    method("getOpenSubsonicExtensions", Anyone, run!(system::extensions), "what is complete"),
    method("ping", Account, run!(system::ping), "that the node answers"),
    method("tokenInfo", Account, run!(system::token_info), "whose the API key is; 44 without one"),

    method("changePassword", Account, run!(users::change_password), "not with an app password; one's own, others' for admins"),
    method("createUser", People, run!(users::create), "an account"),
    method("deleteUser", People, run!(users::delete), "not the last admin"),
    method("getUser", Account, run!(users::show), "oneself; others for admins, not with an app password"),
    method("getUsers", People, run!(users::list), "all accounts"),
    method("updateUser", People, run!(users::update), "password, admin, folders, limit of bandwidth"),
    method("getAvatar", Account, absent(&["username"], "avatar"), "70: accounts have no pictures"),

    method("getMusicFolders", Account, run!(folders::list), "the libraries of music that the account may see"),
    method("getScanStatus", Account, run!(scan::status), "of the libraries of music"),
    method("startScan", Admin, run!(scan::start), "scans the libraries of music"),

    method("createInternetRadioStation", Admin, run!(radio::create), "kept"),
    method("deleteInternetRadioStation", Admin, run!(radio::delete), "kept"),
    method("getInternetRadioStations", Account, run!(radio::list), "kept"),
    method("updateInternetRadioStation", Admin, run!(radio::update), "kept"),
    method("addChatMessage", Account, run!(chat::add), "kept: the last 500"),
    method("getChatMessages", Account, run!(chat::list), "those since a time"),

    method("getAlbum", Account, run!(browse::album), "with its songs"),
    method("getAlbumInfo", Account, run!(browse::album_info), "what the tags say: nobody else is asked"),
    method("getAlbumInfo2", Account, run!(browse::album_info), "what the tags say: nobody else is asked"),
    method("getAlbumList", Account, run!(listing::albums), "in ten orders"),
    method("getAlbumList2", Account, run!(listing::albums_2), "in ten orders"),
    method("getArtist", Account, run!(browse::artist), "with its albums, and those on which it plays"),
    method("getArtistInfo", Account, run!(browse::artist_info), "what the tags say: nobody else is asked"),
    method("getArtistInfo2", Account, run!(browse::artist_info_2), "what the tags say: nobody else is asked"),
    method("getArtists", Account, run!(browse::artists), "those of albums"),
    method("getGenres", Account, run!(browse::genres), "with counts"),
    method("getIndexes", Account, run!(browse::indexes), "the real folders at the top of each library"),
    method("getMusicDirectory", Account, run!(browse::directory), "a real folder; of an album its songs, of an artist its albums"),
    method("getRandomSongs", Account, run!(listing::random), "by genre and years"),
    method("getSimilarSongs", Account, run!(listing::similar), "of the same genre, or of the same artist"),
    method("getSimilarSongs2", Account, run!(listing::similar_2), "of the same genre, or of the same artist"),
    method("getSong", Account, run!(browse::song), "one song"),
    method("getSongsByGenre", Account, run!(listing::of_genre), "in order of albums"),
    method("getTopSongs", Account, run!(listing::top), "those of an artist that the account heard most"),
    method("search", Account, run!(listing::search), "songs"),
    method("search2", Account, run!(listing::search_2), "artists, albums as folders, songs; everything where nothing is asked for"),
    method("search3", Account, run!(listing::search_3), "artists, albums, songs; everything where nothing is asked for"),

    method("getLyrics", Account, run!(lyrics::named), "by artist and title"),
    method("getLyricsBySongId", Account, run!(lyrics::of_song), "of a file beside the song, and of its tags; with times where they are known"),
    method("getNowPlaying", Account, run!(opinions::now_playing), "what the caller may see of it"),
    method("getStarred", Account, run!(opinions::list), "artists, albums and folders, songs"),
    method("getStarred2", Account, run!(opinions::list_2), "artists, albums, songs"),
    method("reportPlayback", Account, run!(opinions::report), "for what is being heard; half of a song counts as heard"),
    method("scrobble", Account, run!(opinions::scrobble), "counted for the song, its album and its artists"),
    method("setRating", Account, run!(opinions::rate), "1 to 5, 0 for none"),
    method("star", Account, run!(opinions::star), "what is not there is passed over"),
    method("unstar", Account, run!(opinions::unstar), "what is not there is passed over"),

    method("createBookmark", Account, run!(queue::mark), "one in each song"),
    method("deleteBookmark", Account, run!(queue::unmark), "without one nothing happens"),
    method("getBookmarks", Account, run!(queue::bookmarks), "latest first"),
    method("getPlayQueue", Account, run!(queue::show), "as it was saved"),
    method("getPlayQueueByIndex", Account, run!(queue::show_by_index), "as it was saved"),
    method("savePlayQueue", Account, run!(queue::save), "kept; without songs forgotten"),
    method("savePlayQueueByIndex", Account, run!(queue::save_by_index), "kept; without songs forgotten"),
    method("createPlaylist", Account, run!(playlists::create), "a new one, or other songs for one"),
    method("deletePlaylist", Account, run!(playlists::delete), "one's own"),
    method("getPlaylist", Account, run!(playlists::show), "with its songs"),
    method("getPlaylists", Account, run!(playlists::list), "one's own and public ones"),
    method("updatePlaylist", Account, run!(playlists::update), "one's own"),

    method("download", Account, send!(download::download), "the file of a song; of albums, artists, folders and playlists a ZIP archive"),
    method("getCaptions", Account, absent(&["id"], "video"), "70: films are played on the node's page"),
    method("getCoverArt", Account, send!(cover::show), "of anything that has an id, as JPEG of at most 1,000 pixels; a plain picture where there is none"),
    method("getTranscodeDecision", Account, run!(transcoding::decide), "from what the program says that it plays"),
    method("getTranscodeStream", Account, send!(transcoding::stream), "as the decision said: MP3, Opus or AAC"),
    method("getVideoInfo", Account, absent(&["id"], "video"), "70: films are played on the node's page"),
    method("getVideos", Account, lists(&[], "videos", &["video"]), "empty: films are played on the node's page"),
    method("hls", Account, send!(hls::playlist), "as `hls.m3u8`"),
    method("hls.m3u8", Account, send!(hls::playlist), "the sound of a song as it is or as AAC; for several bit rates a playlist of playlists"),
    method("hls.m4s", Account, send!(hls::part), "a part of it, as the playlist names it"),
    method("stream", Account, send!(stream::stream), "as it is, or as MP3, Opus or AAC; 429 where too many are encoded"),

    method("findSonicPath", Account, refused(GENERIC, NO_SIMILARITY), "0: songs are not compared by sound"),
    method("getSonicSimilarTracks", Account, refused(GENERIC, NO_SIMILARITY), "0: songs are not compared by sound"),
    method("jukeboxControl", Account, refused(FORBIDDEN, "this node has no output device for sound"), "50: the node plays nothing itself"),

    method("createPodcastChannel", Admin, run!(podcasts::create), "once its feed was read; not from private networks"),
    method("deletePodcastChannel", Admin, run!(podcasts::delete_channel), "with all that is here of it"),
    method("deletePodcastEpisode", Admin, run!(podcasts::delete_episode), "its file; it stays in the list"),
    method("downloadPodcastEpisode", Admin, run!(podcasts::download), "to the node, on from where it broke off"),
    method("getNewestPodcasts", Account, run!(podcasts::newest), "episodes of all channels, whether they are here or not"),
    method("getPodcastEpisode", Account, run!(podcasts::show), "one episode"),
    method("getPodcasts", Account, run!(podcasts::list), "all channels or one, with their episodes or without"),
    method("refreshPodcasts", Admin, run!(podcasts::refresh), "asks for all feeds now"),

    method("createShare", Account, run!(shares::create), "a link to songs, albums, artists, folders or playlists"),
    method("deleteShare", Account, run!(shares::delete), "one's own"),
    method("getShares", Account, run!(shares::list), "one's own"),
    method("updateShare", Account, run!(shares::update), "what is said of it, and until when it is there"),
];

/// The method that a path below `/rest` names, with or without `.view`.
pub(super) fn of(path: &str) -> Option<&'static Method> {
    let name = super::method_name(path)?;
    let name = name.strip_suffix(".view").unwrap_or(name);
    METHODS.iter().find(|method| method.name == name)
}

impl Method {
    /// Checks the right and answers.
    ///
    /// # Errors
    /// The [`Fault`] that is the answer.
    pub(super) async fn answer(&self, call: Call) -> Result<Response, Fault> {
        match self.right {
            Right::Admin if !call.caller.is_admin() => Err(Fault::forbidden("only an admin may do this")),
            Right::People if !call.manages_people() => {
                Err(Fault::forbidden("only an admin may do this, and not with an app password"))
            }
            _ if self.is_of_shares() && call.app.options().no_shares => {
                Err(Fault::forbidden("nobody shares by links at this node"))
            }
            _ => self.does.answer(call).await,
        }
    }

    fn is_of_shares(&self) -> bool {
        self.name.ends_with("Share") || self.name.ends_with("Shares")
    }
}

impl Does {
    async fn answer(&self, call: Call) -> Result<Response, Fault> {
        match self {
            Self::Send(send) => send(call).await,
            _ => self.tell(call).await.map(IntoResponse::into_response),
        }
    }

    async fn tell(&self, call: Call) -> Result<Answer, Fault> {
        let needed = |needs: &[&'static str]| needs.iter().try_for_each(|name| call.params.need(name).map(|_| ()));
        match self {
            Self::Run(run) => run(call).await,
            Self::Send(_) => Ok(Answer::done()),
            Self::Lists { needs, name, lists } => {
                needed(needs)?;
                let element = lists.iter().fold(Element::new(), |element, list| element.many(list, vec![]));
                Ok(Answer::one(name, element))
            }
            Self::Absent { needs, what } => needed(needs).and_then(|()| Err(Fault::absent(what))),
            Self::Refused { code, why } => Err(Fault::new(*code, *why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_called_by_its_name_with_or_without_view() {
        let name = |path| of(path).map(|method| method.name);
        assert_eq!(name("/rest/ping"), Some("ping"));
        assert_eq!(name("/rest/ping.view"), Some("ping"));
        assert_eq!(name("/rest/hls.m3u8"), Some("hls.m3u8"));
        for none in ["/rest/", "/rest/Ping", "/rest/ping.view.view", "/ping", "/rest/ping/x"] {
            assert_eq!(name(none), None, "{none}");
        }
    }

    #[test]
    fn no_method_stands_in_the_table_twice() {
        let mut names: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METHODS.len());
    }
}
