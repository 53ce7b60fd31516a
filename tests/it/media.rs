//! The media worker: what it tells of files, good and bad, and what a bad one does to the node.
use std::path::PathBuf;
use std::time::Duration;

use potluck::media::{HdrFormat, Media, MediaError, StreamKind};

use crate::fixtures::{clip, film, film_mkv, media, media_options};

fn junk(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

async fn unreadable(media: &Media, path: &std::path::Path) -> String {
    match media.probe(path).await {
        Err(MediaError::Unreadable(sentence)) => sentence,
        other => panic!("{}: {other:?}", path.display()),
    }
}

#[tokio::test]
async fn a_film_is_probed() {
    let facts = media().probe(&film()).await.unwrap();
    assert_eq!(facts.container, "mp4");
    assert!((facts.duration - 12.0).abs() < 0.1, "{}", facts.duration);
    let [video, audio] = &facts.streams[..] else { panic!("{:?}", facts.streams) };
    assert_eq!((video.kind, video.codec.as_str()), (StreamKind::Video, "h264"));
    assert!(video.codec_string.as_ref().unwrap().starts_with("avc1.42c0") || video.codec_string.is_some());
    assert_eq!((video.width, video.height, video.frame_rate), (Some(320), Some(180), Some(24.0)));
    assert_eq!((video.bit_depth, video.hdr), (Some(8), None));
    assert_eq!((audio.kind, audio.codec_string.as_deref()), (StreamKind::Audio, Some("mp4a.40.2")));
    assert_eq!((audio.channels, audio.sample_rate), (Some(1), Some(44100)));
    assert_eq!(media().probe(&film_mkv()).await.unwrap().container, "matroska");
}

#[tokio::test]
async fn names_languages_and_chapters_are_told() {
    let chapters = junk("meta.txt", b";FFMETADATA1\ntitle=A Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=5000\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=5000\nEND=12000\ntitle=Two\n");
    let path = clip(
        "named.mkv",
        &[
            "-i",
            "{film}",
            "-i",
            chapters.1.to_str().unwrap(),
            "-map_metadata",
            "1",
            "-c",
            "copy",
            "-metadata:s:a:0",
            "language=ger",
            "-metadata:s:a:0",
            "title=Kommentar",
            "-disposition:a:0",
            "default",
        ],
    );
    let facts = media().probe(&path).await.unwrap();
    assert_eq!(facts.title.as_deref(), Some("A Film"));
    let titles: Vec<_> = facts.chapters.iter().map(|c| (c.start, c.title.as_deref().unwrap())).collect();
    assert_eq!(titles, [(0.0, "One"), (5.0, "Two")]);
    assert_eq!(facts.streams[1].language.as_deref(), Some("ger"));
    assert_eq!(facts.streams[1].title.as_deref(), Some("Kommentar"));
    assert!(facts.streams[1].default);
}

#[tokio::test]
async fn facts_tell_what_decides_how_a_file_is_played() {
    let path = clip(
        "facts.mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=25:duration=1",
            "-f",
            "lavfi",
            "-i",
            "aevalsrc=0|0|0|0|0|0:c=5.1:d=1",
            "-attach",
            film().to_str().unwrap(),
            "-metadata:s:t",
            "mimetype=application/x-font-ttf",
            "-metadata:s:t",
            "filename=A.ttf",
            "-c:v",
            "mpeg2video",
            "-vf",
            "setfield=tff",
            "-flags",
            "+ildct+ilme",
            "-pix_fmt",
            "yuv422p",
            "-c:a",
            "ac3",
        ],
    );
    let facts = media().probe(&path).await.unwrap();
    let [video, audio, font] = &facts.streams[..] else { panic!("{:?}", facts.streams) };
    assert_eq!((video.chroma.as_deref(), video.interlaced), (Some("4:2:2"), true));
    assert_eq!(audio.channel_layout.as_deref(), Some("5.1(side)"));
    assert_eq!((font.file_name.as_deref(), font.mime_type.as_deref()), (Some("A.ttf"), Some("application/x-font-ttf")));
}

#[tokio::test]
async fn a_picture_is_told_as_it_is_shown() {
    let wide = clip(
        "anamorphic.mkv",
        &["-i", "{film}", "-an", "-t", "2", "-vf", "setsar=4/3", "-c:v", "libx264", "-preset", "ultrafast"],
    );
    let facts = media().probe(&wide).await.unwrap();
    assert_eq!((facts.streams[0].width, facts.streams[0].height), (Some(426), Some(180)));
    let turned = clip("turned.mp4", &["-i", "{film}", "-c", "copy", "-metadata:s:v", "rotate=90"]);
    let facts = media().probe(&turned).await.unwrap();
    assert_eq!((facts.streams[0].width, facts.streams[0].height), (Some(180), Some(320)));
}

#[tokio::test]
async fn high_dynamic_range_is_recognised() {
    let pq = clip(
        "pq.mkv",
        &[
            "-i",
            "{film}",
            "-an",
            "-t",
            "1",
            "-pix_fmt",
            "yuv420p10le",
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
        ],
    );
    let facts = media().probe(&pq).await.unwrap();
    assert_eq!((facts.streams[0].hdr, facts.streams[0].bit_depth), (Some(HdrFormat::Pq), Some(10)));
    assert!(facts.streams[0].codec_string.as_ref().unwrap().starts_with("hvc1.2."));
    let poster = media().poster(&pq, 160).await.unwrap();
    assert_eq!(poster[..2], [0xff, 0xd8]);
}

/// Width and height from a JPEG's frame header.
fn jpeg_size(bytes: &[u8]) -> (u16, u16) {
    let at = bytes.windows(2).position(|w| w[0] == 0xff && (0xc0..=0xc2).contains(&w[1])).unwrap();
    let number = |i: usize| u16::from_be_bytes([bytes[at + i], bytes[at + i + 1]]);
    (number(7), number(5))
}

#[tokio::test]
async fn a_poster_is_upright_and_within_its_width() {
    let media = media();
    assert_eq!(jpeg_size(&media.poster(&film(), 200).await.unwrap()), (200, 112));
    assert_eq!(jpeg_size(&media.poster(&film(), 4000).await.unwrap()), (320, 180));
    let turned = clip("turned.mp4", &["-i", "{film}", "-c", "copy", "-metadata:s:v", "rotate=90"]);
    assert_eq!(jpeg_size(&media.poster(&turned, 90).await.unwrap()), (90, 160));
}

#[tokio::test]
async fn a_poster_is_not_black_where_the_film_is_not() {
    let dark_start = clip(
        "dark.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=black:size=320x180:rate=24:duration=6",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=24:duration=6",
            "-filter_complex",
            "concat=n=2",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-g",
            "24",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let black = clip(
        "black.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=black:size=320x180:rate=24:duration=6",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
        ],
    );
    let media = media();
    let (bright, dark) = (media.poster(&dark_start, 320).await.unwrap(), media.poster(&black, 320).await.unwrap());
    assert!(bright.len() > 3 * dark.len(), "{} against {}", bright.len(), dark.len());
}

#[tokio::test]
async fn a_file_without_pictures_has_no_poster() {
    let song = clip("song.m4a", &["-i", "{film}", "-vn", "-c", "copy"]);
    let answer = media().poster(&song, 100).await;
    assert!(matches!(answer, Err(MediaError::Unreadable(_))), "{answer:?}");
}

#[tokio::test]
async fn what_is_not_media_is_refused_with_a_sentence() {
    let media = media();
    assert_eq!(unreadable(&media, &junk("a.mp4", b"").1).await, "the file is empty");
    let text = junk("b.mp4", "To be, or not to be. ".repeat(500).as_bytes());
    assert_eq!(unreadable(&media, &text.1).await, "this is not a media file that can be read");
    let noise: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    unreadable(&media, &junk("c.mkv", &noise).1).await;
    let whole = std::fs::read(film()).unwrap();
    unreadable(&media, &junk("d.mp4", &whole[..whole.len() / 2]).1).await;
}

#[tokio::test]
async fn a_missing_file_or_a_folder_cannot_be_opened() {
    let media = media();
    assert!(matches!(media.probe("/nowhere/at/all.mp4".as_ref()).await, Err(MediaError::Open(_))));
    assert!(matches!(media.probe("/".as_ref()).await, Err(MediaError::Open(_))));
}

#[tokio::test]
async fn a_playlist_under_another_name_opens_no_other_file() {
    let media = media();
    let film = film();
    let film = film.to_str().unwrap();
    let playlist = format!("#EXTM3U\n#EXT-X-TARGETDURATION:12\n#EXTINF:12,\n{film}\n#EXT-X-ENDLIST\n");
    unreadable(&media, &junk("a.mkv", playlist.as_bytes()).1).await;
    let concat = format!("ffconcat version 1.0\nfile '{film}'\n");
    unreadable(&media, &junk("b.mkv", concat.as_bytes()).1).await;
}

/// Every question about a file, one after the other. A crash is the only answer that is not allowed.
async fn ask_everything(media: &Media, path: &std::path::Path) -> Result<(), MediaError> {
    let answers = |answer: Result<(), MediaError>| match answer {
        Err(crash @ MediaError::Crashed(_)) => Err(crash),
        _ => Ok(()),
    };
    answers(media.probe(path).await.map(|_| ()))?;
    answers(media.poster(path, 160).await.map(|_| ()))?;
    let index = match media.index(path).await {
        Ok(index) => index,
        Err(error) => return answers(Err(error)),
    };
    for track in &index.tracks {
        for n in 0..track.starts.len().min(4) {
            let plan = index.plan(track, n).unwrap();
            answers(media.segment(path, plan).await.map(|_| ()))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_files_give_answers_and_never_take_a_worker_down() {
    let folder = tempfile::tempdir().unwrap();
    let media = media();
    for (kind, whole) in [("mp4", film()), ("mkv", film_mkv())] {
        let bytes = std::fs::read(whole).unwrap();
        for round in 0..60_u64 {
            let path = folder.path().join(format!("{round}.{kind}"));
            std::fs::write(&path, damaged(&bytes, round)).unwrap();
            if let Err(crash) = ask_everything(&media, &path).await {
                panic!("{kind}, round {round}: {crash}");
            }
        }
    }
    assert_eq!(media.state().failures, 0);
}

/// Bytes changed, cut off or left out, mostly where the containers keep their tables.
fn damaged(bytes: &[u8], round: u64) -> Vec<u8> {
    let mut random = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let mut damaged = bytes.to_vec();
    match round % 4 {
        0 => damaged.truncate(1 + next(bytes.len() - 1)),
        1 => {
            let at = next(bytes.len() - 5000);
            damaged.drain(at..at + 1 + next(4000));
        }
        kind => {
            let (from, length) = if kind == 2 { (0, 6000) } else { (bytes.len() - 8000, 8000) };
            for _ in 0..1 + next(40) {
                damaged[from + next(length)] = next(256) as u8;
            }
        }
    }
    damaged
}

#[tokio::test]
async fn a_worker_that_is_killed_is_replaced() {
    let media = media();
    media.probe(&film()).await.unwrap();
    for pid in workers() {
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
    media.probe(&film()).await.unwrap();
}

/// The worker processes that this thread's runtime started.
fn workers() -> Vec<rustix::process::Pid> {
    let thread = format!("/proc/self/task/{}/children", rustix::thread::gettid().as_raw_nonzero());
    let text = std::fs::read_to_string(thread).unwrap();
    text.split_whitespace().filter_map(|pid| rustix::process::Pid::from_raw(pid.parse().ok()?)).collect()
}

#[tokio::test]
async fn stopping_ends_all_workers_even_busy_ones() {
    let media = media();
    let film = film();
    media.probe(&film).await.unwrap();
    let busy = tokio::spawn({
        let (media, film) = (media.clone(), film.clone());
        async move { media.poster(&film, 300).await }
    });
    media.stop().await;
    assert_eq!((media.state().running, media.state().busy), (0, 0));
    let _ = busy.await.unwrap();
    assert!(matches!(media.probe(&film).await, Err(MediaError::Crashed(_))));
}

#[tokio::test]
async fn a_worker_that_cannot_be_started_is_an_error() {
    let options = potluck::media::MediaOptions { worker: "/nowhere/worker".into(), ..media_options() };
    let answer = Media::new(options).probe(&film()).await;
    assert!(matches!(answer, Err(MediaError::Start(_))), "{answer:?}");
}

#[tokio::test]
async fn a_worker_that_answers_nothing_is_ended_in_time() {
    // `sleep` gets the memory limit and the time limit as its arguments, and sleeps for both.
    let options = potluck::media::MediaOptions {
        worker: "/bin/sleep".into(),
        timeout: Duration::from_millis(200),
        ..media_options()
    };
    let media = Media::new(options);
    let answer = media.probe(&film()).await;
    assert!(matches!(answer, Err(MediaError::Crashed(_))), "{answer:?}");
    assert_eq!((media.state().running, media.state().failures), (0, 1));
}

#[tokio::test]
async fn a_worker_may_not_use_more_memory_than_allowed() {
    let options = potluck::media::MediaOptions { memory_limit: 150 << 20, ..media_options() };
    let answer = Media::new(options).poster(&film(), 300).await;
    assert!(answer.is_err(), "{answer:?}");
}
