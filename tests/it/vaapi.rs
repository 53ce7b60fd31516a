//! Transcoding on a device, where there is none: the software driver in `tests/vaapi` stands in for it. It proves that
//! devices are found, used, and dropped when they fail; not their speed or quality. Quick Sync's success cannot be tested
//! so: it needs Intel's own libraries and a graphics device.
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use potluck::media::hardware::{Device, DeviceApi};
use potluck::media::transcode::{PictureFormat, PicturePlan};
use potluck::media::{Media, MediaError, MediaOptions};
use tokio_util::sync::CancellationToken;

use crate::burn::{burnt, shows_box, subtitled};
use crate::fixtures::{clip, film, media_options};
use crate::transcode::{Made, difference, format, picture, plan, plans, shrunk};

/// What stands in for a render node.
const NODE: &str = "/dev/null";

/// The driver and what lets libva open [`NODE`], built once.
static BUILT: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vaapi");
    for (source, library) in [("driver.c", "potluck_drv_video.so"), ("display.c", "display.so")] {
        let output = Command::new("cc")
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .arg(folder.path().join(library))
            .arg(sources.join(source))
            .arg("-lva")
            .output()
            .expect("the tests need a C compiler");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the tests need libva-dev: {said}");
    }
    folder
});

/// A device of its own, that can be told to fail.
struct Stand {
    folder: tempfile::TempDir,
}

impl Stand {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let driver = "potluck_drv_video.so";
        std::fs::copy(BUILT.path().join(driver), folder.path().join(driver)).unwrap();
        Self { folder }
    }

    fn media(&self) -> Media {
        let folder = self.folder.path().as_os_str().to_owned();
        let preload = BUILT.path().join("display.so").into_os_string();
        let variables =
            [("LIBVA_DRIVER_NAME", "potluck".into()), ("LIBVA_DRIVERS_PATH", folder), ("LD_PRELOAD", preload)];
        let environment = variables.map(|(name, value)| (OsString::from(name), value)).to_vec();
        Media::new(MediaOptions { devices: Some(vec![NODE.to_owned()]), environment, ..media_options() })
    }

    /// Lets the driver do this once it has encoded so many pictures in a process.
    fn after(&self, what: &str, pictures: u32) {
        std::fs::write(self.folder.path().join(what), pictures.to_string()).unwrap();
    }
}

fn on_device(plan: PicturePlan) -> PicturePlan {
    PicturePlan { device: Device::Vaapi(NODE.to_owned()), ..plan }
}

fn plans_on_device(count: i64, format: &PictureFormat) -> Vec<PicturePlan> {
    plans(count, format).into_iter().map(on_device).collect()
}

#[tokio::test]
async fn a_device_is_found_by_encoding_on_it() {
    let stand = Stand::new();
    let reports = stand.media().probe_hardware().await.unwrap();
    let [vaapi, quick_sync, software] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((vaapi.api, vaapi.path.as_str(), &vaapi.problem), (DeviceApi::Vaapi, NODE, &None));
    assert_eq!((vaapi.name.as_str(), &vaapi.encode[..]), ("Potluck test driver", &["h264".to_owned()][..]));
    assert!(vaapi.scale && !vaapi.tone_map && vaapi.decode.is_empty(), "{vaapi:?}");
    assert_eq!(vaapi.device(), Some(Device::Vaapi(NODE.to_owned())));
    assert_eq!((quick_sync.api, quick_sync.device()), (DeviceApi::Qsv, None));
    assert!(quick_sync.problem.as_ref().unwrap().contains("libmfx"), "{quick_sync:?}");
    assert_eq!((software.api, software.device()), (DeviceApi::Software, Some(Device::Software)));
    assert!(software.decode.contains(&"hevc".to_owned()) && software.tone_map);
}

#[tokio::test]
async fn a_device_that_does_not_work_says_why() {
    let stand = Stand::new();
    stand.after("fail-after", 3);
    let reports = stand.media().probe_hardware().await.unwrap();
    let of = |api| reports.iter().find(|report| report.api == api).unwrap();
    let problem = of(DeviceApi::Vaapi).problem.as_ref().unwrap();
    assert!(problem.starts_with("it encodes no H.264: "), "{problem}");
    assert!(of(DeviceApi::Vaapi).encode.is_empty());

    stand.after("crash-after", 3);
    let reports = stand.media().probe_hardware().await.unwrap();
    let crashed = reports.iter().find(|report| report.api == DeviceApi::Vaapi).unwrap();
    assert!(crashed.problem.as_ref().unwrap().contains("its driver crashed"), "{crashed:?}");

    std::fs::remove_file(stand.folder.path().join("potluck_drv_video.so")).unwrap();
    let reports = stand.media().probe_hardware().await.unwrap();
    let missing = reports.iter().find(|report| report.api == DeviceApi::Vaapi).unwrap();
    assert!(missing.problem.as_ref().unwrap().contains("install intel-media-va-driver"), "{missing:?}");
    assert!(reports.last().unwrap().problem.is_none(), "software is always there");
}

#[tokio::test]
async fn segments_of_a_device_and_of_software_play_in_one_film() {
    let stand = Stand::new();
    let media = stand.media();
    let mut plans = plans_on_device(6, &format(160, 90));
    plans[2].device = Device::Software;
    plans[4].device = Device::Software;
    let made = Made::of(&media, &film(), &plans, &[0, 1, 2, 3, 4, 5]).await;
    assert_eq!(made.ticks(&plans), (0..288).map(|n| n * 1000).collect::<Vec<i64>>());
    assert!(made.frames("width,height").iter().all(|size| size == "160,90"));
    for n in [60, 100, 180, 270] {
        assert!(difference(&made.colours(n), &shrunk(&film(), n)) < 10.0, "frame {n}");
    }
    assert_eq!(picture(&media, &film(), plans[1].clone()).await.encoder, "h264_vaapi");
    assert_eq!(picture(&media, &film(), plans[2].clone()).await.encoder, "libx264");
}

#[tokio::test]
async fn what_a_device_cannot_do_is_done_in_software_on_the_way_to_its_encoder() {
    let stand = Stand::new();
    let media = stand.media();
    let turned = clip("turned.mp4", &["-i", "{film}", "-c", "copy", "-metadata:s:v", "rotate=90"]);
    let plans = plans_on_device(2, &format(90, 160));
    let made = Made::of(&media, &turned, &plans, &[0, 1]).await;
    assert!(difference(&made.colours(30), &shrunk(&turned, 30)) < 10.0);

    let plans = plans_on_device(2, &burnt());
    let made = Made::of(&media, &subtitled("pgs.mkv", "copy"), &plans, &[0, 1]).await;
    assert!(shows_box(&made, 80) && !shows_box(&made, 60));
}

#[tokio::test]
async fn a_device_that_fails_in_the_middle_is_to_blame_itself() {
    let stand = Stand::new();
    let media = stand.media();
    let plans = plans_on_device(6, &format(160, 90));
    picture(&media, &film(), plans[0].clone()).await;
    stand.after("fail-after", 60);
    let failed = media.picture(&film(), plans[1].clone(), &CancellationToken::new()).await;
    assert!(matches!(failed, Err(MediaError::Device(_))), "{failed:?}");
    let instead = picture(&media, &film(), plan(1, 6, format(160, 90))).await;
    assert_eq!(instead.encoder, "libx264");

    std::fs::remove_file(stand.folder.path().join("fail-after")).unwrap();
    assert_eq!(picture(&media, &film(), plans[2].clone()).await.encoder, "h264_vaapi");
    stand.after("crash-after", 0);
    let failed = media.picture(&film(), plans[3].clone(), &CancellationToken::new()).await;
    assert!(matches!(failed, Err(MediaError::Device(_))), "{failed:?}");
}

#[tokio::test]
async fn a_device_that_fails_to_decode_is_not_the_films_fault() {
    let stand = Stand::new();
    stand.after("decode-lies", 0);
    let plan = on_device(plan(0, 6, format(160, 90)));
    let failed = stand.media().picture(&film(), plan, &CancellationToken::new()).await;
    assert!(matches!(failed, Err(MediaError::Device(_))), "{failed:?}");
}

#[tokio::test]
async fn a_device_that_is_not_there_is_its_own_failure() {
    let media = Media::new(media_options());
    for device in [Device::Vaapi("/dev/dri/renderD199".into()), Device::Qsv("/dev/dri/renderD199".into())] {
        let plan = PicturePlan { device, ..plan(0, 6, format(160, 90)) };
        let failed = media.picture(&film(), plan, &CancellationToken::new()).await;
        assert!(matches!(failed, Err(MediaError::Device(_))), "{failed:?}");
    }
}
