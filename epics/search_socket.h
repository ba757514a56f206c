// epics/search_socket.h
//
// Asks for PV names over UDP as libca does, at the addresses that libca would ask: the bytes and
// the socket to NameSearch's decisions. Names that only an EPICS_CA_NAME_SERVERS (TCP) knows get
// no answer here; libca finds these.
//
// Source  EPICS Channel Access protocol specification, CA_PROTO_VERSION and CA_PROTO_SEARCH.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "epics/name_search.h"

namespace tidemark::epics {

struct SearchAnswer {
  SearchId id{};
  std::string server;  // ip:port
};

/// One datagram that asks for names; full when add() says no.
class SearchDatagram {
 public:
  SearchDatagram();
  bool add(SearchId id, std::string_view name);
  bool empty() const { return names_ == 0; }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::size_t names_ = 0;
};

/// What a datagram from `sender_ip` (network order) answers; nothing when it is something else.
/// Takes any bytes.
std::vector<SearchAnswer> decode_search_answers(BytesView datagram, std::uint32_t sender_ip);

class SearchSocket {
 public:
  /// Null when there is no socket or no address to ask: then libca searches alone.
  static std::unique_ptr<SearchSocket> open();
  ~SearchSocket();

  /// For poll().
  int descriptor() const { return socket_; }

  /// Never waits: what the system does not take is lost, as any datagram may be.
  void send(const Bytes& datagram);

  /// All that has arrived.
  std::vector<SearchAnswer> receive();

 private:
  struct Address {
    std::uint32_t ip;  // both in network order
    std::uint16_t port;
  };
  SearchSocket(int socket, std::vector<Address> addresses)
      : socket_(socket), addresses_(std::move(addresses)) {}

  const int socket_;
  const std::vector<Address> addresses_;
};

}  // namespace tidemark::epics
