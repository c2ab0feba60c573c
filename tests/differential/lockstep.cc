#include "lockstep.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace differential {
namespace {

// What the driver itself does, beside the groups of operations on one side.
constexpr unsigned kSwapWeight = 2;
constexpr unsigned kCrossCopiesWeight = 1;

const std::vector<Operation>& AllOperations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> operations;
    for (const auto* group : {&WriteOperations(), &BatchOperations(), &ReadOperations(),
                              &IteratorOperations(), &ManageOperations(), &ReopenOperations()})
      operations.insert(operations.end(), group->begin(), group->end());
    operations.push_back({"swap", kSwapWeight, nullptr});
    operations.push_back({"cross_copies", kCrossCopiesWeight, nullptr});
    return operations;
  }();
  return all;
}

const Operation& PickOperation(Rng& rng) {
  static const unsigned total = [] {
    unsigned sum = 0;
    for (const Operation& operation : AllOperations()) sum += operation.weight;
    return sum;
  }();
  uint64_t draw = rng.Below(total);
  for (const Operation& operation : AllOperations()) {
    if (draw < operation.weight) return operation;
    draw -= operation.weight;
  }
  return AllOperations().back();
}

// The part of a long answer around the first byte that differs.
std::string Around(const std::string& text, size_t at) {
  constexpr size_t kBefore = 120, kAfter = 280;
  const size_t begin = at > kBefore ? at - kBefore : 0;
  std::string part = text.substr(begin, kBefore + kAfter);
  if (begin > 0) part = ".." + part;
  if (begin + kBefore + kAfter < text.size()) part += "..";
  return part;
}

// Copies the directory of an open database. False when that cannot have worked.
bool CopyDirectory(const std::filesystem::path& from, const std::filesystem::path& to) {
  namespace fs = std::filesystem;
  std::error_code failed, ignored;
  fs::remove_all(to, ignored);
  fs::create_directories(to, failed);
  // CURRENT names a MANIFEST that is complete, if it is read first.
  fs::copy_file(from / "CURRENT", to / "CURRENT", failed);
  if (failed) return false;
  for (const auto& entry : fs::directory_iterator(from, failed)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("MANIFEST")) fs::copy_file(entry.path(), to / name, ignored);
  }
  // What goes away meanwhile (temporary files, logs that are not needed) is not missed.
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(from, failed))
    paths.push_back(entry.path());
  for (const fs::path& path : paths) {
    const fs::path target = to / path.lexically_relative(from);
    if (fs::is_directory(path, ignored))
      fs::create_directories(target, ignored);
    else if (fs::exists(path, ignored))
      fs::copy_file(path, target, fs::copy_options::skip_existing, ignored);
  }
  return !failed;
}

}  // namespace

Lockstep::Lockstep(const Api& left, const Api& right, const Config& config,
                   const std::string& scratch)
    : config_(config),
      left_(left, config_, scratch + "/a"),
      right_(right, config_, scratch + "/b") {
  left_.poison_differs = right_.poison_differs = !right.is_oracle;
}

bool Lockstep::Differ(const std::string& what) {
  verdict_.differs = true;
  const std::string& left = left_.answer.text();
  const std::string& right = right_.answer.text();
  // Whole, for whoever keeps the scratch directory.
  std::ofstream(left_.directory + ".answer") << left << '\n';
  std::ofstream(right_.directory + ".answer") << right << '\n';
  size_t at = 0;
  while (at < left.size() && at < right.size() && left[at] == right[at]) at++;
  verdict_.report = "  operation " + std::to_string(step_) + ": " + what +
                    "\n    left:  " + Around(left, at) + "\n    right: " + Around(right, at);
  return false;
}

bool Lockstep::Both(const std::function<void(Side&)>& work) {
  for (Side* side : {&left_, &right_}) {
    side->answer.Clear();
    side->what.clear();
    side->operation = step_;
    on_side(side == &left_ ? 0 : 1);
    work(*side);
  }
  if (trace_ && !left_.what.empty())
    printf("%6llu %s\n         -> %s\n", static_cast<unsigned long long>(step_), left_.what.c_str(),
           left_.answer.text().substr(0, 400).c_str());
  if (left_.answer.text() != right_.answer.text()) return Differ(left_.what);
  return true;
}

bool Lockstep::Swap() {
  for (Side* side : {&left_, &right_}) {
    on_side(side == &left_ ? 0 : 1);
    side->Close();
    side->has_foreign_logs = true;
  }
  left_.directory.swap(right_.directory);
  return Both([](Side& side) {
    side.what = "swap directories";
    if (side.Open()) side.Dump();
  });
}

bool Lockstep::CrossCopies() {
  // Only what is in files can be found in a copy of them.
  if (left_.has_unlogged_writes || left_.is_poisoned) return true;
  bool copied = true;
  if (!Both([&copied](Side& side) {
        side.what = "copy the directory while it is open";
        const Api& a = side.api;
        char* error = nullptr;
        if (side.config.manual_wal_flush) {
          a.rocksdb_flush_wal(side.db, /*sync=*/0, &error);
          side.Ok(error);
          error = nullptr;
        }
        // While nothing is deleted, a MANIFEST names files that exist as long as the copy of it
        // is older than the copies of them.
        a.rocksdb_disable_file_deletions(side.db, &error);
        side.Ok(error);
        copied = CopyDirectory(side.directory, side.directory + ".copy") && copied;
        error = nullptr;
        a.EnableFileDeletions(side.db, &error);
        side.Ok(error);
        side.Dump();
      }))
    return false;
  const std::string live = left_.answer.text();
  const std::string left_copy = left_.directory + ".copy", right_copy = right_.directory + ".copy";
  if (copied && !Both([&](Side& side) {
        side.what = "open the copy of the other side's directory";
        DumpCopy(side, config_, &side == &left_ ? right_copy : left_copy);
      }))
    return false;
  if (copied && live.find(left_.answer.text()) == std::string::npos) {
    right_.answer.Clear();
    right_.answer.Say(live);
    return Differ("the copy (left) is not what the database held (right)");
  }
  std::error_code ignored;
  std::filesystem::remove_all(left_copy, ignored);
  std::filesystem::remove_all(right_copy, ignored);
  return true;
}

bool Lockstep::CrossCheckpoints(Rng& rng) {
  // Genuine RocksDB refuses where files are in two directories, which is a matter of time.
  if (left_.is_poisoned || config_.second_path) return true;
  const bool flushes = left_.has_unlogged_writes || rng.Percent(50);
  bool created = true;
  if (!Both([&](Side& side) {
        side.what = std::string("make a checkpoint") + (flushes ? "" : " without a flush");
        created = CreateCheckpoint(side, side.directory + ".checkpoint", flushes) && created;
        if (created) side.Dump();
      }))
    return false;
  const std::string live = left_.answer.text();
  const std::string left_made = left_.directory + ".checkpoint";
  const std::string right_made = right_.directory + ".checkpoint";
  Config config = config_;
  // All files of a checkpoint are in its one directory.
  config.wal_dir = config.second_path = false;
  if (created && !Both([&](Side& side) {
        side.what = "open the other side's checkpoint";
        DumpCopy(side, config, &side == &left_ ? right_made : left_made);
      }))
    return false;
  if (created && live.find(left_.answer.text()) == std::string::npos) {
    right_.answer.Clear();
    right_.answer.Say(live);
    return Differ("the checkpoint (left) is not what the database held (right)");
  }
  std::error_code ignored;
  std::filesystem::remove_all(left_made, ignored);
  std::filesystem::remove_all(right_made, ignored);
  return true;
}

bool Lockstep::CrossSecondaries() {
  // It sees what is in files. Releases before 8 do not follow recycled logs.
  if (left_.has_unlogged_writes || left_.is_poisoned || config_.manual_wal_flush ||
      config_.recycled_wals != 0)
    return true;
  if (!Both([](Side& side) {
        side.what = "keep all files";
        char* error = nullptr;
        side.api.rocksdb_disable_file_deletions(side.db, &error);
        side.Ok(error);
      }))
    return false;
  // A secondary of genuine 7.8 may miss records that are only in logs: only one of the library
  // under test is asked.
  if (!Both([this](Side& side) {
        side.what = "follow the other side's database";
        if (side.api.is_oracle)
          side.Dump();
        else
          DumpSecondary(side, &side == &left_ ? right_.directory : left_.directory);
      }))
    return false;
  return Both([](Side& side) {
    char* error = nullptr;
    side.api.EnableFileDeletions(side.db, &error);
    side.Ok(error);
  });
}

bool Lockstep::CrossOptions() {
  return Both([this](Side& side) {
    side.what = "read the other side's OPTIONS file";
    SayLatestOptions(side, &side == &left_ ? right_.directory : left_.directory);
  });
}

bool Lockstep::LookAcross(Rng& rng) {
  const uint64_t kind = rng.Below(3);
  if (kind == 0) return CrossCheckpoints(rng);
  if (kind == 1) return CrossSecondaries();
  return CrossOptions();
}

bool Lockstep::Step(uint64_t index, bool trace) {
  step_ = index;
  trace_ = trace;
  Rng rng = Rng::For(config_.seed, index);
  const Operation& operation = PickOperation(rng);
  const std::string name = operation.name;
  if (left_out.contains(name)) return true;
  // From a number of its own, so that the other operations stay what they are.
  Rng wide = Rng::For(~config_.seed, index);
  if (is_wide && wide.OneIn(150)) return LookAcross(wide);
  if (name == "swap") return Swap();
  if (name == "cross_copies") return CrossCopies();
  if (!Both([&](Side& side) {
        Rng own = rng;
        operation.run(side, own);
      }))
    return false;
  // A poisoned database refuses all writes: a few operations see it, then it is opened again.
  if (left_.is_poisoned && index % 16 == 0)
    return Both([](Side& side) {
      side.what = "reopen after poison";
      Reopen(side);
    });
  return true;
}

Verdict Lockstep::Run(uint64_t count, const std::set<uint64_t>& skipped, bool trace,
                      const std::function<void(uint64_t)>& on_operation) {
  verdict_ = Verdict();
  trace_ = trace;
  if (!Both([](Side& side) {
        side.what = "first open";
        side.Open();
      }))
    return verdict_;
  for (uint64_t index = 0; index < count; index++) {
    if (left_.db == nullptr) {
      // Both refused to open: agreed, and nothing is left to do.
      verdict_.ended_early = true;
      return verdict_;
    }
    if (skipped.contains(index)) continue;
    on_operation(index);
    verdict_.operations++;
    if (!Step(index, trace)) return verdict_;
  }
  step_ = count;
  if (left_.db == nullptr) return verdict_;
  if (!Both([](Side& side) {
        side.what = "last look";
        side.Dump();
      }))
    return verdict_;
  if (!Swap() || left_.db == nullptr) return verdict_;
  for (Side* side : {&left_, &right_}) side->Close();
  return verdict_;
}

}  // namespace differential
