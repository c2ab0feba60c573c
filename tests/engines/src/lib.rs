//! A Rust engine behind the C functions that the bench calls.
//!
//! One feature chooses the engine; each has a file here that implements `Engine`. What an engine has
//! nothing for is not exported, and the bench leaves out the workloads that need it.

#![allow(non_camel_case_types, clippy::missing_safety_doc)]

use std::ffi::{c_char, c_double, c_int, c_uchar, c_void, CStr};
use std::ptr::null_mut;
use std::slice::from_raw_parts;

#[cfg(feature = "fjall")]
mod fjall_engine;
#[cfg(feature = "fjall")]
use fjall_engine::Store;
#[cfg(feature = "lsm_storage_engine")]
mod lsm_engine;
#[cfg(feature = "lsm_storage_engine")]
use lsm_engine::Store;
#[cfg(feature = "mmdb")]
mod mmdb_engine;
#[cfg(feature = "mmdb")]
use mmdb_engine::Store;

type Outcome<T> = Result<T, String>;

/// What the bench sets.
pub struct Options {
    pub write_buffer_size: usize,
    pub cache_size: usize,
    pub bloom_bits: f64,
    /// RocksDB's numbers: 0 none, 4 LZ4, 7 zstd.
    pub compression: c_int,
}

/// What one write asks for.
#[derive(Default)]
pub struct WriteOptions {
    pub sync: bool,
    pub disable_wal: bool,
}

pub trait Engine: Sized {
    fn open(path: &str, options: &Options) -> Outcome<Self>;
    fn put(&self, options: &WriteOptions, key: &[u8], value: &[u8]) -> Outcome<()>;
    /// Calls `take` with the value, if there is one.
    fn get(&self, key: &[u8], take: impl FnOnce(&[u8])) -> Outcome<()>;
    fn delete(&self, options: &WriteOptions, key: &[u8]) -> Outcome<()>;
    fn flush(&self) -> Outcome<()>;
    fn compact(&self) -> Outcome<()>;
}

extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(pointer: *mut c_void);
}

unsafe fn copy_out(bytes: &[u8]) -> *mut c_char {
    let copy = malloc(bytes.len().max(1)) as *mut u8;
    std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
    copy as *mut c_char
}

unsafe fn report<T>(outcome: Outcome<T>, error: *mut *mut c_char) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(mut text) => {
            text.push('\0');
            *error = copy_out(text.as_bytes());
            None
        }
    }
}

unsafe fn bytes<'a>(start: *const c_char, size: usize) -> &'a [u8] {
    from_raw_parts(start as *const u8, size)
}

fn boxed<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

#[no_mangle]
pub unsafe extern "C" fn rocksdb_options_create() -> *mut Options {
    boxed(Options { write_buffer_size: 64 << 20, cache_size: 32 << 20, bloom_bits: 0.0, compression: 4 })
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_options_destroy(options: *mut Options) {
    drop(Box::from_raw(options));
}
#[no_mangle]
pub extern "C" fn rocksdb_options_set_create_if_missing(_: *mut Options, _: c_uchar) {}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_options_set_write_buffer_size(options: *mut Options, size: usize) {
    (*options).write_buffer_size = size;
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_options_set_compression(options: *mut Options, number: c_int) {
    (*options).compression = number;
}

/// A cache is its size and a filter its bits: both belong to the engine.
#[derive(Default)]
pub struct TableOptions {
    cache_size: Option<usize>,
    bloom_bits: Option<f64>,
}
#[no_mangle]
pub extern "C" fn rocksdb_cache_create_lru(size: usize) -> *mut usize {
    boxed(size)
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_cache_destroy(cache: *mut usize) {
    drop(Box::from_raw(cache));
}
#[no_mangle]
pub extern "C" fn rocksdb_filterpolicy_create_bloom(bits: c_double) -> *mut f64 {
    boxed(bits)
}
#[no_mangle]
pub extern "C" fn rocksdb_block_based_options_create() -> *mut TableOptions {
    boxed(TableOptions::default())
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_block_based_options_destroy(table: *mut TableOptions) {
    drop(Box::from_raw(table));
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_block_based_options_set_block_cache(
    table: *mut TableOptions,
    cache: *mut usize,
) {
    (*table).cache_size = Some(*cache);
}
/// Takes the policy over, as RocksDB does.
#[no_mangle]
pub unsafe extern "C" fn rocksdb_block_based_options_set_filter_policy(
    table: *mut TableOptions,
    policy: *mut f64,
) {
    (*table).bloom_bits = Some(*Box::from_raw(policy));
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_options_set_block_based_table_factory(
    options: *mut Options,
    table: *mut TableOptions,
) {
    if let Some(size) = (*table).cache_size {
        (*options).cache_size = size;
    }
    if let Some(bits) = (*table).bloom_bits {
        (*options).bloom_bits = bits;
    }
}

#[no_mangle]
pub extern "C" fn rocksdb_readoptions_create() -> *mut u8 {
    boxed(0)
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_readoptions_destroy(options: *mut u8) {
    drop(Box::from_raw(options));
}
#[no_mangle]
pub extern "C" fn rocksdb_writeoptions_create() -> *mut WriteOptions {
    boxed(WriteOptions::default())
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_writeoptions_destroy(options: *mut WriteOptions) {
    drop(Box::from_raw(options));
}
#[cfg(not(feature = "lsm_storage_engine"))]
#[no_mangle]
pub unsafe extern "C" fn rocksdb_writeoptions_set_sync(options: *mut WriteOptions, sync: c_uchar) {
    (*options).sync = sync != 0;
}
#[cfg(feature = "mmdb")]
#[no_mangle]
pub unsafe extern "C" fn rocksdb_writeoptions_disable_WAL(options: *mut WriteOptions, disable: c_int) {
    (*options).disable_wal = disable != 0;
}

#[no_mangle]
pub unsafe extern "C" fn rocksdb_open(
    options: *const Options,
    path: *const c_char,
    error: *mut *mut c_char,
) -> *mut Store {
    let path = CStr::from_ptr(path).to_string_lossy();
    report(Store::open(&path, &*options), error).map_or(null_mut(), boxed)
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_close(store: *mut Store) {
    drop(Box::from_raw(store));
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_destroy_db(_: *const Options, path: *const c_char, error: *mut *mut c_char) {
    let path = CStr::from_ptr(path).to_string_lossy().into_owned();
    report(std::fs::remove_dir_all(path).map_err(|e| e.to_string()), error);
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_free(pointer: *mut c_void) {
    free(pointer);
}

#[no_mangle]
pub unsafe extern "C" fn rocksdb_put(
    store: *mut Store,
    options: *const WriteOptions,
    key: *const c_char,
    key_size: usize,
    value: *const c_char,
    value_size: usize,
    error: *mut *mut c_char,
) {
    report((*store).put(&*options, bytes(key, key_size), bytes(value, value_size)), error);
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_get(
    store: *mut Store,
    _: *const u8,
    key: *const c_char,
    key_size: usize,
    value_size: *mut usize,
    error: *mut *mut c_char,
) -> *mut c_char {
    let mut value = null_mut();
    *value_size = 0;
    let take = |found: &[u8]| {
        *value_size = found.len();
        value = copy_out(found);
    };
    report((*store).get(bytes(key, key_size), take), error);
    value
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_delete(
    store: *mut Store,
    options: *const WriteOptions,
    key: *const c_char,
    key_size: usize,
    error: *mut *mut c_char,
) {
    report((*store).delete(&*options, bytes(key, key_size)), error);
}
#[no_mangle]
pub extern "C" fn rocksdb_flushoptions_create() -> *mut u8 {
    boxed(0)
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_flushoptions_destroy(options: *mut u8) {
    drop(Box::from_raw(options));
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_flush(store: *mut Store, _: *const u8, error: *mut *mut c_char) {
    report((*store).flush(), error);
}
#[no_mangle]
pub unsafe extern "C" fn rocksdb_compact_range(
    store: *mut Store,
    _: *const c_char,
    _: usize,
    _: *const c_char,
    _: usize,
) {
    if let Err(error) = (*store).compact() {
        eprintln!("compaction: {error}");
    }
}

/// Iterators, for engines that have them.
#[cfg(not(feature = "lsm_storage_engine"))]
mod iterators {
    use super::*;

    /// Where a cursor stands: the key and the value there.
    pub type Entry<'a> = Option<(&'a [u8], &'a [u8])>;

    pub trait Cursor {
        fn seek(&mut self, key: &[u8]);
        fn seek_to_first(&mut self);
        fn seek_to_last(&mut self);
        fn next(&mut self);
        fn prev(&mut self);
        fn entry(&mut self) -> Entry<'_>;
        fn error(&self) -> Option<String>;
    }

    #[cfg(feature = "fjall")]
    type Position = crate::fjall_engine::Position;
    #[cfg(feature = "mmdb")]
    type Position = crate::mmdb_engine::Position;

    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_create_iterator(store: *mut Store, _: *const u8) -> *mut Position {
        boxed((*store).cursor())
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_destroy(iterator: *mut Position) {
        drop(Box::from_raw(iterator));
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_valid(iterator: *mut Position) -> c_uchar {
        (*iterator).entry().is_some() as c_uchar
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_seek(iterator: *mut Position, key: *const c_char, size: usize) {
        (*iterator).seek(bytes(key, size));
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_seek_to_first(iterator: *mut Position) {
        (*iterator).seek_to_first();
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_seek_to_last(iterator: *mut Position) {
        (*iterator).seek_to_last();
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_next(iterator: *mut Position) {
        (*iterator).next();
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_prev(iterator: *mut Position) {
        (*iterator).prev();
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_key(iterator: *mut Position, size: *mut usize) -> *const c_char {
        let key = (*iterator).entry().map_or(&[][..], |entry| entry.0);
        *size = key.len();
        key.as_ptr() as *const c_char
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_value(iterator: *mut Position, size: *mut usize) -> *const c_char {
        let value = (*iterator).entry().map_or(&[][..], |entry| entry.1);
        *size = value.len();
        value.as_ptr() as *const c_char
    }
    #[no_mangle]
    pub unsafe extern "C" fn rocksdb_iter_get_error(iterator: *const Position, error: *mut *mut c_char) {
        if let Some(text) = (*iterator).error() {
            report::<()>(Err(text), error);
        }
    }
}
