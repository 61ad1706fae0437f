//! The frame of a requests file: header, lines in order, end.

use super::{Entry, FORM, Header, LONGEST_LINE, Refused, SCHEMA, line};
use crate::pypi::fault::Fault;
use crate::pypi::field::Field;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};

/// Reads a file line by line. A request is given out once the line behind it was seen to be for another project. What comes is worth nothing until
/// the reader has ended without an error: only then the end line was there and right.
#[derive(Debug)]
pub struct Reader<'a> {
    file: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: usize,
    requests: u64,
    header: Header,
    held: Option<Held<'a>>,
    is_over: bool,
}

#[derive(Debug)]
struct Held<'a> {
    text: &'a [u8],
    line: usize,
    project: String,
    entry: Entry,
}

impl<'a> Reader<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// `REQUEST-SCHEMA`, `REQUEST-FORM`, or `REQUEST-TRUNCATED`.
    pub fn open(file: &'a str, bytes: &'a [u8]) -> Result<Self, Finding> {
        let mut reader = Self {
            file,
            bytes,
            at: 0,
            line: 0,
            requests: 0,
            header: Header {
                anchor: Sha256([0; 32]),
                made: jiff::Timestamp::UNIX_EPOCH,
                requests: 0,
            },
            held: None,
            is_over: false,
        };
        let header = reader.text().and_then(|text| reader.placed(header(text)));
        reader.header = header.map_err(|fault| fault.finding(file))?;
        Ok(reader)
    }

    /// The first line.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next line, without its newline.
    fn text(&mut self) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            let text = format!(
                "the file ends behind line {} without its end line: it was cut off; fetch it again",
                self.line
            );
            return Err(Fault::new("REQUEST-TRUNCATED", text));
        }
        self.line += 1;
        let seen = &rest[..rest.len().min(LONGEST_LINE + 1)];
        match seen.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                self.at += end + 1;
                Ok(&rest[..end])
            }
            None if seen.len() > LONGEST_LINE => {
                let text = format!("the line is longer than {LONGEST_LINE} bytes");
                self.placed(Err(Fault::new("REQUEST-LENGTH", text)))
            }
            None => {
                let text = "the line has no newline: the file was cut off; fetch it again";
                self.placed(Err(Fault::new("REQUEST-TRUNCATED", text)))
            }
        }
    }

    fn placed<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| fault.at(&format!("line {}", self.line)))
    }

    /// Reads a line behind the header: none if it was the end line.
    fn take(&mut self) -> Result<Option<Held<'a>>, Fault> {
        let before = self.at;
        let text = self.text()?;
        let field = self.placed(Field::line(FORM, text))?;
        if let Some(end) = field.optional("end") {
            let judged = field.only(&["end"]).and_then(|()| self.end(&end, before));
            return self.placed(judged).map(|()| None);
        }
        self.requests += 1;
        let project = self.placed(field.member("project").and_then(|name| name.string()))?;
        let entry = match line::request(&field, &self.header, self.line) {
            Ok(request) => Entry::Request(Box::new(request)),
            Err(fault) if fault.rule == FORM => return self.placed(Err(fault)),
            Err(fault) => self.refused(self.line, &project, fault),
        };
        Ok(Some(Held {
            text,
            line: self.line,
            project: project.into_owned(),
            entry,
        }))
    }

    fn refused(&self, line: usize, project: &str, fault: Fault) -> Entry {
        let place = format!("line {line}, {}", shown(project));
        Entry::Refused(Refused {
            line,
            project: project.to_owned(),
            finding: fault.at(&place).finding(self.file),
        })
    }

    /// The end line's word against what came before it.
    fn end(&self, end: &Field<'_>, before: usize) -> Result<(), Fault> {
        end.only(&["requests", "sha256"])?;
        let counted = end.member("requests")?.number()?;
        let digest = end.member("sha256")?.digest()?;
        if counted != self.requests || self.header.requests != self.requests {
            let text = format!(
                "the file has {} requests, its header says {} and its end line {counted}: lines were lost or added; fetch it again",
                self.requests, self.header.requests
            );
            return Err(Fault::new("REQUEST-COUNT", text));
        }
        let found = Sha256::of(&self.bytes[..before]);
        if digest != found {
            let text = format!(
                "the end line says that what stands before it has the digest {digest}; it has {found}: the file was changed; fetch it again"
            );
            return Err(Fault::new("REQUEST-DIGEST", text));
        }
        if self.at < self.bytes.len() {
            return Err(Fault::new(FORM, "something stands behind the end line"));
        }
        Ok(())
    }

    /// Puts `next` beside the line before it, and gives that one out.
    fn step(&mut self) -> Result<Option<Entry>, Fault> {
        loop {
            let Some(mut next) = self.take()? else {
                self.is_over = true;
                return Ok(self.held.take().map(|held| held.entry));
            };
            let Some(mut held) = self.held.take() else {
                self.held = Some(next);
                continue;
            };
            if held.project > next.project {
                let text = format!(
                    "line {}: {} stands behind {}; the lines are sorted by project",
                    next.line,
                    shown(&next.project),
                    shown(&held.project)
                );
                return Err(Fault::new("REQUEST-ORDER", text));
            }
            if held.project == next.project {
                let fault = twice(&held, &next);
                held.entry = self.refused(held.line, &held.project, fault.clone());
                next.entry = self.refused(next.line, &next.project, fault);
            }
            self.held = Some(next);
            return Ok(Some(held.entry));
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Entry, Finding>;

    /// After an error nothing comes any more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.step().map_err(|fault| fault.finding(self.file));
        self.is_over |= step.is_err();
        step.transpose()
    }
}

/// Neither of two lines for one project is believed: nobody can say which was meant.
fn twice(held: &Held<'_>, next: &Held<'_>) -> Fault {
    if held.text == next.text {
        let text = format!(
            "lines {} and {} are the same; send one",
            held.line, next.line
        );
        return Fault::new("REQUEST-TWICE", text);
    }
    let text = format!(
        "lines {} and {} ask for different things; send one that says how the project shall be",
        held.line, next.line
    );
    Fault::new("REQUEST-CONTRADICTS", text)
}

fn header(text: &[u8]) -> Result<Header, Fault> {
    let field = Field::line(FORM, text)?;
    let schema = field
        .optional("schema")
        .and_then(|schema| Some(schema.json().as_str()?.into_owned()));
    if schema.as_deref() != Some(SCHEMA) {
        let found = schema.map_or("none".to_owned(), |schema| shown(&schema).into_owned());
        let text = format!("schema is {found}; this program reads {SCHEMA}");
        return Err(Fault::new("REQUEST-SCHEMA", text));
    }
    field.only(&["schema", "anchor", "made", "requests"])?;
    Ok(Header {
        anchor: field.member("anchor")?.digest()?,
        made: field.member("made")?.moment(FORM)?,
        requests: field.member("requests")?.number()?,
    })
}
