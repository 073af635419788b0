//! The rows of the table that come out the same each time: bytes and fuel.

use crate::{
    buffer::Buffer,
    guests, heap,
    row::Amount,
    rows,
    tunnels::{DIRECT, PEERS, Tunnel},
    workload,
};

const UNITS: u64 = 20_000;

/// Units that a guest traces: enough for what it does once to count for nothing.
const GUEST_UNITS: u32 = 1_000;

pub(crate) fn measure() -> Result<Vec<Amount>, wasmi::Error> {
    Ok(vec![
        Amount {
            name: "bytes a record on the wire",
            ours: bytes_on_wire(&DIRECT),
            peers: bytes_on_wire(&PEERS),
            reach: 1.0 / 4.0,
        },
        Amount {
            name: "heap a captured unit, bytes",
            ours: per(heap::held_by(|| rows::ours(UNITS)) as u64, UNITS),
            peers: per(heap::held_by(|| rows::peers(UNITS)) as u64, UNITS),
            reach: 1.0 / 2.0,
        },
        Amount {
            name: "the guest: wasm bytes",
            ours: guests::OURS.len() as f64,
            peers: guests::PEERS.len() as f64,
            reach: 3.0 / 4.0,
        },
        Amount {
            name: "the guest: fuel a record",
            ours: fuel(guests::OURS)?,
            peers: fuel(guests::PEERS)?,
            reach: 1.0 / 3.0,
        },
    ])
}

fn per(amount: u64, count: u64) -> f64 {
    amount as f64 / count as f64
}

fn bytes_on_wire(tunnel: &Tunnel) -> f64 {
    let buffer = Buffer::default();
    (tunnel.send)(UNITS, &buffer);
    let records = buffer.records();
    per(records.bytes.len() as u64, records.len() as u64)
}

fn fuel(guest: &[u8]) -> Result<f64, wasmi::Error> {
    let (fuel, records) = guests::fuel(guest, GUEST_UNITS)?;
    assert!(records > 0, "the guest's records have arrived");
    Ok(per(fuel, u64::from(GUEST_UNITS) * workload::RECORDS))
}
