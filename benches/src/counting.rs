//! Instructions, which callgrind counts: the same on a machine that is busy with other things.

use std::{
    env, io,
    process::{Command, Stdio},
};

use crate::{
    command::WORK,
    figures::Figures,
    row::{Row, Side},
    rows,
};

/// Whether there is a valgrind to count with.
pub(crate) fn is_possible() -> bool {
    let status = Command::new("valgrind")
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Counts the instructions of both sides, for one of what the row's figures are for.
pub(crate) fn measure(row: &Row) -> io::Result<Figures> {
    let mut counts = [0.0; 2];
    for ((name, side), count) in
        row.table.sides().into_iter().zip([Some(row.first), row.second]).zip(&mut counts)
    {
        if let Some(side) = side {
            *count = instructions(row, name)? as f64 / (units(row, side) * side.parts) as f64;
        }
    }
    Ok(row.figures("instr.", counts))
}

fn units(row: &Row, side: Side) -> u64 {
    (side.units / row.table.share_counted()).max(1)
}

fn instructions(row: &Row, side: &str) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*counted*"])
        .arg(env::current_exe()?)
        .args([WORK, row.name, side])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("valgrind: {error}")))?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    match collected.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(io::Error::other(format!("valgrind did not count: {told}"))),
    }
}

/// Does the work of one side of a row, for callgrind to look at; `None` if there is none of that name.
pub(crate) fn work(row: &str, side: &str) -> Option<()> {
    let row = rows::all().find(|other| other.name == row)?;
    let side = row.side(side)?;
    (side.prepare)(100)(); // call sites are registered
    counted(&mut *(side.prepare)(units(row, side)));
    Some(())
}

/// The function that callgrind collects in.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}
