/* Options: codecs of table blocks. */

#ifndef SKARN_C_API_ROCKSDB_C_COMPRESSION_H_
#define SKARN_C_API_ROCKSDB_C_COMPRESSION_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Codec of blocks (rocksdb_no_compression, ...); of the last level; of each level from 0 on, the
   last one given for all further levels. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compression(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_compression(rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_bottommost_compression(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_bottommost_compression(
    rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compression_per_level(
    rocksdb_options_t* opt, const int* level_values, size_t num_levels);

/* No compression above `level`, the codec of the options from there on. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_min_level_to_compress(
    rocksdb_options_t* opt, int level);

/* Window of zlib, level of the codec, strategy of zlib, bytes of dictionary for each file
   (0: none). */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compression_options(
    rocksdb_options_t* options, int window_bits, int level, int strategy, int max_dict_bytes);

/* Bytes of samples from which zstd trains that dictionary; 0: the samples themselves are it. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compression_options_zstd_max_train_bytes(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_compression_options_zstd_max_train_bytes(
    rocksdb_options_t* opt);

/* Train it, or only let zstd lay it out. Default: train. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compression_options_use_zstd_dict_trainer(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_compression_options_use_zstd_dict_trainer(
    rocksdb_options_t* opt);

/* Bytes of blocks held back to take samples from; 0: a whole file. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compression_options_max_dict_buffer_bytes(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_compression_options_max_dict_buffer_bytes(
    rocksdb_options_t* opt);

/* Threads that compress the blocks of one file. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compression_options_parallel_threads(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_compression_options_parallel_threads(
    rocksdb_options_t* opt);

/* The same for the codec of the last level; used when the last argument, enabled, is 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_bottommost_compression_options(
    rocksdb_options_t* options, int window_bits, int level, int strategy, int max_dict_bytes,
    unsigned char enabled);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_bottommost_compression_options_zstd_max_train_bytes(
    rocksdb_options_t* options, int zstd_max_train_bytes, unsigned char enabled);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_bottommost_compression_options_max_dict_buffer_bytes(
    rocksdb_options_t* options, uint64_t max_dict_buffer_bytes, unsigned char enabled);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_bottommost_compression_options_use_zstd_dict_trainer(
    rocksdb_options_t* options, unsigned char use_zstd_dict_trainer, unsigned char enabled);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_bottommost_compression_options_use_zstd_dict_trainer(
    rocksdb_options_t* opt);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_COMPRESSION_H_ */
