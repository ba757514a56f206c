#include "tools/documents.h"

#include "model/record_fields.h"
#include "tools/show.h"
#include "tools/typed_json.h"

namespace tidemark::tools {
namespace {

Json id_json(const Uuid& id) { return id.is_nil() ? Json(nullptr) : Json(id.text()); }

Json outcome_json(const model::RestoreOutcome& outcome) {
  auto failures = Json::array();
  for (const auto& failure : outcome.failures) {
    failures.push_back({{"pv", id_json(failure.pv)},
                        {"address", failure.address},
                        {"state", failure.state},
                        {"reason", failure.reason}});
  }
  return {{"total", outcome.total},           {"confirmed", outcome.confirmed},
          {"refused", outcome.refused},       {"unknown", outcome.unknown},
          {"skipped", outcome.skipped},       {"verified", outcome.verified},
          {"unverified", outcome.unverified}, {"failures", std::move(failures)}};
}

Json captured_value_json(const model::CapturedValue& value) {
  Json out = {{"address", value.address}, {"state", model::to_string(value.state)}};
  out["type"] = model::type_name(value.value);
  add_value(out, value.value, value.labels);
  out["units"] = value.units;
  out["alarm"] = alarm_json(value.alarm);
  out["taken_at"] = time_json(value.taken_at);
  return out;
}

Json side_json(const model::ValueComparison& side, const std::vector<std::string>& labels) {
  return {{"difference", model::to_string(side.difference)},
          {"left", value_json(side.left, labels)},
          {"right", value_json(side.right, labels)},
          {"deviation", number_json(side.deviation)}};
}

}  // namespace

Json node_json(const bus::NodeInfo& node) {
  return {{"name", node.name},
          {"kind", node.kind},
          {"uuid", node.uuid.text()},
          {"incarnation", node.incarnation},
          {"state", bus::to_string(node.state)},
          {"state_since", time_json(node.state_since)},
          {"host", node.host},
          {"pid", node.pid},
          {"started_at", time_json(node.started_at)}};
}

Json status_json(const model::api::NodeStatus& status) {
  Json figures = Json::object();
  for (const auto& figure : status.figures) figures[figure.name] = number_json(figure.value);
  return {{"version", status.version},
          {"memory_bytes", status.memory_bytes},
          {"cpu_seconds", number_json(status.cpu_seconds)},
          {"warnings", status.warnings},
          {"facts", status.facts},
          {"figures", std::move(figures)}};
}

Json pv_json(const model::PvEntry& pv, const std::vector<model::TagGroup>& groups) {
  return {{"id", pv.id.text()},
          {"name", pv.name()},
          {"setpoint", pv.setpoint},
          {"readback", pv.readback},
          {"config", pv.config},
          {"device", pv.device},
          {"description", pv.description},
          {"abs_tolerance", number_json(pv.abs_tolerance)},
          {"rel_tolerance", number_json(pv.rel_tolerance)},
          {"read_only", pv.read_only},
          {"tags", tag_names(pv.tags, groups)},
          {"modified_at", time_json(pv.modified_at)},
          {"modified_by", pv.modified_by}};
}

Json live_json(const model::api::LiveValue& value) {
  Json out = {{"address", value.address}, {"state", model::to_string(value.state)}};
  out["type"] = value.native_type;
  add_value(out, value.value, value.labels);
  out["units"] = value.units;
  out["alarm"] = alarm_json(value.alarm);
  out["taken_at"] = time_json(value.taken_at);
  out["received_at"] = time_json(value.received_at);
  out["host"] = value.host;
  out["writable"] = value.writable;
  return out;
}

Json job_json(const model::Job& job) {
  Json out = {{"id", job.id.text()},
              {"type", job.type},
              {"title", job.title},
              {"user", job.user},
              {"state", model::to_string(job.state)},
              {"done", job.done},
              {"total", job.total},
              {"message", job.message},
              {"error", job.error},
              {"result", id_json(job.result)},
              {"line_before", job.line_before},
              {"created_at", time_json(job.created_at)},
              {"started_at", time_json(job.started_at)},
              {"ended_at", time_json(job.ended_at)}};
  out["restore"] = job.restore ? outcome_json(*job.restore) : Json(nullptr);
  return out;
}

Json header_json(const model::SnapshotHeader& header) {
  return {{"id", header.id.text()},
          {"title", header.title},
          {"description", header.description},
          {"author", header.author},
          {"created_at", time_json(header.created_at)},
          {"line", header.line},
          {"source", header.source},
          {"pvs", header.pvs},
          {"values", header.values},
          {"missing", header.missing},
          {"disconnected", header.disconnected},
          {"monitor_alive", header.monitor_alive},
          {"job", id_json(header.job)}};
}

Json captured_json(const model::Snapshot& snapshot, const model::CapturedPv& pv) {
  Json out = {{"pv", pv.pv.text()}, {"name", pv.name}, {"device", pv.device}};
  const auto add = [&](const char* name, std::uint32_t index) {
    if (index < snapshot.values.size()) out[name] = captured_value_json(snapshot.values[index]);
  };
  add("setpoint", pv.setpoint);
  add("readback", pv.readback);
  add("config", pv.config);
  return out;
}

Json comparison_json(const model::PvComparison& pv) {
  Json out = {{"pv", pv.pv.text()},
              {"name", pv.name},
              {"match", pv.match()},
              {"units", pv.units},
              {"abs_tolerance", number_json(pv.abs_tolerance)},
              {"rel_tolerance", number_json(pv.rel_tolerance)}};
  if (pv.setpoint) out["setpoint"] = side_json(*pv.setpoint, pv.labels);
  if (pv.readback) out["readback"] = side_json(*pv.readback, pv.labels);
  return out;
}

Json plan_json(const model::RestorePlan& plan) {
  auto steps = Json::array();
  for (const auto& step : plan.steps) {
    steps.push_back({{"action", model::to_string(step.action)},
                     {"pv", step.pv.text()},
                     {"address", step.address},
                     {"units", step.units},
                     {"target", value_json(step.target)},
                     {"live", value_json(step.live)},
                     {"reason", step.reason}});
  }
  return {{"hash", plan.hash},
          {"writes", plan.writes},
          {"skips", plan.skips},
          {"refusals", plan.refusals},
          {"steps", std::move(steps)}};
}

Json line_json(const model::api::LogLine& line) {
  // One after the other: a list in braces is copied as a list first, and there are many lines.
  Json out;
  out["line"] = line.line;
  out["recorded_at"] = time_json(line.recorded_at);
  out["origin"] = line.origin;
  out["incarnation"] = line.incarnation;
  out["sequence"] = line.sequence;
  out["kind"] = model::to_string(line.kind);
  out["level"] = model::to_string(line.level);
  out["subject"] = line.subject;
  out["text"] = line.text;
  if (line.kind == model::RecordKind::kPvUpdate) {
    out["type"] = model::type_name(line.value);
    add_value(out, line.value);
    out["alarm"] = alarm_json(line.alarm);
    out["taken_at"] = time_json(line.taken_at);
  }
  if (line.record.bytes.empty()) return out;
  if (const auto records = model::decode_records(line.record.bytes);
      records && records.value().size() == 1) {
    out["record"] = to_typed_json(model::fields_of(records.value()[0]));
  }
  return out;
}

std::vector<std::string> tag_names(const std::vector<Uuid>& tags,
                                   const std::vector<model::TagGroup>& groups) {
  std::vector<std::string> names;
  for (const auto& id : tags) {
    std::string name = id.text();
    for (const auto& group : groups) {
      for (const auto& tag : group.tags) {
        if (tag.id == id) name = group.name + "/" + tag.name;
      }
    }
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace tidemark::tools
