//! The state of a job as a file, which is replaced as a whole.

use std::{fs, io::Write};

use serde::{Deserialize, Serialize};

use crate::engine::{GUEST, Result, Snapshot};

/// A job between two steps.
#[derive(Serialize, Deserialize)]
pub struct Job {
    /// The number of steps that are done.
    pub done: usize,
    pub guest: Snapshot,
}

impl Job {
    /// Replaces the file. Whenever the process dies, the file has either the job as it was before, or this one.
    pub fn save(&self, path: &str) -> Result {
        let job = [postcard::to_allocvec(self)?, self.guest.memory.clone()].concat();
        let temporary = format!("{path}.tmp");
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&checksum(&job))?;
        file.write_all(&job)?;
        file.sync_all()?; // before the file gets its name
        Ok(fs::rename(temporary, path)?)
    }

    pub fn load(path: &str) -> Result<Self> {
        let file = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        let job = file.split_first_chunk().filter(|(sum, job)| **sum == checksum(job));
        let (_, job) = job.ok_or_else(|| format!("{path}: no state of this guest, or damaged"))?;
        let (mut job, memory) = postcard::take_from_bytes::<Self>(job)?;
        job.guest.memory = memory.to_vec();
        Ok(job)
    }
}

/// Computes the FNV-1a hash of the job and the guest's program, since no other program can use its memory.
fn checksum(job: &[u8]) -> [u8; 8] {
    let hash = GUEST.iter().chain(job).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.to_le_bytes()
}
