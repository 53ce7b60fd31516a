//! Files of every kind with tags, written by ffmpeg, by the tag library and by hand.
use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use lofty::config::WriteOptions;
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::id3::v2::{
    Frame, FrameId, Id3v2Tag, KeyValueFrame, SyncTextContentType, SynchronizedTextFrame, TimestampFormat,
};
use lofty::picture::{MimeType, Picture as LoftyPicture, PictureType as LoftyType};
use lofty::tag::{ItemKey, Tag, TagExt, TagType};
use lofty::{TextEncoding, id3};

use super::samples::{ALL, file_of, id3 as id3_tag, jpeg, png, tone, tone_at};
use super::*;

fn told(bytes: &[u8], name: &str) -> Music {
    inspect(&file_of(bytes), name, &Limits::default()).unwrap()
}

fn told_at(path: &Path) -> Music {
    inspect(&File::open(path).unwrap(), &path.to_string_lossy(), &Limits::default()).unwrap()
}

fn names(artists: &[Artist]) -> Vec<&str> {
    artists.iter().map(|artist| artist.name.as_str()).collect()
}

#[test]
fn every_format_is_told_with_its_sound() {
    use {Codec as C, Container as K};
    let formats = [
        ("mp3", K::Mpeg, C::Mp3),
        ("flac", K::Flac, C::Flac),
        ("opus", K::Ogg, C::Opus),
        ("ogg", K::Ogg, C::Vorbis),
        ("m4a", K::Mp4, C::Aac),
        ("alac.m4a", K::Mp4, C::Alac),
        ("wav", K::Wav, C::Pcm),
        ("aiff", K::Aiff, C::Pcm),
        ("wv", K::WavPack, C::WavPack),
        ("spx", K::Ogg, C::Speex),
        ("aac", K::Adts, C::Aac),
        ("mp2", K::Mpeg, C::Mp2),
    ];
    for (ending, container, codec) in formats {
        let music = told(&tone(ending, &[]), "no ending");
        assert_eq!(music.format, Format { container, codec }, "{ending}");
        assert!((0.9..1.2).contains(&music.duration), "{ending} {}", music.duration);
        let hz = match ending {
            "opus" => 48_000,
            "spx" => 32_000,
            _ => 44_100,
        };
        assert_eq!((music.sample_rate, music.channels), (Some(hz), Some(2)), "{ending}");
        assert!(music.bit_rate.is_some_and(|rate| (5..2000).contains(&rate)), "{ending} {:?}", music.bit_rate);
        let lossless = matches!(codec, C::Flac | C::Alac | C::Pcm | C::WavPack);
        assert_eq!(music.bit_depth, lossless.then_some(16), "{ending}");
    }
}

#[test]
fn what_ffmpeg_writes_is_read_in_every_format() {
    let tags = [
        ("title", "Ein schöner Titel"),
        ("artist", "A feat. B"),
        ("album", "Album"),
        ("track", "3"),
        ("genre", "Rock; Pop"),
        ("date", "1999"),
        ("comment", "Said"),
    ];
    for (ending, _) in ALL.iter().filter(|(ending, _)| *ending != "mp2") {
        let music = told(&tone(ending, &tags), ending);
        let told = &music.told;
        assert_eq!(told.title.as_deref(), Some("Ein schöner Titel"), "{ending}");
        assert_eq!(
            (names(&told.artists), told.display_artist.as_deref()),
            (vec!["A", "B"], Some("A feat. B")),
            "{ending}"
        );
        assert_eq!((told.album.as_deref(), told.track, told.year), (Some("Album"), Some(3), Some(1999)), "{ending}");
        assert_eq!(
            (&*told.genres, told.comment.as_deref()),
            (&["Rock".to_owned(), "Pop".to_owned()][..], Some("Said")),
            "{ending}"
        );
        let text = serde_json::to_string(&music).unwrap();
        assert_eq!(serde_json::from_str::<Music>(&text).unwrap(), music);
    }
}

/// Everything that a well kept file has, by the library's writer, in each dialect that can say it.
#[test]
fn what_a_good_tagger_writes_is_read_in_every_dialect() {
    const MBID: &str = "0a0a0a0a-1b1b-2c2c-3d3d-4e4e4e4e4e4e";
    let fields = [
        (ItemKey::TrackTitle, "T"),
        (ItemKey::TrackTitleSortOrder, "T, the"),
        (ItemKey::AlbumTitle, "Al"),
        (ItemKey::AlbumTitleSortOrder, "Al, the"),
        (ItemKey::TrackArtist, "A & B"),
        (ItemKey::AlbumArtist, "AA"),
        (ItemKey::AlbumArtistSortOrder, "AA, the"),
        (ItemKey::SetSubtitle, "Sub"),
        (ItemKey::Mood, "Calm"),
        (ItemKey::Composer, "Com"),
        (ItemKey::Lyricist, "Lyr"),
        (ItemKey::Conductor, "Con"),
        (ItemKey::Remixer, "Rem"),
        (ItemKey::Producer, "Pro"),
        (ItemKey::Isrc, "USRC17607839"),
        (ItemKey::Label, "Lab"),
        (ItemKey::CatalogNumber, "CAT 1"),
        (ItemKey::MusicBrainzRecordingId, MBID),
        (ItemKey::MusicBrainzTrackId, MBID),
        (ItemKey::MusicBrainzReleaseId, MBID),
        (ItemKey::MusicBrainzReleaseGroupId, MBID),
        (ItemKey::MusicBrainzReleaseArtistId, MBID),
        (ItemKey::MusicBrainzReleaseType, "Album"),
        (ItemKey::ReplayGainTrackGain, "-7.5 dB"),
        (ItemKey::ReplayGainAlbumPeak, "0.5"),
        (ItemKey::Language, "deu"),
        (ItemKey::FlagCompilation, "1"),
        (ItemKey::TrackNumber, "3"),
        (ItemKey::TrackTotal, "12"),
        (ItemKey::DiscNumber, "1"),
        (ItemKey::DiscTotal, "2"),
        (ItemKey::RecordingDate, "2011-05-06"),
        (ItemKey::OriginalReleaseDate, "1973-03"),
        (ItemKey::UnsyncLyrics, "one\ntwo"),
    ];
    let kinds = [
        ("mp3", TagType::Id3v2),
        ("flac", TagType::VorbisComments),
        ("ogg", TagType::VorbisComments),
        ("m4a", TagType::Mp4Ilst),
        ("wv", TagType::Ape),
        ("wav", TagType::Id3v2),
        ("aiff", TagType::Id3v2),
    ];
    for (ending, kind) in kinds {
        let path = tone_at(ending, &[]);
        let mut tag = Tag::new(kind);
        for (key, value) in fields {
            tag.insert_text(key, value.to_owned());
        }
        let listed = [(ItemKey::TrackArtists, ["A", "B"]), (ItemKey::Genre, ["Hip-Hop/Rap", "Jazz"])];
        for (key, values) in listed {
            // The writer of APE tags knows one value of a kind, which may hold several.
            let values =
                if kind == TagType::Ape { vec![values.join("\0")] } else { values.map(str::to_owned).to_vec() };
            for value in values {
                tag.push(lofty::tag::TagItem::new(key, lofty::tag::ItemValue::Text(value)));
            }
        }
        let picture = |kind, mime, bytes| LoftyPicture::unchecked(bytes).pic_type(kind).mime_type(mime).build();
        tag.push_picture(picture(LoftyType::CoverBack, MimeType::Png, png(50)));
        tag.push_picture(picture(LoftyType::CoverFront, MimeType::Jpeg, jpeg(60)));
        if kind == TagType::Ape {
            // The writer of plain tags leaves pictures out here.
            lofty::ape::ApeTag::from(tag).save_to_path(&path, WriteOptions::new()).unwrap();
        } else {
            tag.save_to_path(&path, WriteOptions::new()).unwrap();
        }

        let music = told_at(&path);
        let told = &music.told;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        assert_eq!(
            [&told.title, &told.sort_title, &told.album, &told.sort_album].map(text),
            ["T", "T, the", "Al", "Al, the"],
            "{ending}"
        );
        assert_eq!((names(&told.artists), text(&told.display_artist)), (vec!["A", "B"], "A & B".into()), "{ending}");
        let album_artist = Artist { name: "AA".into(), sort_name: Some("AA, the".into()), mbid: Some(MBID.into()) };
        assert_eq!(
            (&*told.album_artists, text(&told.display_album_artist)),
            (&[album_artist][..], "AA".into()),
            "{ending}"
        );
        assert_eq!(
            (told.track, told.track_total, told.disc, told.disc_total),
            (Some(3), Some(12), Some(1), Some(2)),
            "{ending}"
        );
        assert_eq!(
            (told.year, text(&told.release_date), text(&told.original_date)),
            (Some(2011), "2011-05-06".into(), "1973-03".into()),
            "{ending}"
        );
        assert_eq!(
            (&*told.genres, names(&told.composers)),
            (&["Hip-Hop/Rap".to_owned(), "Jazz".into()][..], vec!["Com"]),
            "{ending}"
        );
        let parts: Vec<_> = told.contributors.iter().map(|one| (one.role.as_str(), one.name.as_str())).collect();
        for part in [("lyricist", "Lyr"), ("producer", "Pro"), ("remixer", "Rem"), ("conductor", "Con")] {
            assert!(parts.contains(&part), "{ending} {part:?} {parts:?}");
        }
        assert_eq!(
            (&*told.isrc, text(&told.catalog_number), told.compilation),
            (&["USRC17607839".to_owned()][..], "CAT 1".into(), true),
            "{ending}"
        );
        let ids = &told.musicbrainz;
        assert!(
            [&ids.recording, &ids.track, &ids.release, &ids.release_group].iter().all(|id| id.as_deref() == Some(MBID)),
            "{ending} {ids:?}"
        );
        assert_eq!((told.replay_gain.track_gain, told.replay_gain.album_peak), (Some(-7.5), Some(0.5)), "{ending}");
        assert_eq!(
            (&*told.release_types, &*told.labels),
            (&["album".to_owned()][..], &["Lab".to_owned()][..]),
            "{ending}"
        );
        assert_eq!(
            (told.lyrics[0].text(), text(&told.disc_subtitle), &*told.moods),
            ("one\ntwo".into(), "Sub".into(), &["Calm".to_owned()][..]),
            "{ending}"
        );
        assert_eq!(told.languages, ["deu"], "{ending}");
        assert_eq!(music.pictures.len(), 2, "{ending}");
        let file = File::open(&path).unwrap();
        let front = picture_of(&file, ending, None);
        let wanted = if ending == "m4a" { (PictureType::Png, png(50)) } else { (PictureType::Jpeg, jpeg(60)) };
        assert_eq!(front, Some(wanted), "{ending}");
        assert_eq!(picture_of(&file, ending, Some(2)), None);
    }
}

fn picture_of(file: &File, name: &str, index: Option<usize>) -> Option<(PictureType, Vec<u8>)> {
    super::picture(file, name, index, &Limits::default()).unwrap()
}

#[test]
fn rarer_frames_of_id3_are_read() {
    let path = tone_at("mp3", &[]);
    let mut tag = Id3v2Tag::new();
    let pairs = vec![(Cow::from("lead guitar"), Cow::from("Ann")), (Cow::from("drums"), Cow::from("Bob"))];
    tag.insert(Frame::KeyValue(KeyValueFrame::new(FrameId::Valid("TMCL".into()), TextEncoding::UTF16, pairs)));
    let words = vec![(1000, "one".to_owned()), (2500, "two".to_owned())];
    let synced = SynchronizedTextFrame::new(
        TextEncoding::UTF16,
        *b"eng",
        TimestampFormat::MS,
        SyncTextContentType::Lyrics,
        Some("d".into()),
        words,
    );
    let bytes = synced.as_bytes(WriteOptions::default()).unwrap();
    tag.insert(Frame::Binary(id3::v2::BinaryFrame::new(FrameId::Valid("SYLT".into()), bytes)));
    tag.insert_user_text("ITUNESADVISORY".into(), "1".into());
    tag.save_to_path(&path, WriteOptions::new()).unwrap();
    let told = told_at(&path).told;
    let parts: Vec<_> = told.contributors.iter().map(|one| (one.sub_role.as_deref(), one.name.as_str())).collect();
    assert_eq!(parts, [(Some("lead guitar"), "Ann"), (Some("drums"), "Bob")]);
    let line = |start, text: &str| Line { start_ms: Some(start), text: text.into() };
    assert_eq!(
        told.lyrics,
        [Lyrics { language: Some("eng".into()), lines: vec![line(1000, "one"), line(2500, "two")] }]
    );
    assert_eq!(told.explicit, Some(Explicit::Explicit));
}

#[test]
fn old_and_odd_id3_tags_are_read() {
    let sound = tone("mp2", &[]);
    let with = |tag: Vec<u8>| told(&[tag, sound.clone()].concat(), "a.mp2");
    let picture = [&b"\0PNG\x03\0"[..], &png(40)].concat();
    let old = with(id3_tag(
        2,
        &[
            ("TT2", b"\0Old"),
            ("TP1", b"\x01\xff\xfeA\0"),
            ("TCO", b"\0(17)"),
            ("TYE", b"\x001987"),
            ("PIC", &picture),
            ("COM", b"\0eng\0Said"),
        ],
    ));
    assert_eq!(
        (old.told.title.as_deref(), old.told.year, &*old.told.genres),
        (Some("Old"), Some(1987), &["Rock".to_owned()][..])
    );
    assert_eq!(old.pictures, [Picture { kind: PictureKind::Front, picture_type: PictureType::Png, size: 40 }]);
    assert_eq!(old.told.comment.as_deref(), Some("Said"));

    let third = with(id3_tag(
        3,
        &[
            ("TPE1", b"\0First"),
            ("TPE1", b"\0Second"),
            ("TYER", b"\x001999"),
            ("TDAT", b"\x003112"),
            ("TCON", b"\0(17)(8)"),
            ("RVA2", b"track\0\x01\xfc\x00\x00"),
            ("IPLS", b"\0producer\0Pat\0bass\0Bo\0"),
            ("COMM", b"\0engiTunNORM\0 0000"),
            ("COMM", b"\0engnote\0kept"),
        ],
    ));
    assert_eq!(names(&third.told.artists), ["First", "Second"]);
    assert_eq!(
        (third.told.release_date.as_deref(), third.told.replay_gain.track_gain),
        (Some("1999-12-31"), Some(-2.0))
    );
    assert_eq!(
        (third.told.genres, third.told.comment.as_deref()),
        (vec!["Rock".to_owned(), "Jazz".into()], Some("kept"))
    );
    assert_eq!(third.told.contributors.len(), 2);

    let fourth = with(
        [
            id3_tag(4, &[("TPE1", b"\x03A\0B"), ("TIT2", b"\x07bad encoding")]),
            id3_tag(4, &[("TIT2", b"\x03T"), ("TPE1", b"\x03not me")]),
        ]
        .concat(),
    );
    assert_eq!((names(&fourth.told.artists), fourth.told.title.as_deref()), (vec!["A", "B"], Some("T")));
}

#[test]
fn tags_fill_each_others_gaps_and_the_formats_own_stands_first() {
    let id3v1 = {
        let mut tag = [0u8; 128];
        tag[..8].copy_from_slice(b"TAGShort");
        tag[33..34].copy_from_slice(b"X");
        tag[127] = 17;
        tag
    };
    let music =
        told(&[id3_tag(3, &[("TIT2", b"\0Shorter title")]), tone("mp2", &[]), id3v1.to_vec()].concat(), "a.mp2");
    assert_eq!(
        (music.told.title.as_deref(), music.told.display_artist.as_deref(), &*music.told.genres),
        (Some("Shorter title"), Some("X"), &["Rock".to_owned()][..])
    );
    let music = told(
        &[id3_tag(3, &[("TIT2", b"\0Stranger"), ("TCOM", b"\0Com")]), tone("flac", &[("title", "Own")])].concat(),
        "a.flac",
    );
    assert_eq!((music.told.title.as_deref(), names(&music.told.composers)), (Some("Own"), vec!["Com"]));
}

#[test]
fn a_damaged_tag_leaves_the_rest() {
    let mut bytes = tone("flac", &[("title", "T"), ("artist", "A")]);
    let at = bytes.windows(6).position(|part| part.eq_ignore_ascii_case(b"title=")).unwrap();
    bytes[at - 4..at].copy_from_slice(&[0xff; 4]);
    let music = told(&bytes, "a.flac");
    assert_eq!((music.format.codec, music.sample_rate), (Codec::Flac, Some(44_100)));
    let cut = &id3_tag(4, &[("TIT2", b"\x03T"), ("TALB", &[b'x'; 500])])[..60];
    let music = inspect(&file_of(&[cut, &tone("mp2", &[])].concat()), "a.mp2", &Limits::default());
    assert_eq!(music.unwrap().told.title.as_deref(), Some("T"));
}

#[test]
fn stamped_lyrics_in_comments_are_synced() {
    let path = tone_at(
        "flac",
        &[("LYRICS", "[00:01.00]one\n[00:02.00]two"), ("ITUNESADVISORY", "2"), ("performer", "Ann (piano)")],
    );
    let told = told_at(&path).told;
    assert!(told.lyrics[0].is_synced() && told.lyrics[0].lines.len() == 2);
    assert_eq!((told.explicit, told.contributors[0].sub_role.as_deref()), (Some(Explicit::Clean), Some("piano")));
}

#[test]
fn what_opus_says_of_loudness_is_converted() {
    let told = told(&tone("opus", &[("R128_TRACK_GAIN", "-512")]), "a.opus").told;
    assert_eq!(told.replay_gain.track_gain, Some(3.0));
}

#[test]
fn what_is_not_read_here_is_told_apart() {
    let error = |bytes: &[u8], name: &str| inspect(&file_of(bytes), name, &Limits::default()).unwrap_err();
    assert!(matches!(error(b"hello world, this is text", "a.flac"), MusicError::NotMusic));
    assert!(matches!(error(b"", "a.mp3"), MusicError::NotMusic));
    assert!(matches!(error(b"hello world, this is text", "a.mp3"), MusicError::Broken(_)));
    assert!(matches!(error(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11..", "a.wma"), MusicError::NeedsOther(OtherFormat::Asf)));
    assert!(matches!(error(&id3_tag(3, &[("TIT2", b"\0T")]), "a.mp3"), MusicError::NotMusic));
}

#[test]
fn the_librarys_own_readers_agree_on_length() {
    for (ending, _) in ALL {
        let path = tone_at(ending, &[]);
        let Ok(file) = lofty::read_from_path(&path) else { continue };
        let own = told_at(&path).duration;
        assert!((file.properties().duration().as_secs_f64() - own).abs() < 0.05, "{ending}");
        assert!(file.tags().len() < 4);
    }
}
