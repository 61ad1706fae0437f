//! Large type: one fact a page, in letters that a room and a camera can read.

use ratatui::text::Line;

use super::super::glyphs::Glyphs;
use super::super::model::{Model, Stage};
use super::super::text::{Tone, digest};
use super::font;
use crate::plain::escape;
use crate::words;

/// Something worth showing large, in parts that are not broken unless they must be.
struct Fact {
    caption: String,
    parts: Vec<String>,
    /// Whether each part has a line of its own.
    apart: bool,
}

/// One screen of it.
struct Sheet {
    caption: String,
    lines: Vec<String>,
}

/// How many pages of large type there are now.
pub(in super::super) fn count(model: &Model) -> usize {
    sheets(model).len()
}

/// The caption for the row of what is waited for, and the letters.
pub(super) fn page(model: &Model, index: usize) -> (String, Vec<Line<'static>>) {
    let mut sheets = sheets(model);
    let all = sheets.len();
    let index = index.min(all.saturating_sub(1));
    if all == 0 {
        return ("Nothing to show large.".to_owned(), Vec::new());
    }
    let sheet = sheets.swap_remove(index);
    let body = sheet
        .lines
        .iter()
        .flat_map(|line| letters(line, model.glyphs))
        .collect();
    (
        format!("{}: page {} of {all}", sheet.caption, index + 1),
        body,
    )
}

fn letters(text: &str, glyphs: Glyphs) -> Vec<Line<'static>> {
    let mut drawn: Vec<Line> = (0..font::HEIGHT)
        .map(|row| {
            let cells = text.chars().flat_map(|character| {
                let bits = font::rows(character)[row];
                (0..font::WIDTH).map(move |column| (bits << column) & 0b1_0000 != 0)
            });
            let cell = |filled| if filled { glyphs.block() } else { ' ' };
            Line::styled(
                format!(" {}", cells.map(cell).collect::<String>()),
                Tone::Strong.style(),
            )
        })
        .collect();
    drawn.push(Line::raw(""));
    drawn
}

fn sheets(model: &Model) -> Vec<Sheet> {
    let across = (model.columns().saturating_sub(1) / font::WIDTH).max(1);
    let down =
        (usize::from(model.size.1).saturating_sub(super::CHROME) / (font::HEIGHT + 1)).max(1);
    facts(model)
        .into_iter()
        .flat_map(|fact| {
            let lines = set(&fact, across);
            lines
                .chunks(down)
                .map(|lines| Sheet {
                    caption: fact.caption.clone(),
                    lines: lines.to_vec(),
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Parts into lines of at most `across` letters.
fn set(fact: &Fact, across: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in &fact.parts {
        match lines.last_mut() {
            Some(line) if !fact.apart && line.len() + 1 + part.len() <= across => {
                line.push(' ');
                line.push_str(part);
            }
            _ => {
                let mut rest = part.as_str();
                while rest.len() > across {
                    lines.push(rest[..across].to_owned());
                    rest = &rest[across..];
                }
                lines.push(rest.to_owned());
            }
        }
    }
    lines
}

fn facts(model: &Model) -> Vec<Fact> {
    let mut facts = Vec::new();
    match &model.stage {
        Stage::Opening => facts.extend(model.today.iter().map(|text| sentence("Today", text))),
        Stage::Working | Stage::Counting(_) => {
            facts.push(sentence("Now", &super::step_line(model)));
        }
        Stage::Asking(asking) => {
            facts.push(sentence("What is asked", &asking.prompt.title));
            if let Some(phrase) = asking.phrase() {
                facts.push(sentence("Type exactly", phrase));
            }
        }
        Stage::Pin(pin) => facts.push(sentence(
            "What is asked",
            &format!(
                "{} of {}. Turn the camera.",
                pin.prompt.kind.name(),
                pin.prompt.holder
            ),
        )),
        Stage::Share(prompt) => facts.push(sentence(
            "What is asked",
            &format!("Turn the camera. The share of {}.", prompt.custodian),
        )),
        Stage::Envelope(envelope) => facts.push(sentence(
            "What is asked",
            &format!(
                "Turn the camera. A new {} for {}.",
                envelope.prompt.kind.name(),
                envelope.prompt.holder
            ),
        )),
        Stage::Finished(finish) => {
            facts.extend(finish.text.iter().map(|text| sentence("The result", text)));
        }
    }
    if let Some((of, value)) = model.digest() {
        facts.push(sentence(
            &format!("sha256 of {of}, in hexadecimal"),
            &digest(&value).join(" "),
        ));
        let words = words::of(&value.0);
        // The row's number goes with its words, as on the words page, so that a listener knows where the reader is.
        facts.extend(words.chunks(8).enumerate().map(|(row, chunk)| Fact {
            caption: format!("sha256 of {of}, words, row {} of 4", row + 1),
            parts: chunk.iter().map(|word| (*word).to_owned()).collect(),
            apart: true,
        }));
    }
    facts
}

fn sentence(caption: &str, text: &str) -> Fact {
    Fact {
        caption: caption.to_owned(),
        parts: escape(text).split(' ').map(str::to_owned).collect(),
        apart: false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fact, set};

    #[test]
    fn large_lines_lose_nothing_and_keep_words_whole() {
        let fact = |parts: &[&str], apart| Fact {
            caption: String::new(),
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
            apart,
        };
        let cases = [
            (
                fact(&["1f0c", "99a2", "71d3"], false),
                vec!["1f0c 99a2", "71d3"],
            ),
            (
                fact(&["bedlamp", "armistice"], true),
                vec!["bedlamp", "armistice"],
            ),
            (
                fact(&["abcdefghijklmno"], false),
                vec!["abcdefghijklm", "no"],
            ),
        ];
        for (fact, lines) in cases {
            assert_eq!(set(&fact, 13), lines);
        }
    }
}
