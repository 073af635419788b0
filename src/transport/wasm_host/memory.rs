use super::GuestError;

/// Returns the part of a guest's memory that the guest names.
///
/// # Errors
///
/// Returns [`GuestError::OutOfBounds`] if the part is not in the memory as a whole.
///
/// # Example
///
/// A guest that is traced by `tracing-tunnel` 0.2 hands over JSON, through an import of its own:
///
/// ```
/// use spanshot::{TracingEvent, TracingEventReceiver, transport::wasm_host::guest_bytes};
///
/// fn receive_json(
///     receiver: &mut TracingEventReceiver,
///     memory: &[u8],
///     address: u32,
///     len: u32,
/// ) -> Result<(), Box<dyn std::error::Error>> {
///     let event: TracingEvent = serde_json::from_slice(guest_bytes(memory, address, len)?)?;
///     Ok(receiver.try_receive(event)?)
/// }
///
/// let memory = br#"....{"span_dropped":{"id":7}}"#;
/// let mut receiver = TracingEventReceiver::default();
/// let error = receive_json(&mut receiver, memory, 4, 25).unwrap_err();
/// assert_eq!(error.to_string(), "there is no span with ID 7, or it is closed");
/// let error = receive_json(&mut receiver, memory, 4, 1_000).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the guest hands over 1000 bytes at address 4, which are not in its memory of 29 bytes"
/// );
/// ```
pub fn guest_bytes(memory: &[u8], address: u32, len: u32) -> Result<&[u8], GuestError> {
    let part = || {
        let (start, len) = (usize::try_from(address).ok()?, usize::try_from(len).ok()?);
        memory.get(start..start.checked_add(len)?)
    };
    part().ok_or(GuestError::OutOfBounds { address, len, memory_len: memory.len() })
}

/// Returns the number at an address; `None` if it is not in the memory.
pub(super) fn read_u32(memory: &[u8], address: u32, offset: u32) -> Option<u32> {
    let bytes = guest_bytes(memory, address.checked_add(offset)?, 4).ok()?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Writes a number to an address, if that is in the memory.
pub(super) fn write_u32(memory: &mut [u8], address: u32, offset: u32, value: u32) {
    let range = || {
        let start = usize::try_from(address.checked_add(offset)?).ok()?;
        Some(start..start.checked_add(4)?)
    };
    if let Some(place) = range().and_then(|range| memory.get_mut(range)) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}
