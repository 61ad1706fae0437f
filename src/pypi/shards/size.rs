//! `CLAIMED-SIZE`: what clients can read of a file that delegates to projects, from measurements (docs/compatibility.md).

use crate::tuf::compat::Client;
use crate::tuf::finding::Finding;

/// Bytes that clients read of a targets file whose length the snapshot does not say, and about how many projects that are (one P-256 or Ed25519 key each, compact).
const CAPS: [(&[Client], usize, &str); 2] = [
    (
        &[Client::PythonTuf, Client::GoTuf],
        5_000_000,
        "5,000,000 bytes, about 13,000 projects",
    ),
    (
        &[Client::Tough],
        10 << 20,
        "10,485,760 bytes, about 31,000 projects",
    ),
];

/// From so many delegations on tuf-js takes longer than people wait.
const TUF_JS: usize = 3_000;

/// A warning where one of the clients would not get through the file `role`, and what helps.
pub fn size(file: &str, role: &str, bytes: usize, projects: usize) -> Option<Finding> {
    let caps = CAPS.iter().filter(|(_, cap, _)| bytes > *cap);
    let mut told: Vec<String> = caps
        .map(|(clients, _, words)| {
            let clients: Vec<_> = clients.iter().map(|client| client.version()).collect();
            format!(
                "{} read at most {words}, where the snapshot does not say its length",
                clients.join(" and ")
            )
        })
        .collect();
    if projects > TUF_JS {
        let client = Client::TufJs.version();
        told.push(format!(
            "{client} takes time with the square of the delegations, 6.5 s for 3,000 and 85 s for 10,000"
        ));
    }
    if told.is_empty() {
        return None;
    }
    let help = if role == "claimed" {
        "Let the snapshot say the lengths of files, and divide claimed: give [shards] in the next claim"
    } else {
        "Give [shards] a smaller number of projects"
    };
    let text = format!(
        "{role} delegates to {projects} projects in {bytes} bytes: {}. {help}.",
        told.join("; ")
    );
    Some(Finding::warning("CLAIMED-SIZE", file, text))
}
