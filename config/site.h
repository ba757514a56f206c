// config/site.h
//
// The site file (TOML): what this installation is called, where it keeps things, how it reaches
// its IOCs, which nodes run. config/example-site.toml shows every key with its default.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace tidemark::config {

struct BusConfig {
  /// "ipc": sockets in run_directory, one host. "tcp": `address` with free ports; then
  /// `registries` is needed.
  std::string transport = "ipc";
  std::string address = "127.0.0.1";  // tcp only: IPv4, where the nodes of this host bind
  /// tcp only: where "registry", "registry-2", … listen: "tcp://127.0.0.1:5610". In the file
  /// `registry` is the short form for one.
  std::vector<std::string> registries;
  std::string keys;       // tcp only: directory of CURVE keys, absolute; empty: without keys
  bool insecure = false;  // tcp beyond loopback without keys
  /// On disk, of each node: records that the journal does not have yet, for the node's next life.
  std::size_t spool_bytes_max = 64u << 20;

  bool uses_keys() const { return transport == "tcp" && !keys.empty(); }
  /// Whether others on the network can read along, and take part.
  bool exposed() const;
};

struct EpicsConfig {
  std::string addr_list;  // as EPICS_CA_ADDR_LIST; empty: what the environment says
  bool auto_addr_list = true;
  std::uint16_t server_port = 0;  // 0: libca's default
  std::uint32_t array_bytes_max = 16u << 20;
  std::uint32_t puts_per_ioc = 256;  // in flight at once
};

struct MonitorConfig {
  std::size_t queue_updates_max = 1u << 20;     // between libca and the monitor
  std::size_t holdback_bytes_max = 256u << 20;  // updates that the journal has not acknowledged
};

/// The storage guard: what of one PV may be archived before it is thinned.
struct GuardConfig {
  double pv_updates_per_s_max = 1000;
  double pv_bytes_per_s_max = 1 << 20;  // 90 GB a day, before it is compressed
};

/// How much of a class of records is kept. 0: whatever there is.
struct KeepConfig {
  Duration age{0};
  std::uint64_t bytes = 0;  // on the disk
};

/// What the journal gives up, in whole segments; the rest is kept for ever.
struct RetentionConfig {
  KeepConfig pv_updates;
  /// PV updates that go leave a row for each PV and bin of that width. 0: they leave nothing.
  Duration decimate{0};
  KeepConfig log_messages;
  KeepConfig kv_events;
  /// Less than this share of the disk free: the oldest PV updates go early. 0: they do not.
  double free_min = 0;
  Duration watermark_kept = std::chrono::hours(24);  // but none that are newer
};

struct JournalConfig {
  std::string sync = "batch";      // or "interval"
  std::string log_level = "info";  // of our nodes' messages that become records; or "off"
  RetentionConfig retention;
};

struct GatewayConfig {
  std::string listen = "127.0.0.1:8080";
  bool squirrel_envelope = false;
};

struct SupervisorConfig {
  Duration backoff_min = std::chrono::milliseconds(100);
  Duration backoff_max = std::chrono::seconds(30);
  std::uint32_t restarts_max = 20;  // more in `restart_window`: the node is left down
  Duration restart_window = std::chrono::seconds(60);
  Duration stop_grace = std::chrono::seconds(5);  // then SIGKILL
};

struct Site {
  std::string file;  // the site file, absolute
  std::string name = "tidemark";
  /// Absolute; relative paths in the file are relative to its folder. Default: `data` beside it.
  std::string data_directory;
  std::string run_directory;       // absolute; sockets and pid files. Default: <data>/run
  std::string log_level = "info";  // debug, info, warning, error
  /// Nodes to run on this host, in start order. Default: registry, journal, keeper, monitor,
  /// gateway. Further registries are registry-2 to registry-9.
  std::vector<std::string> nodes;
  BusConfig bus;
  EpicsConfig epics;
  MonitorConfig monitor;
  GuardConfig guard;
  JournalConfig journal;
  GatewayConfig gateway;
  SupervisorConfig supervisor;
};

/// Reads and checks the file.
/// Makes no directories.
/// Errors: kNotFound         no such file.
///         kUnavailable      it is there and cannot be read.
///         kInvalidArgument  "<file>:<line>: <key>: <what is wrong>", for syntax, for an unknown
///                           key (with the nearest known one), for a value of the wrong type or
///                           out of range.
Result<Site> load(const std::string& file);

/// The same from text, for tests and fuzzers. `file` is only for messages and relative paths.
Result<Site> parse(std::string_view text, const std::string& file);

}  // namespace tidemark::config
