#include "tools/bench/run.h"

#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <thread>

#include "tools/bench/process_usage.h"
#include "tools/bench/tick_clock.h"

namespace bench {

struct Run::Measured {
  std::string label;
  uint64_t operations = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  Histogram latencies;
  uint64_t found = 0;
  uint64_t bytes = 0;
  std::vector<std::pair<double, double>> series;
};

struct Run::CrewState {
  Crew crew;
  std::vector<std::unique_ptr<Worker>> workers;
  std::unique_ptr<Measured> measured = std::make_unique<Measured>();
  // When each worker began and ended: this thread may be late to see either.
  std::vector<uint64_t> begin_ticks;
  std::vector<uint64_t> end_ticks;

  uint64_t Done() const {
    uint64_t done = 0;
    for (const auto& worker : workers) done += worker->done();
    return done;
  }
};

Run::Run(const Api& api_, const Settings& settings_, Database& database_, std::string title)
    : api(api_), settings(settings_), database(database_), title_(std::move(title)) {}

Run::~Run() = default;

void Run::Fail(const std::string& text) {
  if (error_.empty()) error_ = text;
}

void Run::LeaveOut(const std::string& lacks) { left_out_ = "the library lacks " + lacks; }

// Points of the throughput of `first`, and progress, until `ended`.
void Run::Sample(CrewState& first, const std::atomic<bool>& ended) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const double tell_every = terminal ? 1 : 10;
  const uint64_t start_ns = MonotonicNs();
  double tell_at = tell_every;
  double last_seconds = 0;
  uint64_t last_done = 0;
  bool told = false;
  while (!ended.load()) {
    // In short steps, so that a short workload does not wait for its sampler.
    for (uint64_t ms = 0; ms < settings.sample_ms && !ended.load(); ms += 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    const double seconds = static_cast<double>(MonotonicNs() - start_ns) / 1e9;
    const uint64_t done = first.Done();
    if (seconds - last_seconds < static_cast<double>(settings.sample_ms) / 2000) continue;
    const double rate = static_cast<double>(done - last_done) / (seconds - last_seconds);
    first.measured->series.emplace_back(seconds, rate);
    last_seconds = seconds;
    last_done = done;
    if (!settings.progress || seconds < tell_at) continue;
    tell_at = seconds + tell_every;
    const double all = static_cast<double>(first.crew.count) * first.crew.threads;
    if (settings.duration_seconds > 0) {
      fprintf(stderr, "%s%s  %.0f of %.0f s  %.0f ops/s%s", terminal ? "\r\033[K" : "",
              title_.c_str(), seconds, settings.duration_seconds, rate, terminal ? "" : "\n");
    } else {
      fprintf(stderr, "%s%s  %.0f %%  %.0f ops/s%s", terminal ? "\r\033[K" : "", title_.c_str(),
              all > 0 ? std::min(100.0, static_cast<double>(done) * 100 / all) : 0, rate,
              terminal ? "" : "\n");
    }
    told = true;
  }
  if (told && terminal) fprintf(stderr, "\r\033[K");
}

void Run::Parallel(std::vector<Crew> crews, const std::function<void()>& finish) {
  std::atomic<bool> stop = false;
  std::vector<CrewState> states;
  std::ptrdiff_t threads = 1;
  int index = 0;
  for (Crew& crew : crews) {
    CrewState state;
    for (int i = 0; i < crew.threads; ++i) {
      state.workers.push_back(std::make_unique<Worker>(
          index++, settings.seed, crew.latency_every,
          crew.accompanies ? 0 : settings.duration_seconds, crew.accompanies ? &stop : nullptr));
    }
    threads += crew.threads;
    state.begin_ticks.resize(state.workers.size());
    state.end_ticks.resize(state.workers.size());
    state.measured->label = crew.label;
    state.crew = std::move(crew);
    states.push_back(std::move(state));
  }

  std::barrier start(threads);
  std::vector<std::thread> first;
  std::vector<std::thread> others;
  for (CrewState& state : states) {
    for (size_t i = 0; i < state.workers.size(); ++i) {
      (&state == &states.front() ? first : others).emplace_back([&start, &state, i] {
        start.arrive_and_wait();
        state.begin_ticks[i] = Ticks();
        state.crew.work(*state.workers[i]);
        state.end_ticks[i] = Ticks();
      });
    }
  }
  std::atomic<bool> ended = false;
  std::thread sampler([&] { Sample(states.front(), ended); });
  const double cpu_before = CpuSeconds();
  start.arrive_and_wait();
  for (std::thread& thread : first) thread.join();
  // What companions did in this time is counted now: they go on until they see the flag.
  std::vector<uint64_t> done;
  for (const CrewState& state : states) done.push_back(state.Done());
  const CrewState& leading = states.front();
  uint64_t end = *std::max_element(leading.end_ticks.begin(), leading.end_ticks.end());
  if (finish) {
    finish();
    end = Ticks();
  }
  const uint64_t begin = *std::min_element(leading.begin_ticks.begin(), leading.begin_ticks.end());
  const double seconds = static_cast<double>(end - begin) / TicksPerUs() / 1e6;
  const double cpu_seconds = CpuSeconds() - cpu_before;
  stop.store(true);
  ended.store(true);
  for (std::thread& thread : others) thread.join();
  sampler.join();

  for (size_t i = 0; i < states.size(); ++i) {
    Measured& measured = *states[i].measured;
    measured.operations = done[i];
    measured.seconds = seconds;
    measured.cpu_seconds = cpu_seconds;
    for (const auto& worker : states[i].workers) {
      measured.latencies.Merge(worker->latencies());
      measured.found += worker->found();
      measured.bytes += worker->bytes();
      if (!worker->error().empty()) Fail(worker->error());
    }
    measured_.push_back(std::move(states[i].measured));
  }
}

void Run::Timed(uint64_t entries, const std::function<void()>& work) {
  if (measured_.empty()) measured_.push_back(std::make_unique<Measured>());
  Measured& measured = *measured_.front();
  const double cpu_before = CpuSeconds();
  const uint64_t start_ticks = Ticks();
  work();
  const uint64_t ticks = Ticks() - start_ticks;
  measured.cpu_seconds += CpuSeconds() - cpu_before;
  measured.seconds += static_cast<double>(ticks) / TicksPerUs() / 1e6;
  measured.operations += entries;
  measured.latencies.Add(ticks);
}

void Run::Read(uint64_t found, uint64_t bytes) {
  if (measured_.empty()) measured_.push_back(std::make_unique<Measured>());
  measured_.front()->found += found;
  measured_.front()->bytes += bytes;
}

std::vector<Result> Run::Finish() {
  std::vector<Result> results;
  if (measured_.empty()) measured_.push_back(std::make_unique<Measured>());
  for (const auto& measured : measured_) {
    Result r;
    r.workload = measured->label;
    r.error = error_;
    r.skipped = left_out_;
    r.operations = measured->operations;
    r.seconds = measured->seconds;
    const double operations = static_cast<double>(r.operations);
    if (r.seconds > 0) r.ops_per_second = operations / r.seconds;
    if (r.operations > 0) r.cpu_us_per_op = measured->cpu_seconds * 1e6 / operations;
    const double ticks_per_us = TicksPerUs();
    const Histogram& latencies = measured->latencies;
    r.mean_us = latencies.Mean() / ticks_per_us;
    r.p50_us = latencies.Percentile(0.5) / ticks_per_us;
    r.p99_us = latencies.Percentile(0.99) / ticks_per_us;
    r.p999_us = latencies.Percentile(0.999) / ticks_per_us;
    r.p9999_us = latencies.Percentile(0.9999) / ticks_per_us;
    r.max_us = static_cast<double>(latencies.max()) / ticks_per_us;
    for (const auto& [fraction, ticks] : latencies.Curve()) {
      r.curve.emplace_back(fraction, ticks / ticks_per_us);
    }
    r.found = measured->found;
    r.bytes = measured->bytes;
    r.series = measured->series;
    results.push_back(std::move(r));
  }
  return results;
}

}  // namespace bench
