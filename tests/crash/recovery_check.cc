#include "tests/crash/recovery_check.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "core/options/options_file.h"
#include "core/version/file_names.h"

namespace skarn {

namespace {

const Content& ContentOf(const Moment& moment, const std::string& family) {
  static const Content empty;
  const auto found = moment.find(family);
  return found == moment.end() ? empty : found->second;
}

size_t CounterOf(const Content& content) {
  const auto found = content.find(kCounterKey);
  return found == content.end() ? 0 : strtoull(found->second.c_str(), nullptr, 10);
}

// All families of `found` as they were in `expected`.
bool Same(const Moment& found, const Moment& expected) {
  return std::all_of(found.begin(), found.end(), [&expected](const auto& family) {
    return family.second == ContentOf(expected, family.first);
  });
}

}  // namespace

Expectation ExpectationAt(const History& history, size_t operations, bool only_killed) {
  Expectation expectation;
  expectation.operations = operations;
  expectation.only_killed = only_killed;
  for (const History::Promise& promise : history.promises) {
    if (promise.operations > operations) break;
    if (promise.survives_power || only_killed) {
      expectation.batch_min = std::max(expectation.batch_min, promise.batch);
    }
  }
  for (size_t batch = 1; batch < history.begun.size(); ++batch) {
    if (history.begun[batch] <= operations) expectation.batch_max = batch;
  }
  expectation.batch_max = std::min(expectation.batch_max, history.moments.size() - 1);
  return expectation;
}

RecoveryCheck::Outcome RecoveryCheck::Check(CrashFileSystem* disk, const Expectation& expectation,
                                            bool thorough, bool ask_genuine,
                                            FileSystem* through) const {
  Outcome outcome;
  std::vector<Fault>* const faults = &outcome.faults;
  if (thorough) CheckCheckpoints(*disk, expectation, faults);
  OpenDatabase database;
  if (Status s = database.Open(through != nullptr ? through : disk, workload_, /*create=*/false);
      !s.ok()) {
    const std::string text = s.ToString();
    if (s.IsCorruption() && text.find("/MANIFEST-") != std::string::npos) {
      outcome.manifest_refused = true;
    } else {
      faults->push_back({0, "open: " + text});
    }
    return outcome;
  }
  outcome.operations_opened = disk->OperationCount();
  outcome.sequence = database.db()->LatestSequence();
  Moment found;
  if (Status s = database.Read(&found); !s.ok()) {
    faults->push_back({7, "scan: " + s.ToString()});
    return outcome;
  }
  CheckFamilies(found, expectation, faults);
  outcome.batch = CheckContent(found, expectation, faults);
  const SequenceNumber used =
      std::max(expectation.sequence_min,
               history_.sequences[std::min(outcome.batch, history_.sequences.size() - 1)]);
  if (outcome.sequence < used) {
    faults->push_back(
        {6, Concat("the last sequence number is ", outcome.sequence, ", ", used, " was in use")});
  }
  CheckFiles(database, disk, faults);
  CheckSettings(disk, expectation, faults);
  if (thorough && faults->empty()) {
    CheckReads(database, found, faults);
    CheckWrites(&database, &found, faults);
    // Power goes again right after the writes, which were synced.
    const auto again = disk->AfterPowerCut(disk->OperationCount(),
                                           CrashFileSystem::Loss::kEverything, outcome.batch);
    OpenDatabase second;
    Moment second_found;
    Status s = second.Open(again.get(), workload_, /*create=*/false);
    if (s.ok()) s = second.Read(&second_found);
    if (!s.ok()) {
      faults->push_back({9, "opening after a second cut: " + s.ToString()});
    } else if (second_found != found) {
      faults->push_back({9, "a second cut lost what the first recovery had, or a synced write"});
    }
  }
  (void)database.Close().ok();
  if (ask_genuine && genuine_ != nullptr && faults->empty()) {
    Moment theirs;
    if (Status s = genuine_->ReadCopy(disk, kDatabasePath, &theirs); !s.ok()) {
      faults->push_back({10, "genuine RocksDB: " + s.ToString()});
    } else if (theirs != found) {
      faults->push_back({10, "genuine RocksDB finds something else"});
    }
  }
  return outcome;
}

std::vector<Fault> RecoveryCheck::CheckGenuineRecovery(const CrashFileSystem& disk,
                                                       const Expectation& expectation) const {
  std::vector<Fault> faults;
  if (genuine_ == nullptr) return faults;
  const auto copy =
      disk.AfterPowerCut(disk.OperationCount(), CrashFileSystem::Loss::kNothing, /*seed=*/0);
  Moment theirs;
  if (Status s = genuine_->ReadCopy(copy.get(), kDatabasePath, &theirs); !s.ok()) {
    faults.push_back({10, "genuine RocksDB cannot recover: " + s.ToString()});
    return faults;
  }
  (void)CheckContent(theirs, expectation, &faults);
  for (Fault& fault : faults) {
    fault.what = Concat("recovered by genuine RocksDB, I", fault.invariant, ": ", fault.what);
    fault.invariant = 10;
  }
  return faults;
}

void RecoveryCheck::CheckFamilies(const Moment& found, const Expectation& expectation,
                                  std::vector<Fault>* faults) const {
  for (const History::Family& family : history_.families) {
    const bool there = found.count(family.name) != 0;
    const bool must = family.created <= expectation.operations &&
                      (family.drop_begun == kNever || family.drop_begun >= expectation.operations);
    const bool may_not = family.create_begun == kNever ||
                         family.create_begun > expectation.operations ||
                         family.dropped <= expectation.operations;
    if (must && !there) faults->push_back({1, "column family " + family.name + " is gone"});
    if (may_not && there) faults->push_back({4, "column family " + family.name + " is back"});
  }
}

size_t RecoveryCheck::CheckContent(const Moment& found, const Expectation& expectation,
                                   std::vector<Fault>* faults) const {
  const size_t batch = CounterOf(ContentOf(found, "default"));
  if (batch >= history_.moments.size() || batch > expectation.batch_max) {
    faults->push_back(
        {2, Concat("history ends at batch ", batch, ", ", expectation.batch_max, " had begun")});
    return batch;
  }
  if (batch < expectation.batch_min) {
    faults->push_back(
        {expectation.second_recovery ? 9 : 1,
         Concat("batch ", expectation.batch_min, " was promised, history ends at ", batch)});
  }
  if (workload_.unlogged && std::find(history_.flush_points.begin(), history_.flush_points.end(),
                                      batch) == history_.flush_points.end()) {
    faults->push_back({5, Concat("history ends at batch ", batch, ", where nothing was flushed")});
  }
  const Moment& expected = history_.moments[batch];
  for (const auto& [name, content] : found) {
    const Content& then = ContentOf(expected, name);
    if (content == then) continue;
    if (CounterOf(content) != CounterOf(then)) {
      faults->push_back(
          {workload_.unlogged ? 5 : 3, Concat("family ", name, " ends at batch ",
                                              CounterOf(content), ", the default one at ", batch)});
      continue;
    }
    // Which kind of wrong it is.
    int invariant = 2;
    std::string which;
    for (const auto& [key, value] : content) {
      const auto right = then.find(key);
      if (right != then.end() && right->second == value) continue;
      which = key;
      for (size_t earlier = 0; earlier < batch; ++earlier) {
        const Content& past = ContentOf(history_.moments[earlier], name);
        const auto was = past.find(key);
        if (was != past.end() && was->second == value) invariant = 4;
      }
      if (invariant == 4) break;
    }
    faults->push_back({invariant, Concat("family ", name, " is not what the first ", batch,
                                         " batches made, key ", which)});
  }
  return batch;
}

void RecoveryCheck::CheckFiles(const OpenDatabase& database, FileSystem* fs,
                               std::vector<Fault>* faults) const {
  LiveFiles live;
  if (Status s = database.db()->GetLiveFiles(UINT64_MAX, &live); !s.ok()) {
    faults->push_back({7, "list of live files: " + s.ToString()});
    return;
  }
  std::set<uint64_t> tables, logs;
  for (const LiveFiles::Table& table : live.tables) tables.insert(table.number);
  for (const LiveFiles::Wal& log : live.wals) logs.insert(log.number);
  std::vector<std::string> names;
  if (Status s = fs->GetChildren(kDatabasePath, &names); !s.ok()) {
    faults->push_back({7, s.ToString()});
    return;
  }
  size_t options_files = 0;
  for (const std::string& name : names) {
    ParsedFileName file;
    if (!ParseFileName(name, &file)) continue;
    bool dead = false;
    switch (file.kind) {
      case FileKind::kTable:
        dead = tables.erase(file.number) == 0;
        break;
      case FileKind::kWal:
        dead = logs.count(file.number) == 0 && file.number != 0;
        break;
      case FileKind::kManifest:
        dead = file.number != live.manifest_number;
        break;
      case FileKind::kOptions:
        dead = ++options_files > 2;
        break;
      case FileKind::kTemp:
        dead = !file.is_options;
        break;
      default:
        break;
    }
    if (dead) faults->push_back({7, name + " belongs to nobody"});
  }
  for (const uint64_t number : tables) {
    faults->push_back({7, Concat("table ", number, " is live and not on the disk")});
  }
}

void RecoveryCheck::CheckReads(const OpenDatabase& database, const Moment& found,
                               std::vector<Fault>* faults) const {
  if (Status s = database.db()->VerifyChecksums(ReadOptions()); !s.ok()) {
    faults->push_back({7, "checksums: " + s.ToString()});
  }
  for (const auto& [name, handle] : database.handles()) {
    for (int i = 10; i < 30; ++i) {
      const std::string key = "k" + std::to_string(i);
      PinnedValue value;
      const Status s = database.db()->Get(ReadOptions(), handle.get(), key, &value, nullptr);
      const Content& content = ContentOf(found, name);
      const auto scanned = content.find(key);
      const bool same = scanned == content.end()
                            ? s.IsNotFound()
                            : s.ok() && value.slice() == Slice(scanned->second);
      if (!same) faults->push_back({2, "point read and scan differ at " + key});
    }
  }
}

void RecoveryCheck::CheckWrites(OpenDatabase* database, Moment* found,
                                std::vector<Fault>* faults) const {
  Db* const db = database->db();
  const SequenceNumber before = db->LatestSequence();
  const Snapshot* const snapshot = db->GetSnapshot();
  const Moment old = *found;
  WriteBatch batch;
  // Over old keys, so that a number that was given before would lose.
  for (const auto& [name, handle] : database->handles()) {
    Content& content = (*found)[name];
    for (const char* const key : {"k11", "k15", kCounterKey}) {
      (void)batch.Put(handle->id(), key, "after").ok();
      content[key] = "after";
    }
    (void)batch.Delete(handle->id(), "k12").ok();
    content.erase("k12");
  }
  WriteOptions options;
  options.sync = !workload_.unlogged;
  options.disable_wal = workload_.unlogged;
  Status s = db->Write(options, &batch);
  if (!s.ok()) {
    faults->push_back({0, "a write after recovery: " + s.ToString()});
    db->ReleaseSnapshot(snapshot);
    return;
  }
  if (batch.sequence() <= before) {
    faults->push_back(
        {6, Concat("a new batch has number ", batch.sequence(), ", ", before, " was in use")});
  }
  Moment now, then;
  s = database->Read(&now);
  if (s.ok()) s = database->Read(&then, snapshot);
  db->ReleaseSnapshot(snapshot);
  if (!s.ok()) faults->push_back({7, "scan after a write: " + s.ToString()});
  if (now != *found) faults->push_back({6, "a write after recovery does not show"});
  if (then != old) faults->push_back({8, "a snapshot shows what was written after it"});
  if (workload_.unlogged) {
    std::vector<ColumnFamilyHandle*> handles;
    for (const auto& [name, handle] : database->handles()) handles.push_back(handle.get());
    FlushOptions flush;
    flush.wait = false;
    s = db->Flush(flush, handles);
    if (!s.ok()) faults->push_back({0, "a flush after recovery: " + s.ToString()});
    database->Settle();
  }
}

void RecoveryCheck::CheckCheckpoints(const CrashFileSystem& disk, const Expectation& expectation,
                                     std::vector<Fault>* faults) const {
  for (const History::Checkpoint& checkpoint : history_.checkpoints) {
    if (checkpoint.begun > expectation.operations) continue;
    const auto copy =
        disk.AfterPowerCut(disk.OperationCount(), CrashFileSystem::Loss::kNothing, /*seed=*/0);
    const bool there = copy->FileExists(CurrentFileName(checkpoint.path)).ok();
    if (!there) {
      if (checkpoint.done <= expectation.operations) {
        faults->push_back({8, checkpoint.path + " was complete and is gone"});
      }
      continue;
    }
    OpenDatabase database;
    Moment found;
    Status s = database.Open(copy.get(), workload_, /*create=*/false, {}, checkpoint.path);
    if (s.ok()) s = database.Read(&found);
    if (!s.ok()) {
      faults->push_back({8, checkpoint.path + ": " + s.ToString()});
      continue;
    }
    if (!Same(found, history_.moments[checkpoint.batch]) ||
        found.size() != checkpoint.families.size()) {
      faults->push_back({8, Concat(checkpoint.path, " is not what the first ", checkpoint.batch,
                                   " batches made")});
    }
  }
}

void RecoveryCheck::CheckSettings(FileSystem* fs, const Expectation& expectation,
                                  std::vector<Fault>* faults) const {
  // The file that opening wrote holds what it was opened with; the one before is what counts.
  uint64_t promised = 0;
  for (const History::Setting& setting : history_.settings) {
    if (setting.done <= expectation.operations) promised = setting.write_buffer_size;
  }
  if (promised == 0) return;
  std::vector<std::string> names;
  if (Status s = fs->GetChildren(kDatabasePath, &names); !s.ok()) return;
  uint64_t largest = 0;
  for (const std::string& name : names) {
    ParsedFileName file;
    if (!ParseFileName(name, &file) || file.kind != FileKind::kOptions) continue;
    const Result<std::string> text = ReadFileToString(fs, std::string(kDatabasePath) + "/" + name);
    const Result<OptionsFile> parsed =
        text.ok() ? ParseOptionsFile(OptionReading(), *text) : Result<OptionsFile>(text.status());
    if (!parsed.ok()) {
      faults->push_back({1, name + ": " + parsed.status().ToString()});
      continue;
    }
    for (const NamedColumnFamilyOptions& family : parsed->families) {
      if (family.name == "default") {
        largest = std::max<uint64_t>(largest, family.options.write_buffer_size);
      }
    }
  }
  if (!expectation.second_recovery && largest < promised) {
    faults->push_back(
        {1, Concat("write_buffer_size ", promised, " was set, the OPTIONS files say ", largest)});
  }
}

}  // namespace skarn
