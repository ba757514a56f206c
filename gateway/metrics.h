// gateway/metrics.h
//
// What Prometheus reads: the gateway's own counters, and the figures of every node that answers,
// with the label node="<name>".

#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/api/node.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
template <class T>
class Family;
}  // namespace prometheus

namespace tidemark::gateway {

/// Threads: the loop's.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;

  void answered(unsigned status, Duration took);
  void connections(std::size_t open);
  void connection_refused();
  void reply_late();  // an answer_timeout passed

  /// Prometheus text, version 0.0.4. `complete`: the nodes could be asked. Figures that would
  /// make the text invalid (bad names, one name of two types, one series twice) are left out.
  std::string text(const std::vector<model::api::NodeStatus>& nodes, bool complete) const;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  std::array<prometheus::Counter*, 600> by_code_{};  // made when first needed
  prometheus::Histogram& duration_;
  prometheus::Gauge& connections_;
  prometheus::Counter& refused_;
  prometheus::Counter& late_;
};

}  // namespace tidemark::gateway
