#include "core/iterate/db_iterator.h"

#include <utility>

#include "core/iterate/user_iterator.h"

namespace skarn {
namespace {

class ErrorIterator final : public DbIterator {
 public:
  explicit ErrorIterator(Status status) : status_(std::move(status)) {}
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(Slice) override {}
  void SeekForPrev(Slice) override {}
  void Next() override {}
  void Prev() override {}
  Status status() const override { return status_; }

 private:
  const Status status_;
};

}  // namespace

Status DbIterator::Refresh(const Snapshot* snapshot) {
  (void)snapshot;
  return Status::NotSupported("Refresh() is not supported");
}

Status DbIterator::GetProperty(Slice name, std::string* value) const {
  (void)name, (void)value;
  return Status::InvalidArgument("Unidentified property.");
}

std::unique_ptr<DbIterator> NewDbIterator(DbIteratorSetup setup) {
  return std::make_unique<UserIterator>(std::move(setup));
}

std::unique_ptr<DbIterator> NewDbIterator(DbIteratorSetup setup, IteratorView view) {
  return std::make_unique<UserIterator>(std::move(setup), std::move(view), Status::Ok());
}

std::unique_ptr<DbIterator> NewErrorIterator(Status status) {
  return std::make_unique<ErrorIterator>(std::move(status));
}

}  // namespace skarn
