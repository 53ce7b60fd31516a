//! Tasks of the node: each has a name, is told to stop by one token, and is waited for.
use std::future::Future;

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The tasks that run.
#[derive(Debug, Default)]
pub struct Tasks {
    stop: CancellationToken,
    running: Mutex<Vec<(&'static str, JoinHandle<()>)>>,
}

impl Tasks {
    /// Starts a task. It must end soon after its token is cancelled.
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(
        &self,
        name: &'static str,
        task: impl FnOnce(CancellationToken) -> F,
    ) {
        let handle = tokio::spawn(task(self.stop.clone()));
        self.running.lock().push((name, handle));
    }

    /// Cancelled when the node stops.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells all tasks to stop and waits for each.
    pub async fn stop(&self) {
        self.stop.cancel();
        loop {
            let Some((name, handle)) = self.running.lock().pop() else { return };
            if let Err(error) = handle.await {
                tracing::error!(task.name = name, error = %error, "a task ended badly");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn stopping_waits_for_what_a_task_does_last() {
        let tasks = Tasks::default();
        let done = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&done);
        tasks.spawn("last words", |stop| async move {
            stop.cancelled().await;
            tokio::task::yield_now().await;
            flag.store(true, Ordering::Relaxed);
        });
        tasks.stop().await;
        assert!(done.load(Ordering::Relaxed));
    }
}
