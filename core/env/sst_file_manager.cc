#include "core/env/sst_file_manager.h"

namespace skarn {

SstFileManager::~SstFileManager() {
  MutexLock lock(&mu_);
  stopping_ = true;
  if (!deleting_) return;
  wake_.SignalAll();
  lock.Unlock();
  deleter_.Join();
  lock.Lock();
}

bool SstFileManager::IsMaxAllowedSpaceReached() const {
  const uint64_t allowed = max_allowed_space_.load();
  return allowed > 0 && total_size() >= allowed;
}

bool SstFileManager::IsMaxAllowedSpaceReachedIncludingCompactions() const {
  const uint64_t allowed = max_allowed_space_.load();
  return allowed > 0 && total_size() + reserved_.load() >= allowed;
}

void SstFileManager::OnAddFile(const std::string& path, uint64_t size_bytes) {
  MutexLock lock(&mu_);
  uint64_t& known = files_[path];
  total_size_.fetch_add(size_bytes - known);  // Wraps when the file shrank.
  known = size_bytes;
}

void SstFileManager::OnDeleteFile(const std::string& path) {
  MutexLock lock(&mu_);
  const auto found = files_.find(path);
  if (found == files_.end()) return;
  total_size_.fetch_sub(found->second);
  files_.erase(found);
}

Status SstFileManager::DeleteFile(FileSystem* fs, const std::string& path) {
  const bool too_much_trash =
      static_cast<double>(trash_size()) > max_trash_ratio() * static_cast<double>(total_size());
  if (delete_rate() <= 0 || too_much_trash) {
    Status s = fs->DeleteFile(path);
    if (s.ok()) OnDeleteFile(path);
    return s;
  }

  const std::string trash_path = path + ".trash";
  Result<uint64_t> size = fs->FileSize(path);
  if (Status s = fs->RenameFile(path, trash_path); !s.ok()) {
    s = fs->DeleteFile(path);
    if (s.ok()) OnDeleteFile(path);
    return s;
  }
  OnDeleteFile(path);
  const uint64_t size_bytes = size.ok() ? *size : 0;
  trash_size_.fetch_add(size_bytes);

  MutexLock lock(&mu_);
  trash_.push_back({fs, trash_path, size_bytes});
  if (!deleting_ && !stopping_) deleting_ = deleter_.Start([this] { DeleteTrash(); });
  if (deleting_) {
    wake_.Signal();
    return Status::Ok();
  }
  // Without a thread nothing can wait.
  trash_.pop_back();
  lock.Unlock();
  Status s = fs->DeleteFile(trash_path);
  trash_size_.fetch_sub(size_bytes);
  lock.Lock();
  return s;
}

bool SstFileManager::ReserveForCompaction(uint64_t input_bytes) {
  const uint64_t allowed = max_allowed_space_.load();
  const uint64_t reserved = reserved_.fetch_add(input_bytes) + input_bytes;
  if (allowed == 0 || total_size() + reserved + compaction_buffer_.load() <= allowed) return true;
  reserved_.fetch_sub(input_bytes);
  return false;
}

void SstFileManager::DeleteTrash() {
  MutexLock lock(&mu_);
  while (!stopping_) {
    if (trash_.empty()) {
      wake_.Wait();
      continue;
    }
    const Trash next = trash_.front();
    trash_.pop_front();
    lock.Unlock();
    // What cannot be deleted now is tried again at the next open.
    (void)next.fs->DeleteFile(next.path);
    trash_size_.fetch_sub(next.size_bytes);
    const int64_t rate = delete_rate();
    const uint64_t pause_us =
        rate > 0 ? next.size_bytes * 1000000 / static_cast<uint64_t>(rate) : 0;
    lock.Lock();

    const uint64_t end_us = env_->clock->NowNanos() / 1000 + pause_us;
    for (uint64_t now_us = env_->clock->NowNanos() / 1000; !stopping_ && now_us < end_us;
         now_us = env_->clock->NowNanos() / 1000) {
      wake_.WaitFor(end_us - now_us);
    }
  }
}

}  // namespace skarn
