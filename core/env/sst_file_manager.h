// SstFileManager watches over the table files of all databases that share it: how much
// space they take, and how fast obsolete ones are deleted.
//
// A file deleted slowly is renamed to `<name>.trash` at once and removed in the
// background. Trash that is left when the process ends is removed at the next open.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_ENV_SST_FILE_MANAGER_H_
#define SKARN_CORE_ENV_SST_FILE_MANAGER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "core/base/helper_thread.h"
#include "core/base/mutex.h"
#include "core/base/status.h"
#include "core/env/env.h"

namespace skarn {

class SstFileManager {
 public:
  // `env` must outlive the manager.
  explicit SstFileManager(Env* env) : env_(env) {}
  // Stops deleting; files not deleted yet stay as trash.
  ~SstFileManager() SKARN_EXCLUDES(mu_);
  SstFileManager(const SstFileManager&) = delete;
  SstFileManager& operator=(const SstFileManager&) = delete;

  // What callers choose. 0 bytes allowed: no limit. A rate of 0 or less: delete at once.
  void set_max_allowed_space(uint64_t bytes) { max_allowed_space_.store(bytes); }
  void set_compaction_buffer(uint64_t bytes) { compaction_buffer_.store(bytes); }
  void set_delete_rate(int64_t bytes_per_second) { delete_rate_.store(bytes_per_second); }
  int64_t delete_rate() const { return delete_rate_.load(); }
  // More trash than this part of all files is deleted at once.
  void set_max_trash_ratio(double ratio) { max_trash_ratio_.store(ratio); }
  double max_trash_ratio() const { return max_trash_ratio_.load(); }

  uint64_t total_size() const { return total_size_.load(); }
  uint64_t trash_size() const { return trash_size_.load(); }
  bool IsMaxAllowedSpaceReached() const;
  // Counts what running compactions may still write.
  bool IsMaxAllowedSpaceReachedIncludingCompactions() const;

  // What the engine reports. A path that is reported twice counts once, with its newest size.
  void OnAddFile(const std::string& path, uint64_t size_bytes) SKARN_EXCLUDES(mu_);
  void OnDeleteFile(const std::string& path) SKARN_EXCLUDES(mu_);

  // Deletes a file that OnAddFile() may know: now, or slowly when there is a rate.
  Status DeleteFile(FileSystem* fs, const std::string& path) SKARN_EXCLUDES(mu_);
  // Whether a compaction of `input_bytes` fits; if so its space is reserved until released.
  bool ReserveForCompaction(uint64_t input_bytes);
  void ReleaseCompaction(uint64_t input_bytes) { reserved_.fetch_sub(input_bytes); }

 private:
  struct Trash {
    FileSystem* fs;
    std::string path;
    uint64_t size_bytes;
  };

  void DeleteTrash() SKARN_EXCLUDES(mu_);

  Env* const env_;
  // Written by any thread; each stands for itself.
  std::atomic<uint64_t> max_allowed_space_{0};
  std::atomic<uint64_t> compaction_buffer_{0};
  std::atomic<int64_t> delete_rate_{0};
  std::atomic<double> max_trash_ratio_{0.25};
  std::atomic<uint64_t> total_size_{0};  // Trash is not part of it.
  std::atomic<uint64_t> trash_size_{0};
  std::atomic<uint64_t> reserved_{0};

  Mutex mu_;  // A leaf in the lock order.
  CondVar wake_{&mu_};
  std::unordered_map<std::string, uint64_t> files_ SKARN_GUARDED_BY(mu_);  // Path -> bytes.
  std::deque<Trash> trash_ SKARN_GUARDED_BY(mu_);
  bool stopping_ SKARN_GUARDED_BY(mu_) = false;
  bool deleting_ SKARN_GUARDED_BY(mu_) = false;
  HelperThread deleter_;  // With `deleting_`, from the first trash on.
};

}  // namespace skarn

#endif  // SKARN_CORE_ENV_SST_FILE_MANAGER_H_
