// test/tools/lab.h
//
// A laboratory in memory: a registry, real subsystems of the public library, and the command line
// run against them.

#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "subsystem/session.h"
#include "test/subsystem/registry_on_memory.h"
#include "test/tools/watched_output.h"
#include "tidemark/subsystem.h"
#include "tools/cli.h"

namespace tidemark::tools {

class Lab {
 public:
  struct Ran {
    int exit = 0;
    std::string out;
    std::string err;
    std::vector<std::string> lines() const {
      std::vector<std::string> lines;
      std::istringstream in(out);
      for (std::string line; std::getline(in, line);) lines.push_back(line);
      return lines;
    }
    /// Of --json: one document a line.
    std::vector<Json> documents() const {
      std::vector<Json> documents;
      for (const auto& line : lines()) documents.push_back(Json::parse(line));
      return documents;
    }
  };

  /// A subsystem that `offer` gives its keys and events; on the bus when this returns.
  Subsystem& start(const std::string& name, const std::function<void(Subsystem&)>& offer = {},
                   SubsystemOptions options = {}, bus::Incarnation incarnation = 1) {
    auto member = std::make_unique<Subsystem>(name, options);
    if (offer) offer(*member);
    auto self = test::member_called(name, incarnation);
    self.labels = options.labels;
    self.surface.bytes = member->session()->surface();
    const auto& session = member->session();
    const auto started = session->start(site_.link(self), site_.registries(), site_.journal());
    TIDEMARK_CHECK(started.ok());
    TIDEMARK_CHECK(session->joined(kPatience).ok());
    return *(members_[name] = std::move(member));
  }
  /// Says goodbye.
  void stop(const std::string& name) {
    members_.at(name)->stop();
    members_.erase(name);
  }
  /// Says nothing; whoever watches its process does.
  void kill(const std::string& name) {
    members_.erase(name);
    site_.say_ended(name);
  }

  /// `on_output` is called whenever the command has shown something, before it goes on.
  Ran run(std::vector<std::string> arguments, std::function<void()> on_output = {}) {
    WatchedOutput shown(std::move(on_output));
    std::ostream out(&shown);
    std::ostringstream err;
    std::istringstream in;
    Context context(out, err, in);
    context.no_color = true;
    context.user = "ada@console";
    context.connect = [this](Context& asking) { return connect(asking.budget(kPatience)); };
    const int exit = run_cli(context, std::move(arguments));
    return {exit, shown.str(), err.str()};
  }
  /// The same; `meanwhile` is called again and again until it has ended.
  Ran run_while(std::vector<std::string> arguments, const std::function<void()>& meanwhile,
                const std::function<void()>& on_output = {}) {
    auto ran = std::async(std::launch::async, [&] { return run(std::move(arguments), on_output); });
    while (ran.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) meanwhile();
    return ran.get();
  }

  test::MemorySite& site() { return site_; }

 private:
  static constexpr auto kPatience = std::chrono::seconds(5);

  Result<std::unique_ptr<Client>> connect(Duration budget) {
    bus::NodeInfo self;
    self.name = "cli-1";
    self.kind = "cli";
    self.uuid = Uuid::random();
    self.incarnation = 1;
    return Client::join(site_.bus().open(self), site_.registries(),
                        "no registry: is `tidemark up` running?", budget);
  }

  test::MemorySite site_;
  std::map<std::string, std::unique_ptr<Subsystem>> members_;  // gone before the site
};

}  // namespace tidemark::tools
