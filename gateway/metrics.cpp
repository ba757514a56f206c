#include "gateway/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <set>

namespace tidemark::gateway {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

bool valid_name(const std::string& name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
  };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// The figures of all nodes, sorted into families.
class NodeFamilies {
 public:
  /// `taken`: names that the text holds already.
  explicit NodeFamilies(std::set<std::string> taken) : taken_(std::move(taken)) {}

  void add(const std::string& node, const std::string& name, const std::string& help, bool counter,
           double value) {
    if (!valid_name(name) || taken_.contains(name)) return;
    const auto type = counter ? MetricType::Counter : MetricType::Gauge;
    const auto [at, made] = families_.try_emplace(name);
    auto& family = at->second;
    if (made) {
      family.name = name;
      family.help = help;
      std::replace(family.help.begin(), family.help.end(), '\n', ' ');  // else it ends the line
      family.type = type;
    }
    if (family.type != type || !series_.emplace(name, node).second) return;
    prometheus::ClientMetric metric;
    metric.label.push_back({"node", node});
    if (counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family.metric.push_back(std::move(metric));
  }

  void append_to(std::vector<MetricFamily>& out) {
    for (auto& [name, family] : families_) out.push_back(std::move(family));
  }

 private:
  const std::set<std::string> taken_;
  std::map<std::string, MetricFamily> families_;
  std::set<std::pair<std::string, std::string>> series_;  // name and node
};

}  // namespace

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      requests_(prometheus::BuildCounter()
                    .Name("tidemark_http_requests_total")
                    .Help("HTTP requests answered, by status code")
                    .Register(*registry_)),
      duration_(prometheus::BuildHistogram()
                    .Name("tidemark_http_request_duration_seconds")
                    .Help("From the end of a request's header to the end of its answer")
                    .Register(*registry_)
                    .Add({}, prometheus::Histogram::BucketBoundaries{0.0005, 0.001, 0.0025, 0.005,
                                                                     0.01, 0.025, 0.05, 0.1, 0.25,
                                                                     0.5, 1, 2.5, 5, 10})),
      connections_(prometheus::BuildGauge()
                       .Name("tidemark_http_connections")
                       .Help("HTTP connections open")
                       .Register(*registry_)
                       .Add({})),
      refused_(prometheus::BuildCounter()
                   .Name("tidemark_http_connections_refused_total")
                   .Help("Connections over the limit: answered 503, or closed")
                   .Register(*registry_)
                   .Add({})),
      late_(prometheus::BuildCounter()
                .Name("tidemark_http_answer_timeouts_total")
                .Help("Requests answered 504 because nobody answered the gateway in time")
                .Register(*registry_)
                .Add({})) {
  prometheus::BuildGauge()
      .Name("tidemark_build_info")
      .Help("Always 1; the version is in the label")
      .Register(*registry_)
      .Add({{"version", TIDEMARK_VERSION}})
      .Set(1);
}

Metrics::~Metrics() = default;

void Metrics::answered(unsigned status, Duration took) {
  auto*& counter = by_code_[std::min<std::size_t>(status, by_code_.size() - 1)];
  if (!counter) counter = &requests_.Add({{"code", std::to_string(status)}});
  counter->Increment();
  duration_.Observe(std::chrono::duration<double>(took).count());
}

void Metrics::connections(std::size_t open) { connections_.Set(static_cast<double>(open)); }
void Metrics::connection_refused() { refused_.Increment(); }
void Metrics::reply_late() { late_.Increment(); }

std::string Metrics::text(const std::vector<model::api::NodeStatus>& nodes, bool complete) const {
  auto families = registry_->Collect();
  std::set<std::string> taken;
  for (const auto& family : families) taken.insert(family.name);
  taken.insert("tidemark_nodes_answer");
  // A histogram's series have names of their own.
  for (const auto* suffix : {"_bucket", "_sum", "_count"}) {
    taken.insert(std::string("tidemark_http_request_duration_seconds") + suffix);
  }

  NodeFamilies figures(std::move(taken));
  for (const auto& node : nodes) {
    figures.add(node.name, "tidemark_node_start_time_seconds", "When the node started (Unix time)",
                false, std::chrono::duration<double>(node.started_at.time_since_epoch()).count());
    figures.add(node.name, "tidemark_node_incarnation", "How often the node was started", false,
                node.incarnation);
    figures.add(node.name, "tidemark_node_memory_bytes", "Resident memory", false,
                static_cast<double>(node.memory_bytes));
    figures.add(node.name, "tidemark_node_cpu_seconds_total", "CPU time, user and system", true,
                node.cpu_seconds);
    figures.add(node.name, "tidemark_node_warnings", "Warnings that the node shows now", false,
                static_cast<double>(node.warnings.size()));
    for (const auto& figure : node.figures) {
      figures.add(node.name, figure.name, figure.help, figure.counter, figure.value);
    }
  }
  figures.append_to(families);

  MetricFamily answer;
  answer.name = "tidemark_nodes_answer";
  answer.help = "1 when the nodes could be asked for their figures, else 0";
  answer.type = MetricType::Gauge;
  answer.metric.resize(1);
  answer.metric.front().gauge.value = complete ? 1 : 0;
  families.push_back(std::move(answer));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace tidemark::gateway
