//! Every call goes through here: it is counted, logged, and broken where the plan says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use cryptoki_sys::{
    CK_FUNCTION_LIST, CK_RV, CK_SESSION_HANDLE, CK_SLOT_ID, CKR_DEVICE_ERROR,
    CKR_FUNCTION_NOT_SUPPORTED, CKR_GENERAL_ERROR, CKR_OK,
};
use libloading::Library;

use crate::lies::signature::Operation;
use crate::lies::{Answer, Lie};
use crate::log::{self, Log, Made};
use crate::plan::{Fault, Plan, What};
use crate::{process, reach};

/// The loaded shim of this process.
pub(crate) struct Shim {
    pub(crate) plan: Plan,
    /// The functions of the real module.
    pub(crate) real: CK_FUNCTION_LIST,
    log: Log,
    counts: Mutex<BTreeMap<String, u64>>,
    memory: Mutex<Memory>,
    /// Keeps the real module in memory.
    _library: Library,
}

/// What lies need to remember between calls.
#[derive(Default)]
pub(crate) struct Memory {
    /// What each session is about to sign with.
    pub(crate) operations: BTreeMap<CK_SESSION_HANDLE, Operation>,
    /// The signature of each length that was made last.
    pub(crate) previous: BTreeMap<usize, Vec<u8>>,
    /// Slots with a login that no signature has used up yet.
    pub(crate) fresh_logins: BTreeMap<CK_SLOT_ID, bool>,
    /// The slot, label and serial of the first initialised token that was asked for.
    pub(crate) first_token: Option<(CK_SLOT_ID, [u8; 32], [u8; 16])>,
}

/// One call under way.
pub(crate) struct Call<'a> {
    pub(crate) shim: &'static Shim,
    pub(crate) real: &'static CK_FUNCTION_LIST,
    function: &'static str,
    number: u64,
    due: &'a [&'static Fault],
}

impl Call<'_> {
    /// The lies to tell in this call.
    pub(crate) fn lies(&self) -> impl Iterator<Item = &'static Lie> {
        self.due.iter().filter_map(|fault| match &fault.what {
            What::Lie(lie) => Some(lie),
            _ => None,
        })
    }

    /// Writes into the log why a lie could not be told.
    pub(crate) fn cannot(&self, why: &str) {
        self.shim.log.fault(self.function, self.number, why);
    }
}

/// The shim of this process, loaded now if it was not before.
pub(crate) fn shim() -> Result<&'static Shim, &'static str> {
    static SHIM: OnceLock<Result<Shim, String>> = OnceLock::new();
    let shim = SHIM.get_or_init(|| {
        let loaded = Shim::load();
        if let Err(why) = &loaded {
            process::say(format!("pkcs11-shim: {why}\n").as_bytes());
        }
        loaded
    });
    shim.as_ref().map_err(String::as_str)
}

/// Makes the call that `forward` is, or what the plan has in its place. `give_up` ends an operation that the caller will think ended.
pub(crate) fn call(
    function: &'static str,
    detail: &str,
    give_up: impl FnOnce(&Call<'_>, CK_RV),
    forward: impl FnOnce(&Call<'_>) -> Answer,
) -> CK_RV {
    let Ok(shim) = shim() else {
        return CKR_GENERAL_ERROR;
    };
    let (number, total) = shim.counted(function);
    shim.log.came(function, number, detail);
    let due: Vec<&Fault> = shim
        .plan
        .faults
        .iter()
        .filter(|fault| fault.is_due(function, number, total))
        .collect();
    let call = Call {
        shim,
        real: &shim.real,
        function,
        number,
        due: &due,
    };
    let answer = if let Some(code) = call.broken(false) {
        give_up(&call, code);
        Answer::answered(code)
    } else {
        let answer = forward(&call);
        call.broken(true).map_or(answer, |code| Answer {
            code,
            made: Made::Overruled,
        })
    };
    shim.log.went(function, number, answer.code, answer.made);
    answer.code
}

impl Call<'_> {
    /// Lets the faults before or after the real call happen; the code to return in place of the real one, if any.
    fn broken(&self, after: bool) -> Option<CK_RV> {
        for fault in self.due.iter().filter(|fault| fault.after == after) {
            let happens = |what: &str| self.shim.log.fault(self.function, self.number, what);
            match &fault.what {
                What::Lie(_) => {}
                What::Code(code) => return Some(*code),
                What::Kill => {
                    happens("kill");
                    process::killed();
                }
                What::Segv => {
                    happens("segv");
                    process::segv();
                }
                What::Abort => {
                    happens("abort");
                    std::process::abort();
                }
                What::Exit(status) => {
                    happens("exit");
                    std::process::exit(*status);
                }
                What::Hang => {
                    happens("hang");
                    process::hang();
                }
                What::Sleep(milliseconds) => {
                    happens("sleep");
                    process::sleep(*milliseconds);
                }
                What::Libusb => {
                    happens("libusb");
                    if !reach::libusb_starts() {
                        return Some(CKR_DEVICE_ERROR);
                    }
                }
                What::Socket(socket) => {
                    happens("socket");
                    if !reach::opens(*socket) {
                        return Some(CKR_DEVICE_ERROR);
                    }
                }
                What::Print(text) => {
                    happens("print");
                    process::say(text);
                }
            }
        }
        None
    }
}

impl Shim {
    fn load() -> Result<Self, String> {
        let plan = whole_plan()?;
        if plan.real.as_os_str().is_empty() {
            return Err("no plan says which module is the real one".to_owned());
        }
        let log = Log::open(plan.log.as_deref())?;
        let counts = match &plan.log {
            Some(path) if plan.count_across_processes => log::counts(path),
            _ => BTreeMap::new(),
        };
        for (name, value) in &plan.environment {
            // SAFETY: a module is loaded before the threads that use it; test programs load it before they start others.
            unsafe { std::env::set_var(name, value) };
        }
        let (library, real) = functions_of(&plan.real)?;
        Ok(Self {
            plan,
            real,
            log,
            counts: Mutex::new(counts),
            memory: Mutex::default(),
            _library: library,
        })
    }

    /// What lies remember. Not to be held over a call to the real module, which may hang.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of this call of the function, and of all functions.
    fn counted(&self, function: &str) -> (u64, u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(function.to_owned()).or_default();
        *count += 1;
        (*count, counts.values().sum())
    }
}

/// The orders of the file beside the module, of the file that the environment names and of the environment itself.
fn whole_plan() -> Result<Plan, String> {
    let mut plan = Plan::default();
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let beside = process::own_path().map(|path| {
        let mut path = path.into_os_string();
        path.push(".plan");
        PathBuf::from(path)
    });
    let named = std::env::var_os("P11SHIM_PLAN").map(PathBuf::from);
    for path in beside.filter(|path| path.exists()).into_iter().chain(named) {
        plan.add(&read(&path)?, &path.display().to_string())?;
    }
    for (variable, order) in [("P11SHIM_REAL", "real "), ("P11SHIM_LOG", "log ")] {
        if let Ok(value) = std::env::var(variable) {
            plan.add(&format!("{order}{value}"), variable)?;
        }
    }
    if let Ok(orders) = std::env::var("P11SHIM_FAIL") {
        plan.add(&orders.replace(';', "\n"), "P11SHIM_FAIL")?;
    }
    Ok(plan)
}

fn functions_of(path: &Path) -> Result<(Library, CK_FUNCTION_LIST), String> {
    type GetFunctionList = unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV;
    let failed = |error: libloading::Error| format!("{}: {error}", path.display());
    // SAFETY: the plan of a test names a PKCS#11 module; what its initialisers do is what the test wants.
    let library = unsafe { Library::new(path) }.map_err(failed)?;
    let mut list = std::ptr::null_mut();
    // SAFETY: PKCS#11 fixes the type of this symbol.
    let code = unsafe {
        let function = library.get::<GetFunctionList>(b"C_GetFunctionList\0");
        function.map_err(failed)?(&raw mut list)
    };
    // SAFETY: PKCS#11: after CKR_OK it is the module's list, which lives as long as the module.
    match unsafe { list.as_ref() } {
        Some(functions) if code == CKR_OK => Ok((library, *functions)),
        _ => Err(format!(
            "{}: C_GetFunctionList said {code:#x}",
            path.display()
        )),
    }
}

/// What a call of a function that the real module lacks gives.
pub(crate) fn lacking() -> CK_RV {
    CKR_FUNCTION_NOT_SUPPORTED
}
