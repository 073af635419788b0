//! spanshot against its peers, measured in one run. See README.md.

#![allow(clippy::cast_precision_loss, reason = "figures are shown to three places")]

mod amounts;
mod buffer;
mod counting;
mod guests;
mod heap;
mod row;
mod rows;
mod timing;
mod tunnels;
mod workload;

use std::{env, error::Error, process::ExitCode};

use row::Side;
use rows::ROWS;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [counting::WORK, row, side] => {
            let side = Side::ALL.into_iter().find(|other| other.name() == side);
            let row = ROWS.iter().find(|other| other.name == row);
            counting::work(row.zip(side).and_then(|(row, side)| row.side(side)).ok_or("no row")?);
        }
        _ => {
            rows::check();
            for row in
                ROWS.iter().filter(|row| args.get(1).is_none_or(|part| row.name.contains(part)))
            {
                let (ours, peers) = if args.first() == Some(&"count") {
                    counting::measure(row)?
                } else {
                    timing::measure(row, timing::UNITS)
                };
                show(row.name, ours, peers, row.peers.map(|(_, reach)| reach));
            }
            for amount in amounts::measure()? {
                show(amount.name, amount.ours, Some(amount.peers), Some(amount.reach));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(name: &str, ours: f64, peers: Option<f64>, reach: Option<f64>) {
    let ratio = peers.map(|peers| ours / peers);
    println!(
        "{name:50} {ours:10.1} {:10.1} {:6.3} ≤ {:6.3}",
        peers.unwrap_or(0.0),
        ratio.unwrap_or(0.0),
        reach.unwrap_or(0.0)
    );
}
