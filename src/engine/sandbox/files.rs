//! Which files a process that runs llama.cpp may open, by Landlock; and that it opens no TCP connection.
//!
//! In: its own files. Out: what holds, in words. It reads those, the program, the system's libraries and what
//! the kernel says of the machine, and writes only what it was given to write. In a build with code for
//! GPUs reading is allowed everywhere, since drivers look for their parts in many places, and their
//! devices and caches are writable.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::Places;
use crate::engine::llama;

/// The newest version whose restrictions are asked for; an older kernel gives what it has.
const VERSION: ABI = ABI::V6;
/// The system's libraries and their settings, and what is known of processors and memory.
const SYSTEM: &[&str] = &[
    "/usr",
    "/lib",
    "/lib64",
    "/etc",
    "/nix/store",
    "/proc",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/dev/null",
    "/dev/urandom",
];
/// What drivers of GPUs write to, below the user's home and elsewhere.
const DRIVERS: &[&str] = &["/dev", "/tmp", "/proc/self"];
const DRIVERS_AT_HOME: &[&str] = &[".nv", ".cache/nvidia", ".cache/mesa_shader_cache"];

/// Restricts this thread and those it starts.
pub fn restrict(places: &Places) -> String {
    match ruled(places) {
        Ok(RestrictionStatus { landlock: LandlockStatus::NotImplemented, .. }) => {
            "no Landlock: this kernel has none".to_owned()
        }
        Ok(RestrictionStatus { landlock: LandlockStatus::NotEnabled, .. }) => {
            "no Landlock: it is switched off in this kernel".to_owned()
        }
        Ok(status) if status.ruleset == RulesetStatus::NotEnforced => "no Landlock".to_owned(),
        Ok(RestrictionStatus {
            landlock: LandlockStatus::Available { effective_abi, .. }, ..
        }) => {
            format!("Landlock {}", effective_abi as i32)
        }
        Err(why) => format!("no Landlock ({why})"),
    }
}

fn ruled(places: &Places) -> Result<RestrictionStatus, RulesetError> {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(VERSION))?
        .handle_access(AccessNet::from_all(VERSION))?
        .scope(Scope::from_all(VERSION))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, AccessFs::from_read(VERSION)))?
        .add_rules(path_beneath_rules(programs(), AccessFs::from_read(VERSION)))?
        .add_rules(path_beneath_rules(&places.read, AccessFs::from_read(VERSION)))?
        .add_rules(path_beneath_rules(&places.write, writing()))?;
    let rules = if llama::GPU {
        let home = std::env::home_dir().unwrap_or_default();
        let caches: Vec<PathBuf> = DRIVERS_AT_HOME.iter().map(|name| home.join(name)).collect();
        rules
            .add_rules(path_beneath_rules(["/"], AccessFs::from_read(VERSION)))?
            .add_rules(path_beneath_rules(DRIVERS, AccessFs::from_all(VERSION)))?
            .add_rules(path_beneath_rules(caches, AccessFs::from_all(VERSION)))?
    } else {
        rules
    };
    rules.restrict_self()
}

/// To read, write, make and remove files; no programs to run, no links that lead others elsewhere, no devices.
fn writing() -> BitFlags<AccessFs> {
    AccessFs::from_all(VERSION)
        & !(AccessFs::Execute
            | AccessFs::MakeSym
            | AccessFs::MakeFifo
            | AccessFs::MakeChar
            | AccessFs::MakeBlock)
}

/// Our program, and the libraries that a portable build has beside it.
fn programs() -> Vec<PathBuf> {
    let program = std::env::current_exe().and_then(std::fs::canonicalize).unwrap_or_default();
    let beside = program.parent().unwrap_or(Path::new("")).join("lib");
    let mut programs = vec![program, beside];
    programs.extend(llama::built_libraries());
    programs
}
