//! From a file and a rendition's name to its pieces, and from a recipe back to the same bytes.
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::activity::Activity;
use super::jobs::{JobKey, Jobs, Order, Plan, Plans};
use super::outline::Outlines;
use super::pages::PagePlan;
use super::renditions::{Form, PACKAGER, Title};
use super::segments::{Key, Piece};
use super::shelf::Shelf;
use super::sounds::Sounds;
use super::subtitles::Tracks;
use super::thumbnails::Waiting;
use super::titles::Titles;
use super::workshop::{TRANSCODED, Workshop, registered};
use super::{FindSource, PlaybackError, PlaybackOptions, Rendition, RenditionId, Segment, Source};
use crate::blocks::{Producer, Recipe};
use crate::media::decide::{self, Capabilities, Method};
use crate::media::fmp4::{self, TrackConfig};
use crate::media::hardware::Device;
use crate::media::transcode::{PicturePlan, SoundPlan};

/// Whoever asks for a block whose segment is not kept any more.
const READER: &str = "reader";

pub(super) struct Inner {
    pub shop: Arc<Workshop>,
    pub jobs: Jobs,
    pub sounds: Sounds,
    pub find: Arc<dyn FindSource>,
    pub shelf: Shelf,
    pub titles: Titles,
    pub tracks: Tracks,
    pub outlines: Outlines,
    pub waiting: Waiting,
    pub activity: Activity,
    pub options: PlaybackOptions,
    pub threads: u32,
}

impl Inner {
    pub async fn title(&self, source: &Source) -> Result<Arc<Title>, PlaybackError> {
        let decision = decide::decide(&source.facts, &Capabilities::default());
        if decision.method == Method::Unsupported {
            return Err(PlaybackError::Unsupported(decision.reason));
        }
        let cell = self.titles.cell(&source.cid);
        cell.get_or_try_init(|| self.measure(source)).await.cloned()
    }

    async fn measure(&self, source: &Source) -> Result<Arc<Title>, PlaybackError> {
        let index = match self.shelf.get(&source.cid).await {
            Some(index) => index,
            None => {
                self.shop.unchanged(source).await?;
                let index = self.shop.media.index(&source.path).await?;
                self.shelf.put(&source.cid, &index).await;
                index
            }
        };
        Ok(Arc::new(Title::new(source, index, &self.options.ladder)))
    }

    pub async fn init(&self, source: &Source, rendition: &Rendition) -> Result<Segment, PlaybackError> {
        let key = Key { file: source.cid, rendition: rendition.key.clone(), piece: Piece::Init };
        self.shop.segments.get_or_make(key, self.make_init(source, rendition)).await
    }

    async fn make_init(&self, source: &Source, rendition: &Rendition) -> Result<Segment, PlaybackError> {
        let title = self.title(source).await?;
        let config = match rendition.form {
            Form::Copy => title.track(rendition.typed.stream()).ok_or(PlaybackError::NotFound)?.config.clone(),
            _ => self.head(source, &title, rendition).await?,
        };
        let recipe = Recipe { source: source.cid, detail: detail(rendition, Piece::Init).into_bytes() };
        registered(&self.shop.blocks, recipe, fmp4::init_section(&config)?.into(), "copy").await
    }

    /// Asked once: it is the same whoever encodes.
    async fn head(
        &self,
        source: &Source,
        title: &Arc<Title>,
        rendition: &Rendition,
    ) -> Result<TrackConfig, PlaybackError> {
        let head = title.head(rendition.typed);
        let ask = || async {
            self.shop.unchanged(source).await?;
            let media = &self.shop.media;
            match plan(title, rendition, 0, &Device::Software, self.threads).ok_or(PlaybackError::NotFound)? {
                Plan::Picture(plan) => Ok(media.picture_head(&source.path, plan).await?),
                Plan::Sound(plan) => Ok::<_, PlaybackError>(media.sound_head(&source.path, plan).await?),
            }
        };
        head.get_or_try_init(ask).await.cloned()
    }

    pub async fn segment(
        &self,
        source: &Source,
        rendition: &Rendition,
        n: u64,
        viewer: &str,
    ) -> Result<Segment, PlaybackError> {
        if !rendition.transcoded {
            let key = Key { file: source.cid, rendition: rendition.key.clone(), piece: Piece::Number(n) };
            return self.shop.segments.get_or_make(key, self.make_copy(source, rendition, n)).await;
        }
        let number = usize::try_from(n).map_err(|_| PlaybackError::NotFound)?;
        self.shop.unchanged(source).await?;
        if rendition.typed.is_film() {
            self.shop.devices.ready().await;
        }
        let order = self.order(source, rendition).await?;
        self.jobs.demand(&order, number, viewer).await
    }

    /// A transcoded segment, if it was made.
    pub async fn ready(&self, source: &Source, rendition: &Rendition, n: u64, viewer: &str) -> Option<Segment> {
        let key = JobKey { file: source.cid, rendition: rendition.key.clone() };
        let n = usize::try_from(n).ok()?;
        let found = self.jobs.kept(&key, n).await?;
        self.jobs.told(&key, n, viewer);
        Some(found)
    }

    async fn make_copy(&self, source: &Source, rendition: &Rendition, n: u64) -> Result<Segment, PlaybackError> {
        let title = self.title(source).await?;
        let track = title.track(rendition.typed.stream()).ok_or(PlaybackError::NotFound)?;
        let number = usize::try_from(n).map_err(|_| PlaybackError::NotFound)?;
        let plan = title.index.plan(track, number).ok_or(PlaybackError::NotFound)?;
        self.shop.unchanged(source).await?;
        let (bytes, span) = self.shop.media.segment(&source.path, plan).await?;
        self.shop.intact(source, span).await?;
        let recipe = Recipe { source: source.cid, detail: detail(rendition, Piece::Number(n)).into_bytes() };
        registered(&self.shop.blocks, recipe, bytes, "copy").await
    }

    async fn order(&self, source: &Source, rendition: &Rendition) -> Result<Order, PlaybackError> {
        let title = self.title(source).await?;
        let known = title.rendition(rendition.typed).ok_or(PlaybackError::NotFound)?;
        Ok(Order {
            key: JobKey { file: source.cid, rendition: rendition.key.clone() },
            name: rendition.id.clone(),
            source: Arc::new(source.clone()),
            segments: rendition.segments.len(),
            film: rendition.typed.is_film(),
            plans: Arc::new(TitlePlans { title, rendition: known, threads: self.threads }),
        })
    }

    /// The bytes that a recipe names, or others: whoever asked checks them.
    async fn produce(&self, recipe: Recipe) -> Result<Bytes, String> {
        let source = self.find.find(recipe.source).await.ok_or("no library holds its file any more")?;
        if let Some(plan) = PagePlan::read(&recipe.detail) {
            return self.page_blocks(&source, plan).await.map(|page| page.bytes).map_err(|e| e.to_string());
        }
        let (id, key, piece) = read_detail(&recipe.detail).ok_or("it was made by another version")?;
        let title = self.title(&source).await.map_err(|e| e.to_string())?;
        let rendition = title.rendition(id).ok_or("the file has no such rendition any more")?;
        if key.is_some_and(|key| key != rendition.key) {
            return Err("it was transcoded with other settings".to_owned());
        }
        let made = match piece {
            Piece::Init => self.init(&source, &rendition).await,
            Piece::Number(n) => self.segment(&source, &rendition, n, READER).await,
            Piece::Whole => Err(PlaybackError::NotFound),
        };
        made.map(|segment| segment.bytes).map_err(|e| e.to_string())
    }
}

struct TitlePlans {
    title: Arc<Title>,
    rendition: Arc<Rendition>,
    threads: u32,
}

impl Plans for TitlePlans {
    fn plan(&self, n: usize, device: &Device) -> Option<Plan> {
        plan(&self.title, &self.rendition, n, device, self.threads)
    }
}

/// What a worker is asked for segment `n` of a transcoded rendition.
fn plan(title: &Title, rendition: &Rendition, n: usize, device: &Device, threads: u32) -> Option<Plan> {
    let track = title.track(rendition.typed.stream())?;
    let sequence = u32::try_from(n).ok()?;
    let base_seconds = title.index.base_seconds;
    match &rendition.form {
        Form::Copy => None,
        Form::Picture(format) => {
            let cut = title.picture_cuts.get(n)?;
            Some(Plan::Picture(PicturePlan {
                stream: track.stream,
                sequence,
                base_seconds,
                timescale: track.config.timescale,
                key: cut.key,
                start: cut.start,
                end: cut.end,
                last: cut.last,
                format: format.clone(),
                device: device.clone(),
                threads,
            }))
        }
        Form::Sound(format) => {
            let cuts = title.index.sound_cuts(track, format.sample_rate);
            let (start, end) = *cuts.get(n)?;
            let last = n + 1 == cuts.len();
            Some(Plan::Sound(SoundPlan {
                stream: track.stream,
                sequence,
                base_seconds,
                start,
                end,
                last,
                format: *format,
            }))
        }
    }
}

/// What a recipe says besides the file. Of a copy: packager version, rendition, piece. Of a transcoded rendition: its name
/// in the cache, which follows from its settings, and the piece.
fn detail(rendition: &Rendition, piece: Piece) -> String {
    let piece = match piece {
        Piece::Init => "init".to_owned(),
        Piece::Number(n) => n.to_string(),
        Piece::Whole => String::new(),
    };
    match rendition.form {
        Form::Copy => format!("{PACKAGER}/{}/{piece}", rendition.id),
        _ => format!("{TRANSCODED}/{}/{piece}", rendition.key),
    }
}

/// Rendition, its name in the cache where it is transcoded, and piece.
fn read_detail(detail: &[u8]) -> Option<(RenditionId, Option<String>, Piece)> {
    let mut words = std::str::from_utf8(detail).ok()?.split('/');
    let (kind, name, piece) = (words.next()?, words.next()?, words.next()?);
    let piece = if piece == "init" { Piece::Init } else { Piece::Number(piece.parse().ok()?) };
    if kind == TRANSCODED {
        return Some((name.split('.').next()?.parse().ok()?, Some(name.to_owned()), piece));
    }
    (kind.parse() == Ok(PACKAGER)).then_some((name.parse().ok()?, None, piece))
}

pub(super) struct Remaker {
    pub inner: std::sync::Weak<Inner>,
}

impl Producer for Remaker {
    fn produce(&self, recipe: Recipe) -> BoxFuture<'static, Result<Bytes, String>> {
        let inner = self.inner.upgrade();
        Box::pin(async move { inner.ok_or("the node is stopping")?.produce(recipe).await })
    }
}
