// Table files from outside a database: writing them, taking them in (c/ingest.h).

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "core/manage/sst_file_writer.h"
#include "include/c_api/rocksdb/c.h"

using skarn::EntryKind;
using skarn::SaveError;
using skarn::Slice;
using skarn::Status;

struct rocksdb_ingestexternalfileoptions_t {
  skarn::IngestOptions rep;
  skarn::HandleTag tag{};
};

struct rocksdb_sstfilewriter_t {
  std::unique_ptr<skarn::SstFileWriter> rep;  // Null once it is destroyed.
  skarn::HandleTag tag{};
};

namespace {

void Ingest(skarn::Db* db, skarn::ColumnFamilyHandle* family, const char* const* file_list,
            size_t list_len, const rocksdb_ingestexternalfileoptions_t* options, char** errptr) {
  std::vector<std::string> paths;
  for (size_t i = 0; file_list != nullptr && i < list_len; ++i) {
    if (file_list[i] != nullptr) paths.emplace_back(file_list[i]);
  }
  SaveError(errptr, db->IngestExternalFiles(
                        family, paths, options == nullptr ? skarn::IngestOptions() : options->rep));
}

bool IsLive(const rocksdb_sstfilewriter_t* writer) {
  return writer != nullptr && writer->rep != nullptr;
}

Status Add(rocksdb_sstfilewriter_t* writer, EntryKind kind, Slice key, Slice timestamp,
           Slice value) {
  return IsLive(writer) ? writer->rep->Add(kind, key, timestamp, value) : MisusedStatus();
}

}  // namespace

extern "C" {

rocksdb_sstfilewriter_t* rocksdb_sstfilewriter_create(const rocksdb_envoptions_t*,
                                                      const rocksdb_options_t* io_options) {
  const rocksdb_options_t* const options = Usable(io_options);
  return new rocksdb_sstfilewriter_t{
      std::make_unique<skarn::SstFileWriter>(options->db, options->cf)};
}

rocksdb_sstfilewriter_t* rocksdb_sstfilewriter_create_with_comparator(
    const rocksdb_envoptions_t* env, const rocksdb_options_t* io_options,
    const rocksdb_comparator_t*) {
  return rocksdb_sstfilewriter_create(env, io_options);
}

void rocksdb_sstfilewriter_destroy(rocksdb_sstfilewriter_t* writer) { Retire(writer); }

void rocksdb_sstfilewriter_open(rocksdb_sstfilewriter_t* writer, const char* name, char** errptr) {
  SaveError(errptr, IsLive(writer) && name != nullptr ? writer->rep->Open(name) : MisusedStatus());
}

void rocksdb_sstfilewriter_add(rocksdb_sstfilewriter_t* writer, const char* key, size_t keylen,
                               const char* val, size_t vallen, char** errptr) {
  rocksdb_sstfilewriter_put(writer, key, keylen, val, vallen, errptr);
}

void rocksdb_sstfilewriter_put(rocksdb_sstfilewriter_t* writer, const char* key, size_t keylen,
                               const char* val, size_t vallen, char** errptr) {
  SaveError(errptr,
            Add(writer, EntryKind::kValue, Slice(key, keylen), Slice(), Slice(val, vallen)));
}

void rocksdb_sstfilewriter_put_with_ts(rocksdb_sstfilewriter_t* writer, const char* key,
                                       size_t keylen, const char* ts, size_t tslen, const char* val,
                                       size_t vallen, char** errptr) {
  SaveError(errptr, Add(writer, EntryKind::kValue, Slice(key, keylen), Slice(ts, tslen),
                        Slice(val, vallen)));
}

void rocksdb_sstfilewriter_merge(rocksdb_sstfilewriter_t* writer, const char* key, size_t keylen,
                                 const char* val, size_t vallen, char** errptr) {
  SaveError(errptr,
            Add(writer, EntryKind::kMerge, Slice(key, keylen), Slice(), Slice(val, vallen)));
}

void rocksdb_sstfilewriter_delete(rocksdb_sstfilewriter_t* writer, const char* key, size_t keylen,
                                  char** errptr) {
  SaveError(errptr, Add(writer, EntryKind::kDeletion, Slice(key, keylen), Slice(), Slice()));
}

void rocksdb_sstfilewriter_delete_with_ts(rocksdb_sstfilewriter_t* writer, const char* key,
                                          size_t keylen, const char* ts, size_t tslen,
                                          char** errptr) {
  SaveError(errptr, Add(writer, EntryKind::kDeletionWithTimestamp, Slice(key, keylen),
                        Slice(ts, tslen), Slice()));
}

void rocksdb_sstfilewriter_delete_range(rocksdb_sstfilewriter_t* writer, const char* begin_key,
                                        size_t begin_keylen, const char* end_key, size_t end_keylen,
                                        char** errptr) {
  SaveError(errptr, IsLive(writer) ? writer->rep->DeleteRange(Slice(begin_key, begin_keylen),
                                                              Slice(end_key, end_keylen))
                                   : MisusedStatus());
}

void rocksdb_sstfilewriter_finish(rocksdb_sstfilewriter_t* writer, char** errptr) {
  SaveError(errptr, IsLive(writer) ? writer->rep->Finish() : MisusedStatus());
}

void rocksdb_sstfilewriter_file_size(rocksdb_sstfilewriter_t* writer, uint64_t* file_size) {
  if (file_size != nullptr) *file_size = IsLive(writer) ? writer->rep->file_size_bytes() : 0;
}

rocksdb_ingestexternalfileoptions_t* rocksdb_ingestexternalfileoptions_create(void) {
  return new rocksdb_ingestexternalfileoptions_t;
}

void rocksdb_ingestexternalfileoptions_destroy(rocksdb_ingestexternalfileoptions_t* opt) {
  Retire(opt);
}

void rocksdb_ingestexternalfileoptions_set_move_files(rocksdb_ingestexternalfileoptions_t* opt,
                                                      unsigned char move_files) {
  if (opt == nullptr) return;
  opt->rep.move_files = move_files != 0;
}

void rocksdb_ingestexternalfileoptions_set_snapshot_consistency(
    rocksdb_ingestexternalfileoptions_t* opt, unsigned char snapshot_consistency) {
  if (opt == nullptr) return;
  opt->rep.snapshot_consistency = snapshot_consistency != 0;
}

void rocksdb_ingestexternalfileoptions_set_allow_global_seqno(
    rocksdb_ingestexternalfileoptions_t* opt, unsigned char allow_global_seqno) {
  if (opt == nullptr) return;
  opt->rep.allow_global_sequence = allow_global_seqno != 0;
}

void rocksdb_ingestexternalfileoptions_set_allow_blocking_flush(
    rocksdb_ingestexternalfileoptions_t* opt, unsigned char allow_blocking_flush) {
  if (opt == nullptr) return;
  opt->rep.allow_blocking_flush = allow_blocking_flush != 0;
}

void rocksdb_ingestexternalfileoptions_set_ingest_behind(rocksdb_ingestexternalfileoptions_t* opt,
                                                         unsigned char ingest_behind) {
  if (opt == nullptr) return;
  opt->rep.ingest_behind = ingest_behind != 0;
}

void rocksdb_ingestexternalfileoptions_set_fail_if_not_bottommost_level(
    rocksdb_ingestexternalfileoptions_t* opt, unsigned char fail_if_not_bottommost_level) {
  if (opt == nullptr) return;
  opt->rep.fail_if_not_bottommost_level = fail_if_not_bottommost_level != 0;
}

void rocksdb_ingest_external_file(rocksdb_t* db, const char* const* file_list,
                                  const size_t list_len,
                                  const rocksdb_ingestexternalfileoptions_t* opt, char** errptr) {
  Ingest(DbOf(db), nullptr, file_list, list_len, opt, errptr);
}

void rocksdb_ingest_external_file_cf(rocksdb_t* db, rocksdb_column_family_handle_t* handle,
                                     const char* const* file_list, const size_t list_len,
                                     const rocksdb_ingestexternalfileoptions_t* opt,
                                     char** errptr) {
  skarn::ColumnFamilyHandle* const family = FamilyIn(db, handle);
  Ingest(DbOf(db, family), family, file_list, list_len, opt, errptr);
}

}  // extern "C"
