// Flush, compaction, options changed while open, column families made and dropped.

#include "operations.h"

namespace differential {
namespace {

void Flush(Side& side, Rng& rng) {
  const Api& a = side.api;
  Family* family = side.PickFamily(rng, /*timed_too=*/true);
  rocksdb_flushoptions_t* options = a.rocksdb_flushoptions_create();
  side.what = "flush " + family->name;
  char* error = nullptr;
  if (rng.Percent(20))
    a.rocksdb_flush(side.db, options, &error);
  else
    a.rocksdb_flush_cf(side.db, options, family->handle, &error);
  side.Ok(error);
  a.rocksdb_flushoptions_destroy(options);
}

void FlushWal(Side& side, Rng& rng) {
  const bool sync = rng.Percent(30);
  side.what = sync ? "flush the log, synced" : "flush the log";
  char* error = nullptr;
  side.api.rocksdb_flush_wal(side.db, sync, &error);
  side.Ok(error);
}

void CompactRange(Side& side, Rng& rng) {
  const Api& a = side.api;
  Family* family = side.PickFamily(rng, /*timed_too=*/true);
  const bool has_options = rng.Percent(50);
  std::string begin = side.RangeKey(rng), end = side.RangeKey(rng);
  if (CompareKeys(family->config.order, begin, end) > 0) begin.swap(end);
  // With a filter only a whole compaction has a defined result: then every entry has met it.
  const bool is_whole = rng.Percent(50) || family->config.filter != FilterKind::kNone;
  const bool from_start = is_whole || rng.Percent(30);
  const bool to_end = is_whole || rng.Percent(30);
  const unsigned char bottommost = static_cast<unsigned char>(rng.Below(4));
  side.what = "compact " + family->name + (from_start ? "" : " from " + Printable(begin)) +
              (to_end ? "" : " to " + Printable(end));
  // Entries a snapshot protects are seen by the filter or not, by the place they are in.
  if (family->config.filter != FilterKind::kNone && !side.snapshots.empty()) return;
  const char* from = from_start ? nullptr : begin.data();
  const char* to = to_end ? nullptr : end.data();
  if (has_options) {
    rocksdb_compactoptions_t* options = a.rocksdb_compactoptions_create();
    a.rocksdb_compactoptions_set_bottommost_level_compaction(
        options, family->config.filter == FilterKind::kNone ? bottommost : 2);
    a.rocksdb_compactoptions_set_exclusive_manual_compaction(options, rng.Percent(50));
    if (rng.Percent(15)) a.rocksdb_compactoptions_set_change_level(options, 1);
    a.rocksdb_compact_range_cf_opt(side.db, family->handle, options, from, begin.size(), to,
                                   end.size());
    a.rocksdb_compactoptions_destroy(options);
  } else if (family->name == "default" && rng.Percent(50)) {
    a.rocksdb_compact_range(side.db, from, begin.size(), to, end.size());
  } else {
    a.rocksdb_compact_range_cf(side.db, family->handle, from, begin.size(), to, end.size());
  }
}

void SuggestCompaction(Side& side, Rng& rng) {
  Family* family = side.PickFamily(rng);
  std::string begin = side.RangeKey(rng), end = side.RangeKey(rng);
  if (CompareKeys(family->config.order, begin, end) > 0) begin.swap(end);
  if (!family->config.auto_compactions) return;
  side.what = "suggest a compaction of " + family->name;
  char* error = nullptr;
  side.api.rocksdb_suggest_compact_range_cf(side.db, family->handle, begin.data(), begin.size(),
                                            end.data(), end.size(), &error);
  side.Ok(error);
}

void FileDeletions(Side& side, Rng& rng) {
  char* error = nullptr;
  if (rng.Percent(50)) {
    side.what = "disable file deletions";
    side.api.rocksdb_disable_file_deletions(side.db, &error);
  } else {
    side.what = "enable file deletions";
    side.api.EnableFileDeletions(side.db, &error);
  }
  side.Ok(error);
}

void SetOptions(Side& side, Rng& rng) {
  struct Change {
    const char* name;
    const char* value;
  };
  // The first ones are fine and cannot change an answer; the others are refused.
  constexpr Change kChanges[] = {
      {"level0_file_num_compaction_trigger", "3"},
      {"level0_slowdown_writes_trigger", "30"},
      {"target_file_size_base", "20000"},
      {"max_bytes_for_level_base", "50000"},
      {"max_sequential_skip_in_iterations", "2"},
      {"paranoid_file_checks", "true"},
      {"compression", "kZlibCompression"},
      {"memtable_prefix_bloom_size_ratio", "0.05"},
      {"report_bg_io_stats", "1"},
      {"max_successive_merges", "0"},
      {"no_such_option", "1"},
      {"level0_file_num_compaction_trigger", "many"},
      {"compression", "kNoSuchCompression"},
      {"disable_auto_compactions", "perhaps"},
      {"max_write_buffer_number", ""},
  };
  constexpr size_t kGood = 10;
  Family* family = side.PickFamily(rng, /*timed_too=*/true);
  // Which one of several bad ones is named depends on the order of a table.
  const bool is_bad = rng.Percent(30);
  const size_t count = is_bad ? 1 : rng.Between(1, 3);
  std::vector<const char*> names, values;
  side.what = "set options of " + family->name;
  for (size_t i = 0; i < count; i++) {
    const Change& change =
        kChanges[is_bad ? rng.Between(kGood, std::size(kChanges) - 1) : rng.Below(kGood)];
    names.push_back(change.name);
    values.push_back(change.value);
    side.what += std::string(" ") + change.name + "=" + change.value;
  }
  char* error = nullptr;
  if (family->name == "default" && rng.Percent(50))
    side.api.rocksdb_set_options(side.db, static_cast<int>(count), names.data(), values.data(),
                                 &error);
  else
    side.api.rocksdb_set_options_cf(side.db, family->handle, static_cast<int>(count), names.data(),
                                    values.data(), &error);
  side.Ok(error);
}

void CreateFamily(Side& side, Rng& rng) {
  const Api& a = side.api;
  const std::vector<std::string> names = side.config.FamilyNames();
  const std::string name = names[rng.Below(names.size())];
  side.what = "create family " + name;
  const FamilyConfig config = side.config.Family(name);
  side.kept_options.push_back(std::make_unique<Options>(a, side.config, config, side.directory));
  char* error = nullptr;
  rocksdb_column_family_handle_t* handle = a.rocksdb_create_column_family(
      side.db, side.kept_options.back()->get(), name.c_str(), &error);
  if (!side.Ok(error)) return;
  auto family = std::make_unique<Family>();
  family->name = name;
  family->config = config;
  family->handle = handle;
  side.answer.Number(a.rocksdb_column_family_handle_get_id(handle));
  size_t size = 0;
  char* given = a.rocksdb_column_family_handle_get_name(handle, &size);
  side.answer.Bytes({given, size});
  a.rocksdb_free(given);
  side.families.push_back(std::move(family));
  side.family_names.push_back(name);
}

void DropFamily(Side& side, Rng& rng) {
  const bool wants_again = rng.Percent(10);
  const uint64_t draw = rng.Next();
  Family* family = side.families[draw % side.families.size()].get();
  if (family->is_dropped && !wants_again) return;
  side.what = "drop family " + family->name;
  char* error = nullptr;
  side.api.rocksdb_drop_column_family(side.db, family->handle, &error);
  if (!side.Ok(error)) return;
  family->is_dropped = true;
  std::erase(side.family_names, family->name);
}

void DestroyDroppedHandle(Side& side, Rng&) {
  for (auto it = side.families.begin(); it != side.families.end(); ++it) {
    if (!(*it)->is_dropped) continue;
    side.what = "destroy the handle of the dropped " + (*it)->name;
    side.api.rocksdb_column_family_handle_destroy((*it)->handle);
    side.families.erase(it);
    return;
  }
}

}  // namespace

const std::vector<Operation>& ManageOperations() {
  static const std::vector<Operation> operations = {
      {"flush", 12, Flush},
      {"flush_wal", 4, FlushWal},
      {"compact_range", 5, CompactRange},
      {"suggest_compaction", 2, SuggestCompaction},
      {"file_deletions", 2, FileDeletions},
      {"set_options", 2, SetOptions},
      {"create_family", 6, CreateFamily},
      {"drop_family", 2, DropFamily},
      {"destroy_dropped", 2, DestroyDroppedHandle},
  };
  return operations;
}

}  // namespace differential
