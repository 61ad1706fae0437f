//! What is worth a person's thought in a genuine attestation: how the key may be used, and what is published about such devices.

use crate::tuf::finding::Finding;

use super::advisory::{self, Verdict};
use super::statement::{Object, PinPolicy, Statement, TouchPolicy};

impl Statement {
    /// What is published about such a device for such a key.
    pub fn advisories(&self) -> Verdict {
        advisory::advisories(Some(self.product), Some(self.firmware), self.algorithm)
    }

    /// Warnings and notes about `file`: never a reason to call the attestation false.
    pub fn remarks(&self, file: &str) -> Vec<Finding> {
        let mut remarks = Vec::new();
        if self.test_root {
            let text = "the root is one of tests: nothing is proven of a real device";
            remarks.push(Finding::warning("ATTEST-TEST-ROOT", file, text));
        }
        if let Object::Piv {
            pin_policy,
            touch_policy,
            ..
        } = &self.object
        {
            if *pin_policy == PinPolicy::Never {
                let text = "the device signs without its PIN: whoever holds it can sign";
                remarks.push(Finding::warning("ATTEST-PIN", file, text));
            }
            if *touch_policy == TouchPolicy::Never {
                let text = "the device signs without a touch: a program on its computer can sign unseen once the PIN was typed";
                remarks.push(Finding::note("ATTEST-TOUCH", file, text));
            }
        }
        if let Verdict::Affected(advisories) = self.advisories() {
            remarks.extend(advisories.into_iter().map(|advisory| {
                let text = format!(
                    "{} ({}): {}. With firmware {} no new key of this type is made, and one that exists signs with a sign-off in writing",
                    advisory.id, advisory.also, advisory.text, self.firmware
                );
                Finding::warning(advisory.id, file, text)
            }));
        }
        remarks
    }
}
