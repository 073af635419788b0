//! What comes out the same each time: bytes and fuel.

use crate::{
    buffer::Buffer,
    guests, heap,
    row::{Amount, GROWTH, UNITS},
    rows::peers,
    table::Table,
    tunnels::{DIRECT, PEERS, Tunnel},
    workload,
};

/// Units that a guest traces: enough for what it does once to count for nothing.
const GUEST_UNITS: u32 = 1_000;

pub(crate) const AMOUNTS: &[Amount] = &[
    Amount {
        table: Table::Peers,
        name: "bytes a record on the wire",
        measure: || Ok([&DIRECT, &PEERS].map(bytes_on_wire)),
        reach: 1.0 / 4.0,
    },
    Amount {
        table: Table::Peers,
        name: "heap a captured unit, bytes",
        measure: || Ok([heap_of_ours(UNITS), heap_of_peers(UNITS)]),
        reach: 1.0 / 2.0,
    },
    Amount {
        table: Table::Peers,
        name: "the guest: wasm bytes",
        measure: || Ok([guests::OURS, guests::PEERS].map(|guest| guest.len() as f64)),
        reach: 3.0 / 4.0,
    },
    Amount {
        table: Table::Peers,
        name: "the guest: fuel a record",
        measure: || Ok([fuel(guests::OURS)?, fuel(guests::PEERS)?]),
        reach: 1.0 / 3.0,
    },
    Amount {
        table: Table::Growth,
        name: "heap a unit, 10,000 → 1,000,000 units captured",
        measure: || Ok([1_000_000, 10_000].map(heap_of_ours)),
        reach: GROWTH,
    },
];

fn per(amount: u64, count: u64) -> f64 {
    amount as f64 / count as f64
}

fn bytes_on_wire(tunnel: &Tunnel) -> f64 {
    let buffer = Buffer::default();
    (tunnel.send)(UNITS, &buffer);
    let records = buffer.records();
    per(records.bytes.len() as u64, records.len() as u64)
}

fn heap_of_ours(units: u64) -> f64 {
    per(heap::held_by(|| peers::ours(units)) as u64, units)
}

fn heap_of_peers(units: u64) -> f64 {
    per(heap::held_by(|| peers::peers(units)) as u64, units)
}

fn fuel(guest: &[u8]) -> Result<f64, wasmi::Error> {
    let (fuel, records) = guests::fuel(guest, GUEST_UNITS)?;
    assert!(records > 0, "the guest's records have arrived");
    Ok(per(fuel, u64::from(GUEST_UNITS) * workload::RECORDS))
}
