//! Scheduling, in virtual time, with an encoder that only waits.
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::FutureExt as _;

use super::*;
use crate::content::cid::of_raw;
use crate::content::unixfs::{Layout, Profile};
use crate::media::Facts;
use crate::media::transcode::SoundFormat;

/// What the encoder was asked, and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Begun(usize),
    Made(usize),
    Cancelled(usize),
}

struct Fake {
    /// Of one segment.
    takes: Duration,
    devices: Vec<Device>,
    /// Devices that fail on each segment.
    broken: HashSet<Device>,
    /// Crashes that are still to come.
    crashes: Mutex<usize>,
    events: Mutex<Vec<Event>>,
    kept: Mutex<HashMap<(JobKey, usize), Segment>>,
    failed: Mutex<Vec<Device>>,
}

impl Fake {
    fn new(takes: Duration) -> Self {
        Self {
            takes,
            devices: vec![Device::Software],
            broken: HashSet::new(),
            crashes: Mutex::default(),
            events: Mutex::default(),
            kept: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    fn events(&self) -> Vec<Event> {
        self.events.lock().clone()
    }

    fn begun(&self) -> Vec<usize> {
        let number = |e: &Event| if let Event::Begun(n) = e { Some(*n) } else { None };
        self.events.lock().iter().filter_map(number).collect()
    }
}

struct Studying(Arc<Fake>);

impl Studio for Studying {
    fn encode(
        &self,
        _: Arc<Source>,
        plan: Plan,
        cancel: CancellationToken,
    ) -> BoxFuture<'static, Result<Transcoded, MediaError>> {
        let fake = Arc::clone(&self.0);
        async move {
            let Plan::Sound(plan) = plan else { panic!("the fake knows sounds only") };
            let n = plan.sequence as usize;
            // The plan carries its device in the language of the fake.
            let device = fake.devices[plan.base_seconds as usize].clone();
            fake.events.lock().push(Event::Begun(n));
            tokio::select! {
                () = tokio::time::sleep(fake.takes) => (),
                () = cancel.cancelled() => {
                    fake.events.lock().push(Event::Cancelled(n));
                    return Err(MediaError::Cancelled);
                }
            }
            if fake.broken.contains(&device) {
                return Err(MediaError::Device("it is hot".to_owned()));
            }
            let left = fake.crashes.lock().checked_sub(1);
            if let Some(left) = left {
                *fake.crashes.lock() = left;
                return Err(MediaError::Crashed("killed".to_owned()));
            }
            fake.events.lock().push(Event::Made(n));
            Ok(Transcoded { bytes: Bytes::from(n.to_string()), encoder: format!("{device:?}") })
        }
        .boxed()
    }

    fn kept<'a>(&'a self, key: &'a JobKey, n: usize) -> BoxFuture<'a, Option<Segment>> {
        async move { self.0.kept.lock().get(&(key.clone(), n)).cloned() }.boxed()
    }

    fn is_kept(&self, key: &JobKey, n: usize) -> bool {
        self.0.kept.lock().contains_key(&(key.clone(), n))
    }

    fn count_kept(&self, key: &JobKey) -> usize {
        self.0.kept.lock().keys().filter(|(other, _)| other == key).count()
    }

    fn keep(&self, key: JobKey, n: usize, made: Transcoded) -> BoxFuture<'static, Result<Segment, PlaybackError>> {
        let layout = Layout::of(&made.bytes, Profile::V1_2025);
        let segment = Segment { layout, bytes: made.bytes, encoder: made.encoder };
        self.0.kept.lock().insert((key, n), segment.clone());
        async move { Ok(segment) }.boxed()
    }

    fn devices(&self) -> Vec<Device> {
        self.0.devices.clone()
    }

    fn failed(&self, device: &Device, _: &str) {
        self.0.failed.lock().push(device.clone());
    }
}

struct FakePlans(Vec<Device>);

impl Plans for FakePlans {
    fn plan(&self, n: usize, device: &Device) -> Option<Plan> {
        let number = self.0.iter().position(|d| d == device)?;
        let format = SoundFormat { sample_rate: 48_000, channels: 2, bit_rate: 1 };
        let (sequence, base_seconds) = (n as u32, number as i64);
        Some(Plan::Sound(SoundPlan { stream: 0, sequence, base_seconds, start: 0, end: 1, last: false, format }))
    }
}

struct Scene {
    fake: Arc<Fake>,
    jobs: Jobs,
}

impl Scene {
    fn new(slots: usize, change: impl FnOnce(&mut Fake)) -> Self {
        let mut fake = Fake::new(Duration::from_secs(1));
        change(&mut fake);
        let fake = Arc::new(fake);
        Self { jobs: Jobs::new(Arc::new(Studying(Arc::clone(&fake))), slots), fake }
    }

    fn order(&self, film: &str, rendition: &str) -> Order {
        let cid = of_raw(film.as_bytes());
        let source = Source { cid, path: PathBuf::new(), facts: Facts::default(), sidecars: Vec::new() };
        Order {
            key: JobKey { file: cid, rendition: rendition.to_owned() },
            name: rendition.to_owned(),
            source: Arc::new(source),
            segments: 100,
            film: true,
            plans: Arc::new(FakePlans(self.fake.devices.clone())),
        }
    }
}

async fn after(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_few_segments_are_made_ahead_and_no_more() {
    let scene = Scene::new(1, |fake| fake.takes = Duration::from_millis(500));
    let order = scene.order("film", "v0-720");
    scene.jobs.demand(&order, 10, "ada").await.unwrap();
    after(2.9).await;
    assert_eq!(scene.fake.begun(), [10, 11, 12, 13]);
    after(60.0).await;
    assert_eq!(scene.fake.begun(), [10, 11, 12, 13]);
    assert!(scene.jobs.list().is_empty());
    scene.jobs.demand(&order, 12, "ada").await.unwrap();
    after(2.0).await;
    assert_eq!(scene.fake.begun(), [10, 11, 12, 13, 14, 15]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_three_seconds_after_the_last_request() {
    let scene = Scene::new(1, |fake| fake.takes = Duration::from_secs(2));
    scene.jobs.demand(&scene.order("film", "v0-720"), 0, "ada").await.unwrap();
    after(3.1).await;
    use Event::{Begun, Cancelled, Made};
    assert_eq!(scene.fake.events(), [Begun(0), Made(0), Begun(1), Made(1), Begun(2), Cancelled(2)]);
    after(100.0).await;
    assert_eq!(scene.fake.events().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_says_goodbye_frees_the_node_at_once() {
    let scene = Scene::new(1, |_| ());
    let order = scene.order("film", "v0-720");
    scene.jobs.demand(&order, 0, "ada").await.unwrap();
    after(0.1).await;
    assert_eq!(scene.jobs.list()[0].viewers, 1);
    scene.jobs.left(&order.key.file, "ada");
    after(0.01).await;
    assert!(scene.jobs.list().is_empty());
    assert_eq!(scene.fake.events().last(), Some(&Event::Cancelled(1)));
}

#[tokio::test(start_paused = true)]
async fn two_viewers_share_one_make() {
    let scene = Scene::new(1, |_| ());
    let order = scene.order("film", "v0-720");
    let (one, two) = tokio::join!(scene.jobs.demand(&order, 5, "ada"), scene.jobs.demand(&order, 5, "bob"));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(scene.fake.begun().iter().filter(|n| **n == 5).count(), 1);
    assert_eq!(scene.jobs.list()[0].viewers, 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_takes_nothing_from_the_others() {
    let scene = Scene::new(1, |_| ());
    let order = scene.order("film", "v0-720");
    let (jobs, other) = (scene.jobs.clone(), order.clone());
    let first = tokio::spawn(async move { jobs.demand(&other, 5, "ada").await });
    after(0.3).await;
    let (jobs, other) = (scene.jobs.clone(), order.clone());
    let second = tokio::spawn(async move { jobs.demand(&other, 5, "bob").await });
    after(0.3).await;
    first.abort();
    assert!(second.await.unwrap().is_ok());
    assert_eq!(scene.fake.begun()[..1], [5]);
}

#[tokio::test(start_paused = true)]
async fn a_seek_ends_what_nobody_waits_for() {
    let scene = Scene::new(1, |_| ());
    let order = scene.order("film", "v0-720");
    let (jobs, other) = (scene.jobs.clone(), order.clone());
    let first = tokio::spawn(async move { jobs.demand(&other, 5, "ada").await });
    after(0.5).await;
    first.abort();
    after(0.01).await;
    let before = Instant::now();
    scene.jobs.demand(&order, 50, "ada").await.unwrap();
    assert_eq!(Instant::now() - before, Duration::from_secs(1));
    assert!(scene.fake.events().contains(&Event::Cancelled(5)));
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_slot_waits_a_little_and_is_told_to_come_back() {
    let scene = Scene::new(1, |_| ());
    scene.jobs.demand(&scene.order("one", "v0-720"), 0, "ada").await.unwrap();
    let before = Instant::now();
    let refused = scene.jobs.demand(&scene.order("two", "v0-720"), 0, "bob").await;
    assert!(matches!(refused, Err(PlaybackError::Busy(_))), "{refused:?}");
    assert_eq!(Instant::now() - before, QUEUE);
    after(ADMISSION.as_secs_f64()).await;
    assert!(scene.jobs.demand(&scene.order("two", "v0-720"), 0, "bob").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_comes_free_is_given_to_who_waits() {
    let scene = Scene::new(1, |_| ());
    let one = scene.order("one", "v0-720");
    scene.jobs.demand(&one, 0, "ada").await.unwrap();
    let (jobs, two) = (scene.jobs.clone(), scene.order("two", "v0-720"));
    let waiting = tokio::spawn(async move { jobs.demand(&two, 0, "bob").await });
    after(1.0).await;
    scene.jobs.left(&one.key.file, "ada");
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_viewer_takes_its_slot_along_to_another_rung_or_film() {
    let scene = Scene::new(1, |_| ());
    scene.jobs.demand(&scene.order("film", "v0-720"), 0, "ada").await.unwrap();
    let before = Instant::now();
    scene.jobs.demand(&scene.order("film", "v0-480"), 1, "ada").await.unwrap();
    scene.jobs.demand(&scene.order("another", "v0-480"), 1, "ada").await.unwrap();
    assert!(Instant::now() - before < QUEUE);
    after(0.01).await;
    let running: Vec<_> = scene.jobs.list().into_iter().filter(|job| job.viewers > 0).collect();
    assert_eq!(running.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_two_share_is_not_taken_along() {
    let scene = Scene::new(1, |_| ());
    let order = scene.order("film", "v0-720");
    scene.jobs.demand(&order, 0, "ada").await.unwrap();
    scene.jobs.demand(&order, 0, "bob").await.unwrap();
    let refused = scene.jobs.demand(&scene.order("film", "v0-480"), 1, "ada").await;
    assert!(matches!(refused, Err(PlaybackError::Busy(_))));
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_needs_no_slot() {
    let scene = Scene::new(1, |_| ());
    let (one, two) = (scene.order("one", "v0-720"), scene.order("two", "v0-720"));
    scene.jobs.demand(&two, 0, "bob").await.unwrap();
    scene.jobs.left(&two.key.file, "bob");
    after(0.1).await;
    scene.jobs.demand(&one, 0, "ada").await.unwrap();
    scene.jobs.demand(&two, 0, "bob").await.unwrap();
    assert_eq!(scene.fake.begun().iter().filter(|n| **n == 0).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_fails_is_dropped_for_the_film_and_the_segment_is_made() {
    let vaapi = Device::Vaapi("/dev/dri/renderD128".to_owned());
    let scene = Scene::new(1, |fake| {
        fake.devices = vec![Device::Qsv("x".to_owned()), vaapi.clone(), Device::Software];
        fake.broken = HashSet::from([Device::Qsv("x".to_owned()), vaapi.clone()]);
    });
    let order = scene.order("film", "v0-720");
    assert_eq!(scene.jobs.demand(&order, 0, "ada").await.unwrap().encoder, "Software");
    assert_eq!(scene.fake.failed.lock().clone(), [Device::Qsv("x".to_owned()), vaapi]);
    assert!(scene.jobs.list()[0].detail.as_ref().unwrap().contains("it is hot"));
    let before = Instant::now();
    scene.jobs.demand(&order, 9, "ada").await.unwrap();
    assert_eq!(Instant::now() - before, Duration::from_secs(1), "the broken devices are not tried again");
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_forgiven_once() {
    let scene = Scene::new(1, |fake| fake.crashes = Mutex::new(1));
    assert!(scene.jobs.demand(&scene.order("film", "v0-720"), 7, "ada").await.is_ok());
    scene.jobs.left(&scene.order("film", "v0-720").key.file, "ada");
    after(0.1).await;
    *scene.fake.crashes.lock() = 2;
    match scene.jobs.demand(&scene.order("film", "v0-480"), 7, "ada").await {
        Err(PlaybackError::Transcode(sentence)) => assert!(sentence.contains("segment 7 of v0-480"), "{sentence}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_is_not_there_is_not_found() {
    let scene = Scene::new(1, |_| ());
    let answer = scene.jobs.demand(&scene.order("film", "v0-720"), 100, "ada").await;
    assert!(matches!(answer, Err(PlaybackError::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_everything_and_waits_for_it() {
    let scene = Scene::new(1, |fake| fake.takes = Duration::from_secs(1000));
    let (jobs, order) = (scene.jobs.clone(), scene.order("film", "v0-720"));
    let waiting = tokio::spawn(async move { jobs.demand(&order, 0, "ada").await });
    after(1.0).await;
    scene.jobs.stop().await;
    assert!(waiting.await.unwrap().is_err());
    assert_eq!(scene.fake.events().last(), Some(&Event::Cancelled(0)));
}
