//! What every page shows, at three sizes and below the smallest.

use crossterm::event::KeyCode;

use super::fixture::{
    CLOCK, PHRASE, asked, drawn, key, model, payload, pin, read_through, review, running, screens,
};
use crate::ceremony::prompt::Tries;
use crate::tuf::digest::Sha256;
use crate::tui::model::{Input, Overlay};
use crate::tui::page::page;
use crate::tui::text::digest;
use crate::tui::update::update;
use crate::words;

const SIZES: [(u16, u16); 3] = [(80, 24), (100, 30), (132, 43)];

#[test]
fn the_rows_that_never_scroll_are_whole_on_every_screen_at_every_size() {
    for size in SIZES {
        for (name, model) in screens("alice", size) {
            let rows = drawn(&model);
            let place = format!("{name} at {size:?}\n{}", rows.join("\n"));
            assert!(rows[0].contains("REHEARSAL"), "{place}");
            assert!(rows[0].contains("Renew the root alice"), "{place}");
            assert!(rows[0].trim_end().ends_with(CLOCK), "{place}");
            let step = match name {
                "opening" => "Opening",
                "finished" => "Finished, exit code 0. 6 of 7 steps done",
                _ => " of 7: ",
            };
            assert!(rows[1].contains(step), "{place}");
            let page = page(&model);
            let last = rows.len() - 1;
            assert_eq!(rows[last].trim(), page.keys, "{place}");
            assert_eq!(rows[last - 1].trim(), page.waiting, "{place}");
            assert!(!page.waiting.is_empty() && !page.keys.is_empty(), "{place}");
        }
    }
}

#[test]
fn nothing_is_cut_from_any_page_at_any_size() {
    for size in SIZES {
        for (name, mut model) in screens("alice", size) {
            let page = page(&model);
            let lines: Vec<_> = [&page.top, &page.body, &page.bottom]
                .into_iter()
                .flatten()
                .collect();
            for line in &lines {
                assert!(
                    line.width() <= usize::from(size.0),
                    "{name} at {size:?}: {line}"
                );
            }
            if [
                "overview",
                "steps",
                "signatures",
                "findings",
                "words",
                "help",
                "finished",
                "opening",
            ]
            .contains(&name)
            {
                let text = read_through(&mut model);
                for line in lines {
                    assert!(
                        text.contains(line.to_string().trim()),
                        "{name} at {size:?}: {line}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_prompt_shows_its_digest_its_words_its_phrase_and_its_text_at_once() {
    let plan = Sha256::of(b"plan");
    for size in SIZES {
        for (name, model) in screens("alice", size) {
            if !["phrase", "phrase typed", "phrase wrong"].contains(&name) {
                continue;
            }
            let rows = drawn(&model).join("\n");
            for row in digest(&plan) {
                assert!(rows.contains(&row), "{name} at {size:?}\n{rows}");
            }
            for word in words::of(&plan.0) {
                assert!(rows.contains(word), "{word}: {name} at {size:?}\n{rows}");
            }
            assert!(rows.contains(&format!("Type exactly:  {PHRASE}")), "{rows}");
            assert!(
                rows.contains("The printed copy must say the same."),
                "{rows}"
            );
        }
    }
}

#[test]
fn words_of_any_digest_fit_beside_phrase_and_text() {
    for seed in 0..200_u32 {
        let value = Sha256::of(&seed.to_be_bytes());
        for width in [80, 100, 132] {
            let lines = crate::tui::text::word_lines(&value, width);
            assert!(lines.iter().all(|line| line.width() <= width));
            assert!(lines.len() <= 8, "{seed}");
            let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
            let shown: Vec<&str> = text
                .iter()
                .flat_map(|line| line.split_whitespace())
                .collect();
            let shown: Vec<&str> = shown
                .into_iter()
                .filter(|word| word.parse::<u8>().is_err())
                .collect();
            assert_eq!(shown, words::of(&value.0));
        }
    }
}

#[test]
fn both_quorums_are_spelt_out_and_every_holder_has_a_state() {
    let cases = [
        "root v8 is NOT yet valid.",
        "By the keys of root v7 (old)  3 needed [###-------] 1 signed",
        "still needed: 2 more, of bob",
        "By the keys of root v8 (new)  2 needed [##########] 2 signed",
        "SIGNED           alice: counts for the keys of root v7 (old) and the keys of",
        "waiting          bob: counts for",
        "skipped          carol: counts for",
        "MADE ELSEWHERE   dave: counts for the keys of root v8 (new)",
    ];
    let mut model = running("alice", (80, 24), 6);
    model.overlay = Some(Overlay::Signatures);
    let text = read_through(&mut model);
    for case in cases {
        assert!(text.contains(case), "{case}\n{text}");
    }
    for row in digest(&payload()) {
        assert!(text.contains(&row), "{text}");
    }
    assert!(!text.contains("/3"), "{text}");
}

#[test]
fn quorums_stay_in_sight_while_a_token_or_a_pin_is_asked() {
    for size in SIZES {
        for (name, model) in screens("alice", size) {
            if ["choice", "token", "pin closed", "pin open"].contains(&name) {
                let rows = drawn(&model).join("\n");
                assert!(
                    rows.contains("By the keys of root v7 (old)  3 needed"),
                    "{name}\n{rows}"
                );
                assert!(
                    rows.contains("By the keys of root v8 (new)  2 needed"),
                    "{name}\n{rows}"
                );
            }
        }
    }
}

#[test]
fn a_pin_page_says_where_the_pin_goes_and_what_is_left() {
    let cases = [
        (Tries::Left(2), "2 tries left"),
        (Tries::Unknown, "tries left: unknown"),
        (Tries::Final, "LAST TRY"),
    ];
    for size in SIZES {
        for (tries, text) in cases {
            let mut model = running("alice", size, 4);
            update(&mut model, Input::Pin(Box::new(pin("alice", tries))));
            let rows = drawn(&model).join("\n");
            for text in [
                text,
                "TURN THE CAMERA",
                "PIN of alice",
                "serial 21073412",
                "refused the PIN",
                "Press Enter to open",
            ] {
                assert!(rows.contains(text), "{text} at {size:?}\n{rows}");
            }
        }
    }
}

#[test]
fn an_open_pin_field_shows_eight_stars_or_none() {
    let mut model = running("alice", (80, 24), 4);
    update(
        &mut model,
        Input::Pin(Box::new(pin("alice", Tries::Left(3)))),
    );
    key(&mut model, KeyCode::Enter);
    assert!(drawn(&model).join("\n").contains("PIN: _"));
    update(&mut model, Input::PinTyped(true));
    let rows = drawn(&model).join("\n");
    assert!(rows.contains("PIN: ******** "), "{rows}");
}

#[test]
fn a_wanted_token_is_marked_in_text_and_the_others_say_what_they_are() {
    for (name, model) in screens("alice", (80, 24)) {
        if name == "token" {
            let rows = drawn(&model).join("\n");
            for text in [
                "> WANTED  wanted: alice",
                "NOT IN THIS CEREMONY alice",
                "   > ready: what it does",
            ] {
                assert!(rows.contains(text), "{text}\n{rows}");
            }
        }
    }
}

#[test]
fn a_review_says_how_far_it_was_read_and_shows_its_digest() {
    for size in SIZES {
        let model = asked(running("alice", size, 2), review("alice", 31));
        let rows = drawn(&model).join("\n");
        for row in digest(&payload()) {
            assert!(rows.contains(&row), "{rows}");
        }
        assert!(rows.contains("CHANGED row 0 of the review alice"), "{rows}");
        assert!(rows.contains("[WARN]  row 2 of the review alice"), "{rows}");
        assert!(
            rows.contains("Read to the end to enable signing: line "),
            "{rows}"
        );
        assert!(rows.contains(" of 33 ["), "{rows}");
        assert!(!rows.contains(PHRASE), "{rows}");
    }
}

#[test]
fn large_type_pages_hold_every_word_and_digit_of_the_digest() {
    use crate::tui::page::large_pages;
    for size in SIZES {
        for (name, mut model) in screens("alice", size) {
            if name != "large" {
                continue;
            }
            let pages = large_pages(&model);
            assert!(pages > 4, "{pages}");
            let rows: Vec<Vec<String>> = (0..pages)
                .map(|_| {
                    let rows = drawn(&model);
                    key(&mut model, KeyCode::Right);
                    rows
                })
                .collect();
            assert!(rows[0].join("\n").contains('█'));
            let captions: Vec<&str> = rows
                .iter()
                .map(|rows| rows[rows.len() - 2].trim())
                .collect();
            assert!(
                captions[0].starts_with("What is asked: page 1 of"),
                "{captions:?}"
            );
            assert!(
                captions.iter().any(|c| c.starts_with("Type exactly")),
                "{captions:?}"
            );
            assert!(
                captions.iter().any(|c| c.contains("words, row 4 of 4")),
                "{captions:?}"
            );
        }
    }
}

#[test]
fn below_the_smallest_size_nothing_is_shown_or_taken_and_enlarging_recovers() {
    for size in [(79, 24), (80, 23), (20, 5), (1, 1)] {
        let mut model = asked(running("alice", (80, 24), 2), review("alice", 3));
        update(&mut model, Input::Resize(size.0, size.1));
        let rows = drawn(&model).join("");
        assert!(!rows.contains("row 0"), "{rows}");
        if size.0 > 70 {
            assert!(rows.contains("REHEARSAL This screen has"), "{rows}");
        }
        assert_eq!(key(&mut model, KeyCode::Char('q')), None);
        assert!(!model.leaving);
        update(&mut model, Input::Resize(80, 24));
        assert!(drawn(&model).join("").contains("row 0 of the review"));
    }
}

#[test]
fn the_opening_page_says_what_is_done_today_and_from_which_root() {
    for size in SIZES {
        let mut model = model("alice", size);
        let text = read_through(&mut model);
        for part in [
            "Today: root v8. You are holder 4 (alice).",
            "7 steps, about 50 minutes.",
            "REHEARSAL: throwaway keys",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        for row in digest(&Sha256::of(b"trusted root"))
            .iter()
            .chain(&digest(&Sha256::of(b"ceremony")))
        {
            assert!(text.contains(row.as_str()), "{text}");
        }
    }
}

#[test]
fn the_finish_page_has_the_result_the_words_and_every_file() {
    for size in SIZES {
        for (name, mut model) in screens("alice", size) {
            if name != "finished" {
                continue;
            }
            let first = drawn(&model).join("\n");
            assert!(first.contains("root v8 is valid alice"), "{first}");
            let text = read_through(&mut model);
            assert!(
                text.contains("metadata/8.root.jsonalice  3702 bytes"),
                "{text}"
            );
            for row in digest(&Sha256::of(b"head"))
                .iter()
                .chain(&digest(&Sha256::of(b"file")))
            {
                assert!(text.contains(row.as_str()), "{text}");
            }
            for word in words::of(&Sha256::of(b"head").0) {
                assert!(text.contains(word), "{word}\n{text}");
            }
        }
    }
}
