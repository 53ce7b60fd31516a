//! Stations on the internet that people of the node listen to. The node keeps their addresses and fetches nothing of them.
use rusqlite::{Row, params};

use super::{Catalog, CatalogError};

/// Stations that a node keeps.
const STATIONS_MAX: u32 = 1000;
/// Longest name, in characters.
const NAME_MAX: usize = 128;
/// Longest address, in bytes.
const ADDRESS_MAX: usize = 2048;

/// A station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Given once; never again to another.
    pub number: i64,
    /// As shown; 1 to 128 characters.
    pub name: String,
    /// URL of its stream: `http` or `https`.
    pub stream: String,
    /// URL of its page.
    pub home_page: Option<String>,
}

impl Station {
    /// Without space around its words.
    fn allowed(self) -> Result<Self, CatalogError> {
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.contains(char::is_control) {
            return Err(CatalogError::Invalid(format!("name: a station's name has 1 to {NAME_MAX} characters")));
        }
        let stream = allowed_address("streamUrl", &self.stream)?;
        let page = self.home_page.filter(|page| !page.trim().is_empty());
        let home_page = page.map(|page| allowed_address("homepageUrl", &page)).transpose()?;
        Ok(Self { name, stream, home_page, ..self })
    }
}

fn allowed_address(what: &str, address: &str) -> Result<String, CatalogError> {
    let address = address.trim();
    let lower = address.to_ascii_lowercase();
    let known = ["http://", "https://"].iter().any(|scheme| lower.strip_prefix(scheme).is_some_and(|r| !r.is_empty()));
    if !known || address.len() > ADDRESS_MAX || address.contains(|c: char| c.is_control() || c.is_whitespace()) {
        let rule =
            format!("{what}: must be an address that begins with http:// or https://, of at most {ADDRESS_MAX} bytes");
        return Err(CatalogError::Invalid(rule));
    }
    Ok(address.to_owned())
}

fn station(row: &Row<'_>) -> rusqlite::Result<Station> {
    Ok(Station { number: row.get(0)?, name: row.get(1)?, stream: row.get(2)?, home_page: row.get(3)? })
}

impl Catalog {
    /// All stations, by name.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn stations(&self) -> Result<Vec<Station>, CatalogError> {
        let sql = "SELECT n, name, stream, home_page FROM station ORDER BY name COLLATE NOCASE, n";
        Ok(self.database.read(move |c| c.prepare_cached(sql)?.query_map([], station)?.collect()).await?)
    }

    /// Adds one; its number is not looked at.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] for a name or address that cannot be kept, [`CatalogError::Conflict`] when there are too many.
    pub async fn add_station(&self, station: Station) -> Result<(), CatalogError> {
        let new = station.allowed()?;
        let added = self.database.write(move |t| {
            let known: u32 = t.query_row("SELECT count(*) FROM station", [], |r| r.get(0))?;
            let sql = "INSERT INTO station (name, stream, home_page) SELECT ?1, ?2, ?3 WHERE ?4";
            t.execute(sql, params![new.name, new.stream, new.home_page, known < STATIONS_MAX])
        });
        match added.await? {
            0 => Err(CatalogError::Conflict(format!("a node keeps at most {STATIONS_MAX} stations"))),
            _ => Ok(()),
        }
    }

    /// Changes the one with this number.
    ///
    /// # Errors
    /// As [`Catalog::add_station`]; [`CatalogError::NotFound`].
    pub async fn change_station(&self, station: Station) -> Result<(), CatalogError> {
        let new = station.allowed()?;
        let sql = "UPDATE station SET name = ?2, stream = ?3, home_page = ?4 WHERE n = ?1";
        let values = move |t: &rusqlite::Transaction<'_>| {
            t.execute(sql, params![new.number, new.name, new.stream, new.home_page])
        };
        found(self.database.write(values).await?)
    }

    /// Removes the one with this number.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn remove_station(&self, number: i64) -> Result<(), CatalogError> {
        found(self.database.write(move |t| t.execute("DELETE FROM station WHERE n = ?1", [number])).await?)
    }
}

fn found(rows: usize) -> Result<(), CatalogError> {
    if rows == 0 { Err(CatalogError::NotFound("station")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_the_web() {
        for good in ["http://radio.example/live", " HTTPS://radio.example:8000/a?b=c "] {
            assert_eq!(allowed_address("streamUrl", good).unwrap(), good.trim());
        }
        for bad in [
            "",
            "http://",
            "radio.example",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "http://a b",
            "http://a\u{7}b",
        ] {
            assert!(allowed_address("streamUrl", bad).is_err(), "{bad:?}");
        }
    }
}
