// Options about codecs (c/compression.h).

#include "compat/handle_life.h"
#include "compat/handles.h"
#include "compat/option_functions.h"
#include "include/c_api/rocksdb/c.h"

using skarn::CompressionType;

extern "C" {

SKARN_C_SETTER(rocksdb_options_set_compression, rocksdb_options_t, cf.compression)
SKARN_C_GETTER(rocksdb_options_get_compression, rocksdb_options_t, cf.compression)
SKARN_C_SETTER(rocksdb_options_set_bottommost_compression, rocksdb_options_t,
               cf.bottommost_compression)
SKARN_C_GETTER(rocksdb_options_get_bottommost_compression, rocksdb_options_t,
               cf.bottommost_compression)

void rocksdb_options_set_compression_per_level(rocksdb_options_t* options, const int* level_values,
                                               size_t num_levels) {
  Usable(options)->cf.compression_per_level.clear();
  for (size_t i = 0; i < num_levels; i++) {
    Usable(options)->cf.compression_per_level.push_back(
        static_cast<CompressionType>(level_values[i]));
  }
}

void rocksdb_options_set_min_level_to_compress(rocksdb_options_t* options, int level) {
  if (level < 0) return;
  Usable(options)->cf.compression_per_level.clear();
  for (int i = 0; i < Usable(options)->cf.num_levels; i++) {
    Usable(options)->cf.compression_per_level.push_back(
        i < level ? CompressionType::kNone : Usable(options)->cf.compression);
  }
}

void rocksdb_options_set_compression_options(rocksdb_options_t* options, int window_bits, int level,
                                             int strategy, int max_dict_bytes) {
  skarn::CompressionOptions& to = Usable(options)->cf.compression_opts;
  to.window_bits = window_bits;
  to.level = level;
  to.strategy = strategy;
  to.max_dict_bytes = static_cast<uint32_t>(max_dict_bytes);
}

SKARN_C_SETTER(rocksdb_options_set_compression_options_zstd_max_train_bytes, rocksdb_options_t,
               cf.compression_opts.zstd_max_train_bytes)
SKARN_C_GETTER(rocksdb_options_get_compression_options_zstd_max_train_bytes, rocksdb_options_t,
               cf.compression_opts.zstd_max_train_bytes)
SKARN_C_SETTER(rocksdb_options_set_compression_options_use_zstd_dict_trainer, rocksdb_options_t,
               cf.compression_opts.use_zstd_dict_trainer)
SKARN_C_GETTER(rocksdb_options_get_compression_options_use_zstd_dict_trainer, rocksdb_options_t,
               cf.compression_opts.use_zstd_dict_trainer)
SKARN_C_SETTER(rocksdb_options_set_compression_options_max_dict_buffer_bytes, rocksdb_options_t,
               cf.compression_opts.max_dict_buffer_bytes)
SKARN_C_GETTER(rocksdb_options_get_compression_options_max_dict_buffer_bytes, rocksdb_options_t,
               cf.compression_opts.max_dict_buffer_bytes)
SKARN_C_SETTER(rocksdb_options_set_compression_options_parallel_threads, rocksdb_options_t,
               cf.compression_opts.parallel_threads)
SKARN_C_GETTER(rocksdb_options_get_compression_options_parallel_threads, rocksdb_options_t,
               cf.compression_opts.parallel_threads)

void rocksdb_options_set_bottommost_compression_options(rocksdb_options_t* options, int window_bits,
                                                        int level, int strategy, int max_dict_bytes,
                                                        unsigned char enabled) {
  skarn::CompressionOptions& to = Usable(options)->cf.bottommost_compression_opts;
  to.window_bits = window_bits;
  to.level = level;
  to.strategy = strategy;
  to.max_dict_bytes = static_cast<uint32_t>(max_dict_bytes);
  to.enabled = enabled != 0;
}

void rocksdb_options_set_bottommost_compression_options_zstd_max_train_bytes(
    rocksdb_options_t* options, int zstd_max_train_bytes, unsigned char enabled) {
  skarn::CompressionOptions& to = Usable(options)->cf.bottommost_compression_opts;
  to.zstd_max_train_bytes = static_cast<uint32_t>(zstd_max_train_bytes);
  to.enabled = enabled != 0;
}

void rocksdb_options_set_bottommost_compression_options_max_dict_buffer_bytes(
    rocksdb_options_t* options, uint64_t max_dict_buffer_bytes, unsigned char enabled) {
  skarn::CompressionOptions& to = Usable(options)->cf.bottommost_compression_opts;
  to.max_dict_buffer_bytes = max_dict_buffer_bytes;
  to.enabled = enabled != 0;
}

void rocksdb_options_set_bottommost_compression_options_use_zstd_dict_trainer(
    rocksdb_options_t* options, unsigned char use_zstd_dict_trainer, unsigned char enabled) {
  skarn::CompressionOptions& to = Usable(options)->cf.bottommost_compression_opts;
  to.use_zstd_dict_trainer = use_zstd_dict_trainer != 0;
  to.enabled = enabled != 0;
}

SKARN_C_GETTER(rocksdb_options_get_bottommost_compression_options_use_zstd_dict_trainer,
               rocksdb_options_t, cf.bottommost_compression_opts.use_zstd_dict_trainer)

}  // extern "C"
