#include "tools/bench/child.h"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "tools/bench/api.h"
#include "tools/bench/database.h"
#include "tools/bench/process_usage.h"
#include "tools/bench/run.h"
#include "tools/bench/workload.h"

namespace bench {
namespace {

bool WriteAll(int file, const std::string& bytes) {
  for (size_t written = 0; written < bytes.size();) {
    const ssize_t n = write(file, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    written += static_cast<size_t>(n);
  }
  return true;
}

// Reads up to and without the next newline. Returns false at the end of the file.
bool ReadLine(int file, std::string* line) {
  line->clear();
  for (;;) {
    char c;
    const ssize_t n = read(file, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    if (c == '\n') return true;
    line->push_back(c);
  }
}

std::string Ending(int status) {
  if (WIFSIGNALED(status)) {
    return std::string("the library's process died: ") + strsignal(WTERMSIG(status));
  }
  return "the library's process ended with status " + std::to_string(WEXITSTATUS(status));
}

// The library, its database and what happens to them, inside the child.
class Session {
 public:
  explicit Session(const ChildTask& task) : task_(task) {
    if (api_.Load(task.library_path, &load_error_)) {
      database_ = std::make_unique<Database>(api_, task_.settings, task_.directory);
      if (!task_.settings.use_existing_db) database_->Destroy();
    }
  }

  ~Session() {
    if (database_ == nullptr) return;
    database_->Close();
    if (task_.settings.statistics) printf("%s\n", database_->Statistics().c_str());
    if (!task_.settings.use_existing_db) database_->Destroy();
    fflush(nullptr);
  }

  std::vector<Result> Measure(const std::string& name) {
    std::vector<Result> results(1);
    const Workload* workload = FindWorkload(name);
    if (workload == nullptr) {
      results[0].error = "no such workload";
    } else if (!load_error_.empty()) {
      results[0].error = load_error_;
    } else if (std::string lacks = Lacks(*workload); !lacks.empty()) {
      results[0].skipped = "the library lacks " + lacks;
    } else {
      results = MeasureKnown(*workload);
    }
    for (Result& result : results) {
      result.workload = result.workload.empty() ? name : name + "." + result.workload;
      result.scenario = task_.scenario;
      result.library = task_.library;
      result.round = task_.round;
    }
    return results;
  }

 private:
  std::string Lacks(const Workload& workload) const {
    std::string lacks = api_.Lacks(workload.needs);
    if (task_.settings.disable_wal) lacks += api_.Lacks({"writeoptions_disable_WAL"});
    if (task_.settings.sync) lacks += api_.Lacks({"writeoptions_set_sync"});
    return lacks;
  }

  std::vector<Result> MeasureKnown(const Workload& workload) {
    std::string title = task_.library_name + "  " + task_.scenario;
    if (task_.scenario != workload.name) title += std::string("  ") + workload.name;
    Run run(api_, task_.settings, *database_, title + "  round " + std::to_string(task_.round + 1));
    std::string error;
    if (workload.start == Workload::Start::kFresh && !task_.settings.use_existing_db) {
      error = database_->Destroy();
    }
    if (workload.start == Workload::Start::kOwn) {
      database_->Close();
    } else if (error.empty()) {
      error = database_->Open();
    }
    const MemoryWatch memory;
    const uint64_t written_before = BytesWritten();
    if (error.empty()) {
      workload.run(run);
      // What was put off is part of the work, and must not disturb the next library.
      database_->Settle();
    } else {
      run.Fail(error);
    }
    const uint64_t written = BytesWritten() - written_before;
    std::vector<Result> results = run.Finish();
    for (Result& result : results) {
      result.bytes_written = written;
      result.bytes_on_disk = DirectoryBytes(task_.directory);
      result.peak_memory = memory.own_max();
      result.peak_mapped = memory.mapped_max();
    }
    return results;
  }

  const ChildTask& task_;
  Api api_;
  std::string load_error_;
  std::unique_ptr<Database> database_;
};

}  // namespace

Child::Child(ChildTask task) : task_(std::move(task)) {
  int commands[2];
  int answers[2];
  fflush(nullptr);
  if (pipe(commands) != 0 || pipe(answers) != 0) {
    death_ = "cannot make a pipe";
    return;
  }
  pid_ = fork();
  if (pid_ == 0) {
    close(commands[1]);
    close(answers[0]);
    Serve(commands[0], answers[1]);
  }
  close(commands[0]);
  close(answers[1]);
  commands_ = commands[1];
  answers_ = answers[0];
  if (pid_ < 0) death_ = "cannot start a process";
}

Child::~Child() {
  // An empty command ends it. The end of the pipe would too, were its writing end not open in the
  // children that were made later.
  if (commands_ >= 0) {
    if (death_.empty()) WriteAll(commands_, "\n");
    close(commands_);
  }
  if (answers_ >= 0) close(answers_);
  if (pid_ > 0 && death_.empty()) waitpid(pid_, nullptr, 0);
}

void Child::Serve(int commands, int answers) {
  for (const int number : {SIGPIPE, SIGINT, SIGTERM}) signal(number, SIG_DFL);
  {
    Session session(task_);
    std::string workload;
    while (ReadLine(commands, &workload) && !workload.empty()) {
      if (!WriteAll(answers, EncodeResults(session.Measure(workload)) + "\n")) break;
    }
  }
  _exit(0);
}

Result Child::Failure(const std::string& workload, const std::string& error) const {
  Result result;
  result.workload = workload;
  result.scenario = task_.scenario;
  result.library = task_.library;
  result.round = task_.round;
  result.error = error;
  return result;
}

std::vector<Result> Child::Measure(const std::string& workload) {
  if (!death_.empty()) return {Failure(workload, death_)};
  std::string line;
  std::vector<Result> results;
  if (WriteAll(commands_, workload + "\n") && ReadLine(answers_, &line)) {
    if (DecodeResults(line, &results)) return results;
    return {Failure(workload, "the library's process answered nonsense")};
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  death_ = Ending(status);
  return {Failure(workload, death_)};
}

}  // namespace bench
