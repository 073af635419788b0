use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
};

/// Writes to a standard output or error without the lock and the buffer that `std` puts around it.
///
/// A thread may hold the lock while it traces, in `eprintln!("{value}")` whose `Display` traces, say, and so waits for the
/// stream. Another thread that writes to the stream must not wait for the lock then. The buffer of the output would cut a
/// packet in two at a line end: other processes could write between them.
pub(crate) struct Unlocked<T>(pub(crate) T);

impl<T: AsFd + Write> Write for Unlocked<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A duplicate that stayed open would keep the host waiting after the process has closed its output.
        match self.0.as_fd().try_clone_to_owned() {
            Ok(output) => File::from(output).write(bytes),
            Err(error) if are_too_many_open(&error) => {
                let written = self.0.write(bytes)?;
                self.0.flush()?;
                Ok(written)
            }
            Err(error) => Err(error),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether there is no file descriptor left. The output itself is fine then, and the program may be one that tests what
/// it does in that case.
fn are_too_many_open(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;

    matches!(error.raw_os_error(), Some(ENFILE | EMFILE)) // they are the same on all systems
}
