use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct House {
    name: String,
    #[serde(default)]
    room: Vec<Room>,
    #[serde(default)]
    door: Option<Door>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Room {
    size: u8,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Door {
    Open,
    Locked { key: u8 },
}

impl Check for House {
    fn check(&self, found: &mut Problems) {
        found.each("room", &self.room, |room, found| {
            if room.size == 0 {
                found.report_in("size", Code::new("config.test"), "a room has a size");
            }
            found.each("tags", &room.tags, |tag, found| {
                if tag.is_empty() {
                    found.report(Code::new("config.test"), "a tag has a text");
                }
            });
        });
        let _ = matches!(self.door, Some(Door::Locked { key: 0 } | Door::Open));
    }
}

fn wrong(text: &str, format: Format) -> Vec<String> {
    match load::<House>(text, format, "house") {
        Ok(house) => panic!("accepted {}", house.name),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_problem_is_listed_with_its_place() {
    let toml = "name = 'n'\n[[room]]\nsize = 1\n\n[[room]]\n  size = 0\n  tags = ['a', '', 'b']\n";
    assert_eq!(
        wrong(toml, Format::Toml),
        [
            "house:6:3: room[1].size: a room has a size (config.test)",
            "house:7:16: room[1].tags[1]: a tag has a text (config.test)"
        ]
    );
    let json =
        "{\"name\": \"a \\\" [\",\n \"room\": [ {\"size\": 1},\n {\"tags\": [\"a\", \"\"], \"size\": 0} ] }";
    assert_eq!(
        wrong(json, Format::Json),
        [
            "house:3:22: room[1].size: a room has a size (config.test)",
            "house:3:17: room[1].tags[1]: a tag has a text (config.test)"
        ]
    );
}

#[test]
fn a_mistake_of_form_names_line_column_field_and_code() {
    for (text, format, expected) in [
        (
            "name = 'n'\n[[room]]\nsize = 1\ntgas = []\n",
            Format::Toml,
            "house:4:1: room[0].tgas: unknown field tgas; did you mean `tags`? (config.unknown_field)",
        ),
        (
            "{\"name\": \"n\",\n\"room\": [{\"size\": 1, \"tgas\": []}]}",
            Format::Json,
            "house:2:22: room[0].tgas: unknown field tgas; did you mean `tags`? (config.unknown_field)",
        ),
        (
            "name = 'n'\n[[room]]\nsize = 'secret'\n",
            Format::Toml,
            "house:3:8: room[0].size: expected u8, found a text (config.wrong_type)",
        ),
        (
            "{\"name\": \"n\",\n\"room\": [{\"size\": \"secret\"}]}",
            Format::Json,
            "house:2:11: room[0].size: expected u8, found a text (config.wrong_type)",
        ),
        (
            "name = 'n'\n[[room]]\n",
            Format::Toml,
            "house:2:1: room[0]: field `size` is missing (config.missing_field)",
        ),
        (
            "name = 'n'\ndoor = 'opne'",
            Format::Toml,
            "house:2:8: door: unknown word opne; did you mean `open`? (config.unknown_word)",
        ),
        ("name = 'n'\nname = 'm'\n", Format::Toml, "house:2:1: duplicate key (config.duplicate_field)"),
        (
            "{\"name\": \"n\", \"name\": \"m\"}",
            Format::Json,
            "house:1:20: field `name` stands here twice (config.duplicate_field)",
        ),
    ] {
        assert_eq!(wrong(text, format), [expected]);
    }
    for (text, format) in [("name = \n", Format::Toml), ("{\"name\": }", Format::Json), ("{}x", Format::Json)]
    {
        let problems = load::<House>(text, format, "house").unwrap_err();
        assert!(problems.iter().all(|problem| problem.place.is_some()), "{problems}");
    }
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_before_it_is_parsed() {
    let long = format!("name = '{}'", "x".repeat(MAX_BYTES));
    assert!(wrong(&long, Format::Toml)[0].ends_with("(config.too_large)"));
    for format in [Format::Toml, Format::Json] {
        let deep = format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(
            wrong(&deep, format),
            ["house:1:21: brackets are nested more than 16 deep (config.too_deep)"]
        );
    }
    let dotted = "a.".repeat(70) + "a";
    let deep = format!("{dotted} = {}1{}", format!("{{{dotted} = ").repeat(16), "}".repeat(16));
    assert_eq!(wrong(&deep, Format::Toml).len(), 1);
    let long_key = "a.".repeat(100_000) + "a = 1";
    assert!(wrong(&long_key, Format::Toml)[0].contains("config."));
}

proptest! {
    #[test]
    fn no_text_makes_loading_panic(text in "[\\[\\]{}a-c\"'#=.:,0-9 \n\\\\é]{0,200}", any in any::<String>()) {
        for text in [&text, &any, &format!("name = 'n'\n{text}"), &format!("{{\"name\":\"n\",{text}")] {
            for format in [Format::Toml, Format::Json] {
                if let Err(problems) = load::<House>(text, format, "house") {
                    prop_assert!(!problems.is_empty());
                    prop_assert!(problems.iter().all(|problem| problem.place.is_some()));
                }
            }
        }
    }
}
