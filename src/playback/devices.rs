//! Which devices there are, and which of them are trusted now. One that failed on a film is not given new ones until it
//! was looked at again.
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::media::Media;
use crate::media::hardware::{Device, DeviceApi, DeviceReport};

/// After a failure, devices are looked at again this much later.
const AGAIN: Duration = Duration::from_secs(600);
/// A first film waits this long for the first look to end.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Default)]
struct Known {
    reports: Vec<DeviceReport>,
    looked: bool,
    failed: Vec<(Device, String)>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Devices {
    known: Mutex<Known>,
    looked: Notify,
    failure: Notify,
}

impl Devices {
    /// Looks at the start, and some time after every failure, until it is told to stop.
    pub async fn watch(&self, media: &Media, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = self.look(media) => (),
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = self.failure.notified() => (),
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => (),
                () = stop.cancelled() => return,
            }
        }
    }

    async fn look(&self, media: &Media) {
        let found = media.probe_hardware().await;
        let mut known = self.known.lock();
        match found {
            Ok(reports) => {
                known.reports = reports;
                known.failed.clear();
            }
            Err(error) => {
                tracing::warn!(%error, "devices could not be looked for; the processor transcodes");
                self.failure.notify_one();
            }
        }
        known.looked = true;
        drop(known);
        self.looked.notify_waiters();
    }

    /// Waits a little for the first look, so that a film that begins with the node begins on the right device.
    pub async fn ready(&self) {
        let looked = self.looked.notified();
        tokio::pin!(looked);
        looked.as_mut().enable();
        if !self.known.lock().looked {
            let _ = tokio::time::timeout(PATIENCE, looked).await;
        }
    }

    /// Devices for films, the best first; the processor last.
    pub fn usable(&self) -> Vec<Device> {
        let known = self.known.lock();
        let good = known.reports.iter().filter(|r| r.problem.is_none() && r.encode.iter().any(|codec| codec == "h264"));
        let devices = good.filter_map(device).filter(|device| known.failed.iter().all(|(other, _)| other != device));
        devices.chain([Device::Software]).collect()
    }

    /// A device failed on a film.
    pub fn failed(&self, device: &Device, why: &str) {
        let mut known = self.known.lock();
        if known.failed.iter().all(|(other, _)| other != device) {
            known.failed.push((device.clone(), why.to_owned()));
        }
        drop(known);
        self.failure.notify_one();
    }

    /// All that is known, for people: a device that failed says so.
    pub fn reports(&self) -> Vec<DeviceReport> {
        let known = self.known.lock();
        let told = |report: &DeviceReport| {
            let failed = device(report).and_then(|d| known.failed.iter().find(|(other, _)| *other == d).cloned());
            let problem = failed.map(|(_, why)| format!("It failed and is looked at again in a while: {why}"));
            DeviceReport { problem: report.problem.clone().or(problem), ..report.clone() }
        };
        known.reports.iter().map(told).collect()
    }
}

fn device(report: &DeviceReport) -> Option<Device> {
    match report.api {
        DeviceApi::Qsv => Some(Device::Qsv(report.path.clone())),
        DeviceApi::Vaapi => Some(Device::Vaapi(report.path.clone())),
        DeviceApi::Software => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(api: DeviceApi, problem: Option<&str>) -> DeviceReport {
        DeviceReport {
            api,
            path: "/dev/dri/renderD128".to_owned(),
            name: "x".to_owned(),
            decode: Vec::new(),
            encode: vec!["h264".to_owned()],
            scale: true,
            tone_map: false,
            problem: problem.map(str::to_owned),
        }
    }

    #[test]
    fn what_failed_is_not_used_until_it_was_looked_at_again() {
        let devices = Devices::default();
        assert_eq!(devices.usable(), [Device::Software]);
        devices.known.lock().reports = vec![
            report(DeviceApi::Qsv, Some("no driver")),
            report(DeviceApi::Vaapi, None),
            report(DeviceApi::Software, None),
        ];
        let vaapi = Device::Vaapi("/dev/dri/renderD128".to_owned());
        assert_eq!(devices.usable(), [vaapi.clone(), Device::Software]);
        devices.failed(&vaapi, "it is hot");
        assert_eq!(devices.usable(), [Device::Software]);
        assert!(devices.reports()[1].problem.as_ref().unwrap().contains("it is hot"));
    }
}
