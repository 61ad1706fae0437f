//! Draws a page. The first three and the last three rows never scroll; nothing is cut but texts that stand in full on another page.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::glyphs::Glyphs;
use super::model::{Model, SMALLEST};
use super::page::{Page, page, step_line};
use super::text::{Tone, fit, lines};
use crate::ceremony::event::Mode;

/// What stands in the rows that never scroll, besides the page's own.
pub(super) struct Chrome<'a> {
    /// The mode's name and tone, where there is a mode.
    pub(super) mode: Option<(&'static str, Tone)>,
    pub(super) title: &'a str,
    pub(super) clock: &'a str,
    /// The second row.
    pub(super) step: String,
    pub(super) glyphs: Glyphs,
}

/// Draws the model.
pub(super) fn view(model: &Model, frame: &mut Frame) {
    let chrome = Chrome {
        mode: Some(mode(model.mode)),
        title: &model.title,
        clock: &model.clock,
        step: step_line(model),
        glyphs: model.glyphs,
    };
    let scroll = if model.leaving {
        0
    } else if model.overlay.is_some() {
        model.overlay_scroll
    } else {
        model.scroll
    };
    draw(&chrome, &page(model), scroll, frame.buffer_mut());
}

fn mode(mode: Mode) -> (&'static str, Tone) {
    match mode {
        Mode::Rehearsal => ("REHEARSAL", Tone::Warn),
        Mode::Production => ("PRODUCTION", Tone::Bad),
    }
}

/// Draws a page into a buffer of any size.
pub(super) fn draw(chrome: &Chrome, page: &Page, scroll: usize, buffer: &mut Buffer) {
    let area = buffer.area;
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(chrome, area, buffer);
        return;
    }
    let rows = usize::from(area.height);
    let width = usize::from(area.width);
    let scroll = scroll.min(page.furthest(rows));
    let height = page.height(rows);
    let below = page.body.len().saturating_sub(scroll + height);
    let mut pen = Pen { buffer, row: 0 };
    pen.put(&top_row(chrome, width));
    let step = fit(&chrome.step, width - 2);
    pen.put(&Line::styled(format!(" {step}"), Tone::Strong.style()));
    pen.put(&rule(chrome.glyphs, width, scroll, "above"));
    for line in page
        .top
        .iter()
        .chain(page.body.iter().skip(scroll).take(height))
    {
        pen.put(line);
    }
    pen.row = area.height
        - 3
        - u16::try_from(page.bottom.len())
            .unwrap_or(0)
            .min(area.height - 6);
    for line in &page.bottom {
        pen.put(line);
    }
    pen.row = area.height - 3;
    pen.put(&rule(chrome.glyphs, width, below, "below: PgDn"));
    let waiting = fit(&page.waiting, width - 2);
    pen.put(&Line::styled(format!(" {waiting}"), Tone::Strong.style()));
    pen.put(&Line::raw(format!(" {}", page.keys)));
}

/// Mode, ceremony, UTC.
fn top_row(chrome: &Chrome, width: usize) -> Line<'static> {
    let (mode, tone) = chrome.mode.unwrap_or(("", Tone::Plain));
    let clock = fit(chrome.clock, 24);
    let room = width.saturating_sub(mode.len() + clock.len() + 8);
    let title = fit(chrome.title, room);
    Line::from(vec![
        Span::styled(
            format!(" {mode} "),
            tone.style().patch(Tone::Reverse.style()),
        ),
        Span::styled(format!("  {title:room$}  "), Tone::Strong.style()),
        Span::raw(format!("{clock} ")),
    ])
}

/// A rule that says how many lines are hidden.
fn rule(glyphs: Glyphs, width: usize, hidden: usize, whither: &str) -> Line<'static> {
    let text = match hidden {
        0 => String::new(),
        1 => format!(" 1 line {whither} "),
        lines => format!(" {lines} lines {whither} "),
    };
    let line = |cells: usize| glyphs.rule().to_string().repeat(cells);
    Line::raw(format!(
        "{}{text}{}",
        line(4),
        line(width.saturating_sub(4 + text.len()))
    ))
}

fn too_small(chrome: &Chrome, area: Rect, buffer: &mut Buffer) {
    let text = format!(
        "{} This screen has {} columns and {} rows. The ceremony needs {} and {}: enlarge it, nothing is lost. Keys are not taken here but Ctrl-C.",
        chrome.mode.map_or("", |(mode, _)| mode),
        area.width,
        area.height,
        SMALLEST.0,
        SMALLEST.1
    );
    let mut pen = Pen { buffer, row: 0 };
    for line in lines(&text, usize::from(area.width), Tone::Strong) {
        pen.put(&line);
    }
}

/// Writes line by line and lets nothing but allowed characters through, whatever made the line.
struct Pen<'a> {
    buffer: &'a mut Buffer,
    row: u16,
}

impl Pen<'_> {
    fn put(&mut self, line: &Line) {
        let area = self.buffer.area;
        let mut column = 0;
        for span in &line.spans {
            let style: Style = line.style.patch(span.style);
            for character in span.content.chars() {
                let character = if Glyphs::allows(character) {
                    character
                } else {
                    '?'
                };
                if column < area.width && self.row < area.height {
                    self.buffer[(column, self.row)]
                        .set_char(character)
                        .set_style(style);
                }
                column += 1;
            }
        }
        self.row += 1;
    }
}
