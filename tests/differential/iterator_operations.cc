// Iterators: made with random bounds and modes, kept for a while, moved in all directions.

#include "operations.h"

namespace differential {
namespace {

constexpr size_t kIteratorsMax = 5;

bool IsTimed(const FamilyConfig& config) { return config.order == KeyOrder::kTimestamped; }

// Structures that find keys by the hash of their prefix cannot go back within it.
bool HashesPrefixes(const FamilyConfig& config) {
  return config.index_type == 1 || config.memtable >= 2;
}

// Fills in everything but the iterator itself.
void Prepare(Side& side, Rng& rng, const Family& family, OpenIterator& open) {
  const Api& a = side.api;
  open.family = family.name;
  open.config = family.config;
  open.options = side.NewReadOptions(rng);
  const bool has_prefix = family.config.prefix != PrefixKind::kNone;
  const bool total_order = rng.Percent(50);
  // Without total order, structures hashed by prefix only answer for prefixes.
  open.is_prefix_mode = has_prefix && !total_order;
  if (total_order) a.rocksdb_readoptions_set_total_order_seek(open.options, 1);
  if (open.is_prefix_mode && family.config.has_only_prefixed_keys && rng.Percent(50))
    a.rocksdb_readoptions_set_prefix_same_as_start(open.options, 1);
  const rocksdb_snapshot_t* snapshot = side.PickSnapshot(rng);
  a.rocksdb_readoptions_set_snapshot(open.options, snapshot);
  // Genuine RocksDB 7.8 overwrites timestamps in what it has pinned: its memtable is then wrong.
  if (rng.Percent(10) && !(a.is_oracle && IsTimed(family.config)))
    a.rocksdb_readoptions_set_pin_data(open.options, 1);
  side.what += std::string(open.is_prefix_mode ? " by prefix" : "") +
               (snapshot != nullptr ? " at a snapshot" : "");
  if (IsTimed(family.config)) side.SetTimestamp(rng, open.options, &open.timestamp);
  // Drawn even where it is not used, so that both outcomes draw alike.
  open.model.Scan(a, side.db, family.handle, family.config.order, snapshot, open.timestamp);
  side.answer.Number(open.model.size());
  side.answer.Number(open.model.Hash());
  const bool wants_lower = rng.Percent(30), wants_upper = rng.Percent(30);
  open.lower_bound = side.KeyFor(rng, family.config);
  open.upper_bound = side.KeyFor(rng, family.config);
  if (!open.is_prefix_mode)
    open.model.Restrict(wants_lower ? &open.lower_bound : nullptr,
                        wants_upper ? &open.upper_bound : nullptr);
  if (wants_lower && !open.is_prefix_mode) {
    side.what += " from " + Printable(open.lower_bound);
    a.rocksdb_readoptions_set_iterate_lower_bound(open.options, open.lower_bound.data(),
                                                  open.lower_bound.size());
  }
  if (wants_upper && !open.is_prefix_mode) {
    side.what += " below " + Printable(open.upper_bound);
    a.rocksdb_readoptions_set_iterate_upper_bound(open.options, open.upper_bound.data(),
                                                  open.upper_bound.size());
  }
}

void CreateIterator(Side& side, Rng& rng) {
  if (side.iterators.size() >= kIteratorsMax) return;
  Family* family = side.PickFamily(rng, /*timed_too=*/true);
  if (family->config.has_unstable_iterators()) return;
  side.what = "iterate " + family->name;
  side.iterators.push_back(std::make_unique<OpenIterator>());
  OpenIterator& open = *side.iterators.back();
  Prepare(side, rng, *family, open);
  open.iterator = family->name == "default" && rng.Percent(50)
                      ? side.api.rocksdb_create_iterator(side.db, open.options)
                      : side.api.rocksdb_create_iterator_cf(side.db, open.options, family->handle);
}

void CreateIterators(Side& side, Rng& rng) {
  const Api& a = side.api;
  std::vector<rocksdb_column_family_handle_t*> handles;
  std::vector<Family*> families;
  for (const auto& family : side.families)
    if (!family->is_dropped && !IsTimed(family->config)) {
      handles.push_back(family->handle);
      families.push_back(family.get());
    }
  side.what = "iterate " + std::to_string(handles.size()) + " families at once";
  rocksdb_readoptions_t* read = side.NewReadOptions(rng);
  a.rocksdb_readoptions_set_total_order_seek(read, 1);
  a.rocksdb_readoptions_set_snapshot(read, side.PickSnapshot(rng));
  std::vector<rocksdb_iterator_t*> iterators(handles.size(), nullptr);
  char* error = nullptr;
  a.rocksdb_create_iterators(side.db, read, handles.data(), iterators.data(), handles.size(),
                             &error);
  if (side.Ok(error)) {
    const std::string target = side.Key(rng);
    for (rocksdb_iterator_t* it : iterators) {
      a.rocksdb_iter_seek(it, target.data(), target.size());
      for (int left = 3; a.rocksdb_iter_valid(it) && left > 0; left--) {
        size_t size = 0;
        const char* key = a.rocksdb_iter_key(it, &size);
        side.answer.Bytes({key, size});
        a.rocksdb_iter_next(it);
      }
      side.answer.Say("/");
      a.rocksdb_iter_destroy(it);
    }
  }
  a.rocksdb_readoptions_destroy(read);
}

// Where the iterator stands, in words.
std::string Position(Side& side, OpenIterator& open) {
  const Api& a = side.api;
  Answer answer;
  open.is_positioned = false;
  if (!a.rocksdb_iter_valid(open.iterator)) {
    char* error = nullptr;
    a.rocksdb_iter_get_error(open.iterator, &error);
    answer.Error(error, side.directory);
    if (error == nullptr) answer.Say("end");
    a.rocksdb_free(error);
    return answer.text();
  }
  size_t size = 0;
  const char* key = a.rocksdb_iter_key(open.iterator, &size);
  if (open.is_prefix_mode) {
    std::string prefix;
    if (!PrefixOf(open.config.prefix, {key, size}, &prefix) || prefix != open.prefix) return "end";
  }
  open.is_positioned = true;
  answer.Bytes({key, size});
  const char* value = a.rocksdb_iter_value(open.iterator, &size);
  answer.Bytes({value, size});
  if (IsTimed(open.config) && open.knows_timestamp) {
    const char* timestamp = a.rocksdb_iter_timestamp(open.iterator, &size);
    answer.Bytes({timestamp, size});
  }
  return answer.text();
}

// The same by the model.
std::string ExpectedPosition(OpenIterator& open) {
  const IteratorModel::Record* record = open.model.current();
  std::string prefix;
  if (record == nullptr ||
      (open.is_prefix_mode &&
       (!PrefixOf(open.config.prefix, record->key, &prefix) || prefix != open.prefix)))
    return "end";
  Answer answer;
  answer.Bytes(record->key);
  answer.Bytes(record->value);
  if (IsTimed(open.config) && open.knows_timestamp) answer.Bytes(record->timestamp);
  return answer.text();
}

// Says where the iterator stands and notes whether moves are defined from there.
void SayPosition(Side& side, OpenIterator& open) {
  if (!open.model.is_known()) {
    side.answer.Say(Position(side, open));
    return;
  }
  const std::string expected = ExpectedPosition(open);
  const std::string found = open.is_astray ? "" : Position(side, open);
  if (side.api.is_oracle) {
    if (found != expected && !open.is_astray) {
      open.is_astray = true;
      side.iterator_errors++;
    }
    open.is_positioned = expected != "end";
    side.answer.Say(expected);
    return;
  }
  side.answer.Say(found);
  if (found != expected) side.answer.Say("but a scan says " + expected);
}

// Moves to a new place; false when this iterator has no such move.
bool Seek(Side& side, Rng& rng, OpenIterator& open) {
  const Api& a = side.api;
  const unsigned kind = static_cast<unsigned>(rng.Below(10));
  std::string target = side.KeyFor(rng, open.config);
  open.knows_timestamp = kind < 5 || kind == 8;
  open.is_astray = false;
  open.may_go_forward = open.may_go_back = !open.is_prefix_mode;
  if (open.is_prefix_mode) {
    if (!PrefixOf(open.config.prefix, target, &open.prefix)) return false;
    const bool goes_back = kind >= 6 && !HashesPrefixes(open.config);
    if (goes_back) {
      open.model.SeekForPrev(target);
      a.rocksdb_iter_seek_for_prev(open.iterator, target.data(), target.size());
    } else {
      open.model.Seek(target);
      a.rocksdb_iter_seek(open.iterator, target.data(), target.size());
    }
    side.what += std::string(goes_back ? "; back to " : "; seek ") + Printable(target);
    open.may_go_back = goes_back;
    open.may_go_forward = !goes_back;
    return true;
  }
  if (kind < 5) {
    side.what += "; seek " + Printable(target);
    open.model.Seek(target);
    a.rocksdb_iter_seek(open.iterator, target.data(), target.size());
  } else if (kind < 8) {
    side.what += "; back to " + Printable(target);
    open.model.SeekForPrev(target);
    a.rocksdb_iter_seek_for_prev(open.iterator, target.data(), target.size());
  } else if (kind == 8) {
    side.what += "; first";
    open.model.SeekToFirst();
    a.rocksdb_iter_seek_to_first(open.iterator);
  } else {
    side.what += "; last";
    open.model.SeekToLast();
    a.rocksdb_iter_seek_to_last(open.iterator);
  }
  return true;
}

void MoveIterator(Side& side, Rng& rng) {
  const Api& a = side.api;
  const uint64_t draw = rng.Next();
  const size_t steps = rng.Between(1, 12);
  if (side.iterators.empty()) return;
  OpenIterator& open = *side.iterators[draw % side.iterators.size()];
  side.what = "move iterator of " + open.family;
  for (size_t i = 0; i < steps; i++) {
    const unsigned kind = static_cast<unsigned>(rng.Below(100));
    const bool can_step = open.is_positioned && (open.may_go_forward || open.may_go_back);
    if (can_step && kind < 80) {
      const bool forward = open.may_go_forward && (!open.may_go_back || kind < 48);
      side.what += forward ? " >" : " <";
      if (open.model.is_known()) forward ? open.model.Next() : open.model.Prev();
      if (!open.is_astray)
        forward ? a.rocksdb_iter_next(open.iterator) : a.rocksdb_iter_prev(open.iterator);
      open.knows_timestamp = open.knows_timestamp && forward;
    } else if (!Seek(side, rng, open)) {
      continue;
    }
    SayPosition(side, open);
  }
}

// A tailing iterator, made and used at once: one of genuine RocksDB 7.8 that is kept may miss keys
// when it seeks back and forth, or after writes.
void Tail(Side& side, Rng& rng) {
  const Api& a = side.api;
  Family* family = side.PickFamily(rng);
  const std::string target = side.KeyFor(rng, family->config);
  const unsigned end = static_cast<unsigned>(rng.Below(8));
  if (!family->config.forbids_range_deletes) return;
  side.what = "tail " + family->name + " from " + Printable(target);
  rocksdb_readoptions_t* read = side.NewReadOptions(rng);
  a.rocksdb_readoptions_set_tailing(read, 1);
  a.rocksdb_readoptions_set_total_order_seek(read, 1);
  rocksdb_iterator_t* it = a.rocksdb_create_iterator_cf(side.db, read, family->handle);
  a.rocksdb_iter_seek(it, target.data(), target.size());
  for (int left = 6; left > 0 && a.rocksdb_iter_valid(it); left--, a.rocksdb_iter_next(it)) {
    size_t size = 0;
    const char* found = a.rocksdb_iter_key(it, &size);
    side.answer.Bytes({found, size});
    found = a.rocksdb_iter_value(it, &size);
    side.answer.Bytes({found, size});
  }
  if (end == 0) a.rocksdb_iter_seek_to_last(it);
  if (end == 1) a.rocksdb_iter_seek_for_prev(it, target.data(), target.size());
  char* error = nullptr;
  a.rocksdb_iter_get_error(it, &error);
  side.Ok(error);
  a.rocksdb_iter_destroy(it);
  a.rocksdb_readoptions_destroy(read);
}

void DestroyIterator(Side& side, Rng& rng) {
  const uint64_t draw = rng.Next();
  if (side.iterators.empty()) return;
  side.what = "destroy an iterator";
  side.DestroyIterator(draw % side.iterators.size());
}

void DumpAll(Side& side, Rng&) {
  side.what = "read everything";
  side.Dump();
}

}  // namespace

const std::vector<Operation>& IteratorOperations() {
  static const std::vector<Operation> operations = {
      {"create_iterator", 24, CreateIterator}, {"create_iterators", 3, CreateIterators},
      {"move_iterator", 110, MoveIterator},    {"destroy_iterator", 14, DestroyIterator},
      {"read_everything", 2, DumpAll},         {"tail", 10, Tail},
  };
  return operations;
}

}  // namespace differential
