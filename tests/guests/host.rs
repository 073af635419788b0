//! The data of a store: what a host of the guests has, in whichever engine.

use spanshot::{
    TracingEvent,
    transport::wasm_host::{GuestTrace, guest_bytes},
};

pub(crate) struct Host {
    pub(crate) trace: GuestTrace,
    /// Items to order of the same guest when it asks for the next price.
    pub(crate) nested_order: Option<u32>,
    price: Box<dyn FnMut(u32) -> u32 + Send>,
}

impl Default for Host {
    fn default() -> Self {
        Self::with_prices(|item| item * 40)
    }
}

impl Host {
    pub(crate) fn with_prices(price: impl FnMut(u32) -> u32 + Send + 'static) -> Self {
        Self { trace: GuestTrace::default(), nested_order: None, price: Box::new(price) }
    }

    pub(crate) fn with_trace(trace: GuestTrace) -> Self {
        Self { trace, ..Self::default() }
    }

    /// The shop's import.
    pub(crate) fn price(&mut self, memory: &mut [u8], item: u32) -> Result<u32, String> {
        self.trace.read_buffer(memory)?;
        Ok((self.price)(item))
    }

    /// The import of the guest that is traced by `tracing-tunnel`.
    pub(crate) fn receive_json(
        &mut self,
        memory: &[u8],
        address: u32,
        len: u32,
    ) -> Result<(), String> {
        let json = guest_bytes(memory, address, len)?;
        let event =
            serde_json::from_slice::<TracingEvent>(json).map_err(|error| error.to_string())?;
        self.trace.try_receive(event).map_err(|error| error.to_string())
    }
}
