#include "tools/bench/workload.h"

namespace bench {
namespace {

const std::vector<Workload>& All() {
  static const std::vector<Workload> all = [] {
    std::vector<Workload> joined;
    for (auto* part :
         {WriteWorkloads, ReadWorkloads, ScanWorkloads, MixedWorkloads, MaintenanceWorkloads}) {
      for (Workload& workload : part()) joined.push_back(std::move(workload));
    }
    return joined;
  }();
  return all;
}

}  // namespace

const Workload* FindWorkload(std::string_view name) {
  for (const Workload& workload : All()) {
    if (name == workload.name) return &workload;
  }
  return nullptr;
}

std::string ListWorkloads() {
  std::string text;
  for (const Workload& workload : All()) {
    std::string name = workload.name;
    name.resize(std::max<size_t>(name.size() + 2, 24), ' ');
    text += name + workload.summary + "\n";
  }
  return text;
}

}  // namespace bench
