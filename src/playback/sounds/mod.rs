//! The sound of whole files, for programs that play music: MP3, Opus or AAC at a bit rate, heard while it is made.
//!
//! ```text
//! sound(file, form) ──► kept on disk ──────────────────────────► any range of it
//!                  └──► being made ──► worker ──► store ──► all of it, as it comes
//! ```
//! Who wants the same form of the same file shares one worker. When the last of them goes away, the worker is ended: programs fetch
//! songs wholly, so that was a skip. A whole one is kept on disk under the quota of the cache, and not evicted while it is sent.
//! Sounds have places of their own, which films do not wait for; nobody gets all of them.
mod form;
mod making;
mod store;
mod stream;

pub use form::SoundForm;
pub use stream::{ComingSound, KeptSound, Sound};

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::making::{Failure, Order, Progress};
use self::store::{Store, stamp_of};
use super::jobs::JobKey;
use super::workshop::Workshop;
use super::{PlaybackError, Source};
use crate::content::Cid;

/// What names of sounds in the cache begin with.
pub(super) const WHOLE: &str = "whole-";
/// Whoever finds no place waits this long for one, and is then told to come back after as long as that.
const QUEUE: Duration = Duration::from_secs(2);
const COME_BACK: Duration = Duration::from_secs(5);

/// A cheap handle.
#[derive(Clone)]
pub(super) struct Sounds {
    shared: Arc<Shared>,
}

struct Shared {
    shop: Arc<Workshop>,
    /// Places of all, and how many of them one listener may have.
    places: Arc<Semaphore>,
    places_each: usize,
    state: Mutex<State>,
    stopped: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Default)]
struct State {
    makes: HashMap<JobKey, Make>,
    /// Places of each listener who has some.
    listeners: HashMap<String, Arc<Semaphore>>,
    count: u64,
}

/// A sound that is being made.
struct Make {
    id: u64,
    listeners: usize,
    store: Arc<Store>,
    progress: watch::Receiver<Progress>,
    cancel: CancellationToken,
}

/// Somebody listens to a sound that is being made.
struct Listening {
    shared: Arc<Shared>,
    key: JobKey,
    id: u64,
    store: Arc<Store>,
    progress: watch::Receiver<Progress>,
}

impl Sounds {
    pub fn new(shop: Arc<Workshop>) -> Self {
        let places = shop.media.sounds_at_once();
        Self {
            shared: Arc::new(Shared {
                shop,
                places: Arc::new(Semaphore::new(places)),
                places_each: (places * 3 / 4).max(1),
                state: Mutex::default(),
                stopped: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// A sound that was made before.
    pub async fn kept(&self, file: &Cid, form: &SoundForm) -> Option<KeptSound> {
        let key = JobKey { file: *file, rendition: form.name() };
        if !self.shared.shop.disk.has(&key, 0) {
            return None;
        }
        let shop = Arc::clone(&self.shared.shop);
        tokio::task::spawn_blocking(move || found(&shop, &key)).await.ok()?
    }

    /// The sound of a file. One that is not kept has begun to come.
    pub async fn sound(&self, source: &Source, form: &SoundForm, viewer: &str) -> Result<Sound, PlaybackError> {
        if let Some(kept) = self.kept(&source.cid, form).await {
            return Ok(Sound::Kept(kept));
        }
        let silent = || PlaybackError::Unsupported("there is no sound in this file".to_owned());
        let plan = form.plan(form::best(&source.facts).ok_or_else(silent)?.index);
        self.shared.shop.unchanged(source).await?;
        let key = JobKey { file: source.cid, rendition: form.name() };
        let mut listening = match Shared::join(&self.shared, &key) {
            Some(listening) => listening,
            None => {
                let permits = self.shared.places(viewer).await?;
                // Somebody else may have begun it meanwhile, and ended it too.
                if let Some(kept) = self.kept(&source.cid, form).await {
                    return Ok(Sound::Kept(kept));
                }
                let id = self.shared.state.lock().next_id();
                let order = Order { key, id, source: source.clone(), plan, kept: form.is_kept(), _permits: permits };
                self.shared.store(&order).await.and_then(|store| Shared::begin(&self.shared, order, store))?
            }
        };
        let length = listening.begun().await?;
        Ok(Sound::Coming(ComingSound::new(listening, length)))
    }

    /// Gives up what is being made and waits for it.
    pub async fn stop(&self) {
        self.shared.stopped.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

/// What is on disk, if it has the bytes that it had. Of what this process did not make that is seen once.
fn found(shop: &Workshop, key: &JobKey) -> Option<KeptSound> {
    let held = shop.disk.hold(key)?;
    let stamp = held.encoder.rsplit('_').next().unwrap_or_default().to_owned();
    if !held.is_known() {
        if stamp_of(&held.file, held.size).ok().as_deref() != Some(&stamp) {
            shop.disk.drop_wrong(key, 0);
            return None;
        }
        held.set_known();
    }
    Some(KeptSound::new(held, format!("{}.{}.{stamp}", key.file, key.rendition)))
}

impl Shared {
    /// Listens to what is being made already.
    fn join(this: &Arc<Self>, key: &JobKey) -> Option<Listening> {
        this.state.lock().listen(this, key)
    }

    /// Where its bytes go.
    async fn store(&self, order: &Order) -> Result<Arc<Store>, Failure> {
        let place = self.shop.disk.place(&order.key, order.id);
        let made = tokio::task::spawn_blocking(move || Store::new(place)).await;
        let made = made.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()));
        made.map(Arc::new).map_err(|error| Failure::Failed(error.to_string()))
    }

    /// Begins to make it in a task of its own, unless somebody else just did.
    fn begin(this: &Arc<Self>, order: Order, store: Arc<Store>) -> Result<Listening, Failure> {
        let mut state = this.state.lock();
        if let Some(listening) = state.listen(this, &order.key) {
            return Ok(listening);
        }
        let (cancel, (tell, progress)) = (this.stopped.child_token(), watch::channel(Progress::default()));
        let make = Make { id: order.id, listeners: 0, store: Arc::clone(&store), progress, cancel: cancel.clone() };
        let key = order.key.clone();
        state.makes.insert(key.clone(), make);
        let shared = Arc::clone(this);
        this.tasks.spawn(async move { shared.make(order, store, cancel, tell).await });
        state.listen(this, &key).ok_or(Failure::Cancelled)
    }

    /// A place among the listener's own and one among all, waited for, but not for long.
    async fn places(&self, viewer: &str) -> Result<[OwnedSemaphorePermit; 2], PlaybackError> {
        let deadline = Instant::now() + QUEUE;
        let own = self.state.lock().places_of(viewer, self.places_each);
        let busy = || PlaybackError::Busy(COME_BACK);
        let place = |places: Arc<Semaphore>| async move {
            let place = tokio::time::timeout_at(deadline, places.acquire_owned()).await;
            place.map_err(|_| busy())?.map_err(|_| busy())
        };
        Ok([place(own).await?, place(Arc::clone(&self.places)).await?])
    }
}

impl State {
    fn next_id(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn listen(&mut self, shared: &Arc<Shared>, key: &JobKey) -> Option<Listening> {
        let make = self.makes.get_mut(key)?;
        make.listeners += 1;
        let (store, progress) = (Arc::clone(&make.store), make.progress.clone());
        Some(Listening { shared: Arc::clone(shared), key: key.clone(), id: make.id, store, progress })
    }

    /// Somebody listens no more. With the last one the sound is given up.
    fn leave(&mut self, key: &JobKey, id: u64) {
        let Some(make) = self.makes.get_mut(key).filter(|make| make.id == id) else { return };
        make.listeners = make.listeners.saturating_sub(1);
        if make.listeners == 0 {
            make.cancel.cancel();
            self.makes.remove(key);
        }
    }

    fn forget(&mut self, key: &JobKey, id: u64) {
        if self.makes.get(key).is_some_and(|make| make.id == id) {
            self.makes.remove(key);
        }
    }

    fn places_of(&mut self, viewer: &str, each: usize) -> Arc<Semaphore> {
        self.listeners.retain(|_, places| places.available_permits() < each || Arc::strong_count(places) > 1);
        let places = self.listeners.entry(viewer.to_owned());
        Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(each))))
    }
}

impl Listening {
    /// Waits for the first bytes; tells how many there will be.
    async fn begun(&mut self) -> Result<Option<u64>, PlaybackError> {
        let began = self.progress.wait_for(|progress| progress.bytes > 0 || progress.end.is_some()).await;
        let progress = began.map_err(|_| Failure::Cancelled)?;
        match &progress.end {
            Some(Err(failure)) if progress.bytes == 0 => Err(failure.clone().into()),
            _ => Ok(progress.length),
        }
    }

    /// Waits until there are more than `at` bytes, and tells how many; `None` where there will be no more.
    async fn beyond(&mut self, at: u64) -> io::Result<Option<u64>> {
        let more = self.progress.wait_for(|progress| progress.bytes > at || progress.end.is_some()).await;
        let progress = more.map_err(|_| io::Error::other(Failure::Cancelled))?;
        match &progress.end {
            _ if progress.bytes > at => Ok(Some(progress.bytes)),
            Some(Err(failure)) => Err(io::Error::other(failure.clone())),
            _ => Ok(None),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.shared.state.lock().leave(&self.key, self.id);
    }
}
