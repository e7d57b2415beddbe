// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A store in a file, by SQLite, which this file alone includes. Each call is one transaction; in
// write-ahead mode readers wait for nobody, and writers for each other.
//
// What is in the file is not trusted: it may have been written by others. SQLite checks pages as it
// reads them, no schema of the file may run functions, and who waits or computes for too long is
// interrupted.
#include <poll.h>
#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <system_error>

#include "wasi/key_value.h"

namespace mayfly::wasi {

namespace {

using Clock = std::chrono::steady_clock;

// "MfKV": whose file it is, for file(1) and for who opens it.
constexpr int kApplicationId = 0x4D664B56;
constexpr int kVersion = 1;
// Of a call without a deadline, for other writers.
constexpr std::chrono::seconds kBusyMax{10};
constexpr int kStepsBetweenLooks = 10'000;
// Of what a file that others wrote may make SQLite allocate.
constexpr int kFieldBytesMax = static_cast<int>(kValueBytesMax) + (1 << 16);

// AUTOINCREMENT: no number comes twice.
constexpr const char* kSchema =
    "CREATE TABLE entry (number INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, "
    "key TEXT NOT NULL, value BLOB NOT NULL, UNIQUE (bucket, key));"
    "CREATE INDEX entry_bucket ON entry (bucket);"  // and number, as every index has it
    "PRAGMA application_id = 1298549590; PRAGMA user_version = 1;";
static_assert(kApplicationId == 1298549590);

constexpr const char* kGet = "SELECT value FROM entry WHERE bucket = ? AND key = ?";
constexpr const char* kContains = "SELECT 1 FROM entry WHERE bucket = ? AND key = ?";
constexpr const char* kSet =
    "INSERT INTO entry (bucket, key, value) VALUES (?, ?, ?) "
    "ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value";
constexpr const char* kRemove = "DELETE FROM entry WHERE bucket = ? AND key = ?";
constexpr const char* kList =
    "SELECT number, key FROM entry INDEXED BY entry_bucket "
    "WHERE bucket = ? AND number >= ? ORDER BY number";

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

Errno errno_of_sqlite(int code) {
  switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return Errno::kSuccess;
    case SQLITE_FULL:
      return Errno::kNoSpc;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
      return Errno::kBusy;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Errno::kRoFs;
    case SQLITE_NOMEM:
      return Errno::kNoMem;
    default:
      return Errno::kIo;
  }
}

class FileStore final : public KeyValueStore {
 public:
  explicit FileStore(Database database) : database_(std::move(database)) {
    sqlite3_busy_handler(database_.get(), &FileStore::is_worth_waiting, this);
    sqlite3_progress_handler(database_.get(), kStepsBetweenLooks, &FileStore::is_over, this);
  }

  Result<void> prepare(const std::string& path, uint64_t bytes_max);

  void set_wait(const KeyValueWait& wait) override { wait_ = wait; }

  Errno get(const std::string& bucket, const std::string& key, std::string* value) override {
    const Use use(*this, kGet, bucket, key);
    const int code = use.step();
    if (code == SQLITE_ROW) *value = use.bytes(0);
    return code == SQLITE_DONE ? Errno::kNoEnt : errno_of_sqlite(code);
  }

  Errno set(const std::string& bucket, const std::string& key, std::string value) override {
    const Use use(*this, kSet, bucket, key);
    use.bind_bytes(3, value);
    return errno_of_sqlite(use.step());
  }

  Errno remove(const std::string& bucket, const std::string& key) override {
    const Use use(*this, kRemove, bucket, key);
    return errno_of_sqlite(use.step());
  }

  Errno contains(const std::string& bucket, const std::string& key) override {
    const Use use(*this, kContains, bucket, key);
    const int code = use.step();
    return code == SQLITE_DONE ? Errno::kNoEnt : errno_of_sqlite(code);
  }

  Errno list(const std::string& bucket, uint64_t from, size_t keys_max, uint64_t bytes_max,
             KeyPage* page) override {
    const Use use(*this, kList, bucket, std::min<uint64_t>(from, INT64_MAX));
    uint64_t bytes = 0;
    while (true) {
      const int code = use.step();
      if (code != SQLITE_ROW) return errno_of_sqlite(code);
      std::string key = use.bytes(1);
      bytes += key.size();
      if (!page->keys.empty() && (page->keys.size() >= keys_max || bytes > bytes_max)) {
        page->next = use.number(0);
        return Errno::kSuccess;
      }
      page->keys.push_back(std::move(key));
    }
  }

  Errno increment(const std::string& bucket, const std::string& key, uint64_t delta,
                  uint64_t* sum) override {
    const Errno begun = run("BEGIN IMMEDIATE");
    if (begun != Errno::kSuccess) return begun;
    Errno error = add(bucket, key, delta, sum);
    if (error == Errno::kSuccess) error = run("COMMIT");
    if (error != Errno::kSuccess) (void)run("ROLLBACK");
    return error;
  }

 private:
  // One use of a statement, which is kept for the next one.
  class Use {
   public:
    Use(FileStore& store, const char* text, const std::string& bucket)
        : statement_(store.statement(text)) {
      store.started_ = Clock::now();
      bind(1, bucket);
    }
    Use(FileStore& store, const char* text, const std::string& bucket, const std::string& key)
        : Use(store, text, bucket) {
      bind(2, key);
    }
    Use(FileStore& store, const char* text, const std::string& bucket, uint64_t number)
        : Use(store, text, bucket) {
      if (statement_ != nullptr) {
        sqlite3_bind_int64(statement_, 2, static_cast<sqlite3_int64>(number));
      }
    }
    ~Use() {
      if (statement_ == nullptr) return;
      sqlite3_reset(statement_);
      sqlite3_clear_bindings(statement_);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    void bind_bytes(int place, const std::string& bytes) const {
      if (statement_ == nullptr) return;
      sqlite3_bind_blob64(statement_, place, bytes.data() == nullptr ? "" : bytes.data(),
                          bytes.size(), SQLITE_STATIC);
    }
    int step() const { return statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_); }
    std::string bytes(int column) const {
      const void* const begin = sqlite3_column_blob(statement_, column);
      const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
      return begin == nullptr ? std::string() : std::string(static_cast<const char*>(begin), size);
    }
    uint64_t number(int column) const {
      return static_cast<uint64_t>(sqlite3_column_int64(statement_, column));
    }

   private:
    void bind(int place, const std::string& text) const {
      if (statement_ == nullptr) return;
      sqlite3_bind_text64(statement_, place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    sqlite3_stmt* statement_;
  };

  sqlite3_stmt* statement(const char* text) {
    auto& kept = statements_[text];
    if (kept == nullptr) {
      sqlite3_stmt* made = nullptr;
      sqlite3_prepare_v3(database_.get(), text, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
      kept.reset(made);
    }
    return kept.get();
  }

  Errno run(const char* text) {
    started_ = Clock::now();
    return errno_of_sqlite(sqlite3_exec(database_.get(), text, nullptr, nullptr, nullptr));
  }

  Errno add(const std::string& bucket, const std::string& key, uint64_t delta, uint64_t* sum) {
    std::string value;
    const Errno found = get(bucket, key, &value);
    if (found != Errno::kSuccess && found != Errno::kNoEnt) return found;
    const auto number = found == Errno::kNoEnt ? 0 : number_of(value);
    if (!number) return Errno::kInval;
    if (__builtin_add_overflow(*number, delta, sum)) return Errno::kOverflow;
    return set(bucket, key, std::to_string(*sum));
  }

  bool has_ended() const {
    if (wait_.deadline && Clock::now() >= *wait_.deadline) return true;
    pollfd cancel = {wait_.cancel_fd, POLLIN, 0};
    return wait_.cancel_fd >= 0 && ::poll(&cancel, 1, 0) > 0;
  }
  static int is_over(void* self) { return static_cast<FileStore*>(self)->has_ended() ? 1 : 0; }
  // Waits a little, longer from time to time.
  static int is_worth_waiting(void* self, int count) {
    const FileStore& store = *static_cast<FileStore*>(self);
    if (store.has_ended() || Clock::now() - store.started_ > kBusyMax) return 0;
    pollfd cancel = {store.wait_.cancel_fd, POLLIN, 0};
    (void)::poll(&cancel, store.wait_.cancel_fd >= 0 ? 1 : 0, std::min(count + 1, 20));
    return 1;
  }

  Result<int64_t> ask(const std::string& path, const char* text);
  Result<bool> is_new(const std::string& path);

  Database database_;
  std::map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
  KeyValueWait wait_;
  Clock::time_point started_;
};

Error file_error(const std::string& path, sqlite3* database) {
  const int code = sqlite3_errcode(database) & 0xFF;
  const std::string text = "--keyvalue " + path + ": " + sqlite3_errmsg(database);
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) return invalid(text);
  const int reason = code == SQLITE_CANTOPEN ? sqlite3_system_errno(database) : 0;
  if (reason == 0) return Error{ErrorKind::kHost, text, 0};
  return Error{ErrorKind::kHost, text + ": " + std::system_category().message(reason), reason};
}

Result<int64_t> FileStore::ask(const std::string& path, const char* text) {
  sqlite3_stmt* made = nullptr;
  started_ = Clock::now();
  const int code = sqlite3_prepare_v2(database_.get(), text, -1, &made, nullptr);
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(made);
  if (code != SQLITE_OK) return file_error(path, database_.get());
  int step = sqlite3_step(made);
  // Who changes the mode of a new file is not asked whether to wait for others who do.
  while ((step & 0xFF) == SQLITE_BUSY && Clock::now() - started_ < kBusyMax) {
    (void)::poll(nullptr, 0, 5);
    sqlite3_reset(made);
    step = sqlite3_step(made);
  }
  if (step == SQLITE_DONE) return 0;
  if (step != SQLITE_ROW) return file_error(path, database_.get());
  return sqlite3_column_int64(made, 0);
}

// Whether nothing is in it. Errors: what is in it is something else.
Result<bool> FileStore::is_new(const std::string& path) {
  const int64_t owner = MAYFLY_TRY(ask(path, "PRAGMA application_id"));
  const int64_t version = MAYFLY_TRY(ask(path, "PRAGMA user_version"));
  const int64_t tables = MAYFLY_TRY(ask(path, "SELECT count(*) FROM sqlite_schema"));
  if (owner == 0 && tables == 0) return true;
  if (owner != kApplicationId) {
    return invalid("--keyvalue " + path + ": a database of something else than mayfly");
  }
  if (version != kVersion) {
    return unsupported("--keyvalue " + path + ": version " + std::to_string(version) +
                       ", this mayfly has " + std::to_string(kVersion));
  }
  return false;
}

Result<void> FileStore::prepare(const std::string& path, uint64_t bytes_max) {
  sqlite3* const database = database_.get();
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, kFieldBytesMax);
  // In one transaction: others may make it meanwhile.
  MAYFLY_TRY(ask(path, "BEGIN"));
  MAYFLY_TRY(is_new(path));
  MAYFLY_TRY(ask(path, "COMMIT"));
  for (const char* setting : {"PRAGMA cell_size_check = ON", "PRAGMA mmap_size = 0",
                              "PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"}) {
    MAYFLY_TRY(ask(path, setting));
  }
  // Others may make it at the same time.
  MAYFLY_TRY(ask(path, "BEGIN IMMEDIATE"));
  if (MAYFLY_TRY(is_new(path)) &&
      sqlite3_exec(database, kSchema, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return file_error(path, database);
  }
  MAYFLY_TRY(ask(path, "COMMIT"));
  const auto page = static_cast<uint64_t>(MAYFLY_TRY(ask(path, "PRAGMA page_size")));
  const uint64_t pages =
      std::clamp<uint64_t>(bytes_max / std::max<uint64_t>(page, 1), 1, INT32_MAX);
  const std::string limit = "PRAGMA max_page_count = " + std::to_string(pages);
  MAYFLY_TRY(ask(path, limit.c_str()));
  for (const char* text : {kGet, kContains, kSet, kRemove, kList}) {
    if (statement(text) == nullptr) return file_error(path, database);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<KeyValueStore>> open_file_store(const std::string& path,
                                                       uint64_t bytes_max) {
  // Some names mean something else to SQLite. Nobody but SQLite opens the file here: closing it
  // would let go of the locks that another sandbox of this process holds.
  const std::string name = path.starts_with('/') ? path : "./" + path;
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(name.c_str(), &opened,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(opened);
  if (code != SQLITE_OK) return file_error(path, opened);
  auto store = std::make_unique<FileStore>(std::move(database));
  MAYFLY_TRY(store->prepare(path, bytes_max));
  return std::unique_ptr<KeyValueStore>(std::move(store));
}

}  // namespace mayfly::wasi
