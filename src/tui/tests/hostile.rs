//! Text from tokens, files and people can look strange; it can do nothing.

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::fixture::{drawn, screens};
use crate::tui::glyphs::Glyphs;
use crate::tui::view::view;

/// Controls, C1, OSC, bidirectional, invisible, tags, combining floods, look-alikes, and text that is merely long.
pub(super) fn strings() -> Vec<String> {
    let short = [
        "\u{1b}[31mred",
        "\u{1b}[2J\u{1b}[H",
        "\u{1b}]0;title\u{7}",
        "\u{1b}]52;c;aGVsbG8=\u{7}",
        "\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\",
        "\u{1b}[?1049l",
        "\u{1b}[6n",
        "\u{1b}c",
        "\u{1b}P1$r\u{1b}\\",
        "\u{9b}2J",
        "\u{9d}0;x\u{9c}",
        "\u{90}q\u{9c}",
        "a\nb",
        "a\rb",
        "a\tb",
        "a\u{8}b",
        "a\u{b}\u{c}b",
        "\u{0}",
        "\u{7f}\u{7}",
        "\u{85}",
        "alice\u{202e}ecila",
        "\u{2066}x\u{2069}",
        "\u{200e}\u{200f}\u{61c}",
        "zero\u{200b}width",
        "\u{200d}\u{200c}\u{2060}",
        "\u{feff}bom",
        "soft\u{ad}hyphen",
        "\u{e0041}\u{e007f}",
        "\u{fe0f}\u{fe00}",
        "p\u{430}ypal",
        "e\u{301}",
        "\u{ff21}\u{ff22}",
        "\u{1f512} locked",
        "\u{65e5}\u{672c}\u{8a9e}",
        "\u{2028}\u{2029}",
        "\\u{1b}[31m",
        "[ OK ] [ OK ] PRODUCTION",
    ];
    let mut strings: Vec<String> = short.map(str::to_owned).to_vec();
    strings.push(format!("z{}", "\u{300}".repeat(60)));
    strings.push("w".repeat(300));
    strings.push(" ".repeat(200));
    strings
}

#[test]
fn hostile_text_reaches_no_screen_unescaped() {
    let strings = strings();
    assert_eq!(strings.len(), 40);
    for text in &strings {
        for (name, model) in screens(text, (80, 24)) {
            for row in drawn(&model) {
                assert!(row.chars().all(Glyphs::allows), "{name} {text:?}: {row:?}");
                assert_eq!(row.chars().count(), 80, "{name} {text:?}");
            }
        }
    }
}

#[test]
fn a_terminal_shows_exactly_what_was_drawn_and_obeys_nothing_else() {
    for text in strings() {
        for (name, model) in screens(&text, (80, 24)) {
            let viewport = Viewport::Fixed(Rect::new(0, 0, 80, 24));
            let mut bytes = Vec::new();
            let backend = CrosstermBackend::new(&mut bytes);
            let mut terminal =
                Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
            terminal.draw(|frame| view(&model, frame)).unwrap();
            drop(terminal);
            let rows = 24.try_into().unwrap();
            let mut parser = vt100::Parser::new(rows, 80.try_into().unwrap(), 0);
            parser.process(&bytes);
            let shown: Vec<String> = parser.screen().rows(0, 80).collect();
            let expected: Vec<String> = drawn(&model)
                .iter()
                .map(|row| row.trim_end().to_owned())
                .collect();
            let shown: Vec<String> = shown.iter().map(|row| row.trim_end().to_owned()).collect();
            assert_eq!(shown, expected, "{name} {text:?}");
            assert!(!parser.screen().alternate_screen(), "{name} {text:?}");
        }
    }
}

#[test]
fn what_is_strange_is_named_not_hidden() {
    for (name, model) in screens("a\u{202e}b", (80, 24)) {
        if [
            "phrase",
            "choice",
            "token",
            "pin closed",
            "review",
            "findings",
        ]
        .contains(&name)
        {
            let rows = drawn(&model).join("\n");
            assert!(rows.contains("a\\u{202e}b"), "{name}\n{rows}");
        }
    }
}
