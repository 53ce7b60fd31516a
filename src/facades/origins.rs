//! Hosts that lead to roots of content: `{cid}.ipfs.HOST` and `{name}.ipns.HOST`, each an origin of its own.
//!
//! What comes to such a host reaches the gateway and nothing else of the node, and a cookie of the page counts for nothing there.
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::App;
use super::error::Refusal;
use super::ipfs::subdomain::{self, Led};
use super::ipfs::{Namespace, is_trustless};
use super::proxies::{Connection, Front, Mount};

/// Marks a request that came to a root's own host.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnOrigin;

/// The request as the router knows it, or the answer of a host that leads elsewhere.
pub(super) fn turn(app: &App, mut request: Request<Body>) -> Result<Request<Body>, Response> {
    let hosts = &app.options().ipfs.subdomain_hosts;
    let connection = request.extensions().get::<Connection>().copied();
    let Some(connection) = connection.filter(|at| !hosts.is_empty() && at.mount == Mount::Node) else {
        return Ok(request);
    };
    let front = app.options().trusted_proxies.front(connection, request.headers(), request.uri());
    let Some(named) = front.host.as_deref() else { return Ok(request) };
    match subdomain::led(named, hosts) {
        Led::Root { space, root, host } => {
            if ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
                return Err(Refusal::method().into_response());
            }
            if let Some((space, root)) = subdomain::better(space, &root) {
                let host = format!("{root}.{}.{host}", space.name());
                return Err(moved(&front, &host, request.uri().path_and_query().map_or("/", |path| path.as_str())));
            }
            own(&mut request, space, &root)?;
            Ok(request)
        }
        Led::Nothing(why) => Err(Refusal::invalid(why).into_response()),
        Led::Node => match hosts.iter().find(|host| host.eq_ignore_ascii_case(without_port(named))) {
            Some(host) => to_own(&front, host, request),
            None => Ok(request),
        },
    }
}

fn own(request: &mut Request<Body>, space: Namespace, root: &str) -> Result<(), Response> {
    let inside = subdomain::inside(space, root, request.uri());
    *request.uri_mut() = inside.ok_or_else(|| Refusal::invalid("this address cannot be read").into_response())?;
    request.headers_mut().remove(header::COOKIE);
    request.extensions_mut().insert(OwnOrigin);
    Ok(())
}

/// Sends a browser from a path to the origin of its own that the content has. Who checks what it gets needs none.
fn to_own(front: &Front, above: &str, request: Request<Body>) -> Result<Request<Body>, Response> {
    if request.method() == Method::OPTIONS || is_trustless(request.uri().query(), request.headers()) {
        return Ok(request);
    }
    match subdomain::own_origin(request.uri(), above) {
        Ok(Some((host, path))) => Err(moved(front, &host, &path)),
        Ok(None) => Ok(request),
        Err(why) => Err(Refusal::invalid(why).into_response()),
    }
}

fn moved(front: &Front, host: &str, path: &str) -> Response {
    let named = front.host.as_deref().unwrap_or_default();
    let port = named.strip_prefix(without_port(named)).unwrap_or_default();
    let location = HeaderValue::try_from(format!("{}://{host}{port}{path}", front.scheme()));
    match location {
        Ok(location) => (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response(),
        Err(_) => Refusal::invalid("this address cannot be read").into_response(),
    }
}

fn without_port(host: &str) -> &str {
    let port = |(_, port): &(&str, &str)| port.bytes().all(|b| b.is_ascii_digit());
    host.rsplit_once(':').filter(port).map_or(host, |(host, _)| host)
}
