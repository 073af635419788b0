//! Instructions, which callgrind counts: the same on a machine that is busy with other things.

use std::{
    env, io,
    process::{Command, Stdio},
};

use crate::row::{Prepare, Row, Side};

/// Units of which the instructions are counted. Callgrind is fifty times slower than the machine.
const UNITS: u64 = 2_000;

/// Command of this program by which it does the work of one side of a row.
pub(crate) const WORK: &str = "work";

/// Counts the instructions of ours and the peers', for one of what the row's figures are for.
pub(crate) fn measure(row: &Row) -> io::Result<(f64, Option<f64>)> {
    let count = (UNITS * row.per.1) as f64;
    let ours = instructions(row, Side::Ours)? as f64 / count;
    let peers = match row.peers {
        Some(_) => Some(instructions(row, Side::Peers)? as f64 / count),
        None => None,
    };
    Ok((ours, peers))
}

fn instructions(row: &Row, side: Side) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*counted*"])
        .arg(env::current_exe()?)
        .args([WORK, row.name, side.name()])
        .stdin(Stdio::null())
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    match collected.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(io::Error::other(format!("valgrind did not count: {told}"))),
    }
}

/// Does the work of one side of a row, for callgrind to look at.
pub(crate) fn work(prepare: Prepare) {
    prepare(100)(); // call sites are registered
    counted(&mut *prepare(UNITS));
}

/// The function that callgrind collects in.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}
