//! Advanced SubStation Alpha, and SSA before it: the events with their fields in one order, everything before them as a
//! header that a renderer takes as it is.
use super::markup::Builder;
use super::{Cue, SubtitleFormat, SubtitleTrack, TEXT_MAX, clock};

/// The order in which events are kept and written.
pub const FORMAT: &str = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text";
/// The fields of a kept event: those of [`FORMAT`] without its times.
const KEPT: [&str; 8] = ["layer", "style", "name", "marginl", "marginr", "marginv", "effect", "text"];
/// What a kept event of no fields but its text begins with.
pub const PLAIN: &str = "0,Default,,0,0,0,,";
const EVENTS: &str = "[events]";

/// Whether a text is a script.
pub fn is_ass(text: &str) -> bool {
    text.lines().take(200).any(|line| {
        let line = line.trim().trim_start_matches('\u{feff}');
        line.eq_ignore_ascii_case("[script info]") || line.eq_ignore_ascii_case(EVENTS)
    })
}

/// The events of a file.
pub fn read(text: &str) -> SubtitleTrack {
    let mut order: Vec<String> = fields_of(FORMAT).unwrap_or_default();
    let (mut header, mut cues, mut in_events) = (String::new(), Vec::new(), false);
    for line in text.lines() {
        let plain = line.trim();
        if plain.starts_with('[') && plain.ends_with(']') {
            in_events = plain.eq_ignore_ascii_case(EVENTS);
        }
        if !in_events {
            header.push_str(line);
            header.push('\n');
        } else if let Some(told) = fields_of(plain) {
            order = told;
        } else if let Some(cue) = plain.strip_prefix("Dialogue:").and_then(|event| event_of(event, &order)) {
            cues.push(cue);
        }
    }
    SubtitleTrack::of(SubtitleFormat::Ass, finished(header), cues)
}

/// A header with the events' format line at its end.
fn finished(mut header: String) -> String {
    header.truncate(header.floor_char_boundary(TEXT_MAX / 2));
    let header = header.trim_end();
    let header = if header.is_empty() { "[Script Info]\nScriptType: v4.00+" } else { header };
    format!("{header}\n\n[Events]\n{FORMAT}\n")
}

/// The header of a stream in a container: everything before the events.
#[must_use]
pub fn header_of_codec(private: &str) -> String {
    read(private).header
}

/// The names of a format line, lower case.
fn fields_of(line: &str) -> Option<Vec<String>> {
    let (key, names) = line.split_once(':')?;
    let known = key.trim().eq_ignore_ascii_case("format");
    known.then(|| names.split(',').map(|name| name.trim().to_lowercase()).collect())
}

fn event_of(event: &str, order: &[String]) -> Option<Cue> {
    let values: Vec<&str> = event.splitn(order.len().max(1), ',').collect();
    let value = |name: &str| {
        let at = order.iter().position(|other| other == name)?;
        values.get(at).map(|value| if name == "text" { *value } else { value.trim() })
    };
    let (start, end) = (clock::seconds(value("start")?)?, clock::seconds(value("end")?)?);
    let kept = KEPT.map(|name| match (name, value(name)) {
        // SSA has a mark here instead of a layer.
        ("layer", None) => "0",
        ("style", None | Some("")) => "Default",
        ("marginl" | "marginr" | "marginv", None | Some("")) => "0",
        (_, told) => told.unwrap_or_default(),
    });
    let text = kept[7].trim();
    (!text.is_empty()).then(|| Cue { start, end, text: format!("{},{text}", kept[..7].join(",")) })
}

/// A kept event of a packet as Matroska holds it (`ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect,
/// Text`).
#[must_use]
pub fn event_of_packet(packet: &str) -> Option<String> {
    let (_, event) = packet.trim_end_matches(['\0', '\r', '\n']).split_once(',')?;
    let event = event.replace(['\r', '\n'], "\\N");
    (event.splitn(8, ',').count() == 8).then_some(event)
}

/// The text of a kept event as WebVTT cue text: overrides go, but for italic, bold and underlined; drawings go.
#[must_use]
pub fn plain(event: &str) -> String {
    let text = event.splitn(8, ',').nth(7).unwrap_or_default();
    let mut builder = Builder::default();
    let (mut rest, mut drawing) = (text, false);
    while let Some(character) = rest.chars().next() {
        if let Some((block, after)) = block(rest) {
            overrides(block, &mut builder, &mut drawing);
            rest = after;
            continue;
        }
        let (shown, length) = match rest.get(..2) {
            Some("\\N" | "\\n") => ('\n', 2),
            Some("\\h") => ('\u{a0}', 2),
            _ => (character, character.len_utf8()),
        };
        if !drawing {
            builder.push(shown);
        }
        rest = &rest[length..];
    }
    builder.finish()
}

/// What stands between braces at the beginning of a text, and what follows.
fn block(text: &str) -> Option<(&str, &str)> {
    let body = text.strip_prefix('{')?;
    let (inside, after) = body.split_at_checked(body.find(['{', '}'])?)?;
    Some((inside, after.strip_prefix('}')?))
}

fn overrides(block: &str, builder: &mut Builder, drawing: &mut bool) {
    for one in block.split('\\').skip(1) {
        let one = one.trim();
        let mut letters = one.chars();
        let (Some(kind), number) = (letters.next(), letters.as_str()) else { continue };
        let Ok(number) = (if number.is_empty() { Ok(0) } else { number.parse::<u32>() }) else { continue };
        match kind {
            'i' | 'u' => builder.mark(kind, number != 0),
            // A weight may be given: 700 is bold, 400 is not.
            'b' => builder.mark(kind, number == 1 || number >= 600),
            'p' => *drawing = number != 0,
            'r' => ['i', 'b', 'u'].into_iter().for_each(|kind| builder.mark(kind, false)),
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_the_order_of_the_format_line() {
        let file = "[Script Info]\nTitle: x\n\n[V4 Styles]\nStyle: Default\n\n[Events]\nFormat: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: Marked=0,0:00:01.00,0:00:02.00,Main,,0,0,0,,Hello, world\nComment: 0,0:00:01.00,0:00:02.00,Main,,0,0,0,,not shown\nDialogue: broken\n";
        let track = read(file);
        assert_eq!(track.cues.len(), 1);
        assert_eq!(track.cues[0].text, "0,Main,,0,0,0,,Hello, world");
        assert!(
            track.header.starts_with(
                "[Script Info]\nTitle: x\n\n[V4 Styles]\nStyle: Default\n\n[Events]\nFormat: Layer, Start"
            )
        );
    }

    #[test]
    fn packets_of_matroska_become_events() {
        assert_eq!(event_of_packet("3,0,Default,,0,0,0,,Hi, you\r\n").as_deref(), Some("0,Default,,0,0,0,,Hi, you"));
        assert_eq!(event_of_packet("3,0,Default"), None);
        assert_eq!(header_of_codec("[Script Info]\nA: b"), format!("[Script Info]\nA: b\n\n[Events]\n{FORMAT}\n"));
    }

    #[test]
    fn an_event_is_shown_as_plain_text() {
        let plain = |text: &str| plain(&format!("{PLAIN}{text}"));
        assert_eq!(plain("{\\an8\\i1}Hi{\\i0}\\Nyou & me"), "<i>Hi</i>\nyou &amp; me");
        assert_eq!(plain("{\\p1}m 0 0 l 1 1{\\p0}text"), "text");
        assert_eq!(plain("{\\b700}a{\\b400}b{\\pos(1,2)\\bord2}c"), "<b>a</b>bc");
        assert_eq!(plain("{\\p1}m 0 0"), "");
    }
}
