//! fjall: one keyspace, its defaults but for the filter, the codec, the cache and the write buffer.

use crate::iterators::{Cursor, Entry};
use crate::{Engine, Options, Outcome, WriteOptions};
use fjall::config::{BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry};
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};

pub struct Store {
    keyspace: Keyspace,
    database: Database,
}

fn text(error: fjall::Error) -> String {
    error.to_string()
}

impl Engine for Store {
    fn open(path: &str, options: &Options) -> Outcome<Self> {
        let database =
            Database::builder(path).cache_size(options.cache_size as u64).open().map_err(text)?;
        let compression = if options.compression == 0 { CompressionType::None } else { CompressionType::Lz4 };
        let make = || {
            let filter = if options.bloom_bits > 0.0 {
                FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(options.bloom_bits as f32))
            } else {
                FilterPolicyEntry::None
            };
            KeyspaceCreateOptions::default()
                .max_memtable_size(options.write_buffer_size as u64)
                .data_block_compression_policy(CompressionPolicy::all(compression))
                .filter_policy(FilterPolicy::all(filter))
        };
        let keyspace = database.keyspace("default", make).map_err(text)?;
        Ok(Store { keyspace, database })
    }
    fn put(&self, options: &WriteOptions, key: &[u8], value: &[u8]) -> Outcome<()> {
        self.keyspace.insert(key, value).map_err(text)?;
        self.settle(options)
    }
    fn get(&self, key: &[u8], take: impl FnOnce(&[u8])) -> Outcome<()> {
        if let Some(value) = self.keyspace.get(key).map_err(text)? {
            take(&value);
        }
        Ok(())
    }
    fn delete(&self, options: &WriteOptions, key: &[u8]) -> Outcome<()> {
        self.keyspace.remove(key).map_err(text)?;
        self.settle(options)
    }
    fn flush(&self) -> Outcome<()> {
        self.keyspace.rotate_memtable_and_wait().map_err(text)
    }
    fn compact(&self) -> Outcome<()> {
        self.keyspace.major_compact().map_err(text)
    }
}

impl Store {
    fn settle(&self, options: &WriteOptions) -> Outcome<()> {
        if options.sync {
            self.database.persist(PersistMode::SyncData).map_err(text)?;
        }
        Ok(())
    }

    pub fn cursor(&self) -> Position {
        Position { keyspace: self.keyspace.clone(), iterator: None, entry: None, error: None }
    }
}

/// An iterator goes on in the direction in which it began; the bench never turns one around.
pub struct Position {
    keyspace: Keyspace,
    iterator: Option<fjall::Iter>,
    entry: Option<fjall::KvPair>,
    error: Option<String>,
}

impl Position {
    fn take(&mut self, guard: Option<fjall::Guard>) {
        self.entry = match guard.map(|guard| guard.into_inner()) {
            Some(Ok(pair)) => Some(pair),
            Some(Err(error)) => {
                self.error = Some(text(error));
                None
            }
            None => None,
        };
    }
}

impl Cursor for Position {
    fn seek(&mut self, key: &[u8]) {
        self.iterator = Some(self.keyspace.range(key..));
        self.next();
    }
    fn seek_to_first(&mut self) {
        self.iterator = Some(self.keyspace.iter());
        self.next();
    }
    fn seek_to_last(&mut self) {
        self.iterator = Some(self.keyspace.iter());
        self.prev();
    }
    fn next(&mut self) {
        let guard = self.iterator.as_mut().and_then(Iterator::next);
        self.take(guard);
    }
    fn prev(&mut self) {
        let guard = self.iterator.as_mut().and_then(DoubleEndedIterator::next_back);
        self.take(guard);
    }
    fn entry(&mut self) -> Entry<'_> {
        self.entry.as_ref().map(|(key, value)| (&key[..], &value[..]))
    }
    fn error(&self) -> Option<String> {
        self.error.clone()
    }
}
