// The picker of leveled compaction. Rules: docs/architecture.md, "choosing a compaction".

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "core/compaction/compaction_picker.h"

namespace skarn {
namespace {

// A trivial move takes at most this many neighbouring files more than the first.
constexpr size_t kMaxMovedFiles = 4;
// Merging files of level 0 among themselves is worth it from this many on.
constexpr size_t kMinIntraLevel0Files = 4;

uint64_t BytesOf(const std::vector<FileMetadata*>& files) {
  uint64_t bytes = 0;
  for (const FileMetadata* file : files) bytes += file->size_bytes;
  return bytes;
}

bool AnyBusy(const std::vector<FileMetadata*>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const FileMetadata* file) { return file->being_compacted; });
}

// Target size of an output file of `level`.
uint64_t TargetFileBytes(const ColumnFamilyOptions& options, const VersionStorage& storage,
                         int level) {
  int steps = level;
  if (options.level_compaction_dynamic_level_bytes && storage.base_level() > 0) {
    steps = level - storage.base_level() + 1;
  }
  double bytes = static_cast<double>(options.target_file_size_base);
  for (int i = 1; i < steps; ++i) bytes *= options.target_file_size_multiplier;
  return bytes >= 1e19 ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(bytes);
}

// Which of the column family's directories takes files of `level`: fill the paths in
// order with whole levels as large as their targets.
uint32_t PathFor(const ColumnFamilyOptions& options, const std::vector<DbPath>& paths, int level) {
  if (paths.size() < 2) return 0;
  uint32_t path = 0;
  uint64_t room = paths[0].target_size;
  double level_bytes = static_cast<double>(options.max_bytes_for_level_base);
  int current = 0;
  while (path + 1 < paths.size()) {
    if (level_bytes <= static_cast<double>(room)) {
      if (current == level) return path;
      room -= static_cast<uint64_t>(level_bytes);
      if (current > 0) {
        level_bytes *= options.max_bytes_for_level_multiplier;
        const auto& additional = options.max_bytes_for_level_multiplier_additional;
        if (static_cast<size_t>(current) < additional.size()) {
          level_bytes *= additional[static_cast<size_t>(current)];
        }
      }
      ++current;
    } else {
      room = paths[++path].target_size;
    }
  }
  return path;
}

class LevelPicker final : public CompactionPicker {
 public:
  explicit LevelPicker(const KeyOrder& order) : order_(order) {}

  bool NeedsCompaction(const Version& version) const override {
    const VersionStorage& storage = version.storage();
    return storage.max_score() >= 1 || !storage.marked_for_compaction().empty() ||
           !storage.marked_bottommost().empty() || !storage.expired_by_ttl().empty() ||
           !storage.marked_periodic().empty();
  }

  std::unique_ptr<Compaction> Pick(Version* version, const ColumnFamilyOptions& options,
                                   const DbOptions& db_options,
                                   const std::vector<SequenceNumber>& snapshots) override {
    (void)snapshots;  // Marks of bottommost files already consider the oldest one.
    Choice choice{version, &version->storage(), &options, &db_options};
    if (!Choose(&choice)) return nullptr;
    return Build(choice, /*manual=*/false);
  }

  std::unique_ptr<Compaction> PickManual(Version* version, const ColumnFamilyOptions& options,
                                         const DbOptions& db_options, const ManualRange& range,
                                         bool* conflict,
                                         std::optional<std::string>* next_begin) override {
    *conflict = false;
    next_begin->reset();
    const VersionStorage& storage = version->storage();
    Choice choice{version, &storage, &options, &db_options};
    choice.level = range.input_level;
    choice.output_level = range.output_level;
    choice.reason = CompactionReason::kManualCompaction;
    storage.OverlappingFiles(range.input_level, range.begin, range.end, &choice.files);
    // Files that are too new are no inputs, nor may what is written span them: those up to the
    // next of them, and the rest is another piece.
    const auto too_new = [&](const FileMetadata* file) {
      return file->number >= range.max_file_number;
    };
    const auto begin = std::find_if_not(choice.files.begin(), choice.files.end(), too_new);
    const auto end = std::find_if(begin, choice.files.end(), too_new);
    const auto rest = std::find_if_not(end, choice.files.end(), too_new);
    if (rest != choice.files.end()) {
      *next_begin = order_.StripTimestamp((*rest)->smallest_user_key()).ToString();
    }
    choice.files = std::vector<FileMetadata*>(begin, end);
    if (choice.files.empty()) return nullptr;

    // Not more at once than the options allow; the rest is another piece.
    if (range.input_level > 0) {
      uint64_t bytes = 0;
      for (size_t i = 0; i + 1 < choice.files.size(); ++i) {
        const FileMetadata* file = choice.files[i];
        bytes += file->size_bytes;
        if (range.output_level != range.input_level) {
          bytes += storage.OverlappingBytes(range.output_level,
                                            order_.StripTimestamp(file->smallest_user_key()),
                                            order_.StripTimestamp(file->largest_user_key()));
        }
        if (bytes < options.max_compaction_bytes) continue;
        *next_begin = order_.StripTimestamp(choice.files[i + 1]->smallest_user_key()).ToString();
        choice.files.resize(i + 1);
        break;
      }
      storage.ExpandToCleanCut(range.input_level, &choice.files);
    }
    if (AnyBusy(choice.files)) {
      *conflict = true;
      next_begin->reset();
      return nullptr;
    }
    if (range.output_level != range.input_level) {
      if (!TakeOutputFiles(&choice)) {
        *conflict = true;
        next_begin->reset();
        return nullptr;
      }
    } else {
      Slice smallest;
      Slice largest;
      storage.KeyRange(choice.files, &smallest, &largest);
      if (OverlapsRunningOutput(smallest, largest, range.output_level)) {
        *conflict = true;
        next_begin->reset();
        return nullptr;
      }
    }
    if (range.input_level == 0 && level0_running_ > 0) {
      *conflict = true;
      return nullptr;
    }
    auto compaction = Build(choice, /*manual=*/true);
    if (range.options.max_subcompactions > 0) {
      compaction->max_subcompactions = range.options.max_subcompactions;
    }
    return compaction;
  }

  void Release(Compaction* compaction) override {
    std::erase(running_, compaction);
    if (compaction->start_level() == 0) --level0_running_;
  }

  bool OverlapsRunningOutput(Slice smallest_user_key, Slice largest_user_key,
                             int level) const override {
    for (const Compaction* other : running_) {
      if (other->output_level() != level || other->deletion_only) continue;
      if (order_.CompareStripped(smallest_user_key, other->largest_user_key()) <= 0 &&
          order_.CompareStripped(largest_user_key, other->smallest_user_key()) >= 0) {
        return true;
      }
    }
    return false;
  }

  size_t running() const override { return running_.size(); }

 private:
  struct Choice {
    Version* version;
    const VersionStorage* storage;
    const ColumnFamilyOptions* options;
    const DbOptions* db_options;
    int level = -1;
    int output_level = -1;
    double score = -1;
    CompactionReason reason = CompactionReason::kUnknown;
    std::vector<FileMetadata*> files = {};         // Of `level`.
    std::vector<FileMetadata*> output_files = {};  // Of `output_level`.
  };

  bool Choose(Choice* choice) {
    const VersionStorage& storage = *choice->storage;
    bool level0_blocked = false;
    for (int i = 0; i < storage.score_count(); ++i) {
      const double score = storage.score(i);
      if (score < 1) break;
      const int level = storage.score_level(i);
      if (level0_blocked && level == storage.base_level()) continue;  // Let level 0 drain first.
      if (level > 0 && level + 1 >= storage.num_levels()) continue;
      choice->level = level;
      choice->output_level = level == 0 ? storage.base_level() : level + 1;
      choice->score = score;
      choice->reason =
          level == 0 ? CompactionReason::kLevelL0FilesNum : CompactionReason::kLevelMaxLevelSize;
      if (level == 0 ? ChooseLevel0(choice) : ChooseByPriority(choice)) return true;
      Clear(choice);
      if (level == 0) level0_blocked = true;
    }
    choice->score = 0;
    return ChooseMarked(choice);
  }

  static void Clear(Choice* choice) {
    choice->files.clear();
    choice->output_files.clear();
  }

  bool ChooseLevel0(Choice* choice) {
    if (level0_running_ > 0) {
      return ChooseIntraLevel0BySize(choice) || ChooseIntraLevel0ByCost(choice);
    }
    if (ChooseLevel0Move(choice)) return true;
    Clear(choice);
    if (ChooseIntraLevel0BySize(choice)) return true;
    Clear(choice);
    choice->output_level = choice->storage->base_level();
    if (ChooseByPriority(choice)) return true;
    Clear(choice);
    return ChooseIntraLevel0ByCost(choice);
  }

  // The oldest files of level 0, as long as nothing is in their way: they only move.
  bool ChooseLevel0Move(Choice* choice) {
    const VersionStorage& storage = *choice->storage;
    if (storage.base_level() <= 0 || Paths(*choice).size() > 1 ||
        !choice->options->compression_per_level.empty() ||
        storage.level(choice->output_level).empty()) {
      return false;
    }
    const LevelFiles& level0 = storage.level(0);
    for (size_t i = level0.size(); i-- > 0;) {
      FileMetadata* file = level0[i];
      if (file->being_compacted) break;
      const Slice low = order_.StripTimestamp(file->smallest_user_key());
      const Slice high = order_.StripTimestamp(file->largest_user_key());
      const bool overlaps_taken =
          std::any_of(choice->files.begin(), choice->files.end(), [&](const FileMetadata* taken) {
            return order_.CompareStripped(low, order_.StripTimestamp(taken->largest_user_key())) <=
                       0 &&
                   order_.CompareStripped(high,
                                          order_.StripTimestamp(taken->smallest_user_key())) >= 0;
          });
      if (overlaps_taken) break;
      // With the gaps between them: if they cannot be moved, what a merge writes spans those too.
      choice->files.push_back(file);
      Slice first;
      Slice last;
      storage.KeyRange(choice->files, &first, &last);
      if (storage.RangeOverlaps(choice->output_level, &first, &last) ||
          OverlapsRunningOutput(first, last, choice->output_level)) {
        choice->files.pop_back();
        break;
      }
    }
    if (choice->files.empty()) return false;
    std::reverse(choice->files.begin(), choice->files.end());  // Newest first again.
    return true;
  }

  // The base level is so large that merging into it again and again costs more than
  // making one file of the newest of level 0.
  bool ChooseIntraLevel0BySize(Choice* choice) {
    const VersionStorage& storage = *choice->storage;
    const LevelFiles& level0 = storage.level(0);
    const size_t least =
        static_cast<size_t>(std::max(2, choice->options->level0_file_num_compaction_trigger));
    if (level0.size() < least || storage.base_level() <= 0) return false;
    uint64_t level0_bytes = 0;
    for (const FileMetadata* file : level0) level0_bytes += file->comp_bytes();
    const double factor = std::max(10.0, choice->options->max_bytes_for_level_multiplier);
    if (static_cast<double>(storage.level_bytes(storage.base_level())) <=
        static_cast<double>(level0_bytes) * 2 * factor) {
      return false;
    }
    for (size_t i = 0; i < level0.size() && !level0[i]->being_compacted; ++i) {
      choice->files.push_back(level0[i]);
    }
    if (choice->files.size() < least) {
      Clear(choice);
      return false;
    }
    choice->output_level = 0;
    return true;
  }

  // While the older files of level 0 are busy: merge the newest ones as long as each
  // further file makes the bytes written per file removed smaller.
  bool ChooseIntraLevel0ByCost(Choice* choice) {
    const LevelFiles& level0 = choice->storage->level(0);
    const size_t trigger =
        static_cast<size_t>(std::max(0, choice->options->level0_file_num_compaction_trigger));
    if (level0.size() < trigger + 2 || level0[0]->being_compacted) return false;
    uint64_t bytes = level0[0]->comp_bytes();
    uint64_t cost = std::numeric_limits<uint64_t>::max();
    size_t count = 1;
    for (; count < level0.size() && !level0[count]->being_compacted; ++count) {
      const uint64_t with_next = bytes + level0[count]->comp_bytes();
      const uint64_t next_cost = with_next / count;
      if (next_cost > cost || with_next > choice->options->max_compaction_bytes) break;
      bytes = with_next;
      cost = next_cost;
    }
    if (count < kMinIntraLevel0Files) return false;
    choice->files.assign(level0.begin(), level0.begin() + static_cast<std::ptrdiff_t>(count));
    choice->output_files.clear();
    choice->output_level = 0;
    return true;
  }

  bool ChooseByPriority(Choice* choice) {
    const VersionStorage& storage = *choice->storage;
    VersionStorage* positions = choice->version->mutable_storage();
    const LevelFiles& files = storage.level(choice->level);
    const std::vector<int>& by_priority = storage.by_priority(choice->level);
    for (size_t at = static_cast<size_t>(storage.next_position(choice->level));
         at < by_priority.size(); ++at) {
      FileMetadata* file = files[static_cast<size_t>(by_priority[at])];
      if (file->being_compacted) continue;
      choice->files = {file};
      choice->output_files.clear();
      if (!TakeInputs(choice)) continue;
      positions->set_next_position(choice->level, static_cast<int>(at));
      if (choice->level > 0 && choice->output_files.empty()) ExtendMove(choice);
      return true;
    }
    positions->set_next_position(choice->level, static_cast<int>(by_priority.size()));
    Clear(choice);
    return false;
  }

  // From the files chosen so far to a whole set of inputs that can be compacted.
  bool TakeInputs(Choice* choice) {
    const VersionStorage& storage = *choice->storage;
    Slice smallest;
    Slice largest;
    if (choice->level == 0) {
      // Everything older or newer that overlaps: order within level 0 must be kept.
      storage.KeyRange(choice->files, &smallest, &largest);
      const Slice low = smallest;
      const Slice high = largest;
      choice->files.clear();
      storage.OverlappingFiles(0, &low, &high, &choice->files);
    } else {
      storage.ExpandToCleanCut(choice->level, &choice->files);
    }
    if (choice->files.empty() || AnyBusy(choice->files)) return false;
    if (choice->output_level == choice->level) {
      storage.KeyRange(choice->files, &smallest, &largest);
      return !OverlapsRunningOutput(smallest, largest, choice->output_level);
    }
    if (!TakeOutputFiles(choice)) return false;
    GrowStartLevel(choice);
    return true;
  }

  bool TakeOutputFiles(Choice* choice) {
    const VersionStorage& storage = *choice->storage;
    Slice smallest;
    Slice largest;
    storage.KeyRange(choice->files, &smallest, &largest);
    if (OverlapsRunningOutput(smallest, largest, choice->output_level)) return false;
    choice->output_files.clear();
    storage.OverlappingFiles(choice->output_level, &smallest, &largest, &choice->output_files);
    if (!choice->output_files.empty()) {
      storage.ExpandToCleanCut(choice->output_level, &choice->output_files);
    }
    if (AnyBusy(choice->output_files)) return false;
    if (choice->output_files.empty()) return true;
    std::vector<FileMetadata*> all = choice->files;
    all.insert(all.end(), choice->output_files.begin(), choice->output_files.end());
    storage.KeyRange(all, &smallest, &largest);
    return !OverlapsRunningOutput(smallest, largest, choice->output_level);
  }

  // More files of the start level for free: those within the range of what is read
  // anyway, when that needs no further file of the output level.
  void GrowStartLevel(Choice* choice) {
    if (choice->output_files.empty()) return;
    const VersionStorage& storage = *choice->storage;
    std::vector<FileMetadata*> all = choice->files;
    all.insert(all.end(), choice->output_files.begin(), choice->output_files.end());
    Slice smallest;
    Slice largest;
    storage.KeyRange(all, &smallest, &largest);
    std::vector<FileMetadata*> grown;
    storage.OverlappingFiles(choice->level, &smallest, &largest, &grown, /*grow=*/false);
    if (grown.size() <= choice->files.size()) return;
    if (choice->level == 0) {
      Slice low;
      Slice high;
      storage.KeyRange(grown, &low, &high);
      grown.clear();
      storage.OverlappingFiles(0, &low, &high, &grown);
    } else {
      storage.ExpandToCleanCut(choice->level, &grown);
    }
    if (grown.size() <= choice->files.size() || AnyBusy(grown)) return;
    const uint64_t limit = 2 * choice->options->max_compaction_bytes;
    if (limit / 2 == choice->options->max_compaction_bytes &&
        BytesOf(grown) + BytesOf(choice->output_files) >= limit) {
      return;
    }
    Choice wider = *choice;
    wider.files = grown;
    if (!TakeOutputFiles(&wider) || wider.output_files != choice->output_files) return;
    choice->files = std::move(grown);
  }

  // Neighbours that have nothing below them either move along.
  void ExtendMove(Choice* choice) {
    const VersionStorage& storage = *choice->storage;
    const LevelFiles& level = storage.level(choice->level);
    const auto find = [&](const FileMetadata* file) {
      return static_cast<size_t>(std::find(level.begin(), level.end(), file) - level.begin());
    };
    size_t first = find(choice->files.front());
    size_t last = find(choice->files.back());
    if (first >= level.size() || last >= level.size()) return;
    uint64_t bytes = BytesOf(choice->files);
    // With the gap between it and those taken: what a merge writes spans that too.
    const auto can_take = [&](size_t index) {
      FileMetadata* file = level[index];
      const bool after = index > last;
      const Slice low = order_.StripTimestamp(after ? level[last]->largest_user_key()
                                                    : file->smallest_user_key());
      const Slice high = order_.StripTimestamp(after ? file->largest_user_key()
                                                     : level[first]->smallest_user_key());
      return !file->being_compacted &&
             bytes + file->size_bytes <= choice->options->max_compaction_bytes &&
             !storage.RangeOverlaps(choice->output_level, &low, &high) &&
             !OverlapsRunningOutput(low, high, choice->output_level);
    };
    const auto shares_key = [&](size_t left, size_t right) {
      return order_.CompareUserWithoutTimestamp(level[left]->largest_user_key(),
                                                level[right]->smallest_user_key()) == 0;
    };
    std::vector<FileMetadata*> files = choice->files;
    size_t added = 0;
    while (added < kMaxMovedFiles && last + 1 < level.size() && can_take(last + 1)) {
      ++last;
      ++added;
      bytes += level[last]->size_bytes;
    }
    while (last > find(choice->files.back()) && last + 1 < level.size() &&
           shares_key(last, last + 1)) {
      --last;  // Its user key goes on in a file that stays.
    }
    while (added < kMaxMovedFiles && first > 0 && can_take(first - 1)) {
      --first;
      ++added;
      bytes += level[first]->size_bytes;
    }
    while (first < find(choice->files.front()) && first > 0 && shares_key(first - 1, first)) {
      ++first;
    }
    choice->files.assign(level.begin() + static_cast<std::ptrdiff_t>(first),
                         level.begin() + static_cast<std::ptrdiff_t>(last) + 1);
  }

  bool ChooseMarked(Choice* choice) {
    const VersionStorage& storage = *choice->storage;
    const int last_non_empty = storage.num_non_empty_levels() - 1;

    const auto& marked = storage.marked_for_compaction();
    if (!marked.empty()) {
      // Begin anywhere, so that one file that cannot be compacted does not block the others.
      const size_t start = random_() % marked.size();
      for (size_t i = 0; i < marked.size(); ++i) {
        const MarkedFile& mark = marked[(start + i) % marked.size()];
        if (mark.level == last_non_empty && mark.level > 0) continue;
        if (TryMarked(choice, mark, NextLevel(storage, mark.level),
                      CompactionReason::kFilesMarkedForCompaction)) {
          return true;
        }
      }
    }
    for (const MarkedFile& mark : storage.marked_bottommost()) {
      if (TryMarked(choice, mark, mark.level, CompactionReason::kBottommostFiles)) return true;
    }
    for (const MarkedFile& mark : storage.expired_by_ttl()) {
      if (mark.level == last_non_empty && mark.level > 0) continue;
      if (TryMarked(choice, mark, NextLevel(storage, mark.level), CompactionReason::kTtl)) {
        return true;
      }
    }
    for (const MarkedFile& mark : storage.marked_periodic()) {
      const bool down = choice->options->level_compaction_dynamic_level_bytes &&
                        mark.level < storage.num_levels() - 1 && mark.level < last_non_empty;
      const int output = mark.level == 0 || down ? NextLevel(storage, mark.level) : mark.level;
      if (TryMarked(choice, mark, output, CompactionReason::kPeriodicCompaction)) return true;
    }
    return false;
  }

  static int NextLevel(const VersionStorage& storage, int level) {
    if (level == 0) return std::max(storage.base_level(), 0);
    return std::min(level + 1, storage.num_levels() - 1);
  }

  bool TryMarked(Choice* choice, const MarkedFile& mark, int output_level,
                 CompactionReason reason) {
    Clear(choice);
    if (mark.file->being_compacted) return false;
    if (mark.level == 0 && level0_running_ > 0) return false;
    choice->level = mark.level;
    choice->output_level = output_level;
    choice->reason = reason;
    choice->files = {mark.file};
    if (TakeInputs(choice)) return true;
    Clear(choice);
    return false;
  }

  static const std::vector<DbPath>& Paths(const Choice& choice) {
    return choice.options->cf_paths.empty() ? choice.db_options->db_paths
                                            : choice.options->cf_paths;
  }

  std::unique_ptr<Compaction> Build(const Choice& choice, bool manual) {
    const VersionStorage& storage = *choice.storage;
    std::vector<CompactionInput> inputs;
    inputs.push_back({choice.level, choice.files});
    if (!choice.output_files.empty()) {
      inputs.push_back({choice.output_level, choice.output_files});
    }
    auto compaction = std::make_unique<Compaction>(
        choice.version, *choice.options, std::move(inputs), choice.output_level, choice.reason);
    compaction->manual = manual;
    compaction->score = choice.score;
    compaction->output_path_id = PathFor(*choice.options, Paths(choice), choice.output_level);
    compaction->max_output_file_bytes =
        choice.output_level == 0 ? std::numeric_limits<uint64_t>::max()
                                 : TargetFileBytes(*choice.options, storage, choice.output_level);
    compaction->max_subcompactions = choice.db_options->max_subcompactions;
    if (choice.output_level > 0 && choice.output_level + 1 < storage.num_levels()) {
      const Slice low = compaction->smallest_user_key();
      const Slice high = compaction->largest_user_key();
      storage.OverlappingFiles(choice.output_level + 1, &low, &high, &compaction->grandparents);
    }
    running_.push_back(compaction.get());
    if (choice.level == 0) ++level0_running_;
    choice.version->mutable_storage()->ComputeScores(*choice.options,
                                                     NowSeconds(*choice.db_options));
    return compaction;
  }

  static uint64_t NowSeconds(const DbOptions& options) { return options.env->clock->NowSeconds(); }

  const KeyOrder order_;
  std::vector<const Compaction*> running_;
  int level0_running_ = 0;
  std::minstd_rand random_{0x5ca1ab1e};
};

}  // namespace

std::unique_ptr<CompactionPicker> NewLevelPicker(const KeyOrder& order) {
  return std::make_unique<LevelPicker>(order);
}

}  // namespace skarn
