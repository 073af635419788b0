//! The host's side of the library in `examples/dynamic_library/plugin`.

#![allow(unsafe_code)]

use std::{error::Error, path::Path};

use libloading::Library;
use spanshot::transport::dynamic_library::{
    Connection, INSTALL_SYMBOL, LibraryFunctions, UNINSTALL_SYMBOL,
};

type Evaluate = unsafe extern "C" fn(expression: *const u8, len: usize, value: *mut f64) -> u32;

/// The evaluator, loaded.
pub struct Evaluator {
    pub library: Library,
}

/// The outcome of an expression.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// It has this value.
    Value(f64),
    /// It has none.
    Rejected,
    /// The evaluator has panicked.
    Panicked,
}

impl Evaluator {
    /// Loads the library.
    pub fn load(path: &Path) -> Result<Self, libloading::Error> {
        // SAFETY: it is the library that is built from `plugin`.
        unsafe { Library::new(path) }.map(|library| Self { library })
    }

    /// The functions by which it is made to send its trace.
    pub fn functions(&self) -> Result<LibraryFunctions, libloading::Error> {
        // SAFETY: they are what `export_dynamic_library!` exports. Whoever has a `Connection` drops it
        // before the evaluator.
        unsafe {
            let install = self.library.get(INSTALL_SYMBOL)?;
            let uninstall = self.library.get(UNINSTALL_SYMBOL)?;
            Ok(LibraryFunctions::new(*install, *uninstall))
        }
    }

    /// Evaluates an expression. What the library traces goes to the current subscriber.
    pub fn evaluate(&self, expression: &str) -> Result<Outcome, Box<dyn Error>> {
        let connection = Connection::open(self.functions()?)?;
        let outcome = self.call(expression)?;
        connection.finish()?;
        Ok(outcome)
    }

    /// Evaluates an expression. What the library traces goes to wherever it is connected to.
    pub fn call(&self, expression: &str) -> Result<Outcome, libloading::Error> {
        let mut value = 0.0;
        // SAFETY: the function is that of the library, the bytes are readable, and the value writable.
        let code = unsafe {
            let evaluate = self.library.get::<Evaluate>(b"evaluate\0")?;
            evaluate(expression.as_ptr(), expression.len(), &raw mut value)
        };
        Ok(match code {
            0 => Outcome::Value(value),
            1 => Outcome::Rejected,
            _ => Outcome::Panicked,
        })
    }
}
