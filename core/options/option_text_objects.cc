#include <cstdio>
#include <cstdlib>

#include "core/options/option_rows.h"
#include "core/options/option_text.h"
#include "core/plugin/builtin_merge_operators.h"
#include "core/plugin/compaction_filter.h"
#include "core/plugin/merge_operator.h"
#include "core/plugin/slice_transform.h"

namespace skarn {
namespace {

bool IsNull(Slice text) { return text.empty() || text == "nullptr" || text == "{}"; }

// For an object that only the caller can make: its name leaves the value as it is.
Status Unsupported(const OptionReading& reading, Slice kind, Slice id) {
  if (reading.ignore_unsupported) return Status::Ok();
  return Status::NotSupported(Concat("Could not load ", kind), id);
}

// A whole decimal number.
bool ParseCount(Slice text, size_t* value) {
  if (text.empty() || text.size() > 18) return false;
  size_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<size_t>(c - '0');
  }
  *value = number;
  return true;
}

// Splits "id:argument" when the id is one of the two given.
bool SplitShortForm(Slice text, Slice id, Slice long_id, Slice* argument) {
  for (const Slice candidate : {id, long_id}) {
    if (!text.StartsWith(candidate)) continue;
    Slice rest(text.data() + candidate.size(), text.size() - candidate.size());
    if (rest.empty()) {
      *argument = rest;
      return true;
    }
    if (rest[0] != ':') continue;
    rest.RemovePrefix(1);
    *argument = rest;
    return true;
  }
  return false;
}

}  // namespace

Status SplitObjectText(Slice text, ObjectText* object) {
  text = TrimOptionText(text);
  object->id.clear();
  object->options.clear();
  const bool braced = text.size() >= 2 && text[0] == '{' && text[text.size() - 1] == '}';
  if (!braced && text.view().find('=') == std::string_view::npos) {
    object->id = text.ToString();
    return Status::Ok();
  }
  Result<std::map<std::string, std::string>> parts = SplitOptionString(text);
  if (!parts.ok()) return parts.status();
  object->options = std::move(*parts);
  if (const auto id = object->options.find("id"); id != object->options.end()) {
    object->id = id->second;
    object->options.erase(id);
  }
  return Status::Ok();
}

void PrintValue(const Comparator* value, std::string* out) {
  out->append(value == nullptr ? "nullptr" : value->Name());
}
Status ParseValue(const OptionReading& reading, Slice name, Slice text, const Comparator** value) {
  ObjectText object;
  if (Status s = SplitObjectText(text, &object); !s.ok()) return s;
  if (object.id.empty()) {
    return Status::InvalidArgument(Concat("Missing configurable object: ", name));
  }
  for (const Comparator* known :
       {BytewiseComparator(), ReverseBytewiseComparator(), BytewiseComparatorWithU64Timestamp(),
        ReverseBytewiseComparatorWithU64Timestamp()}) {
    if (object.id != known->Name()) continue;
    *value = known;
    return Status::Ok();
  }
  return Unsupported(reading, "Comparator", object.id);
}

void PrintValue(const std::shared_ptr<MergeOperator>& value, std::string* out) {
  out->append(value == nullptr ? "nullptr" : TextOf(*value));
}
Status ParseValue(const OptionReading& reading, Slice, Slice text,
                  std::shared_ptr<MergeOperator>* value) {
  if (IsNull(text)) {
    value->reset();
    return Status::Ok();
  }
  ObjectText object;
  if (Status s = SplitObjectText(text, &object); !s.ok()) return s;
  std::shared_ptr<MergeOperator> made = NewMergeOperator(object.id, object.options);
  if (made == nullptr) return Unsupported(reading, "MergeOperator", object.id);
  *value = std::move(made);
  return Status::Ok();
}

void PrintValue(const CompactionFilter* value, std::string* out) {
  out->append(value == nullptr ? "nullptr" : value->Name());
}
Status ParseValue(const OptionReading& reading, Slice, Slice text, const CompactionFilter** value) {
  if (IsNull(text)) {
    *value = nullptr;
    return Status::Ok();
  }
  return Unsupported(reading, "CompactionFilter", text);
}

void PrintValue(const std::shared_ptr<CompactionFilterFactory>& value, std::string* out) {
  out->append(value == nullptr ? "nullptr" : value->Name());
}
Status ParseValue(const OptionReading& reading, Slice, Slice text,
                  std::shared_ptr<CompactionFilterFactory>* value) {
  if (IsNull(text)) {
    value->reset();
    return Status::Ok();
  }
  return Unsupported(reading, "CompactionFilterFactory", text);
}

void PrintValue(const std::shared_ptr<const SliceTransform>& value, std::string* out) {
  out->append(value == nullptr ? "nullptr" : value->Name());
}
Status ParseValue(const OptionReading& reading, Slice, Slice text,
                  std::shared_ptr<const SliceTransform>* value) {
  if (IsNull(text)) {
    value->reset();
    return Status::Ok();
  }
  ObjectText object;
  if (Status s = SplitObjectText(text, &object); !s.ok()) return s;

  const Slice id(object.id);
  const auto after = [id](Slice prefix) {
    return Slice(id.data() + prefix.size(), id.size() - prefix.size());
  };
  size_t length = 0;
  for (const Slice prefix : {Slice("fixed:"), Slice("rocksdb.FixedPrefix.")}) {
    if (!id.StartsWith(prefix) || !ParseCount(after(prefix), &length)) continue;
    *value = NewFixedPrefixTransform(length);
    return Status::Ok();
  }
  for (const Slice prefix : {Slice("capped:"), Slice("rocksdb.CappedPrefix.")}) {
    if (!id.StartsWith(prefix) || !ParseCount(after(prefix), &length)) continue;
    *value = NewCappedPrefixTransform(length);
    return Status::Ok();
  }
  if (id == "rocksdb.Noop") {
    *value = NewNoopTransform();
    return Status::Ok();
  }
  return Unsupported(reading, "SliceTransform", id);
}

void PrintValue(const std::shared_ptr<const SstPartitionerFactory>& value, std::string* out) {
  out->append(value == nullptr ? "nullptr"
                               : Concat("{id=SstPartitionerFixedPrefixFactory;length=",
                                        value->fixed_prefix_length, ";}"));
}
Status ParseValue(const OptionReading& reading, Slice, Slice text,
                  std::shared_ptr<const SstPartitionerFactory>* value) {
  if (IsNull(text)) {
    value->reset();
    return Status::Ok();
  }
  ObjectText object;
  if (Status s = SplitObjectText(text, &object); !s.ok()) return s;
  if (object.id != "SstPartitionerFixedPrefixFactory") {
    return Unsupported(reading, "SstPartitionerFactory", object.id);
  }
  SstPartitionerFactory factory;
  Status s = ParseValue(reading, "length", object.options["length"], &factory.fixed_prefix_length);
  if (s.ok()) *value = std::make_shared<const SstPartitionerFactory>(factory);
  return s;
}

void PrintValue(const std::shared_ptr<const FilterPolicy>& value, std::string* out) {
  if (value == nullptr) {
    out->append("nullptr");
    return;
  }
  char bits[32];
  snprintf(bits, sizeof(bits), "%.15g", value->bits_per_key);
  if (value->kind == FilterPolicy::Kind::kBloom) {
    out->append(Concat("bloomfilter:", bits, ":false"));
  } else {
    out->append(Concat("ribbonfilter:", bits, ":", value->bloom_before_level));
  }
}
Status ParseValue(const OptionReading& reading, Slice, Slice text,
                  std::shared_ptr<const FilterPolicy>* value) {
  if (IsNull(text)) {
    value->reset();
    return Status::Ok();
  }
  ObjectText object;
  if (Status s = SplitObjectText(text, &object); !s.ok()) return s;

  FilterPolicy policy;
  Slice argument;
  if (SplitShortForm(object.id, "bloomfilter", "rocksdb.BloomFilter", &argument)) {
    policy.kind = FilterPolicy::Kind::kBloom;
  } else if (SplitShortForm(object.id, "ribbonfilter", "rocksdb.RibbonFilter", &argument)) {
    policy.kind = FilterPolicy::Kind::kRibbon;
  } else {
    return Unsupported(reading, "FilterPolicy", object.id);
  }
  // A policy that a C program made is written without its bits: nothing to make it from.
  const std::string numbers = argument.ToString();
  char* end = nullptr;
  policy.bits_per_key = strtod(numbers.c_str(), &end);
  if (end == numbers.c_str()) return Unsupported(reading, "FilterPolicy", object.id);
  if (policy.kind == FilterPolicy::Kind::kRibbon && *end == ':') {
    policy.bloom_before_level = static_cast<int32_t>(strtol(end + 1, nullptr, 10));
  }
  *value = std::make_shared<const FilterPolicy>(policy);
  return Status::Ok();
}

void PrintValue(const MemtableFactory& value, std::string* out) {
  switch (value.kind) {
    case MemtableFactory::Kind::kSkipList:
      out->append("SkipListFactory");
      if (value.skip_list_lookahead > 0) out->append(Concat(":", value.skip_list_lookahead));
      break;
    case MemtableFactory::Kind::kVector:
      out->append(Concat("{id=VectorRepFactory;count=", value.vector_count, ";}"));
      break;
    case MemtableFactory::Kind::kHashSkipList:
      out->append(Concat(
          "{id=HashSkipListRepFactory;branching_factor=", value.skip_list_branching_factor,
          ";skiplist_height=", value.skip_list_height, ";bucket_count=", value.bucket_count, ";}"));
      break;
    case MemtableFactory::Kind::kHashLinkList:
      out->append(Concat("{id=HashLinkListRepFactory;log_when_flash=",
                         value.log_bucket_distribution_when_flushed ? "true" : "false",
                         ";logging_threshold=", value.bucket_entries_logging_threshold,
                         ";huge_page_size=", value.huge_page_tlb_size,
                         ";threshold=", value.threshold_use_skip_list,
                         ";bucket_count=", value.bucket_count, ";}"));
      break;
  }
}
Status ParseValue(const OptionReading& reading, Slice, Slice text, MemtableFactory* value) {
  using Kind = MemtableFactory::Kind;
  ObjectText object;
  if (Status s = SplitObjectText(text, &object); !s.ok()) return s;

  MemtableFactory made;
  Slice argument;
  size_t* count = nullptr;
  if (SplitShortForm(object.id, "skip_list", "SkipListFactory", &argument)) {
    made.kind = Kind::kSkipList;
    count = &made.skip_list_lookahead;
  } else if (SplitShortForm(object.id, "vector", "VectorRepFactory", &argument)) {
    made.kind = Kind::kVector;
    count = &made.vector_count;
  } else if (SplitShortForm(object.id, "prefix_hash", "HashSkipListRepFactory", &argument)) {
    made.kind = Kind::kHashSkipList;
    made.bucket_count = 1000000;
    count = &made.bucket_count;
  } else if (SplitShortForm(object.id, "hash_linkedlist", "HashLinkListRepFactory", &argument)) {
    made.kind = Kind::kHashLinkList;
    made.bucket_count = 50000;
    count = &made.bucket_count;
  } else {
    return Unsupported(reading, "MemTableRepFactory", object.id);
  }
  if (!argument.empty() && !ParseCount(argument, count)) {
    return Unsupported(reading, "MemTableRepFactory", object.id);
  }

  for (const auto& [key, part] : object.options) {
    Status s;
    if (key == "lookahead" || key == "count" || key == "bucket_count") {
      s = ParseValue(reading, key, part, count);
    } else if (key == "skiplist_height") {
      s = ParseValue(reading, key, part, &made.skip_list_height);
    } else if (key == "branching_factor") {
      s = ParseValue(reading, key, part, &made.skip_list_branching_factor);
    } else if (key == "threshold") {
      s = ParseValue(reading, key, part, &made.threshold_use_skip_list);
    } else if (key == "huge_page_size") {
      s = ParseValue(reading, key, part, &made.huge_page_tlb_size);
    } else if (key == "logging_threshold") {
      s = ParseValue(reading, key, part, &made.bucket_entries_logging_threshold);
    } else if (key == "log_when_flash") {
      s = ParseValue(reading, key, part, &made.log_bucket_distribution_when_flushed);
    } else if (!reading.ignore_unknown) {
      s = Status::InvalidArgument("Unrecognized option", key);
    }
    if (!s.ok()) return s;
  }
  *value = made;
  return Status::Ok();
}

namespace {

Status ParseBlockBased(const OptionReading& reading, Slice name,
                       const std::map<std::string, std::string>& options, TableOptions* value) {
  for (const auto& [key, part] : options) {
    Status s;
    if (!SetTableOption(reading, key, part, value, &s)) {
      if (reading.ignore_unknown) continue;
      return Status::InvalidArgument("Extra option not recognized", name);
    }
    if (!s.ok()) return s;
  }
  return Status::Ok();
}

// `{a=1;b=2;}` of the options that remain after the id.
std::string Rejoin(const std::map<std::string, std::string>& options) {
  std::string text;
  for (const auto& [key, part] : options) text += Concat(key, "={", part, "};");
  return text;
}

}  // namespace

void PrintValue(const TableFactory& value, std::string* out) {
  switch (value.format) {
    case TableFactory::Format::kBlockBased:
      out->append("BlockBasedTable");
      break;
    case TableFactory::Format::kPlain:
      out->append("PlainTable");
      break;
    case TableFactory::Format::kCuckoo:
      out->append("CuckooTable");
      break;
  }
}
Status ParseValue(const OptionReading& reading, Slice name, Slice text, TableFactory* value) {
  ObjectText object;
  if (Status s = SplitObjectText(text, &object); !s.ok()) return s;

  TableFactory made = *value;
  Slice format(object.id);
  if (format.empty() && name == "block_based_table_factory") format = "BlockBasedTable";
  if (format.empty() && name == "plain_table_factory") format = "PlainTable";
  if (format == "BlockBasedTable") {
    made.format = TableFactory::Format::kBlockBased;
  } else if (format == "PlainTable") {
    made.format = TableFactory::Format::kPlain;
  } else if (format == "CuckooTable") {
    made.format = TableFactory::Format::kCuckoo;
  } else if (!format.empty()) {
    return Unsupported(reading, "TableFactory", format);
  }
  Status s;
  switch (made.format) {
    case TableFactory::Format::kBlockBased:
      s = ParseBlockBased(reading, name, object.options, &made.block_based);
      break;
    case TableFactory::Format::kPlain:
      s = ParseValue(reading, name, Rejoin(object.options), &made.plain);
      break;
    case TableFactory::Format::kCuckoo:
      s = ParseValue(reading, name, Rejoin(object.options), &made.cuckoo);
      break;
  }
  if (s.ok()) *value = std::move(made);
  return s;
}

void PrintValue(const FlushBlockPolicyFactory&, std::string* out) {
  out->append("FlushBlockBySizePolicyFactory");
}
Status ParseValue(const OptionReading& reading, Slice, Slice text, FlushBlockPolicyFactory*) {
  ObjectText object;
  if (Status s = SplitObjectText(text, &object); !s.ok()) return s;
  if (object.id == "FlushBlockBySizePolicyFactory" || IsNull(object.id)) return Status::Ok();
  return Unsupported(reading, "FlushBlockPolicyFactory", object.id);
}

void PrintValue(const UserDefinedIndexFactory&, std::string* out) { out->append("nullptr"); }
Status ParseValue(const OptionReading& reading, Slice, Slice text, UserDefinedIndexFactory*) {
  return IsNull(text) ? Status::Ok() : Unsupported(reading, "UserDefinedIndexFactory", text);
}

void PrintValue(const std::shared_ptr<CompressionManager>&, std::string* out) {
  out->append("nullptr");
}
Status ParseValue(const OptionReading& reading, Slice, Slice text,
                  std::shared_ptr<CompressionManager>*) {
  return IsNull(text) ? Status::Ok() : Unsupported(reading, "CompressionManager", text);
}

void PrintValue(const std::shared_ptr<FileChecksumGenFactory>& value, std::string* out) {
  out->append(value == nullptr ? "nullptr" : "FileChecksumGenCrc32cFactory");
}
Status ParseValue(const OptionReading& reading, Slice, Slice text,
                  std::shared_ptr<FileChecksumGenFactory>* value) {
  if (IsNull(text)) {
    value->reset();
    return Status::Ok();
  }
  return Unsupported(reading, "FileChecksumGenFactory", text);
}

void PrintValue(WalFilter* value, std::string* out) {
  out->append(value == nullptr ? "nullptr" : "WalFilter");
}
Status ParseValue(const OptionReading& reading, Slice, Slice text, WalFilter** value) {
  if (IsNull(text)) {
    *value = nullptr;
    return Status::Ok();
  }
  return Unsupported(reading, "WalFilter", text);
}

}  // namespace skarn
