// The step of a workload whose batch comes as a table file from outside.

#include <map>

#include "core/manage/sst_file_writer.h"
#include "tests/crash/workload.h"

namespace skarn {

Status OpenDatabase::WriteTable(const std::string& path,
                                const std::map<std::string, Entry>& entries,
                                const std::string& range_begin, const std::string& range_end) {
  DbOptions options;
  options.env = &env_;
  SstFileWriter writer(options, family_options_);
  if (Status s = writer.Open(path); !s.ok()) return s;
  for (const auto& [key, entry] : entries) {
    if (Status s = writer.Add(entry.kind, key, Slice(), entry.value); !s.ok()) return s;
  }
  if (range_begin < range_end) {
    if (Status s = writer.DeleteRange(range_begin, range_end); !s.ok()) return s;
  }
  return writer.Finish();
}

Status Player::IngestNext() {
  Db* const db = database_->db();
  ColumnFamilyHandle* const family = database_->handles().at("default").get();
  // A file that is taken in is durable, and what was written before must be so first: else the
  // history would not be a prefix.
  if (Status s = db->SyncWal(); !s.ok()) return s;
  Promise(/*survives_power=*/true);
  // A flush inside would wait for this thread.
  FlushOptions flush;
  flush.wait = false;
  if (Status s = db->Flush(flush, {family}); !s.ok()) return s;
  database_->Settle();
  if (Status s = FlushHappened({family}); !s.ok()) return s;

  Moment moment = history_.moments.back();
  Content& content = moment["default"];
  Random random(seed_ * 7919 + next_);
  std::string begin, end;
  if (random.OneIn(2)) {
    begin = "k" + std::to_string(10 + random.Uniform(20));
    end = "k" + std::to_string(10 + random.Uniform(20));
    // It covers nothing of its own file, whose entries all have one sequence number.
    if (begin < end) content.erase(content.lower_bound(begin), content.lower_bound(end));
  }
  std::map<std::string, OpenDatabase::Entry> entries;
  for (int i = 0; i < 5; ++i) {
    const std::string key = "k" + std::to_string(10 + random.Uniform(20));
    if (random.OneIn(4)) {
      entries[key] = {EntryKind::kDeletion, ""};
      content.erase(key);
    } else {
      const std::string value = std::to_string(next_) + std::string(random.Uniform(400), 'i');
      entries[key] = {EntryKind::kValue, value};
      content[key] = value;
    }
  }
  const std::string operand = std::to_string(next_);
  entries["m1"] = {EntryKind::kMerge, operand};
  content["m1"] += (content["m1"].empty() ? "" : ",") + operand;
  entries[kCounterKey] = {EntryKind::kValue, operand};
  content[kCounterKey] = operand;

  const std::string path = "/outside/" + operand + ".sst";
  if (Status s = fs_->CreateDirIfMissing("/outside"); !s.ok()) return s;
  if (Status s = database_->WriteTable(path, entries, begin, end); !s.ok()) return s;
  IngestOptions options;
  options.move_files = random.OneIn(2);
  options.verify_checksums = random.OneIn(2);
  history_.begun.push_back(Now());
  if (Status s = db->IngestExternalFiles(family, {path}, options); !s.ok()) {
    failed_batch_ = next_;
    failed_moment_ = std::move(moment);
    return s;
  }
  history_.moments.push_back(std::move(moment));
  history_.sequences.push_back(db->LatestSequence());
  Promise(/*survives_power=*/true);
  return Status::Ok();
}

}  // namespace skarn
