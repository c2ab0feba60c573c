// Opening, closing, destroying and repairing databases (c/db.h).

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "core/db/ttl_db.h"
#include "include/c_api/rocksdb/c.h"

namespace {

using skarn::ColumnFamilyDescriptor;
using skarn::ColumnFamilyHandle;
using skarn::Db;
using skarn::Result;
using skarn::SaveError;

using Handles = std::vector<std::unique_ptr<ColumnFamilyHandle>>;

// No database has an empty path.
const char* PathOf(const char* name) { return name != nullptr ? name : ""; }

Db::OpenRequest RequestFor(const rocksdb_options_t* options, const char* name) {
  Db::OpenRequest request;
  request.options = Usable(options)->db;
  request.path = PathOf(name);
  request.column_families.push_back({"default", Usable(options)->cf});
  request.single_column_family = true;
  return request;
}

Db::OpenRequest RequestFor(const rocksdb_options_t* options, const char* name, int count,
                           const char* const* names, const rocksdb_options_t* const* families) {
  Db::OpenRequest request;
  request.options = Usable(options)->db;
  request.path = PathOf(name);
  for (int i = 0; i < count; ++i) {
    if (names == nullptr || families == nullptr || names[i] == nullptr) break;
    request.column_families.push_back({names[i], Usable(families[i])->cf});
  }
  return request;
}

// Opens and wraps; `out` receives one handle per column family unless it is null.
rocksdb_t* Finish(Result<std::unique_ptr<Db>> opened, Handles handles,
                  rocksdb_column_family_handle_t** out, char** errptr) {
  if (!opened.ok()) {
    SaveError(errptr, opened.status());
    return nullptr;
  }
  auto* const db = new rocksdb_t{std::move(opened.value())};
  if (out != nullptr) {
    for (size_t i = 0; i < handles.size(); ++i) {
      ColumnFamilyHandle* rep = handles[i].get();
      out[i] = new rocksdb_column_family_handle_t{db->rep, rep, std::move(handles[i])};
    }
  }
  return db;
}

void ClearHandles(rocksdb_column_family_handle_t** out, int count) {
  for (int i = 0; i < count; ++i) out[i] = nullptr;
}

rocksdb_t* OpenAs(Db::OpenRequest request, rocksdb_column_family_handle_t** out, char** errptr) {
  if (out != nullptr) ClearHandles(out, static_cast<int>(request.column_families.size()));
  Handles handles;
  auto opened = Db::Open(std::move(request), &handles);
  return Finish(std::move(opened), std::move(handles), out, errptr);
}

rocksdb_t* OpenWithTtl(Db::OpenRequest request, std::vector<int32_t> ttls,
                       rocksdb_column_family_handle_t** out, char** errptr) {
  if (out != nullptr) ClearHandles(out, static_cast<int>(request.column_families.size()));
  Handles handles;
  auto opened = skarn::OpenTtlDb(std::move(request), std::move(ttls), &handles);
  return Finish(std::move(opened), std::move(handles), out, errptr);
}

std::vector<int32_t> TtlsOf(int count, const int* ttls) {
  if (ttls == nullptr || count <= 0) return {};
  return std::vector<int32_t>(ttls, ttls + count);
}

}  // namespace

extern "C" {

rocksdb_t* rocksdb_open(const rocksdb_options_t* options, const char* name, char** errptr) {
  return OpenAs(RequestFor(options, name), nullptr, errptr);
}

rocksdb_t* rocksdb_open_column_families(const rocksdb_options_t* options, const char* name,
                                        int num_column_families,
                                        const char* const* column_family_names,
                                        const rocksdb_options_t* const* column_family_options,
                                        rocksdb_column_family_handle_t** column_family_handles,
                                        char** errptr) {
  return OpenAs(
      RequestFor(options, name, num_column_families, column_family_names, column_family_options),
      column_family_handles, errptr);
}

rocksdb_t* rocksdb_open_with_ttl(const rocksdb_options_t* options, const char* name, int ttl,
                                 char** errptr) {
  return OpenWithTtl(RequestFor(options, name), {ttl}, nullptr, errptr);
}

rocksdb_t* rocksdb_open_column_families_with_ttl(
    const rocksdb_options_t* options, const char* name, int num_column_families,
    const char* const* column_family_names, const rocksdb_options_t* const* column_family_options,
    rocksdb_column_family_handle_t** column_family_handles, const int* ttls, char** errptr) {
  return OpenWithTtl(
      RequestFor(options, name, num_column_families, column_family_names, column_family_options),
      TtlsOf(num_column_families, ttls), column_family_handles, errptr);
}

rocksdb_t* rocksdb_open_for_read_only(const rocksdb_options_t* options, const char* name,
                                      unsigned char error_if_wal_file_exists, char** errptr) {
  Db::OpenRequest request = RequestFor(options, name);
  request.mode = Db::Mode::kReadOnly;
  request.error_if_wal_exists = error_if_wal_file_exists != 0;
  return OpenAs(std::move(request), nullptr, errptr);
}

rocksdb_t* rocksdb_open_for_read_only_column_families(
    const rocksdb_options_t* options, const char* name, int num_column_families,
    const char* const* column_family_names, const rocksdb_options_t* const* column_family_options,
    rocksdb_column_family_handle_t** column_family_handles, unsigned char error_if_wal_file_exists,
    char** errptr) {
  Db::OpenRequest request =
      RequestFor(options, name, num_column_families, column_family_names, column_family_options);
  request.mode = Db::Mode::kReadOnly;
  request.error_if_wal_exists = error_if_wal_file_exists != 0;
  return OpenAs(std::move(request), column_family_handles, errptr);
}

rocksdb_t* rocksdb_open_as_secondary(const rocksdb_options_t* options, const char* name,
                                     const char* secondary_path, char** errptr) {
  Db::OpenRequest request = RequestFor(options, name);
  request.mode = Db::Mode::kSecondary;
  request.secondary_path = PathOf(secondary_path);
  return OpenAs(std::move(request), nullptr, errptr);
}

rocksdb_t* rocksdb_open_as_secondary_column_families(
    const rocksdb_options_t* options, const char* name, const char* secondary_path,
    int num_column_families, const char* const* column_family_names,
    const rocksdb_options_t* const* column_family_options,
    rocksdb_column_family_handle_t** column_family_handles, char** errptr) {
  Db::OpenRequest request =
      RequestFor(options, name, num_column_families, column_family_names, column_family_options);
  request.mode = Db::Mode::kSecondary;
  request.secondary_path = PathOf(secondary_path);
  return OpenAs(std::move(request), column_family_handles, errptr);
}

rocksdb_t* rocksdb_open_and_trim_history(const rocksdb_options_t* options, const char* name,
                                         int num_column_families,
                                         const char* const* column_family_names,
                                         const rocksdb_options_t* const* column_family_options,
                                         rocksdb_column_family_handle_t** column_family_handles,
                                         char* trim_ts, size_t trim_tslen, char** errptr) {
  Db::OpenRequest request =
      RequestFor(options, name, num_column_families, column_family_names, column_family_options);
  if (trim_ts != nullptr) request.trim_history_timestamp.assign(trim_ts, trim_tslen);
  return OpenAs(std::move(request), column_family_handles, errptr);
}

void rocksdb_close(rocksdb_t* db) {
  // Handles that are left may keep the object, but nothing of the database.
  if (db != nullptr && db->rep != nullptr) (void)db->rep->Close().ok();
  Retire(db);
}

void rocksdb_destroy_db(const rocksdb_options_t* options, const char* name, char** errptr) {
  SaveError(errptr, Db::Destroy(Usable(options)->db, Usable(options)->cf, PathOf(name)));
}

void rocksdb_repair_db(const rocksdb_options_t* options, const char* name, char** errptr) {
  SaveError(errptr, Db::Repair(Usable(options)->db, Usable(options)->cf, PathOf(name)));
}

char** rocksdb_list_column_families(const rocksdb_options_t* options, const char* name,
                                    size_t* lencf, char** errptr) {
  const auto names = Db::ListColumnFamilies(Usable(options)->db, PathOf(name));
  if (!names.ok()) {
    SaveError(errptr, names.status());
    GiveSize(lencf, 0);
    return nullptr;
  }
  char** list = static_cast<char**>(malloc(names->size() * sizeof(char*)));
  for (size_t i = 0; i < names->size(); ++i) list[i] = skarn::CopyToMalloc(names.value()[i]);
  GiveSize(lencf, names->size());
  return list;
}

void rocksdb_list_column_families_destroy(char** list, size_t len) {
  for (size_t i = 0; list != nullptr && i < len; ++i) free(list[i]);
  free(list);
}

void rocksdb_free(void* ptr) { free(ptr); }

}  // extern "C"
