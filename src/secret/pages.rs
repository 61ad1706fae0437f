//! Locked pages: the one place, besides module init arguments, with unsafe code.
//!
//! It is ours because the crates around these calls (`memsec`, `region`) have an unsafe interface too, and because nothing may fall back to
//! unlocked memory. What has to be right fits on a screen: a page is mapped in [`LockedPage::new`], lent as a slice for as long as the
//! value lives, and unmapped in `drop`. Nobody else has its address.
#![allow(
    unsafe_code,
    reason = "mapping and locking pages has no safe interface in rustix"
)]

use std::io;
use std::ptr::{self, NonNull};
use std::slice;

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous, munmap};
use zeroize::Zeroize as _;

/// Bytes of a page that are used. Kernels with larger pages lock the rest of the page too.
pub(super) const SIZE: usize = 4096;

/// A page of our own: locked, not in core dumps, all zero in a forked child, wiped before it is given back.
pub(super) struct LockedPage {
    start: NonNull<u8>,
}

// SAFETY: the page belongs to this value alone, and only `&mut self` writes to it.
unsafe impl Send for LockedPage {}
// SAFETY: as above; `&self` only reads.
unsafe impl Sync for LockedPage {}

impl LockedPage {
    /// A page of zeros. Every protection is needed: where one is refused there is no page.
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: a new anonymous mapping at an address that the kernel picks touches no existing memory.
        let mapped = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                SIZE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }?;
        let start = NonNull::new(mapped.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        // From here on `drop` unmaps it, also when one of the calls below fails.
        let page = Self { start };
        for advice in [Advice::LinuxDontDump, Advice::LinuxWipeOnFork] {
            // SAFETY: exactly the pages mapped above; neither advice changes what the parent reads.
            unsafe { madvise(mapped, SIZE, advice) }?;
        }
        // SAFETY: exactly the pages mapped above.
        unsafe { mlock(mapped, SIZE) }?;
        Ok(page)
    }

    /// The whole page.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: `SIZE` readable and initialised (zeroed by the kernel) bytes, mapped for as long as `self` lives; writers need `&mut self`.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), SIZE) }
    }

    /// The whole page, to write.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` makes it the only reference.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), SIZE) }
    }
}

impl Drop for LockedPage {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        // SAFETY: the mapping made in `new`, unmapped once; every slice of it borrowed `self` and is gone. Unmapping also unlocks. An error
        // would mean that nothing is mapped there, and the page is wiped already.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), SIZE) };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use rustix::process::{Resource, Rlimit, setrlimit};
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    use super::LockedPage;

    /// The kernel's flags of the mapping that holds `address` (proc(5), smaps).
    fn kernel_flags(address: usize) -> String {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in maps.lines() {
            if let Some((start, rest)) = line.split_once('-')
                && let Ok(start) = usize::from_str_radix(start, 16)
            {
                let end = rest.split(' ').next().unwrap();
                let end = usize::from_str_radix(end, 16).unwrap();
                inside = (start..end).contains(&address);
            } else if inside && let Some(flags) = line.strip_prefix("VmFlags: ") {
                return flags.to_owned();
            }
        }
        panic!("no mapping at {address:x}");
    }

    #[test]
    fn page_is_locked_undumped_and_wiped_in_a_forked_child() {
        let page = LockedPage::new().unwrap();
        assert!(page.bytes().iter().all(|byte| *byte == 0));
        let flags = kernel_flags(page.bytes().as_ptr().addr());
        for (flag, claim) in [
            ("lo", "locked"),
            ("dd", "not dumped"),
            ("wf", "wiped on fork"),
        ] {
            assert!(
                flags.split(' ').any(|word| word == flag),
                "{claim}: {flags}"
            );
        }
    }

    /// Run alone in a process of its own: the limit holds for all threads.
    #[test]
    fn machine_that_does_not_lock_memory_gives_no_page() {
        const CHILD: &str = "TUF_CEREMONY_TEST_WITHOUT_MEMLOCK";
        if std::env::var_os(CHILD).is_none() {
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "--test-threads=1"])
                .arg("secret::pages::tests::machine_that_does_not_lock_memory_gives_no_page")
                .env(CHILD, "1")
                .stdout(std::process::Stdio::null())
                .status()
                .unwrap();
            assert!(status.success());
            return;
        }
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::IPC_LOCK);
        set_capabilities(None, sets).unwrap();
        let nothing = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        setrlimit(Resource::Memlock, nothing).unwrap();
        let error = crate::secret::Secret::new().err().expect("a locked page");
        assert!(
            error
                .to_string()
                .starts_with("this machine does not let the program lock memory ("),
            "{error}"
        );
    }
}
