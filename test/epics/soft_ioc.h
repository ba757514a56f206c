// test/epics/soft_ioc.h
//
// A soft IOC as a child process, on a free port of the loopback interface. It ends with this
// object, and with the test when that is killed (its standard input closes).

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "epics/ca_client.h"

namespace tidemark::test {

class SoftIoc {
 public:
  /// Serves `database` (the text of a .db file) with the access rules `access` (of an .acf file).
  explicit SoftIoc(const std::string& database, const std::string& access = "");
  ~SoftIoc();
  SoftIoc(const SoftIoc&) = delete;
  SoftIoc& operator=(const SoftIoc&) = delete;

  void start();
  /// At once (SIGKILL), without a word to its clients.
  void kill();
  /// It keeps its connections, and answers nothing (SIGSTOP), until resume().
  void freeze();
  void resume();

  /// For a client that asks only this IOC.
  epics::CaOptions options() const;

 private:
  const std::filesystem::path folder_;
  const std::uint16_t port_;
  pid_t pid_ = -1;
  int stdin_ = -1;
};

}  // namespace tidemark::test
