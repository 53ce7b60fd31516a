//! One episode: fetched, or on from where it broke off; looked at by a worker; and taken in.
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::fs::OpenOptions;
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio_util::sync::CancellationToken;

use super::{Podcasts, PodcastsError, log, milliseconds, now, remove, web};
use crate::blocks::ImportError;
use crate::catalog::CatalogError;
use crate::catalog::podcasts::{Episode, EpisodeFile, PodcastStatus};
use crate::media::{Facts, MediaError, StreamKind};
use crate::node::web::Got;

/// Fetching is given up when it failed so often without getting on.
const TRIES_MAX: u32 = 8;
/// And the longest that is waited in between.
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// Bytes that count as getting on.
const PROGRESS: u64 = 1024 * 1024;
/// So many bytes come in so long, or the server is too slow to be waited for.
const PACE: (u64, Duration) = (128 * 1024, Duration::from_secs(60));
/// Whether there is room is looked at after so many bytes.
const STEP: u64 = 4 * 1024 * 1024;
const BUFFER: usize = 256 * 1024;
/// Endings of names, and what servers call such files.
const KINDS: &[(&str, &[&str])] = &[
    ("mp3", &["audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/mpeg3"]),
    ("m4a", &["audio/mp4", "audio/x-m4a", "audio/m4a", "audio/mp4a-latm"]),
    ("aac", &["audio/aac", "audio/x-aac", "audio/aacp"]),
    ("opus", &["audio/opus"]),
    ("ogg", &["audio/ogg", "application/ogg"]),
    ("oga", &[]),
    ("flac", &["audio/flac", "audio/x-flac"]),
    ("wav", &["audio/wav", "audio/x-wav"]),
    ("m4b", &[]),
    ("mp4", &["video/mp4"]),
    ("m4v", &["video/x-m4v"]),
    ("mov", &["video/quicktime"]),
    ("webm", &["video/webm", "audio/webm"]),
    ("mkv", &["video/x-matroska"]),
];

/// Why an episode is not here.
pub(super) enum Trouble {
    /// It may be had later; and whether much of it came.
    Later(String, bool),
    /// It cannot be had.
    Never(String),
    /// There is no room for it.
    Room(String),
    /// Nobody wants it any more.
    Unwanted,
    /// It is not the episode's fault.
    Own(PodcastsError),
}

impl From<CatalogError> for Trouble {
    fn from(error: CatalogError) -> Self {
        Self::Own(error.into())
    }
}

impl Podcasts {
    /// Fetches one, and writes down what came of it.
    pub(super) async fn fetch(&self, episode: Episode, cancel: CancellationToken) {
        let outcome = tokio::select! {
            outcome = self.whole(&episode) => outcome,
            () = cancel.cancelled() => Err(Trouble::Unwanted),
        };
        let noted = self.note(&episode, outcome).await;
        if noted.is_err() {
            // It would be tried again at once.
            tokio::time::sleep(self.options.first_wait).await;
        }
        log(noted);
        self.running.lock().remove(&episode.number);
    }

    async fn note(&self, episode: &Episode, outcome: Result<(), Trouble>) -> Result<(), PodcastsError> {
        let (number, part) = (episode.number, self.part(episode.number));
        match outcome {
            Ok(()) => {}
            Err(Trouble::Unwanted) => {
                remove(&part).await;
                self.remove_file(&file_name(episode)).await;
            }
            Err(Trouble::Own(error)) => return Err(error),
            Err(Trouble::Never(why)) => {
                remove(&part).await;
                self.catalog.episode_is(number, PodcastStatus::Error, why).await?;
            }
            Err(Trouble::Room(why)) => {
                remove(&part).await;
                let status = if episode.asked { PodcastStatus::Error } else { PodcastStatus::Skipped };
                self.catalog.episode_is(number, status, why).await?;
            }
            Err(Trouble::Later(why, got_on)) => {
                let tries = if got_on { 1 } else { episode.tries + 1 };
                tracing::debug!(episode.id = number, tries, reason = why, "an episode breaks off");
                // What is here of it stays, for when somebody wants it again.
                match tries >= TRIES_MAX {
                    true => self.catalog.episode_is(number, PodcastStatus::Error, why).await?,
                    false => {
                        self.catalog.put_episode_off(number, tries, now() + milliseconds(self.wait(tries))).await?
                    }
                }
            }
        }
        Ok(())
    }

    fn wait(&self, tries: u32) -> Duration {
        self.options.first_wait.saturating_mul(1 << (tries - 1).min(16)).min(WAIT_MAX)
    }

    async fn whole(&self, episode: &Episode) -> Result<(), Trouble> {
        let disk = |error: std::io::Error| Trouble::Later(format!("the disk: {error}"), false);
        tokio::fs::create_dir_all(&self.folder).await.map_err(disk)?;
        let name = file_name(episode);
        let path = self.folder.join(&name);
        // It was brought, and the node ended before it was looked at.
        if !tokio::fs::try_exists(&path).await.unwrap_or(false) {
            let part = self.part(episode.number);
            self.bring(episode, &part).await?;
            tokio::fs::rename(&part, &path).await.map_err(disk)?;
        }
        let taken = self.take_in(episode, &path, name.clone()).await;
        if taken.is_err() {
            self.remove_file(&name).await;
        }
        taken
    }

    /// Brings all of it into the part.
    async fn bring(&self, episode: &Episode, part: &Path) -> Result<(), Trouble> {
        let here = tokio::fs::metadata(part).await.map_or(0, |part| part.len());
        let validator = episode.validator.as_deref().filter(|_| here > 0);
        let mut headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        if let Some(validator) = validator.and_then(|validator| HeaderValue::from_str(validator).ok()) {
            headers.insert(header::IF_RANGE, validator);
            headers.insert(header::RANGE, HeaderValue::try_from(format!("bytes={here}-")).map_err(odd)?);
        }
        let url = web::address(&episode.url).map_err(|error| Trouble::Never(error.to_string()))?;
        let got = self.web.get(&url, &headers).await.map_err(|error| match error {
            web::WebError::Unreachable(..) => Trouble::Later(error.to_string(), false),
            _ => Trouble::Never(error.to_string()),
        })?;
        let (from, whole) = match answered(&got, here) {
            Ok(begins) => begins,
            Err(trouble) => {
                if got.status == StatusCode::RANGE_NOT_SATISFIABLE || got.status == StatusCode::PARTIAL_CONTENT {
                    remove(part).await;
                }
                return Err(trouble);
            }
        };
        self.fits(episode.number, whole.unwrap_or(from), whole.unwrap_or(from) - from).await?;
        if !self.catalog.episode_begun(episode.number, validator_of(&got)).await? {
            return Err(Trouble::Unwanted);
        }
        self.write(episode.number, part, got, from, whole).await
    }

    async fn write(
        &self,
        number: i64,
        part: &Path,
        mut got: Got,
        from: u64,
        whole: Option<u64>,
    ) -> Result<(), Trouble> {
        let disk = |error: std::io::Error| Trouble::Later(format!("the disk: {error}"), false);
        let file = OpenOptions::new().create(true).append(true).open(part).await.map_err(disk)?;
        file.set_len(from).await.map_err(disk)?;
        let (mut file, mut size, mut looked) = (BufWriter::with_capacity(BUFFER, file), from, from);
        let (mut since, mut then) = (Instant::now(), from);
        let ended = loop {
            let piece = match got.body.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break Ok(()),
                Err(error) => break Err(Trouble::Later(error.to_string(), size - from >= PROGRESS)),
            };
            file.write_all(&piece).await.map_err(disk)?;
            size += piece.len() as u64;
            if size - looked >= STEP || size > self.options.episode_max {
                looked = size;
                self.fits(number, size, 0).await?;
            }
            if since.elapsed() >= PACE.1 {
                if size - then < PACE.0 {
                    break Err(Trouble::Later("the server is too slow".to_owned(), size - from >= PROGRESS));
                }
                (since, then) = (Instant::now(), size);
            }
        };
        file.flush().await.map_err(disk)?;
        ended?;
        match whole {
            Some(whole) if whole != size => Err(Trouble::Later(format!("{size} of {whole} bytes came"), false)),
            _ if size == 0 => Err(Trouble::Never("the file is empty".to_owned())),
            _ => Ok(()),
        }
    }

    /// Looks at what was brought, and takes it in where it can be heard.
    async fn take_in(&self, episode: &Episode, path: &Path, name: String) -> Result<(), Trouble> {
        let facts = self.media.probe(path).await.map_err(|error| match error {
            MediaError::Unreadable(_) | MediaError::Crashed(_) => {
                Trouble::Never(format!("what is there is neither sound nor film: {error}"))
            }
            other => Trouble::Later(other.to_string(), false),
        })?;
        if !is_heard(&facts) {
            return Err(Trouble::Never("what is there has no sound".to_owned()));
        }
        let cancel = CancellationToken::new();
        let _guard = cancel.clone().drop_guard();
        let imported = self.blocks.import(path, |_| (), &cancel).await.map_err(|error| match error {
            ImportError::Cancelled => Trouble::Unwanted,
            other => Trouble::Later(other.to_string(), false),
        })?;
        let file = EpisodeFile { name, size: imported.size, cid: imported.cid, facts };
        let wanted = self.catalog.episode_completed(episode.number, file).await?;
        if wanted { Ok(()) } else { Err(Trouble::Unwanted) }
    }
}

fn odd(error: impl std::fmt::Display) -> Trouble {
    Trouble::Never(error.to_string())
}

fn is_heard(facts: &Facts) -> bool {
    facts.streams.iter().any(|stream| stream.kind == StreamKind::Audio)
}

/// Where what was answered begins, and how large the whole is, where that is known.
fn answered(got: &Got, here: u64) -> Result<(u64, Option<u64>), Trouble> {
    let host = got.url.host_str().unwrap_or_default();
    let why = || format!("{host} answered {}", got.status);
    if got.header(header::CONTENT_ENCODING).is_some_and(|word| !word.eq_ignore_ascii_case("identity")) {
        return Err(Trouble::Never(format!("{host} sends it packed")));
    }
    let length = || got.header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    match got.status {
        StatusCode::OK => Ok((0, length())),
        StatusCode::PARTIAL_CONTENT => match got.header(header::CONTENT_RANGE).and_then(range) {
            Some((from, whole)) if from == here && whole.is_none_or(|whole| whole >= from) => Ok((from, whole)),
            _ => Err(Trouble::Later(format!("{host} sends another part than was asked for"), false)),
        },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::RANGE_NOT_SATISFIABLE => {
            Err(Trouble::Later(why(), false))
        }
        status if status.is_server_error() => Err(Trouble::Later(why(), false)),
        _ => Err(Trouble::Never(why())),
    }
}

/// `bytes FROM-TO/WHOLE`
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (span, whole) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((span.split_once('-')?.0.trim().parse().ok()?, whole.trim().parse().ok()))
}

/// What a later answer is told to be of the same file by: a strong entity tag, or a date.
fn validator_of(got: &Got) -> Option<String> {
    let tag = got.header(header::ETAG).filter(|tag| tag.starts_with('"'));
    tag.or(got.header(header::LAST_MODIFIED)).filter(|text| text.len() <= 500).map(str::to_owned)
}

fn file_name(episode: &Episode) -> String {
    format!("{}.{}", episode.number, ending(episode))
}

/// The ending of an episode's file: by its address, or by what the feed calls it.
#[must_use]
pub fn ending(episode: &Episode) -> &'static str {
    let named = || web::address(&episode.url).map(|url| url.path().to_ascii_lowercase()).unwrap_or_default();
    // What is here keeps its name, whatever the feed says later.
    let path = episode.file.as_ref().map_or_else(named, |file| file.name.clone());
    let suffix = PathBuf::from(path).extension().map(|ending| ending.to_string_lossy().into_owned());
    let by_name = KINDS.iter().find(|(ending, _)| suffix.as_deref() == Some(ending));
    let by_type = || KINDS.iter().find(|(_, types)| types.contains(&episode.mime.as_str()));
    by_name.or_else(by_type).map_or("mp3", |(ending, _)| ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_and_nothing_else() {
        assert_eq!(range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(range("bytes 5-9/*"), Some((5, None)));
        for odd in ["", "bytes", "bytes x-9/10", "bytes */10", "items 5-9/10", "bytes 5/10"] {
            assert_eq!(range(odd), None, "{odd}");
        }
    }
}
