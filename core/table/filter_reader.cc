#include "core/table/filter_reader.h"

#include <utility>

#include "core/base/hash.h"

namespace skarn {
namespace {

bool Ask(const FilterProbe& probe, Slice item, uint64_t hash) {
  return probe.MayMatch(probe.uses_hash32() ? BloomHash(item) : hash);
}

}  // namespace

Status FilterReader::LoadTop(TableRead* read, ObjectRef<const IndexBlock>* block,
                             Readahead* readahead) const {
  if (top_) {
    block->SetBorrowed(top_.get());
    return Status::Ok();
  }
  // A partitioned filter of no keys may be an empty block.
  if (setup_.handle.size < 8) return Status::Ok();
  return setup_.loader->Index(read, setup_.handle, setup_.flavour, *setup_.order, setup_.cached,
                              readahead, block);
}

Status FilterReader::Load(TableRead* read, bool hold, bool partitions, Readahead* readahead) {
  if (setup_.kind == Kind::kNone) return Status::Ok();
  const bool own = setup_.loader->cache() == nullptr || !setup_.cached;
  if (setup_.kind == Kind::kFull) {
    ObjectRef<const FilterBlock> full;
    Status s = setup_.loader->Filter(read, setup_.handle, setup_.cached, readahead, &full);
    if (!s.ok() || !hold) return s;
    if (own) memory_bytes_ += full->memory_bytes();
    full_ = std::move(full);
    return Status::Ok();
  }
  ObjectRef<const IndexBlock> top;
  if (Status s = LoadTop(read, &top, readahead); !s.ok() || !top) return s;
  if (partitions) {
    const bool cached = setup_.loader->cache() != nullptr;
    std::vector<ObjectRef<const FilterBlock>> all(top->count());
    for (uint32_t i = 0; i < top->count(); ++i) {
      Status s = setup_.loader->Filter(read, top->handle(i), cached, readahead, &all[i]);
      if (!s.ok()) return s;
      if (!cached) memory_bytes_ += all[i]->memory_bytes();
    }
    if (hold) partitions_ = std::move(all);
  }
  if (hold) {
    if (own) memory_bytes_ += top->memory_bytes();
    top_ = std::move(top);
  }
  return Status::Ok();
}

bool FilterReader::MayMatch(TableRead* read, Slice item, uint64_t hash, Slice user_key,
                            uint64_t tag) const {
  if (setup_.kind == Kind::kNone) return true;
  if (setup_.kind == Kind::kFull) {
    if (full_) return Ask(full_->probe(), item, hash);
    ObjectRef<const FilterBlock> full;
    Status s = setup_.loader->Filter(read, setup_.handle, setup_.cached, nullptr, &full);
    return !s.ok() || Ask(full->probe(), item, hash);
  }
  ObjectRef<const IndexBlock> top;
  if (!LoadTop(read, &top).ok()) return true;
  if (!top || top->count() == 0) return false;  // No key was added.
  uint32_t i = top->Find(*setup_.order, user_key, tag);
  if (i == top->count()) --i;  // Past the end the last partition answers.
  if (i < partitions_.size()) return Ask(partitions_[i]->probe(), item, hash);
  ObjectRef<const FilterBlock> partition;
  Status s = setup_.loader->Filter(read, top->handle(i), /*cached=*/true, nullptr, &partition);
  return !s.ok() || Ask(partition->probe(), item, hash);
}

}  // namespace skarn
