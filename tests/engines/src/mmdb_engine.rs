//! mmdb: its defaults but for the filter, the codec, the cache and the write buffer.

use crate::iterators::{Cursor, Entry};
use crate::{Engine, Options, Outcome, WriteOptions};
use mmdb::{CompressionType, DBIterator, DbOptions, DB};

pub struct Store {
    database: DB,
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn convert(options: &WriteOptions) -> mmdb::WriteOptions {
    let mut converted = mmdb::WriteOptions::default();
    converted.sync = options.sync;
    converted.disable_wal = options.disable_wal;
    converted
}

impl Engine for Store {
    fn open(path: &str, options: &Options) -> Outcome<Self> {
        let mut converted = DbOptions::default();
        converted.create_if_missing = true;
        converted.write_buffer_size = options.write_buffer_size;
        converted.block_cache_capacity = options.cache_size as u64;
        converted.bloom_bits_per_key = options.bloom_bits as u32;
        converted.compression = match options.compression {
            0 => CompressionType::None,
            7 => CompressionType::Zstd,
            _ => CompressionType::Lz4,
        };
        Ok(Store { database: DB::open(converted, path).map_err(text)? })
    }
    fn put(&self, options: &WriteOptions, key: &[u8], value: &[u8]) -> Outcome<()> {
        self.database.put_with_options(&convert(options), key, value).map_err(text)
    }
    fn get(&self, key: &[u8], take: impl FnOnce(&[u8])) -> Outcome<()> {
        if let Some(value) = self.database.get(key).map_err(text)? {
            take(&value);
        }
        Ok(())
    }
    fn delete(&self, options: &WriteOptions, key: &[u8]) -> Outcome<()> {
        self.database.delete_with_options(&convert(options), key).map_err(text)
    }
    fn flush(&self) -> Outcome<()> {
        self.database.flush().map_err(text)
    }
    fn compact(&self) -> Outcome<()> {
        self.database.compact().map_err(text)
    }
}

impl Store {
    pub fn cursor(&self) -> Position {
        match self.database.iter() {
            Ok(iterator) => Position { iterator: Some(iterator), error: None },
            Err(error) => Position { iterator: None, error: Some(text(error)) },
        }
    }
}

pub struct Position {
    iterator: Option<DBIterator>,
    error: Option<String>,
}

impl Position {
    fn with(&mut self, act: impl FnOnce(&mut DBIterator)) {
        if let Some(iterator) = self.iterator.as_mut() {
            act(iterator);
        }
    }
}

impl Cursor for Position {
    fn seek(&mut self, key: &[u8]) {
        self.with(|iterator| iterator.seek(key));
    }
    fn seek_to_first(&mut self) {
        self.with(DBIterator::seek_to_first);
    }
    fn seek_to_last(&mut self) {
        self.with(DBIterator::seek_to_last);
    }
    fn next(&mut self) {
        self.with(DBIterator::advance);
    }
    fn prev(&mut self) {
        self.with(DBIterator::prev);
    }
    fn entry(&mut self) -> Entry<'_> {
        let iterator = self.iterator.as_mut()?;
        if !iterator.valid() {
            return None;
        }
        // Two borrows of one position: neither call moves the iterator.
        let key: *const [u8] = iterator.key()?;
        let value = iterator.value()?;
        Some((unsafe { &*key }, value))
    }
    fn error(&self) -> Option<String> {
        self.error.clone().or_else(|| self.iterator.as_ref().and_then(|iterator| iterator.error()))
    }
}
