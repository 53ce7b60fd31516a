//! Internet radio.
use super::call::{Answer, Call};
use super::fault::Fault;
use super::params::Params;
use super::tree::Element;
use crate::catalog::Station;

/// What ids of stations begin with: numbers of other things are told from them.
const PREFIX: &str = "ir-";

/// `getInternetRadioStations`
pub(super) async fn list(call: Call) -> Result<Answer, Fault> {
    let stations = call.app.node().catalog().stations().await?;
    let element = |station: Station| {
        Element::new()
            .with("id", format!("{PREFIX}{}", station.number))
            .with("name", station.name)
            .with("streamUrl", station.stream)
            .maybe("homePageUrl", station.home_page)
    };
    let stations = stations.into_iter().map(element).collect();
    Ok(Answer::one("internetRadioStations", Element::new().many("internetRadioStation", stations)))
}

/// `createInternetRadioStation`
pub(super) async fn create(call: Call) -> Result<Answer, Fault> {
    call.app.node().catalog().add_station(told(&call.params, 0)?).await?;
    Ok(Answer::done())
}

/// `updateInternetRadioStation`
pub(super) async fn update(call: Call) -> Result<Answer, Fault> {
    let number = number(&call.params)?;
    call.app.node().catalog().change_station(told(&call.params, number)?).await?;
    Ok(Answer::done())
}

/// `deleteInternetRadioStation`
pub(super) async fn delete(call: Call) -> Result<Answer, Fault> {
    call.app.node().catalog().remove_station(number(&call.params)?).await?;
    Ok(Answer::done())
}

fn told(params: &Params, number: i64) -> Result<Station, Fault> {
    Ok(Station {
        number,
        stream: params.need("streamUrl")?.to_owned(),
        name: params.need("name")?.to_owned(),
        // Both spellings are sent.
        home_page: params.one("homepageUrl").or(params.one("homePageUrl")).map(str::to_owned),
    })
}

fn number(params: &Params) -> Result<i64, Fault> {
    let id = params.need("id")?;
    id.strip_prefix(PREFIX).and_then(|id| id.parse().ok()).ok_or_else(|| Fault::absent("station"))
}
