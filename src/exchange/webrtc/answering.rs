//! The task that answers one request: the responder's answer, handed to the connection part by part.
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use tokio::sync::{Semaphore, mpsc};

use crate::exchange::frames::{Code, Frame};
use crate::exchange::outbox::Part;
use crate::exchange::session::response_frame;
use crate::exchange::{Body, Responder};

/// A part of an answer on its way to its connection.
pub struct Delivery {
    pub peer: u64,
    pub stream: u32,
    pub part: Part,
}

/// Where one answer's parts go.
pub struct Recipient {
    pub peer: u64,
    pub stream: u32,
    pub deliveries: mpsc::Sender<Delivery>,
}

impl Recipient {
    /// False if nobody waits for it any more.
    async fn deliver(&self, part: Part) -> bool {
        self.deliveries.send(Delivery { peer: self.peer, stream: self.stream, part }).await.is_ok()
    }

    fn failed(&self, text: &str) -> Part {
        Part::Last(Frame::Error { stream: self.stream, code: Code::Failed, text: text.to_owned() })
    }
}

/// Answers one request. Reads the body only as fast as its parts are sent.
pub async fn answer<C: Send + 'static>(
    responder: Arc<dyn Responder<C>>,
    caller: C,
    request: http::Request<Bytes>,
    to: Recipient,
) {
    // A panic in a handler ends this task; the asking side must still hear of it.
    let unfinished = Unfinished(Some(to));
    let request = request.map(|body| Body::new(Full::new(body).map_err(|never| match never {})));
    let response = responder.respond(caller, request).await;
    let (parts, body) = response.into_parts();
    if let Some(to) = &unfinished.0
        && to.deliver(Part::Head(response_frame(to.stream, &parts))).await
    {
        let last = stream_body(body, to).await;
        to.deliver(last).await;
    }
    unfinished.done();
}

async fn stream_body(mut body: Body, to: &Recipient) -> Part {
    let turn = Arc::new(Semaphore::new(1));
    while let Some(frame) = body.frame().await {
        let data = match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => data,
            Ok(Err(_trailers)) => continue,
            Err(error) => {
                tracing::warn!(%error, "an answer broke off");
                return to.failed("the answer broke off");
            }
        };
        let Ok(permit) = Arc::clone(&turn).acquire_owned().await else { break };
        if !data.is_empty() && !to.deliver(Part::Data(data, permit)).await {
            break;
        }
    }
    Part::Last(Frame::End { stream: to.stream })
}

struct Unfinished(Option<Recipient>);

impl Unfinished {
    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(to) = &self.0 {
            let part = to.failed("the answer broke off");
            let _ = to.deliveries.try_send(Delivery { peer: to.peer, stream: to.stream, part });
        }
    }
}
