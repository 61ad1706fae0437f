//! The bundle as it lies there, with its manifest, judged as a stranger would.

use super::{RoomWorld, disk, world};
use crate::bundle::files;
use crate::bundle::manifest::{self, Manifest};
use crate::ceremony::event::{FileDigest, Mode};
use crate::ceremony::port::WorldError;
use crate::room::clock;
use crate::tuf::finding::Finding;
use crate::verdict::{self, Bundle};

impl RoomWorld {
    /// Writes the manifest over what lies in the bundle and judges the whole.
    pub(super) fn judged(&mut self) -> Result<(FileDigest, Vec<Finding>), WorldError> {
        let read =
            |files: &std::path::Path| files::read_folder(files).map_err(|fault| disk("", &fault));
        let manifest =
            Manifest::of(self.ceremony, self.mode, &read(&self.output)?).map_err(|findings| {
                world(
                    manifest::NAME,
                    &findings
                        .iter()
                        .map(|finding| finding.text.clone())
                        .collect::<Vec<_>>()
                        .join("; "),
                )
            })?;
        let written = self.put(manifest::NAME, &manifest.to_vec(), true)?;
        let files = read(&self.output)?;
        let first = || {
            files
                .iter()
                .find(|file| file.path == "metadata/1.root.json")
                .map(|file| (file.path.clone(), file.bytes.clone()))
        };
        let Some(trusted_root) = self.trusted_root.clone().or_else(first) else {
            let text = "there is no metadata here (tokens were provisioned, or a genesis was given up): only the record was judged";
            let bundle = Bundle {
                name: String::new(),
                files,
                finished: false,
            };
            let mut findings = verdict::judge_record(&bundle, self.mode == Mode::Rehearsal);
            findings.push(Finding::note("BUNDLE-NO-METADATA", "metadata", text));
            return Ok((written, findings));
        };
        let report = verdict::judge(verdict::Input {
            trusted_root,
            metadata: Vec::new(),
            named: std::collections::BTreeSet::new(),
            bundles: vec![Bundle {
                name: String::new(),
                files,
                finished: false,
            }],
            at: clock::now(),
            rehearsal: self.mode == Mode::Rehearsal,
            findings: Vec::new(),
        });
        Ok((written, report.findings))
    }
}
