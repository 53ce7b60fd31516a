//! Keeps indexes in a folder, because the index of a file without one costs reading it wholly.
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::renditions::PACKAGER;
use crate::content::Cid;
use crate::media::timeline::FileIndex;

/// Version of what an index holds. It grows when an older one lacks something.
const MEASURED: u32 = 3;
/// The version before it, which lacks the frames of sound that is alone in its file.
const FILMS_MEASURED: u32 = 2;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    packager: u32,
    /// Absent in the first version, which left out what cannot be repackaged.
    #[serde(default)]
    measured: u32,
    index: FileIndex,
}

impl Shelf {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    fn path(&self, file: &Cid) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{file}.json")))
    }

    /// The index of a file, if it is kept and of this version.
    pub async fn get(&self, file: &Cid) -> Option<FileIndex> {
        let bytes = tokio::fs::read(self.path(file)?).await.ok()?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        let of_film = kept.measured == FILMS_MEASURED && kept.index.film().is_some();
        (kept.packager == PACKAGER && (kept.measured == MEASURED || of_film)).then_some(kept.index)
    }

    /// Keeps an index. It can be measured again, so a failure is only told.
    pub async fn put(&self, file: &Cid, index: &FileIndex) {
        let (Some(path), Ok(bytes)) = (
            self.path(file),
            serde_json::to_vec(&Kept { packager: PACKAGER, measured: MEASURED, index: index.clone() }),
        ) else {
            return;
        };
        if let Err(error) = write(&path, &bytes).await {
            tracing::warn!(path = %path.display(), %error, "a file's cut list could not be kept");
        }
    }
}

async fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let new = path.with_extension("new");
    tokio::fs::write(&new, bytes).await?;
    tokio::fs::rename(&new, path).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::cid::of_raw;
    use crate::media::fmp4::{SampleFormat, TrackConfig};
    use crate::media::timeline::TrackIndex;

    fn index(video: bool) -> FileIndex {
        let config = TrackConfig { timescale: 1000, language: None, format: SampleFormat::Foreign { video } };
        let track = TrackIndex {
            stream: 0,
            config,
            starts: vec![0],
            keys: Vec::new(),
            end: 1000,
            grid: None,
            peak_bit_rate: 1,
        };
        FileIndex { base_seconds: 0, tracks: vec![track] }
    }

    #[tokio::test]
    async fn sound_alone_is_measured_anew_where_an_older_version_did_not_look_for_its_frames() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(Some(folder.path().to_owned()));
        for (video, measured, found) in [(true, 1, false), (true, 2, true), (false, 2, false), (false, 3, true)] {
            let file = of_raw(&[u8::from(video), measured]);
            let kept = Kept { packager: PACKAGER, measured: u32::from(measured), index: index(video) };
            write(&shelf.path(&file).unwrap(), &serde_json::to_vec(&kept).unwrap()).await.unwrap();
            assert_eq!(shelf.get(&file).await.is_some(), found, "version {measured}, film: {video}");
        }
    }
}
