//! The judges judged: the independent clients say what we know of them about a repository that none of our code made,
//! and the harness around them can fail.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::peers::{Client, Peer, Publication, Verdict, make_repository, publish};
use tempfile::TempDir;

const TARGET: &str = "demo/demo-1.0.txt";
/// SHA-256 of "hello\n".
const TARGET_SHA256: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

/// python-tuf's own repository in a temporary folder.
struct Play {
    folder: TempDir,
}

impl Play {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_repository(folder.path());
        fs::write(folder.path().join("demo.txt"), "hello\n").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lays `bundle` over the published repository `out` and signs the online part anew.
    fn publish(&self, bundle: &str, out: &str) -> Result<serde_json::Value, String> {
        publish(&Publication {
            bundle: &self.path(bundle),
            online_keys: &[&self.path("online.pem")],
            out: &self.path(out),
            targets: &[(TARGET, &self.path("demo.txt"))],
            at: None,
        })
    }

    /// A client shipped with the first root; it keeps its memory under its own name.
    fn client(&self, peer: Peer, published: &str, at: Option<&str>) -> Verdict {
        peer.client(&Client {
            trusted_root: &self.path("genesis/metadata/1.root.json"),
            cache: &self.path(&format!("{peer:?}-{published}")),
            published: &self.path(published),
            target: Some(TARGET),
            at,
        })
    }

    fn root_chain(&self, peer: Peer, name: &str) -> Verdict {
        let metadata = self.path(name).join("metadata");
        peer.root_chain(&metadata.join("1.root.json"), &metadata)
    }
}

/// What a client is known to say: the newest root it accepts, and a part of its refusal.
type Known = (Option<u64>, Option<&'static str>);

fn assert_says(verdict: &Verdict, (root_version, refusal): Known, case: &str) {
    assert_eq!(verdict.root_version, root_version, "{case}: {verdict:?}");
    match refusal {
        None => assert!(verdict.ok, "{case}: {verdict:?}"),
        Some(words) => assert!(verdict.refusal().contains(words), "{case}: {verdict:?}"),
    }
}

#[test]
fn old_clients_follow_a_genuine_repository_through_every_publishing_step() {
    let play = Play::new();
    for (step, bundle) in [(1, "genesis"), (2, "rotated")] {
        let versions = play.publish(bundle, "published").unwrap();
        assert_eq!(versions["root"], step);
        assert_eq!(versions["timestamp"], step);
        for peer in [Peer::PythonTuf, Peer::TufJs] {
            let verdict = play.client(peer, "published", None);
            assert_says(&verdict, (Some(step), None), bundle);
            assert_eq!(verdict.target_sha256.as_deref(), Some(TARGET_SHA256));
        }
        // tough follows the roots but cannot read TAP 15 bins.
        let tough = play.client(Peer::Tough, "published", None);
        assert_says(&tough, (Some(step), Some("missing field `roles`")), bundle);
    }
}

#[test]
fn each_client_judges_root_chains_as_known() {
    let play = Play::new();
    let tough_cannot_read = (None, Some("Invalid SubjectPublicKeyInfo document"));
    // python-tuf, tuf-js, tough
    let cases: [(&str, [Known; 3]); 8] = [
        ("genesis", [(Some(1), None); 3]),
        ("rotated", [(Some(2), None); 3]),
        // Wrong in all three: they count keyids, not keys.
        ("one-key-under-two-keyids", [(Some(1), None); 3]),
        ("expired-root", [(Some(2), None); 3]),
        // tuf-js verifies P-384 since @tufjs/models 5.0.2, which tuf-js 6.0.2 pins; before it could not.
        (
            "p384-signature-needed",
            [(Some(1), None), (Some(1), None), tough_cannot_read],
        ),
        (
            "p384-key-idle",
            [(Some(1), None), (Some(1), None), tough_cannot_read],
        ),
        (
            "signed-by-removed-key",
            [
                (Some(1), Some("root was signed by 1/2 keys")),
                (Some(1), Some("root was signed by 1/2 keys")),
                (
                    Some(1),
                    Some("Signature threshold of 2 not met for role root (1 valid signatures)"),
                ),
            ],
        ),
        (
            "version-skipped",
            [
                (
                    Some(1),
                    Some("Expected root version 2 instead got version 3"),
                ),
                (Some(1), Some("Expected version 2, got 3")),
                (
                    Some(1),
                    Some(
                        "Found version 3 of root metadata when we had previously fetched version 1",
                    ),
                ),
            ],
        ),
    ];
    for (name, known) in cases {
        for (peer, known) in Peer::ALL.into_iter().zip(known) {
            let verdict = play.root_chain(peer, name);
            assert_says(&verdict, known, &format!("{name}, {peer:?}"));
        }
    }
}

#[test]
fn parsing_alone_tells_succinct_roles_and_p384_apart() {
    let play = Play::new();
    let cases = [
        ("genesis/metadata/1.targets.json", [true, true, true]),
        ("genesis/metadata/1.bins.json", [true, true, false]),
        ("p384-key-idle/metadata/1.root.json", [true, true, false]),
        ("demo.txt", [false, false, false]),
    ];
    for (file, known) in cases {
        for (peer, known) in Peer::ALL.into_iter().zip(known) {
            let verdict = peer.parse(&play.path(file));
            assert_eq!(verdict.ok, known, "{file}, {peer:?}: {verdict:?}");
        }
    }
}

#[test]
fn an_expired_newest_root_stops_every_client() {
    let play = Play::new();
    play.publish("expired-root", "published").unwrap();
    for peer in Peer::ALL {
        let words = match peer {
            Peer::PythonTuf | Peer::TufJs => "Final root.json is expired",
            Peer::Tough => "root metadata is expired",
        };
        let verdict = play.client(peer, "published", None);
        assert_says(&verdict, (Some(2), Some(words)), &format!("{peer:?}"));
    }
}

#[test]
fn the_time_given_is_the_clients_time() {
    let play = Play::new();
    play.publish("genesis", "published").unwrap();
    for peer in Peer::ALL {
        let words = match peer {
            Peer::PythonTuf | Peer::TufJs => "Final root.json is expired",
            Peer::Tough => "root metadata is expired",
        };
        let verdict = play.client(peer, "published", Some("2099-01-01T00:00:00Z"));
        assert_says(&verdict, (Some(1), Some(words)), &format!("{peer:?}"));
    }
}

#[test]
fn a_changed_byte_is_refused_by_every_client() {
    let play = Play::new();
    play.publish("rotated", "published").unwrap();
    replace(
        &play.path("published/metadata/2.root.json"),
        "\"version\": 2",
        "\"version\":  2",
    );
    for peer in [Peer::PythonTuf, Peer::TufJs] {
        // White space is not signed; so this twin is still good, and shows that the next one fails for its flaw.
        assert!(play.client(peer, "published", None).ok, "{peer:?}");
    }
    replace(
        &play.path("rotated/metadata/2.root.json"),
        "\"threshold\": 1",
        "\"threshold\": 2",
    );
    for peer in Peer::ALL {
        let verdict = play.root_chain(peer, "rotated");
        assert!(!verdict.ok, "{peer:?}: {verdict:?}");
        assert_eq!(verdict.root_version, Some(1), "{peer:?}");
    }
}

#[test]
fn a_changed_target_file_is_refused() {
    let play = Play::new();
    play.publish("genesis", "published").unwrap();
    let file = format!("published/targets/demo/{TARGET_SHA256}.demo-1.0.txt");
    fs::write(play.path(&file), "hullo\n").unwrap();
    for peer in [Peer::PythonTuf, Peer::TufJs] {
        assert!(!play.client(peer, "published", None).ok, "{peer:?}");
    }
}

#[test]
fn the_publisher_refuses_a_bundle_without_bins_and_a_foreign_online_key() {
    let play = Play::new();
    fs::remove_file(play.path("rotated/metadata/1.bins.json")).unwrap();
    assert_eq!(
        play.publish("rotated", "published").unwrap_err(),
        "The bundle holds no N.bins.json; a client needs it."
    );
    let stranger = Play::new();
    fs::copy(stranger.path("online.pem"), play.path("online.pem")).unwrap();
    let complaint = play.publish("genesis", "other").unwrap_err();
    assert!(
        complaint.starts_with("None of the given online keys may sign bin-"),
        "{complaint}"
    );
}

fn replace(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(old), "{} has no {old}", file.display());
    fs::write(file, text.replace(old, new)).unwrap();
}
