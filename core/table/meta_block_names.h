// The names under which the metaindex block lists the other blocks, and the names of
// properties that decide how a table is read. Stored on disk: never change.

#ifndef SKARN_CORE_TABLE_META_BLOCK_NAMES_H_
#define SKARN_CORE_TABLE_META_BLOCK_NAMES_H_

namespace skarn {

// Metaindex keys.
inline constexpr char kPropertiesBlockName[] = "rocksdb.properties";
inline constexpr char kOldPropertiesBlockName[] = "rocksdb.stats";  // Ancient files.
inline constexpr char kIndexBlockName[] = "rocksdb.index";          // format_version 6 and later.
inline constexpr char kRangeDelBlockName[] = "rocksdb.range_del";
inline constexpr char kCompressionDictBlockName[] = "rocksdb.compression_dict";
inline constexpr char kHashIndexPrefixesBlockName[] = "rocksdb.hashindex.prefixes";
inline constexpr char kHashIndexMetadataBlockName[] = "rocksdb.hashindex.metadata";
inline constexpr char kUserDefinedIndexPrefix[] = "rocksdb.user_defined_index.";

// Metaindex keys of filters: one of the first three, then the policy's name, which is
// the last one for every built-in policy.
inline constexpr char kFullFilterPrefix[] = "fullfilter.";
inline constexpr char kPartitionedFilterPrefix[] = "partitionedfilter.";
inline constexpr char kPerOffsetFilterPrefix[] = "filter.";  // Deprecated; ignored.
inline constexpr char kBuiltinFilterName[] = "rocksdb.BuiltinBloomFilter";
inline constexpr char kFullFilterBlockName[] = "fullfilter.rocksdb.BuiltinBloomFilter";
inline constexpr char kPartitionedFilterBlockName[] =
    "partitionedfilter.rocksdb.BuiltinBloomFilter";

// Properties in the user-collected area (TableProperties::user_collected).
inline constexpr char kIndexTypeProperty[] = "rocksdb.block.based.table.index.type";  // fixed32
// "1" or "0"; absent means yes.
inline constexpr char kWholeKeyFilteringProperty[] =
    "rocksdb.block.based.table.whole.key.filtering";
inline constexpr char kPrefixFilteringProperty[] = "rocksdb.block.based.table.prefix.filtering";
inline constexpr char kDecoupledFiltersProperty[] =
    "rocksdb.block.based.table.decoupled.partitioned.filters";
inline constexpr char kExternalFileVersionProperty[] = "rocksdb.external_sst_file.version";
inline constexpr char kExternalFileGlobalSequenceProperty[] =
    "rocksdb.external_sst_file.global_seqno";
inline constexpr char kTimestampMinProperty[] = "rocksdb.timestamp_min";
inline constexpr char kTimestampMaxProperty[] = "rocksdb.timestamp_max";
// Its presence announces values stored between data blocks.
inline constexpr char kEmbeddedBlobStatsProperty[] = "rocksdb.embedded.blob.stats";

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_META_BLOCK_NAMES_H_
