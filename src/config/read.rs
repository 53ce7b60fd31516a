//! Reads settings and says exactly what is wrong with them: which file, line and key, and the nearest key that exists.
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;
use toml::de::DeTable;
use toml::{Spanned, Table};

use super::Config;

/// What the environment's names begin with.
const PREFIX: &str = "POTLUCK_";
/// What stands between section and key in the environment's names.
const BETWEEN: &str = "__";

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("{path} cannot be read")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No such key.
    #[error("{place}: there is no setting {key}{}", nearest.as_ref().map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    Unknown {
        /// File and line, or variable.
        place: String,
        /// As written.
        key: String,
        /// What exists.
        nearest: Option<String>,
    },
    /// A value that the key does not take.
    #[error("{place}: {reason}")]
    Value {
        /// File, or variable.
        place: String,
        /// What is wrong, with its line where there is one.
        reason: String,
    },
}

impl Config {
    /// Reads the file, if there is one, and lays the environment over it. Where `named`, the file must be there.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(
        path: &Path,
        named: bool,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => String::new(),
            Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
        };
        let mut table = parse(&text, &path.display().to_string())?;
        let mut variables: Vec<(String, String)> = environment.filter(|(name, _)| is_setting(name)).collect();
        variables.sort();
        for (name, raw) in variables {
            lay_over(&mut table, &name, &raw)?;
        }
        let config = Self::deserialize(table).map_err(|error| value_error("the settings", &error))?;
        config.check()?;
        Ok(config)
    }
}

/// Other variables, such as `POTLUCK_DATA`, belong to the command line.
fn is_setting(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains(BETWEEN))
}

fn parse(text: &str, file: &str) -> Result<Table, ConfigError> {
    let spans = DeTable::parse(text).map_err(|error| value_error(file, &error))?;
    let known = known();
    for (section, body) in spans.get_ref() {
        let place = |spanned: &Spanned<_>| format!("{file} line {}", line(text, spanned.span().start));
        let name = section.get_ref().as_ref();
        let Some(keys) = known.get(name).and_then(Value::as_object) else {
            return Err(unknown(place(section), name, sections(&known)));
        };
        let Some(body) = body.get_ref().as_table() else { continue };
        for (key, _) in body {
            if !keys.contains_key(key.get_ref().as_ref()) {
                return Err(unknown(place(key), &format!("{name}.{}", key.get_ref()), dotted(&known)));
            }
        }
    }
    toml::from_str::<Config>(text).map_err(|error| value_error(file, &error))?;
    text.parse().map_err(|error: toml::de::Error| value_error(file, &error))
}

fn value_error(place: &str, error: &toml::de::Error) -> ConfigError {
    ConfigError::Value { place: place.to_owned(), reason: error.to_string().trim().to_owned() }
}

fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Sections and keys as they are, with their defaults.
fn known() -> Value {
    serde_json::to_value(Config::default()).unwrap_or_default()
}

fn sections(known: &Value) -> Vec<String> {
    known.as_object().into_iter().flat_map(|sections| sections.keys().cloned()).collect()
}

fn dotted(known: &Value) -> Vec<String> {
    let sections = known.as_object().into_iter().flatten();
    let keys = |(section, body): (&String, &Value)| {
        body.as_object().into_iter().flat_map(|b| b.keys()).map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
    };
    sections.flat_map(keys).collect()
}

fn unknown(place: String, key: &str, exist: Vec<String>) -> ConfigError {
    let near = |name: &String| strsim::damerau_levenshtein(name, key);
    let nearest = exist.into_iter().min_by_key(near).filter(|name| near(name) <= 2 + key.len() / 3);
    ConfigError::Unknown { place, key: key.to_owned(), nearest }
}

/// Puts one variable's value into the table, read as the type that the key has.
fn lay_over(table: &mut Table, name: &str, raw: &str) -> Result<(), ConfigError> {
    let lower = name.strip_prefix(PREFIX).unwrap_or_default().to_ascii_lowercase();
    let (section, key) = lower.split_once(BETWEEN).unwrap_or_default();
    let known = known();
    let Some(default) = known.get(section).and_then(|s| s.get(key)) else {
        return Err(unknown(name.to_owned(), &format!("{section}.{key}"), dotted(&known)));
    };
    let value = typed(raw, default);
    let one = Table::from_iter([(section.to_owned(), Table::from_iter([(key.to_owned(), value.clone())]).into())]);
    Config::deserialize(one)
        .map_err(|error| ConfigError::Value { place: name.to_owned(), reason: error.message().to_owned() })?;
    let body = table.entry(section).or_insert_with(|| Table::new().into());
    if let Some(body) = body.as_table_mut() {
        body.insert(key.to_owned(), value);
    }
    Ok(())
}

fn typed(raw: &str, default: &Value) -> toml::Value {
    let text = || toml::Value::String(raw.to_owned());
    match default {
        Value::Bool(_) => raw.parse().map_or_else(|_| text(), toml::Value::Boolean),
        Value::Number(_) => raw.parse().map_or_else(|_| text(), toml::Value::Integer),
        Value::Array(_) => {
            let parts = raw.split(',').map(str::trim).filter(|part| !part.is_empty());
            toml::Value::Array(parts.map(|part| toml::Value::String(part.to_owned())).collect())
        }
        _ => text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        std::fs::write(&path, text).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let loaded = Config::load(&path, true, variables);
        loaded.map_err(|error| error.to_string().replace(&path.display().to_string(), "node.toml"))
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
        let text = "[server]\nlisten = \"127.0.0.1:1\"\n[media]\nworkers = 3\n";
        let environment = [
            ("POTLUCK_SERVER__LISTEN", "127.0.0.1:2"),
            ("POTLUCK_WEBRTC__ENABLED", "false"),
            ("POTLUCK_SERVER__TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16"),
            ("POTLUCK_DATA", "/somewhere"),
            ("PATH", "x"),
        ];
        let config = load(text, &environment).unwrap();
        assert_eq!(config.server.listen.port(), 2);
        assert_eq!(config.media.workers, 3);
        assert!(!config.webrtc.enabled);
        assert_eq!(config.server.trusted_proxies, ["10.0.0.1", "10.1.0.0/16"]);
        assert_eq!(config.library, super::super::Library::default());
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_the_nearest_that_exists() {
        let refused = load("# mine\n[server]\n\nlisten_on = \"127.0.0.1:1\"\n", &[]).unwrap_err();
        assert_eq!(refused, "node.toml line 4: there is no setting server.listen_on; did you mean server.listen?");
        let refused = load("[severs]\n", &[]).unwrap_err();
        assert_eq!(refused, "node.toml line 1: there is no setting severs; did you mean server?");
        let refused = load("", &[("POTLUCK_MEDIA__WORKER_COUNT", "2")]).unwrap_err();
        assert!(
            refused.starts_with("POTLUCK_MEDIA__WORKER_COUNT: there is no setting media.worker_count"),
            "{refused}"
        );
    }

    #[test]
    fn a_wrong_type_is_told_with_its_line() {
        let refused = load("[media]\nworkers = \"two\"\n", &[]).unwrap_err();
        assert!(refused.contains("line 2") && refused.contains("workers = \"two\""), "{refused}");
        let refused = load("", &[("POTLUCK_MEDIA__WORKERS", "two")]).unwrap_err();
        assert!(refused.starts_with("POTLUCK_MEDIA__WORKERS: ") && refused.contains("two"), "{refused}");
        let refused = load("[server\n", &[]).unwrap_err();
        assert!(refused.starts_with("node.toml: "), "{refused}");
    }

    #[test]
    fn values_that_do_not_go_together_are_refused_at_the_start() {
        assert!(load("[server]\ntls = \"files\"\n", &[]).unwrap_err().contains("tls_cert"));
        assert!(
            load("", &[("POTLUCK_SERVER__TRUSTED_PROXIES", "proxy.example")]).unwrap_err().contains("proxy.example")
        );
        assert!(load("[komga]\nlisten = \"25600\"\n", &[]).unwrap_err().contains("komga.listen"));
        assert!(load("", &[("POTLUCK_KOMGA__LISTEN", "0.0.0.0:25600")]).is_ok());
        assert!(load("", &[("POTLUCK_PODCASTS__PRIVATE_NETWORKS", "my.home")]).unwrap_err().contains("my.home"));
        assert!(load("[podcasts]\nfolder = \"casts\"\n", &[]).unwrap_err().contains("podcasts.folder"));
        assert!(load("", &[("POTLUCK_LOG__LEVEL", "lo=ud=ly")]).unwrap_err().contains("log.level"));
    }

    #[test]
    fn no_file_is_fine_unless_it_was_named() {
        let nowhere = Path::new("/nonexistent/node.toml");
        assert_eq!(Config::load(nowhere, false, std::iter::empty()).unwrap(), Config::default());
        assert!(matches!(Config::load(nowhere, true, std::iter::empty()), Err(ConfigError::Read { .. })));
    }
}
