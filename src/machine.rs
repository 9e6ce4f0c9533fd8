//! What this machine is: cores, memory, processes; and the priority of a thread. In: nothing. Out: plain
//! numbers.

use std::process::Command;

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use crate::ask::key;
use crate::settings;

/// Takes the keys and tokens that our own process may have been given out of a child's environment: for those
/// that have no use for any.
pub fn without_secrets(command: &mut Command) {
    for secret in key::VARIABLES.iter().chain([&settings::HTTP_TOKEN, &settings::REMOTE_KEY]) {
        command.env_remove(secret);
    }
}

/// Has the system write no image of this process's memory when it crashes, nor of those that it starts: the user's
/// text is in it, and an engine of a gigabyte is replaced only when the image is written.
#[cfg(unix)]
pub fn leave_no_core() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // Where a program takes the images, Linux goes by a limit of 1 byte and not by one of 0 (core(5)).
    let most = getrlimit(Resource::Core).maximum.map_or(1, |most| most.min(1));
    // To lower one's own limit is never refused.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(most), maximum: Some(most) });
}

/// Here it is the system's own settings that say whether it does.
#[cfg(not(unix))]
pub fn leave_no_core() {}

/// Cores that can decode at the same time; a core's second thread only gets in the way.
pub fn physical_cores() -> u32 {
    let logical = std::thread::available_parallelism().map_or(1, |n| n.get());
    let physical = System::physical_core_count().unwrap_or(logical);
    // In a container or virtual machine fewer may be ours than the machine has.
    physical.min(logical).clamp(1, 16) as u32
}

/// Bytes of memory in all; 0 when the system does not say.
pub fn memory_bytes() -> u64 {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    System::new_with_specifics(memory).map_or(0, |system| system.total_memory())
}

/// What the processor calls itself; empty when the system does not say.
pub fn processor() -> String {
    let processors = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    System::new_with_specifics(processors)
        .ok()
        .and_then(|system| system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()))
        .unwrap_or_default()
}

/// Bytes that we may still write where this folder is; `None` when the system does not say.
#[cfg(unix)]
pub fn free_bytes(folder: &std::path::Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Bytes that we may still write where this folder is; `None` when the system does not say.
#[cfg(not(unix))]
pub fn free_bytes(_folder: &std::path::Path) -> Option<u64> {
    None
}

/// Lets this thread run only when no other wants to, where the system can do that for a thread.
pub fn lower_this_threads_priority() {
    // On Linux a "process" here is the calling thread. If it is refused, it stays as it was.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 19);
}

/// Ends a process at once, without asking it. One that is gone, or somebody else's, stays as it is.
#[cfg(unix)]
pub fn end(process: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    // Number 1 is not ours to end, and below it a number means whole groups.
    if let Some(pid) = i32::try_from(process).ok().filter(|&n| n > 1).and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Ends a process at once, without asking it. One that is gone, or somebody else's, stays as it is.
#[cfg(not(unix))]
pub fn end(process: u32) {
    let pid = sysinfo::Pid::from_u32(process);
    if let Ok(mut system) = System::new() {
        system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
        if let Some(process) = system.process(pid) {
            process.kill();
        }
    }
}

/// Does a process with this number run this command of this program? No, where the system does not say.
pub fn runs(process: u32, program: &std::path::Path, command: &str) -> bool {
    let pid = sysinfo::Pid::from_u32(process);
    let always = sysinfo::UpdateKind::Always;
    let what = sysinfo::ProcessRefreshKind::nothing().with_exe(always).with_cmd(always);
    let Ok(mut system) = System::new() else { return false };
    let only = sysinfo::ProcessesToUpdate::Some(&[pid]);
    system.refresh_processes_specifics(only, true, what);
    let Some(process) = system.process(pid) else { return false };
    if process.cmd().get(1).is_none_or(|first| first != command) {
        return false;
    }
    let exe = process.exe();
    let name = |path: &std::path::Path| path.file_name().map(std::ffi::OsStr::to_owned);
    // The file may have been replaced since; its name stays, with a remark behind it.
    exe.and_then(name).zip(name(program)).is_some_and(|(runs, wanted)| {
        let (runs, wanted) = (runs.to_string_lossy(), wanted.to_string_lossy());
        runs.trim_end_matches(" (deleted)") == wanted
    })
}

/// Does a process with this number exist?
#[cfg(unix)]
pub fn is_running(process: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    // Somebody else's process cannot be signalled, but it exists.
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Does a process with this number exist?
#[cfg(not(unix))]
pub fn is_running(process: u32) -> bool {
    let pid = sysinfo::Pid::from_u32(process);
    System::new().map_or(true, |mut system| {
        system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
        system.process(pid).is_some()
    })
}
