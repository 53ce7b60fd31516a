//! One feed: asked for, read, and written down; and the picture of its channel.
use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::Url;

use super::{Podcasts, PodcastsError, feed, log, web};
use crate::catalog::CatalogError;
use crate::catalog::podcasts::{Channel, PodcastStatus, ToldFeed};
use crate::media::book::{Place, picture_kind};
use crate::media::protocol::{PictureForm, PicturePage};

/// Bytes of a feed and of a picture at most.
const FEED_MAX: usize = 16 * 1024 * 1024;
const PICTURE_MAX: usize = 16 * 1024 * 1024;
/// Until all of a feed or picture is here.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pixels of a picture's longer side, as it is kept.
const SIDE: u32 = 1000;
const FEEDS: &str = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5";

impl Podcasts {
    /// Asks for the feed of a channel, and writes down what came of it.
    pub(super) async fn ask(&self, channel: Channel) {
        let number = channel.number;
        log(self.catalog.podcast_is(number, PodcastStatus::Downloading, None).await.map_err(Into::into));
        let done = match self.ask_for(&channel).await {
            // Somebody unsubscribed meanwhile.
            Ok(()) | Err(PodcastsError::Catalog(CatalogError::NotFound(_))) => Ok(()),
            Err(error) => {
                let why = Some(error.to_string());
                self.catalog.podcast_is(number, PodcastStatus::Error, why).await.map_err(Into::into)
            }
        };
        log(done);
    }

    async fn ask_for(&self, channel: &Channel) -> Result<(), PodcastsError> {
        let url = web::address(&channel.url)?;
        match self.feed(&url, Some(channel)).await? {
            Some(told) => self.take(channel.number, told).await?,
            None => self.catalog.podcast_is(channel.number, PodcastStatus::Completed, None).await?,
        }
        self.fetch_picture(channel).await
    }

    pub(super) async fn take(&self, number: i64, told: ToldFeed) -> Result<(), PodcastsError> {
        if self.catalog.take_feed(number, told, self.options.newest).await? > 0 {
            self.episodes.notify_one();
        }
        Ok(())
    }

    /// What is at an address now; `None` where that is what was read before.
    pub(super) async fn feed(&self, url: &Url, known: Option<&Channel>) -> Result<Option<ToldFeed>, PodcastsError> {
        let mut headers = plain_headers(FEEDS);
        let conditions = known.map(|known| (&known.etag, &known.modified));
        if let Some((etag, modified)) = conditions {
            for (name, value) in [(header::IF_NONE_MATCH, etag), (header::IF_MODIFIED_SINCE, modified)] {
                if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                    headers.insert(name, value);
                }
            }
        }
        let asked = tokio::time::timeout(PATIENCE, self.document(url, &headers, FEED_MAX)).await;
        let (status, headers, bytes) = asked.map_err(|_| too_slow(url))??;
        if status == StatusCode::NOT_MODIFIED && known.is_some() {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || feed::read(&bytes)).await.ok().flatten();
        let told = read.ok_or_else(|| PodcastsError::NoFeed(url.to_string()))?;
        let text = |name: header::HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
        Ok(Some(ToldFeed { etag: text(header::ETAG), modified: text(header::LAST_MODIFIED), ..told }))
    }

    async fn document(
        &self,
        url: &Url,
        headers: &HeaderMap,
        most: usize,
    ) -> Result<(StatusCode, HeaderMap, Bytes), PodcastsError> {
        let got = self.web.get(url, headers).await?;
        let (status, headers) = (got.status, got.headers.clone());
        if !status.is_success() && status != StatusCode::NOT_MODIFIED {
            return Err(PodcastsError::Status(url.host_str().unwrap_or_default().to_owned(), status));
        }
        let packed = got.header(header::CONTENT_ENCODING).is_some_and(|word| word.eq_ignore_ascii_case("gzip"));
        let bytes = got.body.all(most).await?;
        Ok((status, headers, if packed { unpacked(&bytes, most) } else { bytes }))
    }

    /// Fetches the picture of a channel, where the feed names another than the one that is here.
    async fn fetch_picture(&self, before: &Channel) -> Result<(), PodcastsError> {
        let channel = self.catalog.podcast(before.number).await?;
        let Some(address) = channel.image_url.as_deref() else { return Ok(()) };
        if channel.image.is_some() && channel.image_url == before.image_url {
            return Ok(());
        }
        let name = format!("cover-{}.jpg", channel.number);
        match self.picture_at(&web::address(address)?, &name).await {
            Ok(true) => {
                if !self.catalog.set_podcast_image(channel.number, name.clone()).await? {
                    super::remove(&self.folder.join(name)).await;
                }
            }
            Ok(false) => tracing::debug!(podcast.id = channel.number, "the picture of a podcast is none"),
            Err(error) => {
                tracing::debug!(podcast.id = channel.number, %error, "the picture of a podcast cannot be had")
            }
        }
        Ok(())
    }

    /// Whether there is a picture, which is then drawn anew by a worker: nothing but a picture is ever kept.
    async fn picture_at(&self, url: &Url, name: &str) -> Result<bool, PodcastsError> {
        let asked = tokio::time::timeout(PATIENCE, self.document(url, &plain_headers("image/*"), PICTURE_MAX)).await;
        let (_, _, bytes) = asked.map_err(|_| too_slow(url))??;
        if picture_kind(&bytes).is_none() {
            return Ok(false);
        }
        let raw = self.folder.join(format!("{name}.new"));
        let written = match tokio::fs::create_dir_all(&self.folder).await {
            Ok(()) => tokio::fs::write(&raw, &bytes).await,
            error => error,
        };
        let place = Place::Whole { size: bytes.len() as u64 };
        let plan = PicturePage { place, side: Some(SIDE), form: PictureForm::Jpeg };
        let drawn = self.media.picture_page(&raw, plan).await;
        super::remove(&raw).await;
        let (Ok(()), Ok(drawn)) = (written, drawn) else { return Ok(false) };
        Ok(tokio::fs::write(self.folder.join(name), &drawn).await.is_ok())
    }
}

fn too_slow(url: &Url) -> PodcastsError {
    let host = url.host_str().unwrap_or_default().to_owned();
    web::WebError::Unreachable(host, "it is too slow".to_owned()).into()
}

fn plain_headers(accept: &'static str) -> HeaderMap {
    let pairs = [(header::ACCEPT, accept), (header::ACCEPT_ENCODING, "identity")];
    pairs.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

/// What servers pack although nobody asked for it; no more of it than this.
fn unpacked(bytes: &[u8], most: usize) -> Bytes {
    let mut out = Vec::new();
    // What is broken ends where it breaks.
    let _ = flate2::read::MultiGzDecoder::new(bytes).take(most as u64).read_to_end(&mut out);
    out.into()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_is_packed_grows_to_the_limit_and_not_beyond() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&vec![b'x'; 3_000_000]).unwrap();
        let packed = packer.finish().unwrap();
        assert!(packed.len() < 10_000);
        assert_eq!(unpacked(&packed, 1_000_000).len(), 1_000_000);
        assert_eq!(unpacked(&packed, 5_000_000).len(), 3_000_000);
        assert!(unpacked(b"no gzip", 100).is_empty());
    }
}
