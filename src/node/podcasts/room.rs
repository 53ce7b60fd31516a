//! Whether there is room for an episode: by its own size, by what all take together, and on the disk.
use super::Podcasts;
use super::download::Trouble;
use crate::blocks::free_bytes;

/// Bytes that stay free on the disk.
const SPARE: u64 = 512 * 1024 * 1024;

impl Podcasts {
    /// Whether there is room for an episode of that many bytes, of which so many are still to come.
    pub(super) async fn fits(&self, number: i64, size: u64, to_come: u64) -> Result<(), Trouble> {
        let most = self.options.episode_max;
        if size > most {
            let mib = most.div_ceil(1024 * 1024);
            return Err(Trouble::Room(format!("it is larger than {mib} MiB, which podcasts.episode_mib allows")));
        }
        if let Some(quota) = self.options.quota {
            let others = self.catalog.podcasts_size().await? + self.parts_besides(number).await;
            if others.saturating_add(size) > quota {
                return Err(Trouble::Room("all that podcasts.quota_gib allows is taken".to_owned()));
            }
        }
        match free_bytes(&self.folder) < to_come.saturating_add(SPARE) {
            true => Err(Trouble::Room("the disk is full".to_owned())),
            false => Ok(()),
        }
    }

    /// Bytes that are here of other episodes, of which not all is.
    async fn parts_besides(&self, number: i64) -> u64 {
        let (folder, own) = (self.folder.clone(), self.part(number));
        let sizes = move || {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let others = entries.filter(|entry| entry.path() != own);
            let parts = others.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "part"));
            parts.filter_map(|entry| entry.metadata().ok()).map(|part| part.len()).sum()
        };
        tokio::task::spawn_blocking(sizes).await.unwrap_or_default()
    }
}
