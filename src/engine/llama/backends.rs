//! Where a portable build has its machine code: shared libraries, one for each family of CPUs and
//! one for each kind of GPU. llama.cpp tries them all and keeps the best that runs here.
//!
//! In: the program's place. Out: registered backends, once for each process. It looks in `lib`
//! beside the program, as packages are laid out, else where cargo built them. Refuses: to go on
//! without a backend for the CPU, because llama.cpp aborts then. An ordinary build has its code in
//! the program, and nothing is loaded.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_sys_2 as sys;

/// How llama.cpp names the libraries for the CPU, on macOS as well.
const CPU_PREFIX: &str = "libggml-cpu";

/// Why a portable build cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    #[error(
        "the libraries of llama.cpp are not in {}. Unpack the whole archive again and keep its folder `lib` beside the program; to have `tandem` elsewhere, link to it",
        .0.display()
    )]
    Missing(PathBuf),
    #[error(
        "none of llama.cpp's libraries for the CPU in {} can be loaded. Unpack the whole archive again; if that does not help, install OpenMP's library (Debian, Ubuntu: apt install libgomp1; Fedora: dnf install libgomp)",
        .0.display()
    )]
    Unusable(PathBuf),
}

/// Starts llama.cpp, with its log going to ours.
///
/// # Errors
/// When its libraries are missing or do not fit this machine, as a sentence.
pub fn start() -> Result<LlamaBackend, String> {
    llama_cpp_2::send_logs_to_tracing(llama_cpp_2::LogOptions::default());
    load().map_err(|error| error.to_string())?;
    LlamaBackend::init().map_err(|error| format!("llama.cpp does not start: {error}"))
}

/// Listens to llama.cpp no longer, once its model is loaded: it calls every piece that is broken off an error, in
/// three lines, hundreds of times an hour. What it cannot do is in the codes it returns, and what it dies of
/// it writes itself. Whoever asks for more than errors (`TANDEM_LOG`) goes on hearing all.
pub fn hush() {
    unsafe extern "C" fn unheard(
        _: sys::ggml_log_level,
        _: *const std::ffi::c_char,
        _: *mut std::ffi::c_void,
    ) {
    }
    if !tracing::enabled!(target: "llama-cpp-2", tracing::Level::WARN) {
        // SAFETY: the function touches nothing, and lives as long as the program.
        unsafe { sys::llama_log_set(Some(unheard), std::ptr::null_mut()) };
    }
}

/// Loads the backends, the first time it is called; before anything else is asked of llama.cpp.
pub fn load() -> Result<(), BackendError> {
    static LOADED: OnceLock<Result<(), BackendError>> = OnceLock::new();
    if !cfg!(feature = "portable") {
        return Ok(());
    }
    LOADED.get_or_init(find).clone()
}

/// Where cargo has built the libraries of a portable build, as long as they are there.
pub fn built_libraries() -> Option<PathBuf> {
    sys::BACKENDS_DIR.filter(|_| cfg!(feature = "portable")).map(PathBuf::from)
}

fn find() -> Result<(), BackendError> {
    // Else llama.cpp writes to standard error what it loads.
    llama_cpp_2::send_logs_to_tracing(llama_cpp_2::LogOptions::default());
    // Through links: the libraries are beside the program, not beside the link to it.
    let program = std::env::current_exe().and_then(std::fs::canonicalize).unwrap_or_default();
    let folder = folder(&program, sys::BACKENDS_DIR.map(Path::new))?;
    // llama.cpp takes paths in UTF-8; a path with a zero byte cannot exist.
    let path = folder.to_str().and_then(|path| CString::new(path).ok());
    let Some(path) = path else { return Err(BackendError::Missing(folder)) };
    let cpu = sys::GGML_BACKEND_DEVICE_TYPE_CPU;
    // SAFETY: the path is a string that ends with zero; the second call reads what the first registered.
    let usable = unsafe {
        sys::ggml_backend_load_all_from_path(path.as_ptr());
        !sys::ggml_backend_dev_by_type(cpu).is_null()
    };
    if usable { Ok(()) } else { Err(BackendError::Unusable(folder)) }
}

/// Where the backends of `program` are: `lib` beside it, else where they were `built`.
fn folder(program: &Path, built: Option<&Path>) -> Result<PathBuf, BackendError> {
    let packaged = program.with_file_name("lib");
    if has_cpu_code(&packaged) {
        return Ok(packaged);
    }
    let built = built.filter(|folder| has_cpu_code(folder)).map(Path::to_path_buf);
    built.ok_or(BackendError::Missing(packaged))
}

fn has_cpu_code(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(CPU_PREFIX))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_cpu_code(folder: PathBuf) -> PathBuf {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("libggml-cpu-haswell.so"), "").unwrap();
        folder
    }

    #[test]
    fn the_libraries_beside_the_program_come_before_those_where_it_was_built() {
        let place = tempfile::tempdir().unwrap();
        let program = place.path().join("tandem");
        let built = with_cpu_code(place.path().join("built"));
        assert_eq!(folder(&program, Some(&built)), Ok(built.clone()));
        let packaged = with_cpu_code(place.path().join("lib"));
        assert_eq!(folder(&program, Some(&built)), Ok(packaged.clone()));
        assert_eq!(folder(&program, None), Ok(packaged));
    }

    #[test]
    fn a_folder_of_other_libraries_is_not_taken_for_the_backends() {
        let place = tempfile::tempdir().unwrap();
        let packaged = place.path().join("lib");
        std::fs::create_dir(&packaged).unwrap();
        std::fs::write(packaged.join("libllama.so.0"), "").unwrap();
        let error = folder(&place.path().join("tandem"), None).unwrap_err();
        assert_eq!(error, BackendError::Missing(packaged));
        assert!(error.to_string().contains("Unpack the whole archive"), "{error}");
    }

    #[test]
    fn backends_are_loaded_once_and_then_there_is_a_cpu() {
        assert_eq!(load(), Ok(()));
        assert_eq!(load(), Ok(()));
        assert!(!super::super::cpu_features().is_empty());
    }
}
