#include "tools/bench/suite.h"

#include <algorithm>

namespace bench {
namespace {

std::string Flag(const char* name, uint64_t value) {
  return std::string(" --") + name + "=" + std::to_string(value);
}

}  // namespace

Suite GoalsSuite(uint64_t num, uint64_t wanted_reads) {
  // Large enough that nothing is flushed, or evicted, that should stay.
  const uint64_t everything = num * 400 + (uint64_t{64} << 20);
  // A sixteenth of the data, so that most reads miss the cache and few the page cache.
  const uint64_t small = std::max<uint64_t>(num * 116 / 16, 1 << 18);
  // Short runs are all noise; long ones need not be longer with more keys.
  const uint64_t reads =
      wanted_reads != 0 ? wanted_reads : std::clamp<uint64_t>(num, 200000, 2000000);
  const uint64_t large_values = std::max<uint64_t>(num / 40, 1000);
  const std::string base = "--bloom_bits=10 --compression_type=lz4";
  const std::string cached = base + Flag("cache_size", everything);
  const std::string in_memory = cached + Flag("write_buffer_size", everything);
  const std::string runs = cached + " --disable_auto_compactions" + Flag("reads", reads / 4);

  Suite suite;
  const auto scenario = [&suite](const char* name, const std::string& flags,
                                 const std::string& benchmarks) {
    suite.scenarios.push_back({name, flags + " --benchmarks=" + benchmarks});
  };
  const auto goal = [&suite](const char* title, const char* scenario_name, const char* workload,
                             double floor, double wanted, bool counts = true) {
    suite.goals.push_back({title, scenario_name, workload, floor, wanted, counts});
  };

  scenario("fillrandom", cached + " --sustained", "fillrandom,overwrite");
  goal("fillrandom, sustained", "fillrandom", "fillrandom", 2.5, 5);
  goal("overwrite, sustained", "fillrandom", "overwrite", 2.5, 5);

  scenario("fillseq", cached, "fillseq");
  goal("fillseq", "fillseq", "fillseq", 3, 7);

  scenario("no-wal", cached + " --disable_wal", "fillrandom");
  goal("fillrandom without WAL", "no-wal", "fillrandom", 4, 12);

  scenario("fillbatch", cached + " --batch_size=100", "fillbatch,fillrandom");
  goal("fillbatch 100", "fillbatch", "fillbatch", 4, 10);
  goal("batches of 100 random keys", "fillbatch", "fillrandom", 4, 10, /*counts=*/false);

  scenario("memtable", in_memory + Flag("reads", reads), "filluniquerandom,readrandom");
  goal("readrandom in memtable", "memtable", "readrandom", 4, 12);

  scenario("cached", cached + Flag("reads", reads) + " --hot_keys=10000",
           "filluniquerandom,compact,warm,readrandom,readhot,readmissing,multireadrandom,readseq,"
           "readreverse,newiterator");
  goal("readrandom cached", "cached", "readrandom", 2.5, 5);
  goal("readhot, 10 thousand keys", "cached", "readhot", 3, 6);
  goal("readmissing", "cached", "readmissing", 2, 5);
  goal("multi-get of 32", "cached", "multireadrandom", 3, 10);

  scenario("multiget-batched", cached + Flag("reads", reads) + " --multiread_batched",
           "filluniquerandom,compact,warm,multireadrandom");
  goal("multi-get of 32, batched function", "multiget-batched", "multireadrandom", 3, 10,
       /*counts=*/false);

  scenario("cache-none",
           base + Flag("cache_size", small) + " --compression_type=none" + Flag("reads", reads / 2),
           "filluniquerandom,compact,readrandom");
  goal("reads through a small cache, none", "cache-none", "readrandom", 1.8, 3);
  scenario("cache-lz4", base + Flag("cache_size", small) + Flag("reads", reads / 2),
           "filluniquerandom,compact,readrandom");
  goal("reads through a small cache, lz4", "cache-lz4", "readrandom", 1.4, 2);

  goal("readseq, one run", "cached", "readseq", 3, 7);
  scenario("runs", runs, "fillruns,warm,readseq,readreverse,newiterator,readrandom,readmissing");
  goal("readseq, 8 runs", "runs", "readseq", 3, 7);
  goal("readreverse", "cached", "readreverse", 3, 8);
  goal("readreverse, 8 runs", "runs", "readreverse", 3, 8, /*counts=*/false);

  scenario("seek", cached + Flag("reads", reads / 4) + " --seek_nexts=10",
           "filluniquerandom,compact,warm,seekrandom");
  goal("seekrandom, seek + 10 next", "seek", "seekrandom", 2.5, 6);
  goal("new iterator + seek", "cached", "newiterator", 3, 8);
  goal("new iterator + seek, 8 runs", "runs", "newiterator", 3, 8, /*counts=*/false);
  goal("readrandom, 8 runs", "runs", "readrandom", 1, 1, /*counts=*/false);
  goal("readmissing, 8 runs", "runs", "readmissing", 1, 1, /*counts=*/false);

  scenario("mixed", cached + Flag("reads", reads),
           "filluniquerandom,compact,warm,readwhilewriting,readwhilescanning");
  goal("readwhilewriting, reads", "mixed", "readwhilewriting", 2, 4);
  goal("readwhilewriting, writes", "mixed", "readwhilewriting.writer", 2, 4);
  goal("readwhilescanning, reads", "mixed", "readwhilescanning", 1, 1, /*counts=*/false);
  goal("readwhilescanning, steps", "mixed", "readwhilescanning.scanner", 1, 1, /*counts=*/false);

  scenario("recover", cached, "recover");
  goal("WAL recovery", "recover", "recover", 4, 8);
  scenario("open", cached, "filluniquerandom,compact,openclose,open,close");
  goal("open + close", "open", "openclose", 2, 4);

  for (const char* codec : {"none", "lz4", "zstd"}) {
    const std::string name = std::string("compact-") + codec;
    suite.scenarios.push_back({name, cached + " --disable_auto_compactions --compression_type=" +
                                         codec + " --benchmarks=fillruns,compact"});
  }
  goal("compaction none", "compact-none", "compact", 2, 3.5);
  goal("compaction lz4", "compact-lz4", "compact", 1.4, 1.9);
  goal("compaction zstd", "compact-zstd", "compact", 1.1, 1.4);

  scenario("sync-1", cached + " --writes=2000", "fillsync");
  goal("synced puts, 1 thread", "sync-1", "fillsync", 1.1, 1.5);
  scenario("sync-8", cached + " --writes=1000 --threads=8", "fillsync");
  goal("synced puts, 8 threads", "sync-8", "fillsync", 2, 3);

  scenario("values-8k",
           cached + " --value_size=8192" + Flag("num", large_values) +
               Flag("cache_size", large_values * 12000) + Flag("reads", reads / 4),
           "fillrandom,compact,warm,readrandom");
  goal("values of 8 KiB, write", "values-8k", "fillrandom", 1.5, 3);
  goal("values of 8 KiB, read", "values-8k", "readrandom", 1.3, 2);

  scenario("deletes", cached, "filluniquerandom,deleterandom,deleterange");
  goal("deleterandom", "deletes", "deleterandom", 1, 1, /*counts=*/false);
  goal("deleterange", "deletes", "deleterange", 1, 1, /*counts=*/false);
  scenario("merge", cached + " --value_size=8", "filluniquerandom,mergerandom,readrandom");
  goal("mergerandom", "merge", "mergerandom", 1, 1, /*counts=*/false);
  goal("readrandom over merge operands", "merge", "readrandom", 1, 1, /*counts=*/false);
  scenario("callback", cached + " --callback_comparator" + Flag("reads", reads),
           "fillrandom,compact,warm,readrandom,readseq");
  goal("fillrandom, callback comparator", "callback", "fillrandom", 1, 1, /*counts=*/false);
  goal("readrandom, callback comparator", "callback", "readrandom", 1, 1, /*counts=*/false);
  goal("readseq, callback comparator", "callback", "readseq", 1, 1, /*counts=*/false);
  return suite;
}

}  // namespace bench
