//! Devices that decode and encode: what the worker's probe found, and which one a stream is given to.
use std::ffi::OsString;
use std::path::Path;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the kernel shows render nodes.
const RENDER_NODES: &str = "/dev/dri";
/// Variables that drivers and their loaders go by; a worker gets these and nothing else.
const VARIABLES: [&str; 12] = [
    "LIBVA_DRIVER_NAME",
    "LIBVA_DRIVERS_PATH",
    "LIBVA_MESSAGING_LEVEL",
    "DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "ONEVPL_SEARCH_PATH",
    "ONEVPL_PRIORITY_PATH",
    "MFX_HOME",
    "INTEL_MEDIA_RUNTIME",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
];

/// Of the environment of this process what a worker that uses devices is given.
#[must_use]
pub fn environment() -> Vec<(OsString, OsString)> {
    VARIABLES.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect()
}

/// Who transcodes a segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Device {
    /// The processor: always there.
    Software,
    /// Intel Quick Sync on this render node (`/dev/dri/renderD128`).
    Qsv(String),
    /// VAAPI on this render node, or on an X display (`:1`).
    Vaapi(String),
}

/// The interface through which a device is used, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeviceApi {
    /// Intel Quick Sync Video (oneVPL).
    Qsv,
    /// Video Acceleration API.
    Vaapi,
    /// libx264 and the processor.
    Software,
}

/// What a device can do, found by doing it: opening it and encoding ten frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceReport {
    /// How it is used.
    pub api: DeviceApi,
    /// Render node or display; empty for software.
    pub path: String,
    /// As its driver calls itself.
    pub name: String,
    /// Codecs it decodes (`h264`, `hevc`, `vp9`, `av1`, `mpeg2video`, `vc1`).
    pub decode: Vec<String>,
    /// Codecs it encodes.
    pub encode: Vec<String>,
    /// It scales pictures in its own memory.
    pub scale: bool,
    /// It maps high dynamic range to standard.
    pub tone_map: bool,
    /// Why it is not used, and what to do, for people; absent for what is used.
    pub problem: Option<String>,
}

impl Device {
    /// The render node or display.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Software => "",
            Self::Qsv(path) | Self::Vaapi(path) => path,
        }
    }

    /// How it is used.
    #[must_use]
    pub fn api(&self) -> DeviceApi {
        match self {
            Self::Software => DeviceApi::Software,
            Self::Qsv(_) => DeviceApi::Qsv,
            Self::Vaapi(_) => DeviceApi::Vaapi,
        }
    }
}

impl DeviceReport {
    /// The report of a device that is not used, and why.
    #[must_use]
    pub fn unusable(device: &Device, problem: String) -> Self {
        Self {
            api: device.api(),
            path: device.path().to_owned(),
            name: String::new(),
            decode: Vec::new(),
            encode: Vec::new(),
            scale: false,
            tone_map: false,
            problem: Some(problem),
        }
    }

    /// The device, if it can be used.
    #[must_use]
    pub fn device(&self) -> Option<Device> {
        let device = match self.api {
            DeviceApi::Software => Device::Software,
            DeviceApi::Qsv => Device::Qsv(self.path.clone()),
            DeviceApi::Vaapi => Device::Vaapi(self.path.clone()),
        };
        self.problem.is_none().then_some(device)
    }
}

/// The devices that are worth a probe, and reports of those that are not: `named` ones, or all render nodes.
pub(super) fn candidates(named: Option<&[String]>) -> Vec<Result<Device, DeviceReport>> {
    let paths = match named {
        Some(named) => named.to_vec(),
        None => render_nodes(Path::new(RENDER_NODES)),
    };
    if paths.is_empty() && named.is_none() {
        let problem = "there is no /dev/dri here: this machine has no graphics device, or it is not passed into the container (docker run --device /dev/dri)";
        return vec![Err(DeviceReport::unusable(&Device::Vaapi(RENDER_NODES.to_owned()), problem.to_owned()))];
    }
    paths.into_iter().flat_map(both).collect()
}

/// A path is tried with Quick Sync first, then with VAAPI; displays with VAAPI alone.
fn both(path: String) -> Vec<Result<Device, DeviceReport>> {
    if path.starts_with(':') {
        return vec![Ok(Device::Vaapi(path))];
    }
    match std::fs::File::options().read(true).write(true).open(&path) {
        Ok(_) => vec![Ok(Device::Qsv(path.clone())), Ok(Device::Vaapi(path))],
        Err(error) => {
            let problem = cannot_open(&path, &error);
            vec![Err(DeviceReport::unusable(&Device::Vaapi(path), problem))]
        }
    }
}

fn cannot_open(path: &str, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            let group = owner_group(path).map_or_else(|| "its group".to_owned(), |group| format!("the group {group}"));
            format!(
                "permission denied on {path}: add the user that runs Potluck to {group} (usually `render`), or pass it to the container (--group-add)"
            )
        }
        std::io::ErrorKind::NotFound => format!("there is no {path}"),
        _ => format!("{path} cannot be opened: {error}"),
    }
}

/// The number of the group that a device belongs to.
fn owner_group(path: &str) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| metadata.gid())
}

fn render_nodes(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut nodes: Vec<String> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
        .filter_map(|entry| entry.path().to_str().map(str::to_owned))
        .collect();
    nodes.sort();
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_render_node_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        assert!(render_nodes(folder.path()).is_empty());
        let missing = both(folder.path().join("renderD128").to_str().unwrap().to_owned());
        let [Err(report)] = &missing[..] else { panic!("{missing:?}") };
        assert!(report.problem.as_ref().unwrap().starts_with("there is no "));
    }

    #[test]
    fn render_nodes_are_tried_with_quick_sync_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["renderD129", "renderD128", "card0"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let nodes = render_nodes(folder.path());
        assert!(nodes.len() == 2 && nodes[0].ends_with("renderD128"), "{nodes:?}");
        let tried: Vec<Device> = both(nodes[0].clone()).into_iter().map(Result::unwrap).collect();
        assert_eq!(tried, [Device::Qsv(nodes[0].clone()), Device::Vaapi(nodes[0].clone())]);
        assert_eq!(both(":1".to_owned()), [Ok(Device::Vaapi(":1".to_owned()))]);
    }
}
