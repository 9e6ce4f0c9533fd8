//! Which system calls a process that runs llama.cpp may make, by seccomp.
//!
//! In: nothing. Out: what holds, in words. What it has no use for answers with an error: the network, other
//! programs, other processes' memory, the kernel's own affairs. A list of what is refused and not of what is
//! allowed, because drivers of GPUs and new versions of the C library call what nobody foresees, and an
//! engine that is killed for it is of no use. Sockets are of the system's own kind (`AF_UNIX`), and connect
//! to nothing: clients come to it.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Refused with EPERM, whatever the arguments.
const REFUSED: &[i64] = &[
    // Clients come to the engine, it goes to nobody.
    libc::SYS_connect,
    // Other programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_process_madvise,
    // Ways around this list.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // The kernel's own affairs.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_syslog,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Other views of the file system.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_fsconfig,
    libc::SYS_mount_setattr,
    // open_tree_attr, which has no name in the library yet.
    467,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_fanotify_init,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
];

/// The numbers that the x32 kind of calls has of its own for calls of the list above: execve, ptrace,
/// execveat, process_vm_readv and process_vm_writev.
#[cfg(target_arch = "x86_64")]
const X32_OWN: &[i64] = &[520, 521, 545, 539, 540];
/// What makes a number one of x32's; where the kernel has that kind, the list must hold for it, too.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;

/// Restricts this thread and those it starts.
pub fn restrict() -> String {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else {
        return format!("no seccomp on {}", std::env::consts::ARCH);
    };
    match filters(arch).and_then(|filters| {
        // The last one is asked first; each must let a call pass.
        filters.iter().try_for_each(|filter| apply_filter(filter).map_err(|e| e.to_string()))
    }) {
        Ok(()) => "seccomp".to_owned(),
        Err(why) => format!("no seccomp ({why})"),
    }
}

fn filters(arch: TargetArch) -> Result<Vec<BpfProgram>, String> {
    let refused = program(arch, rules()?, libc::EPERM)?;
    // Its flags lie in memory, where no filter can look; the C library then takes `clone`, whose flags
    // are looked at.
    let clone3 = program(arch, BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)?;
    Ok(vec![refused, clone3])
}

fn program(arch: TargetArch, rules: Rules, error: i32) -> Result<BpfProgram, String> {
    let refuse = SeccompAction::Errno(error.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch);
    filter.and_then(BpfProgram::try_from).map_err(|error| error.to_string())
}

fn rules() -> Result<Rules, String> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    for call in [libc::SYS_kexec_file_load, libc::SYS_iopl, libc::SYS_ioperm] {
        rules.insert(call, Vec::new());
    }
    // Streams of the system's own kind, for the engine's socket and the runtime's pipe to itself.
    let mut socket = vec![when(0, SeccompCmpOp::Ne, libc::AF_UNIX as u64)?];
    for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW, libc::SOCK_RDM, libc::SOCK_SEQPACKET] {
        socket.push(when(1, SeccompCmpOp::MaskedEq(0xf), kind as u64)?);
    }
    rules.insert(libc::SYS_socket, socket.clone());
    rules.insert(libc::SYS_socketpair, socket);
    let namespaces = [
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWCGROUP,
    ];
    let clone = namespaces.map(|flag| {
        let flag = flag as u64;
        when(0, SeccompCmpOp::MaskedEq(flag), flag)
    });
    rules.insert(libc::SYS_clone, clone.into_iter().collect::<Result<_, _>>()?);
    #[cfg(target_arch = "x86_64")]
    {
        let other: Rules = rules.iter().map(|(call, when)| (call | X32, when.clone())).collect();
        rules.extend(other);
        rules.extend(X32_OWN.iter().map(|call| (call | X32, Vec::new())));
    }
    Ok(rules)
}

fn when(argument: u8, is: SeccompCmpOp, value: u64) -> Result<SeccompRule, String> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value);
    condition.and_then(|condition| SeccompRule::new(vec![condition])).map_err(|e| e.to_string())
}
