// tools/cmd_status.cpp
//
// status: is it well? Everything at one look, and an exit code for scripts.

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "model/api/node.h"
#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/show.h"
#include "tools/times.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
using model::api::NodeStatus;

struct NodeReport {
  bus::NodeInfo info;
  std::optional<NodeStatus> status;
  std::string error;
  bool needed = true;  // the site wants it: not a node that said goodbye

  /// A subsystem of the laboratory says how it is by its status items; here its lease counts.
  bool is_subsystem() const { return !info.surface.bytes.empty(); }
  bool well() const {
    return info.state == bus::NodeState::kAlive && (status.has_value() || is_subsystem());
  }
};

std::vector<NodeReport> ask_all(Context& context, Client& client) {
  const auto directory = client.directory();
  const auto budget = context.budget(2s);
  std::vector<std::shared_ptr<Pending>> questions;
  for (const auto& node : directory.nodes) {
    questions.push_back(node.surface.bytes.empty()
                            ? client.begin(node.name, "node.status", model::api::Empty{}, budget)
                            : nullptr);
  }
  std::vector<NodeReport> reports;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    NodeReport report{directory.nodes[i], {}, {}};
    if (!questions[i]) {
      if (!report.well()) {
        report.error = std::string(bus::to_string(report.info.state)) + " since " +
                       to_iso(report.info.state_since, 0);
      }
      reports.push_back(std::move(report));
      continue;
    }
    auto status = Client::wait_for<NodeStatus>(*questions[i], "node.status");
    if (status) {
      report.status = std::move(status).value();
    } else {
      report.error = status.error().message;
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

/// Nodes that the site file wants and nobody has heard of; and which of the others may be absent.
void add_expected(const Context& context, std::vector<NodeReport>& reports) {
  const auto site = load_site(context);
  if (!site) return;
  const auto& wanted = site.value().nodes;
  const auto is_wanted = [&](const std::string& name) {
    return std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  };
  for (auto& report : reports) {
    report.needed = is_wanted(report.info.name) || report.info.state != bus::NodeState::kStopped;
  }
  for (const auto& name : wanted) {
    const bool known = std::any_of(reports.begin(), reports.end(),
                                   [&](const auto& report) { return report.info.name == name; });
    if (known) continue;
    NodeReport absent;
    absent.info.name = name;
    absent.info.state = bus::NodeState::kDisconnected;
    absent.error = "has never registered";
    reports.push_back(std::move(absent));
  }
  // In the order of the site file; others after them.
  const auto place = [&](const NodeReport& report) {
    return std::find(wanted.begin(), wanted.end(), report.info.name) - wanted.begin();
  };
  std::stable_sort(reports.begin(), reports.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

std::optional<double> figure(const NodeStatus& status, std::string_view name) {
  for (const auto& each : status.figures) {
    if (each.name == name) return each.value;
  }
  return std::nullopt;
}

std::string whole(double number) {
  char text[64];
  std::snprintf(text, sizeof text, "%.0f", number);
  return text;
}

std::string memory_text(std::uint64_t bytes) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1024.0 * 1024.0));
  return text;
}

std::string cpu_text(const NodeStatus& status, UtcTime now) {
  const auto age = std::chrono::duration<double>(now - status.started_at).count();
  if (age <= 0) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * status.cpu_seconds / age);
  return text;
}

Cell state_cell(const NodeReport& report) {
  const auto state = bus::to_string(report.info.state);
  switch (report.info.state) {
    case bus::NodeState::kAlive:
      if (!report.well()) return {"silent", Color::kRed};
      return {state, Color::kGreen};
    case bus::NodeState::kSuspect: return {state, Color::kYellow};
    case bus::NodeState::kStopped: return {state, report.needed ? Color::kRed : Color::kDim};
    case bus::NodeState::kDisconnected:
    case bus::NodeState::kForgotten: break;
  }
  return {state, Color::kRed};
}

void print_nodes(const Context& context, const std::vector<NodeReport>& reports) {
  Table table({{"NODE", false, false},
               {"STATE", false, false},
               {"PID", true, false},
               {"INCARNATION", true, false},
               {"UPTIME", true, false},
               {"MEMORY", true, false},
               {"CPU", true, false},
               {"HOST"}});
  const auto now = context.now();
  for (const auto& report : reports) {
    const auto& info = report.info;
    std::vector<Cell> row = {info.name, state_cell(report)};
    if (report.status) {
      const auto& status = *report.status;
      row.emplace_back(std::to_string(status.pid));
      row.emplace_back(std::to_string(status.incarnation));
      row.emplace_back(duration_text(now - status.started_at));
      row.emplace_back(memory_text(status.memory_bytes));
      row.emplace_back(cpu_text(status, now));
    } else if (report.is_subsystem() && report.well()) {
      row.emplace_back(std::to_string(info.pid));
      row.emplace_back(std::to_string(info.incarnation));
      row.emplace_back(duration_text(now - info.started_at));
      row.insert(row.end(), 2, Cell("-"));
    } else {
      row.insert(row.end(), 5, Cell("-"));
    }
    row.emplace_back(info.host);
    table.add(std::move(row));
  }
  table.print(context.out, context.columns, context.color());
}

void print_summary(const Context& context, const std::vector<NodeReport>& reports) {
  auto& out = context.out;
  out << "\n";
  for (const auto& report : reports) {
    if (!report.status) continue;
    const auto& status = *report.status;
    if (const auto line = figure(status, "tidemark_journal_last_line")) {
      out << "journal   line " << whole(*line);
      const auto sync = status.facts.find("sync");
      if (sync != status.facts.end()) out << ", sync " << sync->second;
      out << "\n";
    }
    const auto channels = figure(status, "tidemark_monitor_channels");
    const auto connected = figure(status, "tidemark_monitor_connected");
    if (channels && connected) {
      out << "PVs       " << whole(*connected) << " of " << whole(*channels) << " connected";
      const auto never = figure(status, "tidemark_monitor_never_connected");
      if (never && *never > 0) out << ", " << whole(*never) << " never answered";
      out << "\n";
    }
  }
  for (const auto& report : reports) {
    if (!report.error.empty() && report.needed) {
      const auto said = report.info.name + ": " + report.error;
      out << paint("problem   ", Color::kRed, context.color()) << printable(said) << "\n";
    }
    if (!report.status) continue;
    for (const auto& warning : report.status->warnings) {
      out << paint("warning   ", Color::kYellow, context.color())
          << printable(report.info.name + ": " + warning) << "\n";
    }
  }
}

Exit status(Context& context, Client& client) {
  auto reports = ask_all(context, client);
  add_expected(context, reports);
  bool well = true;
  for (const auto& report : reports) well = well && (report.well() || !report.needed);
  if (context.json) {
    auto nodes = Json::array();
    for (const auto& report : reports) {
      auto node = node_json(report.info);
      node["status"] = report.status ? status_json(*report.status) : Json(nullptr);
      node["error"] = report.error.empty() ? Json(nullptr) : Json(report.error);
      nodes.push_back(std::move(node));
    }
    context.print({{"well", well}, {"nodes", std::move(nodes)}});
  } else {
    print_nodes(context, reports);
    print_summary(context, reports);
  }
  return well ? Exit::kFine : Exit::kFailed;
}

}  // namespace

void add_status_commands(Command app, Context& context) {
  add_command(app, context, "status",
              {"Show the nodes, the journal and the PVs",
               "Asks every node how it is. Exits with 1 when a node of the site is not alive or "
               "does not answer.",
               "  tidemark status\n  tidemark status --json | jq .well"},
              [&context] {
                return with_client(context,
                                   [&](Client& client) { return status(context, client); });
              });
}

}  // namespace tidemark::tools
