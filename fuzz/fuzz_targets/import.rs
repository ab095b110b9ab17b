#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farhold_fuzz::bodies::import(bytes));
