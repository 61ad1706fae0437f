use super::file::{edited, expect};
use super::*;

#[test]
fn a_header_of_the_wrong_form_is_refused() {
    for (from, to, text) in [
        (
            "\"made\":\"2026-11-22T12:00:00Z\",",
            "",
            "line 1: the line has no member made",
        ),
        (
            "12:00:00Z",
            "12:00:00+00:00",
            "line 1: made is 2026-11-22T12:00:00+00:00; write it as YYYY-MM-DDTHH:MM:SSZ",
        ),
        (
            "\"anchor\":\"",
            "\"anchor\":\"0",
            "line 1: anchor must be 64 lower-case hexadecimal digits",
        ),
        (
            "\"requests\":3",
            "\"requests\":-3",
            "line 1: requests must be a whole number, 0 or more",
        ),
        (
            "\"requests\":3",
            "\"more\":1,\"requests\":3",
            "line 1: the line has the member more, which this program does not know",
        ),
    ] {
        expect(&edited(from, to), "REQUEST-FORM", text);
    }
}

#[test]
fn a_line_of_the_wrong_form_refuses_the_file() {
    for (from, to, text) in [
        (
            "\"project\":\"a\"",
            "\"project\":\"a\",\"project\":\"a\"",
            "line 2: column 423: the key \"project\" occurs twice in one object",
        ),
        (
            "\"threshold\":1",
            "\"threshold\":1.0",
            "line 2: column 453: a number with a fraction or exponent; TUF metadata has integers only",
        ),
        (
            "\"project\":\"a\",",
            "",
            "line 2: the line has no member project",
        ),
        (
            "\"project\":\"a\"",
            "\"project\":7",
            "line 2: project must be a string",
        ),
        (
            "\"project\":\"a\"",
            "\"project\":\"a\",\"role\":1",
            "line 2: the line has the member role, which this program does not know",
        ),
        (
            "\"threshold\":1}",
            "\"threshold\":1}{}",
            "line 2: column 455: data after the end of the document",
        ),
        (
            "\"request\":\"claim\",",
            "",
            "line 2: the line has no member request",
        ),
        (
            "\"threshold\":1",
            "\"threshold\":true",
            "line 2: threshold must be a whole number, 0 or more",
        ),
        (
            "\"threshold\":1",
            "\"new_name\":false",
            "line 2: new_name must be true, or left out",
        ),
        (
            "\"threshold\":1",
            "\"custody\":\"all\"",
            "line 2: custody is all; known are files, tombstone",
        ),
        (
            "\"threshold\":1",
            "\"events\":{}",
            "line 2: events must be an array",
        ),
        (
            "\"threshold\":1",
            "\"events\":[{\"event\":\"fire\"}]",
            "line 2: events[0].event is fire; known are recovery, ownership, quarantine, report",
        ),
        (
            "\"threshold\":1",
            "\"possession\":[{\"keyid\":\"k\"}]",
            "line 2: possession[0] must have one of sig and bundle",
        ),
        (
            "\"threshold\":1",
            "\"possession\":[{\"keyid\":\"k\",\"sig\":\"00\",\"bundle\":{}}]",
            "line 2: possession[0] must have one of sig and bundle",
        ),
        (
            "\"threshold\":1",
            "\"possession\":[{\"keyid\":\"k\",\"bundle\":[]}]",
            "line 2: possession[0].bundle must be an object",
        ),
        (
            "\"threshold\":1",
            "\"channel\":{\"kind\":\"telephone\",\"says\":\"\"}",
            "line 2: channel.kind is telephone; known are mail-reply, attestation",
        ),
    ] {
        expect(&edited(from, to), "REQUEST-FORM", text);
    }
    let long = format!(
        "\"channel\":{{\"kind\":\"mail-reply\",\"says\":\"{}\"}}",
        "x".repeat(1001)
    );
    expect(
        &edited("\"threshold\":1", &long),
        "REQUEST-FORM",
        "line 2: channel.says must have at most 1000 characters",
    );
    expect(
        &edited("\n", "\n\n"),
        "REQUEST-FORM",
        "line 2: column 1: the text ends too early",
    );
}

#[test]
fn a_line_that_is_too_long_is_refused_and_one_that_is_not_is_read() {
    let padded = |length: usize| {
        let mut request = request(Action::Claim, "a", &[1], 1);
        let spare = length - line(&request).len();
        // White space between values is right, and long.
        request.line = 2;
        let text = line(&request).replacen(',', &format!(",{}", " ".repeat(spare)), 1);
        around(&[&text])
    };
    assert_eq!(
        Requests::parse(FILE, &padded(LONGEST_LINE))
            .unwrap()
            .requests
            .len(),
        1
    );
    expect(
        &padded(LONGEST_LINE + 1),
        "REQUEST-LENGTH",
        "line 2: the line is longer than 262144 bytes",
    );
}

#[test]
fn a_file_of_another_schema_is_refused() {
    let reads = "this program reads tuf-ceremony/requests/1";
    for (from, to, found) in [
        (
            "tuf-ceremony/requests/1",
            "tuf-ceremony/requests/2",
            "tuf-ceremony/requests/2",
        ),
        ("\"schema\"", "\"scheme\"", "none"),
        ("\"tuf-ceremony/requests/1\"", "1", "none"),
    ] {
        let text = format!("line 1: schema is {found}; {reads}");
        expect(&edited(from, to), "REQUEST-SCHEMA", &text);
    }
}
