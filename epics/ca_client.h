// epics/ca_client.h
//
// The Client on Channel Access (libca). No cadef.h in here: it is full of macros.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "epics/client.h"

namespace tidemark::epics {

struct CaOptions {
  ClientLimits limits;
  /// As the environment variables of the same meaning; empty or 0: libca's own default or what
  /// the environment says. They are set for the whole process: libca reads nothing else.
  std::string addr_list;                        // EPICS_CA_ADDR_LIST
  bool auto_addr_list = true;                   // EPICS_CA_AUTO_ADDR_LIST
  std::uint16_t server_port = 0;                // EPICS_CA_SERVER_PORT
  std::uint32_t array_bytes_max = 0;            // EPICS_CA_MAX_ARRAY_BYTES
  std::uint32_t array_elements_max = 4u << 20;  // longer ones are cut, and the cut is logged
};

/// `wake` as in UpdateQueue.
/// Errors: kFailed  libca cannot make its contexts.
Result<std::unique_ptr<Client>> open_ca_client(CaOptions options, std::function<void()> wake);

}  // namespace tidemark::epics
