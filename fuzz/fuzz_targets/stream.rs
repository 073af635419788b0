#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| spanshot_fuzz::stream(data));
