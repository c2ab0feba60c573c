#include "tools/bench/result.h"

#include "tools/bench/result_json.h"

namespace bench {

void to_json(nlohmann::json& json, const Result& r) {
  json = {{"scenario", r.scenario},
          {"workload", r.workload},
          {"library", r.library},
          {"round", r.round},
          {"operations", r.operations},
          {"seconds", r.seconds},
          {"ops_per_second", r.ops_per_second},
          {"latency_us",
           {{"mean", r.mean_us},
            {"p50", r.p50_us},
            {"p99", r.p99_us},
            {"p99.9", r.p999_us},
            {"p99.99", r.p9999_us},
            {"max", r.max_us}}},
          {"cpu_us_per_op", r.cpu_us_per_op},
          {"bytes_written", r.bytes_written},
          {"bytes_on_disk", r.bytes_on_disk},
          {"peak_memory", r.peak_memory},
          {"peak_mapped", r.peak_mapped},
          {"found", r.found},
          {"bytes", r.bytes},
          {"latency_curve", r.curve},
          {"throughput_over_time", r.series}};
  if (!r.skipped.empty()) json["skipped"] = r.skipped;
  if (!r.error.empty()) json["error"] = r.error;
}

void from_json(const nlohmann::json& json, Result& r) {
  json.at("scenario").get_to(r.scenario);
  json.at("workload").get_to(r.workload);
  json.at("library").get_to(r.library);
  json.at("round").get_to(r.round);
  json.at("operations").get_to(r.operations);
  json.at("seconds").get_to(r.seconds);
  json.at("ops_per_second").get_to(r.ops_per_second);
  const nlohmann::json& latency = json.at("latency_us");
  latency.at("mean").get_to(r.mean_us);
  latency.at("p50").get_to(r.p50_us);
  latency.at("p99").get_to(r.p99_us);
  latency.at("p99.9").get_to(r.p999_us);
  latency.at("p99.99").get_to(r.p9999_us);
  latency.at("max").get_to(r.max_us);
  json.at("cpu_us_per_op").get_to(r.cpu_us_per_op);
  json.at("bytes_written").get_to(r.bytes_written);
  json.at("bytes_on_disk").get_to(r.bytes_on_disk);
  json.at("peak_memory").get_to(r.peak_memory);
  json.at("peak_mapped").get_to(r.peak_mapped);
  json.at("found").get_to(r.found);
  json.at("bytes").get_to(r.bytes);
  json.at("latency_curve").get_to(r.curve);
  json.at("throughput_over_time").get_to(r.series);
  r.skipped = json.value("skipped", "");
  r.error = json.value("error", "");
}

std::string EncodeResults(const std::vector<Result>& results) {
  // Error texts may hold any bytes of a library.
  return nlohmann::json(results).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool DecodeResults(const std::string& line, std::vector<Result>* results) {
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) return false;
  try {
    *results = json.get<std::vector<Result>>();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return true;
}

}  // namespace bench
