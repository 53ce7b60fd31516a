//! What every call below `/rest` has in common: how it is read before anybody asks who calls, and the form of its answer.
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::fault::Fault;
use super::params::Params;
use super::tree::Element;
use super::{json, xml};

/// Longest form, in bytes.
const FORM_MAX: usize = 1024 * 1024;
/// A form takes at most this long to arrive.
const FORM_TIME: Duration = Duration::from_secs(20);
/// Bytes of a form that anybody may send. Longer ones are read a few at a time, because nobody proved yet who they are.
const FORM_SHORT: usize = 16 * 1024;
static LONG_FORMS: Semaphore = Semaphore::const_new(32);
/// The protocol's version that is spoken.
const VERSION: &str = "1.16.1";
const NAME: &str = "subsonic-response";
/// The program that takes elements for others of the same name wherever they stand.
const MISREADS: &str = "DSub";

/// How an answer is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Xml { open: bool },
    Json,
    Script(String),
}

/// What the answer's form depends on, taken before the request is consumed.
pub(in crate::facades) struct Asked {
    form: Form,
    method: Method,
    /// While there is a long form in memory.
    _long: Option<SemaphorePermit<'static>>,
    /// Why the call cannot be answered at all.
    pub failed: Option<Fault>,
    /// What the call says.
    pub params: Arc<Params>,
}

impl Asked {
    /// Of a request below `/rest`, which comes back with its parameters in its extensions.
    pub async fn of(request: Request) -> (Request, Self) {
        let (mut request, read) = with_form(request).await;
        let (sent, late) = match read {
            Ok(sent) => (sent, None),
            Err(fault) => (Sent::default(), Some(fault)),
        };
        let params = Arc::new(Params::parse(request.uri().query().unwrap_or_default(), &sent.text()));
        let (form, wrong) = Form::of(&params);
        let asked = Self {
            form,
            method: request.method().clone(),
            failed: late.or(wrong),
            params: Arc::clone(&params),
            _long: sent.long,
        };
        request.extensions_mut().insert(params);
        (request, asked)
    }
}

impl Form {
    fn of(params: &Params) -> (Self, Option<Fault>) {
        match (params.one("f"), params.one("callback")) {
            (Some("json"), _) => (Self::Json, None),
            (Some("jsonp"), Some(callback)) if json::is_function(callback) => (Self::Script(callback.to_owned()), None),
            (Some("jsonp"), None) => (Self::Json, Some(Fault::missing("callback"))),
            (Some("jsonp"), Some(_)) => (Self::Json, Some(Fault::invalid("callback: must be the name of a function"))),
            _ => (Self::Xml { open: params.one("c") != Some(MISREADS) }, None),
        }
    }

    fn kind(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Xml { .. } => "text/xml; charset=utf-8",
            Self::Json => "application/json",
            Self::Script(_) => "application/javascript; charset=utf-8",
        })
    }

    fn write(&self, answer: Result<Element, &Fault>) -> String {
        let status = if answer.is_ok() { "ok" } else { "failed" };
        let root = Element::new()
            .with("status", status)
            .with("version", VERSION)
            .with("type", "potluck")
            .with("serverVersion", env!("CARGO_PKG_VERSION"))
            .with("openSubsonic", true);
        let mut root = match answer {
            Ok(content) => Element { children: content.children, ..root },
            Err(fault) => root.one("error", fault.element()),
        };
        match self {
            Self::Xml { open } => {
                root.attributes.insert(0, ("xmlns", "http://subsonic.org/restapi".into()));
                xml::document(NAME, &root, *open)
            }
            Self::Json => json::document(NAME, &root),
            Self::Script(callback) => json::script(callback, &json::document(NAME, &root)),
        }
    }
}

/// A form as it came.
#[derive(Default)]
struct Sent {
    bytes: Vec<u8>,
    long: Option<SemaphorePermit<'static>>,
}

impl Sent {
    fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Reads to the end.
    async fn read(mut body: Body) -> Result<Self, Fault> {
        let mut sent = Self::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Fault::invalid("the form ended early"))?;
            let Ok(data) = frame.into_data() else { continue };
            let length = sent.bytes.len() + data.len();
            if length > FORM_MAX {
                return Err(Fault::invalid(format!("the form may have at most {FORM_MAX} bytes")));
            }
            if length > FORM_SHORT && sent.long.is_none() {
                let busy = |_| Fault::invalid("too many long forms arrive at this moment; try again in a few seconds");
                sent.long = Some(LONG_FORMS.try_acquire().map_err(busy)?);
            }
            sent.bytes.extend_from_slice(&data);
        }
        Ok(sent)
    }
}

/// The request with the form taken out of it, or why that could not be.
async fn with_form(request: Request) -> (Request, Result<Sent, Fault>) {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let form = kind.is_none_or(|kind| kind == "application/x-www-form-urlencoded");
    if request.method() != Method::POST || !form {
        return (request, Ok(Sent::default()));
    }
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(FORM_TIME, Sent::read(body)).await;
    let late = |_| Err(Fault::invalid("the form did not arrive in time"));
    (Request::from_parts(parts, Body::empty()), read.unwrap_or_else(late))
}

/// Gives an answer its form: a tree, a fault, or the refusal of whoever stands before the handlers. Bytes of media stay as they are.
pub(in crate::facades) fn finish(asked: &Asked, mut response: Response) -> Response {
    let content = response.extensions_mut().remove::<Element>();
    let fault = response.extensions_mut().remove::<Fault>();
    let refused = response.status().is_client_error() || response.status().is_server_error();
    let text = match (content, fault) {
        (_, Some(fault)) => Some(asked.form.write(Err(&fault))),
        (Some(content), None) => Some(asked.form.write(Ok(content))),
        (None, None) if refused => Some(asked.form.write(Err(&Fault::of(&response)))),
        (None, None) => None,
    };
    let mut response = match text {
        Some(text) => written(asked, response, text),
        None => response,
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}

/// The marks for the audit stay with the response.
fn written(asked: &Asked, response: Response, text: String) -> Response {
    let (mut parts, _) = response.into_parts();
    // Programs that are to come back later look at nothing else.
    if parts.status != StatusCode::TOO_MANY_REQUESTS || !parts.headers.contains_key(header::RETRY_AFTER) {
        parts.status = StatusCode::OK;
    }
    parts.headers.insert(header::CONTENT_TYPE, asked.form.kind());
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    parts.headers.remove(header::WWW_AUTHENTICATE);
    let body = if asked.method == Method::HEAD { Body::empty() } else { Body::from(text) };
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(query: &str) -> (Form, Option<u16>) {
        let (form, fault) = Form::of(&Params::parse(query, ""));
        (form, fault.map(|fault| fault.code))
    }

    #[test]
    fn the_form_is_xml_unless_another_is_asked_for() {
        assert_eq!(form(""), (Form::Xml { open: true }, None));
        assert_eq!(form("f=yaml&c=DSub"), (Form::Xml { open: false }, None));
        assert_eq!(form("f=json&c=DSub"), (Form::Json, None));
        assert_eq!(form("f=jsonp&callback=a.b"), (Form::Script("a.b".into()), None));
        assert_eq!(form("f=jsonp"), (Form::Json, Some(10)));
        assert_eq!(form("f=jsonp&callback=alert(1)"), (Form::Json, Some(0)));
    }

    #[test]
    fn both_forms_say_the_same() {
        let answer = || Ok(Element::new().one("license", Element::new().with("valid", true)));
        let version = env!("CARGO_PKG_VERSION");
        let xml = Form::Xml { open: true }.write(answer());
        let attributes = format!(
            "status=\"ok\" version=\"1.16.1\" type=\"potluck\" serverVersion=\"{version}\" openSubsonic=\"true\""
        );
        let wanted = format!(
            "<subsonic-response xmlns=\"http://subsonic.org/restapi\" {attributes}><license valid=\"true\"/></subsonic-response>"
        );
        assert_eq!(xml.split_once('\n').unwrap().1, wanted);
        let json: serde_json::Value = serde_json::from_str(&Form::Json.write(answer())).unwrap();
        let members = serde_json::json!({"status": "ok", "version": "1.16.1", "type": "potluck", "serverVersion": version,
            "openSubsonic": true, "license": {"valid": true}});
        assert_eq!(json, serde_json::json!({"subsonic-response": members}));
    }
}
