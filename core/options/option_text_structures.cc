#include "core/options/option_text.h"

namespace skarn {
namespace {

template <typename Structure>
struct Field {
  const char* name;
  Status (*parse)(const OptionReading& reading, Slice name, Slice text, Structure* value);
  void (*print)(const Structure& value, std::string* out);
};

template <auto kMember, typename Structure>
Status ParseField(const OptionReading& reading, Slice name, Slice text, Structure* value) {
  return ParseValue(reading, name, text, &(value->*kMember));
}
template <auto kMember, typename Structure>
void PrintField(const Structure& value, std::string* out) {
  PrintValue(value.*kMember, out);
}

#define SKARN_BEGIN_STRUCT(structure) constexpr Field<structure> k##structure##Fields[] = {
#define SKARN_FIELD(structure, name, type, default_value, summary) \
  {#name, &ParseField<&structure::name, structure>, &PrintField<&structure::name, structure>},
#define SKARN_END_STRUCT(structure) \
  }                                 \
  ;
#define SKARN_BEGIN_FOREIGN_STRUCT(structure) SKARN_BEGIN_STRUCT(structure)
#define SKARN_FOREIGN_FIELD(structure, name, type, default_value, summary) \
  SKARN_FIELD(structure, name, type, default_value, summary)
#define SKARN_END_FOREIGN_STRUCT(structure) SKARN_END_STRUCT(structure)
#include "core/options/nested_options.def"

template <typename Structure, size_t kCount>
void PrintStructure(const Field<Structure> (&fields)[kCount], const Structure& value,
                    std::string* out) {
  out->push_back('{');
  for (const Field<Structure>& field : fields) {
    out->append(field.name).push_back('=');
    field.print(value, out);
    out->push_back(';');
  }
  out->push_back('}');
}

template <typename Structure, size_t kCount>
Status ParseStructure(const Field<Structure> (&fields)[kCount], const OptionReading& reading,
                      Slice name, Slice text, Structure* value) {
  Result<std::map<std::string, std::string>> parts = SplitOptionString(text);
  if (!parts.ok()) return parts.status();

  Structure changed = *value;
  for (const auto& [key, part] : *parts) {
    const Field<Structure>* found = nullptr;
    for (const Field<Structure>& field : fields) {
      if (key == field.name) found = &field;
    }
    if (found == nullptr) {
      if (reading.ignore_unknown) continue;
      return Status::InvalidArgument("Unrecognized option", Concat(name, ".", key));
    }
    if (Status s = found->parse(reading, key, part, &changed); !s.ok()) return s;
  }
  *value = std::move(changed);
  return Status::Ok();
}

template <typename Structure, size_t kCount>
std::vector<std::pair<std::string, std::string>> ListFields(
    const Field<Structure> (&fields)[kCount], const Structure& value) {
  std::vector<std::pair<std::string, std::string>> list;
  for (const Field<Structure>& field : fields) {
    std::string text;
    field.print(value, &text);
    list.emplace_back(field.name, std::move(text));
  }
  return list;
}

// "window_bits:level:strategy", then optionally max_dict_bytes, zstd_max_train_bytes,
// parallel_threads, enabled, max_dict_buffer_bytes and use_zstd_dict_trainer. Of two
// forms that end after the sixth field, the sixth is `enabled`.
Status ParseCompressionList(const OptionReading& reading, Slice name, Slice text,
                            CompressionOptions* value) {
  std::vector<Slice> parts;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); i++) {
    if (i < text.size() && text[i] != ':') continue;
    parts.push_back(Slice(text.data() + begin, i - begin));
    begin = i + 1;
  }
  const Status bad_count =
      Status::InvalidArgument(Concat("unable to parse the specified CF option ", name));
  if (text.empty() || parts.size() > 9) return bad_count;
  CompressionOptions changed = *value;
  for (size_t i = 0; i < parts.size(); i++) {
    const auto parse = [&](auto* field) { return ParseValue(reading, name, parts[i], field); };
    Status s;
    switch (i) {
      case 0:
        s = parse(&changed.window_bits);
        break;
      case 1:
        s = parse(&changed.level);
        break;
      case 2:
        s = parse(&changed.strategy);
        break;
      case 3:
        s = parse(&changed.max_dict_bytes);
        break;
      case 4:
        s = parse(&changed.zstd_max_train_bytes);
        break;
      case 5:
        s = parts.size() == 6 ? parse(&changed.enabled) : parse(&changed.parallel_threads);
        break;
      case 6:
        s = parse(&changed.enabled);
        break;
      case 7:
        s = parse(&changed.max_dict_buffer_bytes);
        break;
      default:
        s = parse(&changed.use_zstd_dict_trainer);
        break;
    }
    if (!s.ok()) return s;
  }
  if (parts.size() < 3) return bad_count;  // What there is has been looked at first.
  *value = changed;
  return Status::Ok();
}

}  // namespace

#define SKARN_DEFINE_STRUCTURE(Structure)                                             \
  void PrintValue(const Structure& value, std::string* out) {                         \
    PrintStructure(k##Structure##Fields, value, out);                                 \
  }                                                                                   \
  std::vector<std::pair<std::string, std::string>> FieldsOf(const Structure& value) { \
    return ListFields(k##Structure##Fields, value);                                   \
  }
#define SKARN_DEFINE_PARSER(Structure)                                                        \
  Status ParseValue(const OptionReading& reading, Slice name, Slice text, Structure* value) { \
    return ParseStructure(k##Structure##Fields, reading, name, text, value);                  \
  }

SKARN_DEFINE_STRUCTURE(CompressionOptions)
SKARN_DEFINE_STRUCTURE(UniversalCompactionOptions)
SKARN_DEFINE_STRUCTURE(FifoCompactionOptions)
SKARN_DEFINE_STRUCTURE(FileTemperatureAge)
SKARN_DEFINE_STRUCTURE(MetadataCacheOptions)
SKARN_DEFINE_STRUCTURE(PlainTableOptions)
SKARN_DEFINE_STRUCTURE(CuckooTableOptions)
SKARN_DEFINE_PARSER(UniversalCompactionOptions)
SKARN_DEFINE_PARSER(FileTemperatureAge)
SKARN_DEFINE_PARSER(MetadataCacheOptions)
SKARN_DEFINE_PARSER(PlainTableOptions)
SKARN_DEFINE_PARSER(CuckooTableOptions)

Status ParseValue(const OptionReading& reading, Slice name, Slice text, CompressionOptions* value) {
  if (text.view().find('=') == std::string_view::npos) {
    return ParseCompressionList(reading, name, text, value);
  }
  return ParseStructure(kCompressionOptionsFields, reading, name, text, value);
}

// `ttl` was a field of its own before it became an option.
Status ParseValue(const OptionReading& reading, Slice name, Slice text,
                  FifoCompactionOptions* value) {
  if (text.view().find('=') == std::string_view::npos) {
    return ParseValue(reading, name, text, &value->max_table_files_size);
  }
  Result<std::map<std::string, std::string>> parts = SplitOptionString(text);
  if (!parts.ok()) return parts.status();
  parts->erase("ttl");
  std::string rest;
  for (const auto& [key, part] : *parts) rest += Concat(key, "={", part, "};");
  return ParseStructure(kFifoCompactionOptionsFields, reading, name, rest, value);
}

}  // namespace skarn
