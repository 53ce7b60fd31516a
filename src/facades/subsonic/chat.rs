//! What people of the node tell each other.
use super::call::{Answer, Call};
use super::fault::Fault;
use super::tree::Element;
use crate::catalog::ChatMessage;

/// `getChatMessages`: those after a time, newest last.
pub(super) async fn list(call: Call) -> Result<Answer, Fault> {
    let since = call.params.int("since")?.unwrap_or(0);
    let messages = call.app.node().catalog().chat(since).await?;
    let element = |message: ChatMessage| {
        Element::new().with("username", message.name).with("time", message.time).with("message", message.text)
    };
    Ok(Answer::one("chatMessages", Element::new().many("chatMessage", messages.into_iter().map(element).collect())))
}

/// `addChatMessage`
pub(super) async fn add(call: Call) -> Result<Answer, Fault> {
    let message = call.params.need("message")?;
    call.app.node().catalog().say(&call.account()?.name, message).await?;
    Ok(Answer::done())
}
