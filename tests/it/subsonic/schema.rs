//! Answers in JSON against the specification's own description, where the tests have it: `opensubsonic-openapi` in the folder that
//! `POTLUCK_CONTRACTS` names, or in `../shared/contracts`.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::App;
use super::methods::FULL;
use crate::harness::TestNode;

/// Words of a description that say nothing of a value.
const REMARKS: &[&str] = &["description", "externalDocs", "example", "title", "default", "format"];

/// The description, in many files that name each other.
pub struct Specification(PathBuf);

impl Specification {
    /// `None`, and said so, where it is not there.
    pub fn read() -> Option<Self> {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/contracts");
        let folder =
            std::env::var_os("POTLUCK_CONTRACTS").map_or_else(beside, PathBuf::from).join("opensubsonic-openapi");
        let there = folder.join("openapi.json").is_file();
        if !there {
            eprintln!("left out: {} is not there", folder.display());
        }
        there.then_some(Self(folder))
    }

    fn file(&self, path: &Path) -> Value {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap()
    }

    /// Names of all methods.
    pub fn methods(&self) -> BTreeSet<String> {
        let paths = self.file(&self.0.join("openapi.json"))["paths"].take();
        paths.as_object().unwrap().keys().map(|path| path.trim_start_matches("/rest/").to_owned()).collect()
    }

    /// What is wrong with an answer of a method; `None` for methods that answer with bytes.
    pub fn faults(&self, method: &str, answer: &Value) -> Option<Vec<String>> {
        let mut path = self.0.join(format!("endpoints/{method}.json"));
        let mut response = self.file(&path)["get"]["responses"]["200"].take();
        if response.is_null() {
            response = self.file(&path)["post"]["responses"]["200"].take();
        }
        if let Some(reference) = response["$ref"].as_str() {
            path = path.parent().unwrap().join(reference);
            response = self.file(&path);
        }
        let schema = response.pointer("/content/application~1json/schema")?;
        let mut faults = Vec::new();
        self.check(&path, schema, answer, "", &mut faults);
        Some(faults)
    }

    fn check(&self, file: &Path, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        for (word, rule) in schema.as_object().unwrap() {
            match word.as_str() {
                "$ref" => {
                    let other = file.parent().unwrap().join(rule.as_str().unwrap());
                    self.check(&other, &self.file(&other), value, at, faults);
                }
                "allOf" => rule.as_array().unwrap().iter().for_each(|one| self.check(file, one, value, at, faults)),
                "oneOf" => self.check_one_of(file, rule, value, at, faults),
                "type" if !is_a(rule.as_str().unwrap(), value) => faults.push(format!("{at} is not a {rule}: {value}")),
                "enum" if !rule.as_array().unwrap().contains(value) => {
                    faults.push(format!("{at} is none of {rule}: {value}"))
                }
                "minimum" if value.as_f64() < rule.as_f64() => faults.push(format!("{at} is too small: {value}")),
                "maximum" if value.as_f64() > rule.as_f64() => faults.push(format!("{at} is too large: {value}")),
                "minItems" if (value.as_array().map_or(0, Vec::len) as u64) < rule.as_u64().unwrap() => {
                    faults.push(format!("{at} has too few: {value}"));
                }
                "required" => {
                    let absent = |name: &&Value| value.get(name.as_str().unwrap()).is_none();
                    faults.extend(
                        rule.as_array().unwrap().iter().filter(absent).map(|name| format!("{at} lacks {name}")),
                    );
                }
                "properties" => {
                    for (name, rule) in rule.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.check(file, rule, value, &format!("{at}/{name}"), faults);
                        }
                    }
                }
                "items" => {
                    for (n, value) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(file, rule, value, &format!("{at}/{n}"), faults);
                    }
                }
                "type" | "enum" | "minimum" | "maximum" | "minItems" => {}
                word => assert!(REMARKS.contains(&word), "{}: this test does not know {word}", file.display()),
            }
        }
    }

    fn check_one_of(&self, file: &Path, rules: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let each: Vec<Vec<String>> = rules
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| {
                let mut faults = Vec::new();
                self.check(file, rule, value, at, &mut faults);
                faults
            })
            .collect();
        if each.iter().filter(|faults| faults.is_empty()).count() != 1 {
            faults.push(format!("{at} fits not one of its forms: {each:?}"));
        }
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        kind => panic!("this test does not know the type {kind}"),
    }
}

#[tokio::test]
async fn every_answer_in_json_is_as_the_specification_says() {
    let Some(specification) = Specification::read() else { return };
    let node = TestNode::start(&[]).await;
    let ada = App::new(&node, "ada").await;
    ada.ok("createInternetRadioStation?streamUrl=http://radio.example&name=a&homepageUrl=http://radio.example").await;
    ada.ok("addChatMessage?message=hello").await;
    let (mut wrong, mut good) = (Vec::new(), 0);
    for method in specification.methods() {
        for call in [method.clone(), format!("{method}?{FULL}"), format!("{method}?username=ada")] {
            let answer = ada.json(&call).await;
            good += usize::from(answer["status"] == "ok");
            let faults = specification.faults(&method, &json!({"subsonic-response": answer})).unwrap_or_default();
            wrong.extend(faults.into_iter().map(|fault| format!("{call}: {fault}\n    {answer}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(good > 90, "only {good} answers are no failures");
    node.stop().await;
}

#[test]
fn a_missing_field_a_wrong_type_and_a_wrong_word_are_found() {
    let Some(specification) = Specification::read() else { return };
    let answer = |content: Value| {
        let mut answer =
            json!({"status": "ok", "version": "1.16.1", "type": "x", "serverVersion": "1", "openSubsonic": true});
        answer.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        json!({"subsonic-response": answer})
    };
    let faults = |content: Value| specification.faults("getMusicFolders", &answer(content)).unwrap().len();
    assert_eq!(faults(json!({"musicFolders": {"musicFolder": [{"id": 1, "name": "a"}]}})), 0);
    assert_eq!(faults(json!({})), 1);
    assert_eq!(faults(json!({"musicFolders": {"musicFolder": [{"id": "1", "name": "a"}]}})), 1);
    assert_eq!(faults(json!({"musicFolders": {"musicFolder": {"id": 1}}})), 1);
    assert_eq!(faults(json!({"musicFolders": {}, "status": "fine"})), 1);
}
