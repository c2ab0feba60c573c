// How a Result is written as JSON: for the pipe between processes and for --json.

#ifndef SKARN_TOOLS_BENCH_RESULT_JSON_H_
#define SKARN_TOOLS_BENCH_RESULT_JSON_H_

#include <nlohmann/json.hpp>

#include "tools/bench/result.h"

namespace bench {

void to_json(nlohmann::json& json, const Result& result);
void from_json(const nlohmann::json& json, Result& result);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_RESULT_JSON_H_
