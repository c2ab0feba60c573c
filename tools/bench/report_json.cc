// The report for programs.

#include "tools/bench/result_json.h"
#include "tools/bench/summary.h"

namespace bench {
namespace {

nlohmann::json RatioJson(const Ratio& ratio) {
  return {{"median", ratio.median},
          {"lowest", ratio.lowest},
          {"highest", ratio.highest},
          {"rounds", ratio.rounds}};
}

}  // namespace

std::string JsonReport(const Summary& summary) {
  nlohmann::json json;
  json["command"] = summary.command;
  json["date"] = summary.date;
  json["machine"] = summary.machine;
  json["rounds"] = summary.command_line.rounds;
  json["interrupted"] = summary.interrupted;
  json["suite"] = summary.command_line.suite;
  const Settings& settings = summary.command_line.settings;
  json["settings"] = {{"num", settings.num},
                      {"key_size", settings.key_size},
                      {"value_size", settings.value_size},
                      {"seed", settings.seed}};
  json["libraries"] = nlohmann::json::array();
  for (size_t i = 0; i < summary.command_line.libraries.size(); ++i) {
    json["libraries"].push_back(
        {{"name", summary.command_line.names[i]}, {"path", summary.command_line.libraries[i]}});
  }
  json["results"] = summary.results;
  json["pairs"] = nlohmann::json::array();
  for (const Row& row : summary.rows) {
    for (size_t i = 1; i < row.ratios.size(); ++i) {
      if (row.ratios[i].rounds == 0) continue;
      json["pairs"].push_back({{"scenario", row.scenario},
                               {"workload", row.workload},
                               {"against", i},
                               {"ratio", RatioJson(row.ratios[i])},
                               {"cpu_ratio", RatioJson(row.cpu_ratios[i])}});
    }
  }
  json["disagreements"] = summary.disagreements;
  if (!summary.goals.empty()) {
    json["geometric_mean"] = summary.geometric_mean;
    json["goals"] = nlohmann::json::array();
    for (const GoalOutcome& outcome : summary.goals) {
      json["goals"].push_back({{"title", outcome.goal.title},
                               {"scenario", outcome.goal.scenario},
                               {"workload", outcome.goal.workload},
                               {"goal", outcome.goal.goal},
                               {"floor", outcome.goal.floor},
                               {"in_mean", outcome.goal.counts},
                               {"ratio", RatioJson(outcome.ratio)},
                               {"problem", outcome.problem},
                               {"reaches_floor", outcome.reaches_floor},
                               {"reaches_goal", outcome.reaches_goal}});
    }
    json["limits"] = nlohmann::json::array();
    for (const Limit& limit : summary.limits) {
      json["limits"].push_back({{"title", limit.title},
                                {"measured", limit.measured},
                                {"limit", limit.limit},
                                {"unit", limit.unit},
                                {"ok", limit.ok}});
    }
  }
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace bench
