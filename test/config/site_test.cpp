#include "config/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Result<Site> parsed(std::string_view text) { return parse(text, "/site/one.toml"); }

std::string fault(std::string_view text) {
  const auto site = parsed(text);
  if (site) return "no fault";
  EXPECT_EQ(site.error().code, Code::kInvalidArgument);
  return site.error().message;
}

TEST(SiteFile, MayBeEmptyThenAllIsDefault) {
  const auto site = parsed("");
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site.value().file, "/site/one.toml");
  EXPECT_EQ(site.value().name, "tidemark");
  EXPECT_EQ(site.value().data_directory, "/site/data");
  EXPECT_EQ(site.value().run_directory, "/site/data/run");
  EXPECT_THAT(site.value().nodes,
              ElementsAre("registry", "journal", "keeper", "monitor", "gateway"));
  EXPECT_EQ(site.value().bus.transport, "ipc");
  EXPECT_EQ(site.value().supervisor.backoff_max, 30s);
}

TEST(SiteFile, ExampleShowsEveryKeyWithItsDefault) {
  const auto example = load(EXAMPLE_SITE);
  ASSERT_TRUE(example) << example.error().message;
  const auto& site = example.value();
  const Site defaults;
  EXPECT_EQ(site.name, defaults.name);
  EXPECT_EQ(site.log_level, defaults.log_level);
  EXPECT_EQ(site.bus.transport, defaults.bus.transport);
  EXPECT_EQ(site.bus.address, defaults.bus.address);
  EXPECT_EQ(site.bus.insecure, defaults.bus.insecure);
  EXPECT_EQ(site.epics.auto_addr_list, defaults.epics.auto_addr_list);
  EXPECT_EQ(site.epics.server_port, defaults.epics.server_port);
  EXPECT_EQ(site.epics.array_bytes_max, defaults.epics.array_bytes_max);
  EXPECT_EQ(site.epics.puts_per_ioc, defaults.epics.puts_per_ioc);
  EXPECT_EQ(site.monitor.queue_updates_max, defaults.monitor.queue_updates_max);
  EXPECT_EQ(site.monitor.holdback_bytes_max, defaults.monitor.holdback_bytes_max);
  EXPECT_EQ(site.journal.sync, defaults.journal.sync);
  EXPECT_EQ(site.journal.log_level, defaults.journal.log_level);
  EXPECT_EQ(site.journal.retention.free_min, defaults.journal.retention.free_min);
  EXPECT_EQ(site.journal.retention.watermark_kept, defaults.journal.retention.watermark_kept);
  EXPECT_EQ(site.journal.retention.pv_updates.age, Duration{0});
  EXPECT_EQ(site.journal.retention.decimate, Duration{0});
  EXPECT_EQ(site.bus.spool_bytes_max, defaults.bus.spool_bytes_max);
  EXPECT_EQ(site.gateway.listen, defaults.gateway.listen);
  EXPECT_EQ(site.gateway.squirrel_envelope, defaults.gateway.squirrel_envelope);
  EXPECT_EQ(site.supervisor.backoff_min, defaults.supervisor.backoff_min);
  EXPECT_EQ(site.supervisor.backoff_max, defaults.supervisor.backoff_max);
  EXPECT_EQ(site.supervisor.restarts_max, defaults.supervisor.restarts_max);
  EXPECT_EQ(site.supervisor.restart_window, defaults.supervisor.restart_window);
  EXPECT_EQ(site.supervisor.stop_grace, defaults.supervisor.stop_grace);
}

TEST(SiteFile, GivesWhatIsWrittenInIt) {
  const auto read = parsed(R"(
[site]
name = "ring-2"
data = "/var/lib/ring"
run = "run"
log_level = "debug"
nodes = ["keeper", "monitor"]
[bus]
transport = "tcp"
address = "10.9.0.1"
registries = ["tcp://10.9.0.1:5610", "tcp://10.9.0.2:5610"]
keys = "keys"
insecure = true
[epics]
addr_list = "10.0.0.255 10.0.1.7:5070"
auto_addr_list = false
server_port = 5070
array_bytes_max = 65536
puts_per_ioc = 16
[monitor]
queue_updates_max = 2048
holdback_bytes_max = 1048576
[journal]
sync = "interval"
log_level = "off"
[journal.retention]
free_min = 0.15
watermark_kept = "2d"
pv_updates = { age = "90d", bytes = 500_000_000_000, decimate = "1h" }
[journal.retention.kv_events]
age = "36h"
[gateway]
listen = "[::1]:0"
squirrel_envelope = true
[supervisor]
backoff_min = "1s"
backoff_max = "2m"
restarts_max = 3
restart_window = "1h"
stop_grace = "500ms"
)");
  ASSERT_TRUE(read) << read.error().message;
  const auto& site = read.value();
  EXPECT_EQ(site.name, "ring-2");
  EXPECT_EQ(site.data_directory, "/var/lib/ring");
  EXPECT_EQ(site.run_directory, "/site/run");
  EXPECT_EQ(site.log_level, "debug");
  EXPECT_THAT(site.nodes, ElementsAre("keeper", "monitor"));
  EXPECT_EQ(site.bus.address, "10.9.0.1");
  EXPECT_THAT(site.bus.registries, ElementsAre("tcp://10.9.0.1:5610", "tcp://10.9.0.2:5610"));
  EXPECT_EQ(site.bus.keys, "/site/keys");
  EXPECT_TRUE(site.bus.insecure);
  EXPECT_EQ(site.epics.addr_list, "10.0.0.255 10.0.1.7:5070");
  EXPECT_FALSE(site.epics.auto_addr_list);
  EXPECT_EQ(site.epics.server_port, 5070);
  EXPECT_EQ(site.epics.array_bytes_max, 65'536u);
  EXPECT_EQ(site.epics.puts_per_ioc, 16u);
  EXPECT_EQ(site.monitor.queue_updates_max, 2048u);
  EXPECT_EQ(site.monitor.holdback_bytes_max, 1u << 20);
  EXPECT_EQ(site.journal.sync, "interval");
  EXPECT_EQ(site.journal.log_level, "off");
  const auto& retention = site.journal.retention;
  EXPECT_EQ(retention.free_min, 0.15);
  EXPECT_EQ(retention.watermark_kept, 48h);
  EXPECT_EQ(retention.pv_updates.age, 90 * 24h);
  EXPECT_EQ(retention.decimate, 1h);
  EXPECT_EQ(retention.pv_updates.bytes, 500'000'000'000u);
  EXPECT_EQ(retention.kv_events.age, 36h);
  EXPECT_EQ(retention.kv_events.bytes, 0u);
  EXPECT_EQ(retention.log_messages.age, Duration{0});
  EXPECT_EQ(site.gateway.listen, "[::1]:0");
  EXPECT_TRUE(site.gateway.squirrel_envelope);
  EXPECT_EQ(site.supervisor.backoff_min, 1s);
  EXPECT_EQ(site.supervisor.backoff_max, 2min);
  EXPECT_EQ(site.supervisor.restarts_max, 3u);
  EXPECT_EQ(site.supervisor.restart_window, 1h);
  EXPECT_EQ(site.supervisor.stop_grace, 500ms);
}

TEST(SiteFile, NamesTheNearestKeyForAnUnknownOne) {
  EXPECT_EQ(fault("[gateway]\nlisten = \"127.0.0.1:1\"\nlissten = \"x\"\n"),
            "/site/one.toml:3: gateway.lissten: unknown key; did you mean 'listen'?");
  EXPECT_EQ(fault("\n[gatway]\n"),
            "/site/one.toml:2: gatway: unknown table; did you mean 'gateway'?");
  EXPECT_THAT(fault("[journal]\nfsync_mode_of_disk = 1\n"), HasSubstr("known are sync"));
  EXPECT_THAT(fault("name = \"x\"\n"), HasSubstr("unknown key outside of a table"));
}

TEST(SiteFile, SaysInWhichLineTheSyntaxBreaks) {
  EXPECT_THAT(fault("[site]\nname = \n"), StartsWith("/site/one.toml:2: "));
}

TEST(SiteFile, SaysInWhichLineAValueIsOfTheWrongType) {
  EXPECT_EQ(fault("[site]\nname = 7\n"),
            "/site/one.toml:2: site.name: expected a string in quotes");
  EXPECT_THAT(fault("[epics]\nserver_port = \"5064\"\n"), HasSubstr("epics.server_port: expected"));
  EXPECT_THAT(fault("[epics]\nauto_addr_list = 1\n"), HasSubstr("expected true or false"));
  EXPECT_THAT(fault("[supervisor]\nstop_grace = 5\n"), HasSubstr("a duration in quotes"));
  EXPECT_THAT(fault("[supervisor]\nstop_grace = \"nans\"\n"), HasSubstr("a duration in quotes"));
  EXPECT_THAT(fault("site = 1\n"), HasSubstr("expected a table: [site]"));
}

TEST(SiteFile, RefusesValuesOutOfRange) {
  EXPECT_THAT(fault("[epics]\nserver_port = 65536\n"), HasSubstr("65536 is not from 0 to 65535"));
  EXPECT_THAT(fault("[epics]\nputs_per_ioc = 0\n"), HasSubstr("0 is not from 1"));
  EXPECT_THAT(fault("[site]\nname = \"Ring 2\"\n"), HasSubstr("'Ring 2' is not 1 to 64 of"));
  EXPECT_THAT(fault("[site]\nlog_level = \"loud\"\n"), HasSubstr("'loud' is not one of debug"));
  EXPECT_THAT(fault("[journal]\nsync = \"never\"\n"), HasSubstr("not one of batch, interval"));
  EXPECT_THAT(fault("[journal.retention]\nfree_min = 1.0\n"), HasSubstr("from 0 to below 1"));
  EXPECT_THAT(fault("[journal.retention]\nfree_min = true\n"), HasSubstr("expected a number"));
  EXPECT_EQ(fault("[journal.retention.pv_updates]\nage = \"0s\"\n"),
            "/site/one.toml:2: journal.retention.pv_updates.age: '0s' is not from 1s to 30000d");
  EXPECT_THAT(fault("[journal.retention.log_messages]\nbytes = 5\n"),
              HasSubstr("journal.retention.log_messages.bytes: 5 is not from"));
  EXPECT_THAT(fault("[journal.retention]\npv_updates = 90\n"),
              HasSubstr("expected a table: [journal.retention.pv_updates]"));
  EXPECT_THAT(fault("[journal.retention.pv_update]\nage = \"1d\"\n"),
              HasSubstr("did you mean 'pv_updates'?"));
  EXPECT_THAT(fault("[journal.retention.kv_events]\nages = \"1d\"\n"),
              HasSubstr("journal.retention.kv_events.ages: unknown key; did you mean 'age'?"));
  EXPECT_THAT(fault("[gateway]\nlisten = \"8080\"\n"), HasSubstr("expected host:port"));
  EXPECT_THAT(fault("[gateway]\nlisten = \"localhost:http\"\n"), HasSubstr("expected a port"));
  EXPECT_THAT(fault("[gateway]\nlisten = \"::1:80\"\n"), HasSubstr("[brackets]"));
  EXPECT_THAT(fault("[supervisor]\nbackoff_min = \"10s\"\nbackoff_max = \"1s\"\n"),
              HasSubstr(":3: supervisor.backoff_max: is shorter than backoff_min"));
}

TEST(SiteFile, NeedsToKnowWhereTheRegistryIsForTcp) {
  EXPECT_THAT(fault("[bus]\ntransport = \"tcp\"\n"), HasSubstr("bus.registry: needed with"));
  EXPECT_THAT(fault("[bus]\nregistry = \"127.0.0.1:5610\"\n"), HasSubstr("expected tcp://"));
  EXPECT_THAT(fault("[bus]\nregistry = \"tcp://127.0.0.1:0\"\n"), HasSubstr("expected a port"));
}

TEST(SiteFile, NamesOneRegistryOrAListOfThem) {
  const std::string tcp = "[bus]\ntransport = \"tcp\"\n";
  const auto one = parsed(tcp + "registry = \"tcp://127.0.0.1:5610\"\n");
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_THAT(one.value().bus.registries, ElementsAre("tcp://127.0.0.1:5610"));
  EXPECT_EQ(fault(tcp + "registries = [\"tcp://127.0.0.1:1\",\n\"127.0.0.1:2\"]\n"),
            "/site/one.toml:4: bus.registries: '127.0.0.1:2': expected tcp://host:port");
  EXPECT_THAT(fault(tcp + "registries = [\"tcp://127.0.0.1:1\", \"tcp://127.0.0.1:1\"]\n"),
              HasSubstr(":3: bus.registries: 'tcp://127.0.0.1:1' twice"));
  EXPECT_THAT(fault(tcp + "registries = []\n"), HasSubstr("bus.registries: at least one"));
  EXPECT_THAT(fault(tcp + "registries = \"tcp://127.0.0.1:1\"\n"),
              HasSubstr("bus.registries: expected a list of strings"));
  EXPECT_THAT(
      fault(tcp + "registry = \"tcp://127.0.0.1:1\"\n" + "registries = [\"tcp://127.0.0.1:2\"]\n"),
      HasSubstr(":3: bus.registry: is the short form of `registries`"));
}

TEST(SiteFile, RunsFurtherRegistriesThatHaveAnAddress) {
  EXPECT_TRUE(parsed("[site]\nnodes = [\"registry\", \"registry-2\"]\n"));
  EXPECT_THAT(fault("[site]\nnodes = [\"registry-1\"]\n"), HasSubstr("unknown node"));
  EXPECT_THAT(fault("[site]\nnodes = [\"registry-10\"]\n"), HasSubstr("unknown node"));
  EXPECT_EQ(fault("[site]\nnodes = [\"registry-2\"]\n[bus]\ntransport = \"tcp\"\n"
                  "registry = \"tcp://127.0.0.1:5610\"\n"),
            "/site/one.toml:2: site.nodes: 'registry-2' needs an address: entry 2 of "
            "bus.registries");
}

TEST(SiteFile, NeedsKeysBeyondLoopback) {
  const std::string tcp = "[bus]\ntransport = \"tcp\"\n";
  const std::string here = "registry = \"tcp://127.0.0.1:5610\"\n";
  const std::string there = "registry = \"tcp://10.9.0.1:5610\"\n";
  const std::string address = "address = \"10.9.0.2\"\n";
  EXPECT_EQ(fault(tcp + here + address),
            "/site/one.toml:4: bus.address: beyond loopback the bus needs keys: name their "
            "directory in bus.keys (`tidemark keygen` makes them), or let everybody in with "
            "bus.insecure = true");
  EXPECT_THAT(fault(tcp + there), HasSubstr(":3: bus.registry: beyond loopback"));
  EXPECT_THAT(fault(tcp + "registries = [\"tcp://127.0.0.1:1\", \"tcp://ring:1\"]\n"),
              HasSubstr(":3: bus.registries: beyond loopback"));
  EXPECT_THAT(fault(tcp + "registry = \"tcp://127.evil:1\"\n"), HasSubstr("beyond loopback"));
  for (const std::string way : {"keys = \"keys\"\n", "insecure = true\n"}) {
    EXPECT_TRUE(parsed(tcp + there + address + way)) << way;
  }
  EXPECT_TRUE(parsed(tcp + there + "insecure = true\n").value().bus.exposed());
  EXPECT_FALSE(parsed(tcp + there + "keys = \"keys\"\n").value().bus.exposed());
  EXPECT_FALSE(parsed(tcp + here).value().bus.exposed());
}

TEST(SiteFile, BindsAtAnAddressThatOthersCanReach) {
  for (const std::string address : {"0.0.0.0", "*", "", "ring", "10.9.0", "10.9.0.1:5610"}) {
    EXPECT_EQ(fault("[bus]\naddress = \"" + address + "\"\n"),
              "/site/one.toml:2: bus.address: '" + address +
                  "' is not an IPv4 address of this host that others can reach");
  }
}

TEST(SiteFile, SaysInWhichLineAKeyOfTheBusIsWrong) {
  EXPECT_EQ(fault("[bus]\nkeys = 1\n"), "/site/one.toml:2: bus.keys: expected a string in quotes");
  EXPECT_EQ(fault("[bus]\nkeys = \"\"\n"), "/site/one.toml:2: bus.keys: expected a directory");
  EXPECT_EQ(fault("[bus]\ninsecure = \"no\"\n"),
            "/site/one.toml:2: bus.insecure: expected true or false");
}

TEST(SiteFile, RunsKnownNodesOnceEach) {
  EXPECT_THAT(fault("[site]\nnodes = [\"keper\"]\n"), HasSubstr("did you mean 'keeper'?"));
  EXPECT_THAT(fault("[site]\nnodes = [\"keeper\",\n \"keeper\"]\n"),
              HasSubstr(":3: site.nodes: 'keeper' twice"));
  EXPECT_THAT(fault("[site]\nnodes = []\n"), HasSubstr("at least one"));
}

TEST(SiteFile, RefusesARunDirectoryTooLongForSockets) {
  const auto longest = "/" + std::string(107 - 1 - std::string("/supervisor.data").size(), 'r');
  EXPECT_TRUE(parsed("[site]\nrun = \"" + longest + "\"\n"));
  EXPECT_THAT(fault("[site]\nrun = \"" + longest + "x\"\n"),
              HasSubstr(":2: site.run: socket paths in"));
  EXPECT_THAT(fault("[site]\nrun = \"" + longest + "x\"\n"),
              HasSubstr("set site.run to a shorter path"));
  EXPECT_TRUE(parsed("[site]\nrun = \"" + longest + "x\"\n[bus]\ntransport = \"tcp\"\n" +
                     "registry = \"tcp://127.0.0.1:5610\"\n"));
}

TEST(SiteFile, ThatIsNotThereIsNotFound) {
  const auto site = load("/nowhere/site.toml");
  ASSERT_FALSE(site);
  EXPECT_EQ(site.error().code, Code::kNotFound);
  EXPECT_THAT(site.error().message, HasSubstr("/nowhere/site.toml"));
}

}  // namespace
}  // namespace tidemark::config
