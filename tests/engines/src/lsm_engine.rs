//! lsm_storage_engine: puts, gets and deletes; it has neither iterators nor options.

use crate::{Engine, Options, Outcome, WriteOptions};

pub struct Store {
    engine: lsm_storage_engine::Engine,
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}

impl Engine for Store {
    fn open(path: &str, options: &Options) -> Outcome<Self> {
        let engine = lsm_storage_engine::Engine::open(path, options.write_buffer_size).map_err(text)?;
        Ok(Store { engine })
    }
    fn put(&self, _: &WriteOptions, key: &[u8], value: &[u8]) -> Outcome<()> {
        self.engine.put(key.to_vec(), value.to_vec()).map_err(text)
    }
    fn get(&self, key: &[u8], take: impl FnOnce(&[u8])) -> Outcome<()> {
        if let Some(value) = self.engine.get(key).map_err(text)? {
            take(&value);
        }
        Ok(())
    }
    fn delete(&self, _: &WriteOptions, key: &[u8]) -> Outcome<()> {
        self.engine.delete(key.to_vec()).map_err(text)
    }
    fn flush(&self) -> Outcome<()> {
        self.engine.flush().map_err(text)
    }
    fn compact(&self) -> Outcome<()> {
        self.engine.compact().map_err(text)
    }
}
