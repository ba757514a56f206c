#include "epics/search_socket.h"

#include <addrList.h>
#include <arpa/inet.h>
#include <envDefs.h>
#include <netinet/in.h>
#include <osiSock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <tuple>

namespace tidemark::epics {
namespace {

constexpr std::uint16_t kVersion = 0;  // commands of the protocol
constexpr std::uint16_t kSearch = 6;
constexpr std::uint16_t kDontReply = 5;  // An IOC that has not the name keeps silent.
constexpr std::uint16_t kMinorVersion = 13;
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kDatagramBytesMax = 1024;  // as libca: fits an Ethernet frame
constexpr int kReceiveBufferBytes = 4 << 20;     // The system caps it at net.core.rmem_max.
constexpr unsigned short kServerPort = 5064;

void append_header(Bytes& out, std::uint16_t command, std::uint16_t payload, std::uint16_t type,
                   std::uint16_t count, std::uint32_t p1, std::uint32_t p2) {
  append_be(out, command);
  append_be(out, payload);
  append_be(out, type);
  append_be(out, count);
  append_be(out, p1);
  append_be(out, p2);
}

std::string server_text(std::uint32_t ip, std::uint16_t port) {
  char text[INET_ADDRSTRLEN] = "";
  in_addr address{};
  address.s_addr = ip;
  ::inet_ntop(AF_INET, &address, text, sizeof text);
  return std::string(text) + ':' + std::to_string(port);
}

}  // namespace

SearchDatagram::SearchDatagram() { append_header(bytes_, kVersion, 0, 0, kMinorVersion, 0, 0); }

bool SearchDatagram::add(SearchId id, std::string_view name) {
  const auto padded = (name.size() + 8) / 8 * 8;  // At least one NUL.
  if (names_ > 0 && bytes_.size() + kHeaderBytes + padded > kDatagramBytesMax) return false;
  const auto number = static_cast<std::uint32_t>(id);
  append_header(bytes_, kSearch, static_cast<std::uint16_t>(padded), kDontReply, kMinorVersion,
                number, number);
  bytes_.append(name);
  bytes_.append(padded - name.size(), '\0');
  ++names_;
  return true;
}

std::vector<SearchAnswer> decode_search_answers(BytesView datagram, std::uint32_t sender_ip) {
  constexpr std::uint32_t kSender = 0xffffffff;
  std::vector<SearchAnswer> answers;
  std::size_t at = 0;
  std::string server;  // Mostly the same for all of a datagram.
  std::uint64_t server_of = 0;
  while (at + kHeaderBytes <= datagram.size()) {
    const auto command = read_be<std::uint16_t>(datagram, at);
    const auto payload = read_be<std::uint16_t>(datagram, at + 2);
    if (command == kSearch) {
      const auto port = read_be<std::uint16_t>(datagram, at + 4);
      const auto named = read_be<std::uint32_t>(datagram, at + 8);
      const auto ip = named == kSender ? sender_ip : htonl(named);
      const auto key = (std::uint64_t{ip} << 16) | port;
      if (server.empty() || key != server_of) server = server_text(ip, port);
      server_of = key;
      answers.push_back({SearchId{read_be<std::uint32_t>(datagram, at + 12)}, server});
    }
    at += kHeaderBytes + payload;
  }
  return answers;
}

std::unique_ptr<SearchSocket> SearchSocket::open() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return nullptr;
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof kReceiveBufferBytes);

  ELLLIST list;
  ellInit(&list);
  const auto port = envGetInetPortConfigParam(&EPICS_CA_SERVER_PORT, kServerPort);
  configureChannelAccessAddressList(&list, socket, port);
  std::vector<Address> addresses;
  for (const auto* node = ellFirst(&list); node != nullptr; node = ellNext(node)) {
    // The list's nodes begin with the ELLNODE.
    const auto& address = reinterpret_cast<const osiSockAddrNode*>(node)->addr.ia;
    addresses.push_back({address.sin_addr.s_addr, address.sin_port});
  }
  ellFree(&list);
  if (addresses.empty()) {
    ::close(socket);
    return nullptr;
  }
  return std::unique_ptr<SearchSocket>(new SearchSocket(socket, std::move(addresses)));
}

SearchSocket::~SearchSocket() { ::close(socket_); }

void SearchSocket::send(const Bytes& datagram) {
  for (const auto& each : addresses_) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = each.ip;
    address.sin_port = each.port;
    std::ignore = ::sendto(socket_, datagram.data(), datagram.size(), 0,
                           reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
}

std::vector<SearchAnswer> SearchSocket::receive() {
  std::vector<SearchAnswer> answers;
  std::array<char, 65'536> buffer;
  for (;;) {
    sockaddr_in sender{};
    socklen_t length = sizeof sender;
    const auto got = ::recvfrom(socket_, buffer.data(), buffer.size(), 0,
                                reinterpret_cast<sockaddr*>(&sender), &length);
    if (got <= 0 && errno != ECONNREFUSED) return answers;
    if (got <= 0) continue;  // A host that we asked has nobody on that port.
    auto some = decode_search_answers({buffer.data(), static_cast<std::size_t>(got)},
                                      sender.sin_addr.s_addr);
    answers.insert(answers.end(), std::make_move_iterator(some.begin()),
                   std::make_move_iterator(some.end()));
  }
}

}  // namespace tidemark::epics
