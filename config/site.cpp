#include "config/site.h"

#include <arpa/inet.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace tidemark::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kFileBytesMax = 1u << 20;   // a site file is a page
constexpr std::size_t kSocketPathBytesMax = 107;  // sockaddr_un, less its terminating zero
constexpr std::string_view kLongestSocket = "supervisor.data";
const std::vector<std::string> kNodes = {"registry", "journal", "keeper", "monitor", "gateway"};
constexpr std::string_view kTcp = "tcp://";
constexpr std::size_t kRegistriesMax = 9;  // more only cost: each node registers with all of them

/// How many single-character edits make one word of the other.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

std::string in_quotes(std::string_view word) { return "'" + std::string(word) + "'"; }

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// "did you mean 'listen'?", or what there is when nothing is near.
std::string nearest(std::string_view unknown, const std::vector<std::string>& known) {
  constexpr std::size_t kWordBytesMax = 64;  // of what is worth a guess
  if (unknown.size() <= kWordBytesMax) {
    const auto near = std::min_element(known.begin(), known.end(), [&](auto& a, auto& b) {
      return edits(unknown, a) < edits(unknown, b);
    });
    if (near != known.end() &&
        edits(unknown, *near) <= std::max<std::size_t>(2, near->size() / 2)) {
      return "did you mean " + in_quotes(*near) + "?";
    }
  }
  return "known are " + listed(known);
}

bool has_only(std::string_view text, const char* extra) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::strchr(extra, c) != nullptr;
  });
}

/// Empty when it is `host:port`; else what is wrong.
std::string host_port_fault(std::string_view text, std::uint32_t port_min) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return "expected host:port";
  const auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const bool plain = host.find_first_of(":[]/ \t") == std::string_view::npos;
  if (!bracketed && !plain) return "expected host:port, an IPv6 address in [brackets]";
  const bool number = !digits.empty() && digits.size() <= 5 &&
                      digits.find_first_not_of("0123456789") == std::string_view::npos;
  const auto port = number ? std::stoul(std::string(digits)) : 65'536;
  if (port < port_min || port > 65'535) {
    return "expected a port from " + std::to_string(port_min) + " to 65535";
  }
  return "";
}

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || (host.starts_with("127.") && is_ipv4(host));
}

/// Of tcp://host:port.
std::string host_of(const std::string& endpoint) {
  return endpoint.substr(kTcp.size(), endpoint.rfind(':') - kTcp.size());
}

/// Empty when it is tcp://host:port; else what is wrong.
std::string tcp_endpoint_fault(std::string_view text) {
  if (!text.starts_with(kTcp)) return "expected tcp://host:port";
  return host_port_fault(text.substr(kTcp.size()), 1);
}

/// Keeps the first fault; with one, nothing that was read counts.
class Faults {
 public:
  explicit Faults(const std::string& file) : file_(file) {}
  void add(std::uint32_t line, const std::string& key, const std::string& what) {
    if (first_) return;
    first_ = Error{Code::kInvalidArgument, file_ + ":" + std::to_string(std::max(line, 1u)) + ": " +
                                               (key.empty() ? "" : key + ": ") + what};
  }
  const std::optional<Error>& first() const { return first_; }

 private:
  const std::string& file_;
  std::optional<Error> first_;
};

/// One table of the file. Each read names a key that exists; finish() finds those that do not.
class Section {
 public:
  Section(const toml::table& root, std::string name, Faults& faults)
      : name_(std::move(name)), faults_(faults) {
    const auto* node = root.get(name_);
    if (node == nullptr) return;
    line_ = node->source().begin.line;
    table_ = node->as_table();
    if (table_ == nullptr) faults_.add(line_, name_, "expected a table: [" + name_ + "]");
  }

  /// A table inside of it: [journal.retention].
  Section inner(const char* key) {
    static const toml::table kNone;
    const auto* node = find(key);
    if (node != nullptr && node->as_table() == nullptr) {
      fault(key, "expected a table: [" + name_ + "." + key + "]");
    }
    Section section(table_ == nullptr ? kNone : *table_, key, faults_);
    section.name_ = name_ + "." + key;
    return section;
  }

  void text(const char* key, std::string& into, std::size_t bytes_max = 4096) {
    const auto* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value) return fault(key, "expected a string in quotes");
    if (value->size() > bytes_max) {
      return fault(key, "longer than " + std::to_string(bytes_max) + " bytes");
    }
    const bool control = std::any_of(value->begin(), value->end(), [](char c) {
      return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    });
    if (control) return fault(key, "has a control character");
    into = *value;
  }

  void word(const char* key, std::string& into, const std::vector<std::string>& words) {
    std::string value = into;
    text(key, value);
    if (std::find(words.begin(), words.end(), value) == words.end()) {
      return fault(key, in_quotes(value) + " is not one of " + listed(words));
    }
    into = value;
  }

  void flag(const char* key, bool& into) {
    const auto* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<bool>();
    if (!value) return fault(key, "expected true or false");
    into = *value;
  }

  template <class T>
  void number(const char* key, T& into, std::int64_t min, std::int64_t max) {
    const auto* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value) return fault(key, "expected a whole number");
    if (*value < min || *value > max) {
      return fault(key, std::to_string(*value) + " is not from " + std::to_string(min) + " to " +
                            std::to_string(max));
    }
    into = static_cast<T>(*value);
  }

  /// From 0 to below 1.
  void share(const char* key, double& into) {
    const auto* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (!value || node->is_boolean()) return fault(key, "expected a number, such as 0.1");
    if (!(*value >= 0 && *value < 1)) return fault(key, "expected a share from 0 to below 1");
    into = *value;
  }

  void duration(const char* key, Duration& into, Duration min, Duration max, const char* range) {
    const auto* node = find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    // parse_duration() would take "nans", whose whole part nobody can compare.
    const bool digit = value && !value->empty() && value->front() >= '0' && value->front() <= '9';
    const auto parsed = digit ? parse_duration(*value) : std::nullopt;
    if (!parsed) return fault(key, "expected a duration in quotes, such as \"500ms\" or \"5s\"");
    if (*parsed < min || *parsed > max) {
      return fault(key, in_quotes(*value) + " is not from " + range);
    }
    into = *parsed;
  }

  /// A list of strings, each once and of which `fault_of` says nothing; at least one.
  template <class FaultOf>
  void texts(const char* key, std::vector<std::string>& into, FaultOf&& fault_of) {
    const auto* node = find(key);
    if (node == nullptr) return;
    const auto* array = node->as_array();
    if (array == nullptr) return fault(key, "expected a list of strings");
    std::vector<std::string> values;
    for (const auto& each : *array) {
      const auto value = each.value_exact<std::string>();
      const auto at = each.source().begin.line;
      if (!value) return fault_at(at, key, "expected a list of strings");
      const std::string what = fault_of(*value);
      if (!what.empty()) return fault_at(at, key, what);
      if (std::find(values.begin(), values.end(), *value) != values.end()) {
        return fault_at(at, key, in_quotes(*value) + " twice");
      }
      values.push_back(*value);
    }
    if (values.empty()) return fault(key, "at least one is needed");
    into = std::move(values);
  }

  bool has(const char* key) const { return table_ != nullptr && table_->contains(key); }

  /// What is wrong with the key's value, at its line; without the key at the section's.
  void fault(const char* key, const std::string& what) {
    const auto* node = table_ == nullptr ? nullptr : table_->get(key);
    fault_at(node == nullptr ? line_ : node->source().begin.line, key, what);
  }

  void finish() {
    if (table_ == nullptr) return;
    for (const auto& [key, node] : *table_) {
      const std::string_view name = key.str();
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      faults_.add(key.source().begin.line, name_ + "." + std::string(name),
                  "unknown key; " + nearest(name, known_));
    }
  }

 private:
  const toml::node* find(const char* key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
    return table_ == nullptr ? nullptr : table_->get(key);
  }
  void fault_at(std::uint32_t line, const char* key, const std::string& what) {
    faults_.add(line, name_ + "." + key, what);
  }

  std::string name_;
  Faults& faults_;
  std::uint32_t line_ = 1;
  const toml::table* table_ = nullptr;
  std::vector<std::string> known_;
};

/// "registry-2" to "registry-9".
bool is_further_registry(std::string_view name) {
  constexpr std::string_view kBegin = "registry-";
  return name.size() == kBegin.size() + 1 && name.starts_with(kBegin) && name.back() >= '2' &&
         name.back() < static_cast<char>('1' + kRegistriesMax);
}

/// `path`, which is relative to the folder of the site file.
std::string absolute(const Site& site, const std::filesystem::path& path) {
  return (std::filesystem::path(site.file).parent_path() / path).lexically_normal().string();
}

void read_site(Section section, Site& site) {
  section.text("name", site.name);
  if (site.name.empty() || site.name.size() > 64 || !has_only(site.name, "_-")) {
    section.fault("name", in_quotes(site.name) + " is not 1 to 64 of a-z, 0-9, '_' and '-'");
  }
  std::string data = "data";
  section.text("data", data);
  if (data.empty()) section.fault("data", "expected a directory");
  site.data_directory = absolute(site, data);
  std::string run;
  section.text("run", run);
  site.run_directory = absolute(site, run.empty() ? site.data_directory + "/run" : run);
  section.word("log_level", site.log_level, {"debug", "info", "warning", "error"});
  site.nodes = kNodes;
  section.texts("nodes", site.nodes, [](const std::string& name) {
    const bool known = std::find(kNodes.begin(), kNodes.end(), name) != kNodes.end();
    return known || is_further_registry(name)
               ? std::string()
               : "unknown node " + in_quotes(name) + "; " + nearest(name, kNodes);
  });
  section.finish();
}

void read_registries(Section& section, BusConfig& bus) {
  const auto fault_of = [](const std::string& endpoint) {
    const auto what = tcp_endpoint_fault(endpoint);
    return what.empty() ? what : in_quotes(endpoint) + ": " + what;
  };
  std::string one;
  section.text("registry", one, 255);
  section.texts("registries", bus.registries, fault_of);
  if (section.has("registry") && section.has("registries")) {
    return section.fault("registry", "is the short form of `registries`; one of them is enough");
  }
  if (section.has("registry")) {
    const auto what = fault_of(one);
    if (!what.empty()) return section.fault("registry", what);
    bus.registries = {one};
  }
  if (bus.registries.size() > kRegistriesMax) {
    section.fault("registries", "more than " + std::to_string(kRegistriesMax));
  }
  if (bus.transport == "tcp" && bus.registries.empty()) {
    section.fault("registry",
                  "needed with transport 'tcp': where the registry listens, such as "
                  "\"tcp://127.0.0.1:5610\"");
  }
}

void read_bus(Section section, Site& site) {
  auto& bus = site.bus;
  section.word("transport", bus.transport, {"ipc", "tcp"});
  section.text("address", bus.address, 255);
  if (!is_ipv4(bus.address) || bus.address == "0.0.0.0") {
    // Not a wildcard: others are told to connect to it.
    section.fault("address", in_quotes(bus.address) +
                                 " is not an IPv4 address of this host that others can reach");
  }
  read_registries(section, bus);
  section.text("keys", bus.keys);
  if (section.has("keys")) {
    if (bus.keys.empty()) section.fault("keys", "expected a directory");
    bus.keys = absolute(site, bus.keys);
  }
  section.flag("insecure", bus.insecure);
  section.number("spool_bytes_max", bus.spool_bytes_max, 1 << 16, std::int64_t{1} << 36);
  if (bus.exposed() && !bus.insecure) {
    const bool address = !is_loopback(bus.address);
    section.fault(address                   ? "address"
                  : section.has("registry") ? "registry"
                                            : "registries",
                  "beyond loopback the bus needs keys: name their directory in bus.keys (`tidemark "
                  "keygen` makes them), or let everybody in with bus.insecure = true");
  }
  section.finish();
}

void read_epics(Section section, EpicsConfig& epics) {
  section.text("addr_list", epics.addr_list);
  section.flag("auto_addr_list", epics.auto_addr_list);
  section.number("server_port", epics.server_port, 0, 65'535);
  // 16 384 is libca's own least; a frame of the bus bounds what can be passed on.
  section.number("array_bytes_max", epics.array_bytes_max, 16'384, 1 << 30);
  section.number("puts_per_ioc", epics.puts_per_ioc, 1, 10'000);
  section.finish();
}

void read_retention(Section section, RetentionConfig& retention) {
  const auto read = [&](const char* key, KeepConfig& keep, Duration* decimate = nullptr) {
    auto of = section.inner(key);
    of.duration("age", keep.age, 1s, 24h * 30'000, "1s to 30000d");
    of.number("bytes", keep.bytes, 1 << 20, std::int64_t{1} << 50);
    // Shorter bins have as many rows as there were updates, of more bytes each.
    if (decimate != nullptr) of.duration("decimate", *decimate, 1min, 24h * 366, "1m to 366d");
    of.finish();
  };
  read("pv_updates", retention.pv_updates, &retention.decimate);
  read("log_messages", retention.log_messages);
  read("kv_events", retention.kv_events);
  section.share("free_min", retention.free_min);
  section.duration("watermark_kept", retention.watermark_kept, 0s, 24h * 30'000, "0s to 30000d");
  section.finish();
}

void read_rest(const toml::table& root, Site& site, Faults& faults) {
  Section monitor(root, "monitor", faults);
  monitor.number("queue_updates_max", site.monitor.queue_updates_max, 1024, 1 << 26);
  monitor.number("holdback_bytes_max", site.monitor.holdback_bytes_max, 1 << 20,
                 std::int64_t{1} << 36);
  monitor.finish();

  Section guard(root, "guard", faults);
  guard.number("pv_updates_per_s_max", site.guard.pv_updates_per_s_max, 1, 1'000'000);
  guard.number("pv_bytes_per_s_max", site.guard.pv_bytes_per_s_max, 1024, std::int64_t{1} << 36);
  guard.finish();

  Section journal(root, "journal", faults);
  journal.word("sync", site.journal.sync, {"batch", "interval"});
  journal.word("log_level", site.journal.log_level, {"debug", "info", "warning", "error", "off"});
  read_retention(journal.inner("retention"), site.journal.retention);
  journal.finish();

  Section gateway(root, "gateway", faults);
  gateway.text("listen", site.gateway.listen, 255);
  const auto what = host_port_fault(site.gateway.listen, 0);
  if (!what.empty()) gateway.fault("listen", in_quotes(site.gateway.listen) + ": " + what);
  gateway.flag("squirrel_envelope", site.gateway.squirrel_envelope);
  gateway.finish();

  Section supervisor(root, "supervisor", faults);
  auto& s = site.supervisor;
  supervisor.duration("backoff_min", s.backoff_min, 1ms, 1h, "1ms to 1h");
  supervisor.duration("backoff_max", s.backoff_max, 1ms, 24h, "1ms to 24h");
  if (s.backoff_max < s.backoff_min) {
    supervisor.fault("backoff_max", "is shorter than backoff_min");
  }
  supervisor.number("restarts_max", s.restarts_max, 1, 1'000'000);
  supervisor.duration("restart_window", s.restart_window, 1s, 24h, "1s to 24h");
  supervisor.duration("stop_grace", s.stop_grace, 0s, 10min, "0s to 10m");
  supervisor.finish();
}

void check_tables(const toml::table& root, Faults& faults) {
  const std::vector<std::string> known = {"site",  "bus",     "epics",   "monitor",
                                          "guard", "journal", "gateway", "supervisor"};
  for (const auto& [key, node] : root) {
    const std::string_view name = key.str();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto kind = node.is_table() ? "unknown table; " : "unknown key outside of a table; ";
    faults.add(key.source().begin.line, std::string(name), kind + nearest(name, known));
  }
}

/// Sockets are files in the run directory, and the kernel keeps their whole path in 108 bytes.
void check_socket_paths(const toml::table& root, const Site& site, Faults& faults) {
  if (site.bus.transport != "ipc") return;
  const auto bytes = site.run_directory.size() + 1 + kLongestSocket.size();
  if (bytes <= kSocketPathBytesMax) return;
  Section section(root, "site", faults);
  section.fault("run", "socket paths in '" + site.run_directory + "' would have " +
                           std::to_string(bytes) + " bytes, the system takes " +
                           std::to_string(kSocketPathBytesMax) +
                           "; set site.run to a shorter path");
}

/// With tcp a registry that runs here must have an address.
void check_registry_nodes(const toml::table& root, const Site& site, Faults& faults) {
  if (site.bus.transport != "tcp") return;
  for (const auto& name : site.nodes) {
    if (!is_further_registry(name)) continue;
    const auto number = static_cast<std::size_t>(name.back() - '0');
    if (number <= site.bus.registries.size()) continue;
    Section section(root, "site", faults);
    section.fault("nodes", in_quotes(name) + " needs an address: entry " + std::to_string(number) +
                               " of bus.registries");
  }
}

Result<Site> read(std::string_view text, const std::string& file) {
  Site site;
  site.file = std::filesystem::absolute(file).lexically_normal().string();
  Faults faults(file);
  const auto root = toml::parse(text, std::string_view(file));
  check_tables(root, faults);
  read_site(Section(root, "site", faults), site);
  read_bus(Section(root, "bus", faults), site);
  check_registry_nodes(root, site, faults);
  read_epics(Section(root, "epics", faults), site.epics);
  read_rest(root, site, faults);
  check_socket_paths(root, site, faults);
  if (faults.first()) return *faults.first();
  return site;
}

}  // namespace

bool BusConfig::exposed() const {
  if (transport != "tcp" || uses_keys()) return false;
  return !is_loopback(address) ||
         !std::all_of(registries.begin(), registries.end(),
                      [](const auto& each) { return is_loopback(host_of(each)); });
}

Result<Site> parse(std::string_view text, const std::string& file) {
  try {
    return read(text, file);
  } catch (const toml::parse_error& failure) {
    return Error{Code::kInvalidArgument, file + ":" + std::to_string(failure.source().begin.line) +
                                             ": " + std::string(failure.description())};
  } catch (const std::exception& failure) {
    return Error{Code::kInvalidArgument, file + ":1: " + failure.what()};
  }
}

Result<Site> load(const std::string& file) {
  std::error_code failure;
  if (!std::filesystem::exists(file, failure)) {
    return Error{Code::kNotFound, "no site file '" + file + "'"};
  }
  std::ifstream stream(file, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (!stream.eof() && stream.fail()) || stream.gcount() == 0) {
    if (!std::filesystem::is_empty(file, failure) || failure) {
      return Error{Code::kUnavailable, "cannot read the site file '" + file + "'"};
    }
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kFileBytesMax) {
    return Error{Code::kInvalidArgument, file + ":1: larger than 1 MiB: not a site file"};
  }
  return parse(text, file);
}

}  // namespace tidemark::config
