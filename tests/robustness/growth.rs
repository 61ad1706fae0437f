//! Files of one shape in two sizes.

use std::time::{Duration, Instant};

use super::readers::READERS;

/// Parts in the smaller file.
const PARTS: usize = 1000;
/// How much larger the larger file is; a quadratic reader takes 256 times as long.
const FACTOR: usize = 16;
/// What is allowed: linear, twice over.
const ALLOWED: u32 = 32;
/// Less is not measurable.
const FLOOR: Duration = Duration::from_millis(4);

/// A file of about so many parts.
type Shape = fn(usize) -> String;

const SHAPES: [(&str, Shape); 14] = [
    ("keys and keyids", |n| root(&keys(n, ""), &keyids(n), "")),
    ("keys under wrong keyids with custom fields", |n| {
        root(&keys(n, "\"x-a\":1,"), &keyids(n), "")
    }),
    ("one keyid many times", |n| {
        root(&keys(1, ""), &vec![keyid(0); n].join(","), "")
    }),
    ("keyids without keys", |n| {
        root(&keys(1, ""), &keyids(n), "")
    }),
    ("signatures", |n| {
        let signature = |i| format!("{{\"keyid\":{},\"sig\":\"00\"}}", keyid(i));
        root(&keys(1, ""), &keyid(0), &each(n, signature))
    }),
    ("signatures under one keyid", |n| {
        let signature = |_| format!("{{\"keyid\":{},\"sig\":\"00\"}}", keyid(0));
        root(&keys(1, ""), &keyid(0), &each(n, signature))
    }),
    ("custom fields", |n| {
        root_with(&format!(
            "\"x\":{{{}}},",
            each(n, |i| format!("\"f{i}\":{i}"))
        ))
    }),
    ("names beyond the Basic Multilingual Plane", |n| {
        let field = |i| format!("\"\u{10000}\u{ff5e}e\u{301}{i}\":\"e\u{301}\"");
        root_with(&format!("\"x\":{{{}}},", each(n, field)))
    }),
    ("escapes in a text", |n| {
        root_with(&format!(
            "\"x\":[{}],",
            each(n / 10 + 1, |_| format!("\"{}\"", "\\u00e9".repeat(60)))
        ))
    }),
    ("open brackets", |n| "[".repeat(n * 20)),
    ("keyids twice in a role with a long name", |n| {
        let (name, twice) = ("r".repeat(n * 3), vec![keyid(0); n].join(","));
        targets(
            &keys(1, ""),
            &format!(
                "{{\"keyids\":[{twice}],\"name\":\"{name}\",\"paths\":[],\"terminating\":true,\"threshold\":1}}"
            ),
        )
    }),
    ("delegated roles", |n| {
        let role = |i| {
            format!(
                "{{\"keyids\":[{}],\"name\":\"r{i}\",\"paths\":[\"a/*\"],\"terminating\":true,\"threshold\":1}}",
                keyid(i)
            )
        };
        targets(&keys(n, ""), &each(n, role))
    }),
    ("patterns of one role", |n| {
        let paths = each(n, |i| format!("\"a{i}[\""));
        targets(
            &keys(1, ""),
            &format!(
                "{{\"keyids\":[],\"name\":\"r\",\"paths\":[{paths}],\"terminating\":true,\"threshold\":1}}"
            ),
        )
    }),
    ("tables of a script", |n| {
        let holder = |i| {
            format!(
                "[[holder]]\nname = \"h{i}\"\nperson = \"H\"\nroot.keyid = {}\n",
                keyid(i)
            )
        };
        let holders: String = (0..n).map(holder).collect();
        format!(
            "schema = \"tuf-ceremony/script/1\"\nkind = \"renew\"\ntitle = \"t\"\nprofile = \"room\"\n{holders}"
        )
    }),
];

/// Every reader over every shape.
pub(crate) fn check() {
    let mut slow = Vec::new();
    for (shape, make) in SHAPES {
        let (small, large) = (make(PARTS), make(PARTS * FACTOR));
        for (name, read) in READERS {
            let time = |text: &str| {
                let start = Instant::now();
                read(text.as_bytes());
                start.elapsed()
            };
            // A busy machine is slow once; a reader that grows too fast is so each time.
            let mut tries = (0..3).map(|_| (time(&small).max(FLOOR), time(&large)));
            if !tries.any(|(before, after)| after <= before * ALLOWED) {
                let (before, after) = (time(&small), time(&large));
                slow.push(format!(
                    "{name} over {shape}: {} bytes in {before:?}, {} in {after:?}",
                    small.len(),
                    large.len()
                ));
            }
        }
    }
    assert_eq!(slow, [""; 0]);
}

fn each(n: usize, one: impl Fn(usize) -> String) -> String {
    (0..n).map(one).collect::<Vec<_>>().join(",")
}

fn keyid(i: usize) -> String {
    format!("\"{i:064x}\"")
}

fn keyids(n: usize) -> String {
    each(n, keyid)
}

fn keys(n: usize, field: &str) -> String {
    each(n, |i| {
        format!(
            "{}:{{\"keytype\":\"ed25519\",\"keyval\":{{\"public\":{}}},{field}\"scheme\":\"ed25519\"}}",
            keyid(i),
            keyid(i)
        )
    })
}

fn root(keys: &str, keyids: &str, signatures: &str) -> String {
    file(keys, keyids, signatures, "")
}

fn root_with(fields: &str) -> String {
    file(&keys(1, ""), &keyid(0), "", fields)
}

fn file(keys: &str, keyids: &str, signatures: &str, fields: &str) -> String {
    let role = format!("{{\"keyids\":[{keyids}],\"threshold\":1}}");
    format!(
        "{{\"signatures\":[{signatures}],\"signed\":{{{fields}\"_type\":\"root\",\"consistent_snapshot\":true,\"expires\":\"2036-01-01T00:00:00Z\",\"keys\":{{{keys}}},\"roles\":{{\"root\":{role},\"snapshot\":{role},\"targets\":{role},\"timestamp\":{role}}},\"spec_version\":\"1.0.0\",\"version\":1}}}}"
    )
}

fn targets(keys: &str, roles: &str) -> String {
    format!(
        "{{\"signatures\":[],\"signed\":{{\"_type\":\"targets\",\"delegations\":{{\"keys\":{{{keys}}},\"roles\":[{roles}]}},\"expires\":\"2036-01-01T00:00:00Z\",\"spec_version\":\"1.0.0\",\"targets\":{{}},\"version\":1}}}}"
    )
}
