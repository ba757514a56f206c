// What runs on libca's threads: copies, pushes, posts; decides nothing.

#include <cadef.h>
#include <errlog.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string_view>
#include <utility>

#include "epics/ca_client_impl.h"

namespace tidemark::epics {

using model::PvMeta;
using model::PvUpdate;

namespace {

constexpr std::size_t kHeldValuesMax = 64;  // of a channel, until its meta is there

int on_printf(const char* format, std::va_list args) {
  char text[1024];
  const int length = std::vsnprintf(text, sizeof text, format, args);
  std::string_view line(text);
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (!line.empty()) spdlog::debug("libca: {}", line);
  return length;
}

/// libCom has a log of its own, for what it finds in the environment or in a socket.
void on_errlog(void*, const char* message) {
  std::string_view line(message);
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (!line.empty()) spdlog::debug("libca: {}", line);
}

void on_exception(exception_handler_args args) {
  // A circuit that goes is told by each of its channels.
  const auto level = args.stat == ECA_DISCONN ? spdlog::level::debug : spdlog::level::warn;
  spdlog::log(level, "libca: {}: {} ({})", args.chid ? ca_name(args.chid) : "no channel",
              ca_message(args.stat), args.ctx ? args.ctx : "");
}

}  // namespace

void CaClient::take_errlog() {
  eltc(0);  // not to the console
  errlogAddListener(on_errlog, this);
}

void CaClient::leave_errlog() { errlogRemoveListeners(on_errlog, this); }

void CaClient::install_handlers() {
  ca_replace_printf_handler(on_printf);
  ca_add_exception_event(on_exception, nullptr);
}

std::shared_ptr<PvMeta> CaClient::basic_meta(const Channel& channel, chid ca) {
  auto meta = std::make_shared<PvMeta>();
  meta->native_type = dbr::native_name(channel.native);
  meta->count = channel.native.count;
  meta->readable = ca_read_access(ca) != 0;
  meta->writable = ca_write_access(ca) != 0;
  char host[256] = "";
  ca_get_host_name(ca, host, sizeof host);
  // libca names a new circuit by its number first and by its name later, when it has resolved
  // it. One IOC needs one name, so the number of the server that answered is preferred.
  const std::string_view text(host);
  const auto port = text.substr(std::min(text.rfind(':'), text.size()));
  meta->host = !channel.server.empty() && channel.server.ends_with(port) ? channel.server : host;
  return meta;
}

void CaClient::announce(Channel& channel, std::shared_ptr<const PvMeta> meta) {
  PvUpdate update;
  update.channel = channel.id;
  update.event = PvUpdate::Event::kConnected;
  update.taken_at = utc_now();
  update.meta = meta;
  channel.announced = meta;
  queue_.push(channel.tap, std::move(update));
  for (auto& value : std::exchange(channel.held, {})) queue_.push(channel.tap, std::move(value));
  post_event(channel, Event::Kind::kMeta, std::move(meta));
}

void CaClient::on_connection(connection_handler_args args) {
  auto& channel = *static_cast<Channel*>(ca_puser(args.chid));
  auto& client = channel.owner;
  if (args.op == CA_OP_CONN_UP) {
    channel.native.field = ca_field_type(args.chid);
    channel.native.count = static_cast<std::uint32_t>(ca_element_count(args.chid));
    channel.native.long_string = channel.long_string && channel.native.field == DBF_CHAR;
    client.post_event(channel, Event::Kind::kUp);
    // Without read access there is no more to be learnt.
    if (ca_read_access(args.chid) == 0) client.announce(channel, basic_meta(channel, args.chid));
    return;
  }
  channel.held.clear();
  if (std::exchange(channel.announced, nullptr)) {
    PvUpdate update;
    update.channel = channel.id;
    update.event = PvUpdate::Event::kDisconnected;
    update.taken_at = utc_now();
    client.queue_.push(channel.tap, std::move(update));
  }
  client.post_event(channel, Event::Kind::kDown);
}

void CaClient::on_rights(access_rights_handler_args args) {
  auto& channel = *static_cast<Channel*>(ca_puser(args.chid));
  if (!channel.announced) return;
  const bool readable = args.ar.read_access != 0;
  const bool writable = args.ar.write_access != 0;
  if (channel.announced->readable == readable && channel.announced->writable == writable) return;
  const bool learns = readable && !channel.announced->readable;
  auto meta = std::make_shared<PvMeta>(*channel.announced);
  meta->readable = readable;
  meta->writable = writable;
  channel.owner.announce(channel, std::move(meta));
  if (learns) channel.owner.post_event(channel, Event::Kind::kUp);  // Units and limits, now.
}

void CaClient::on_ctrl(event_handler_args args) {
  auto& channel = *static_cast<Channel*>(args.usr);
  if (args.status == ECA_DISCONN) return;
  auto meta = basic_meta(channel, args.chid);
  if (args.status == ECA_NORMAL) dbr::read_ctrl(channel.native.field, args.dbr, *meta);
  channel.owner.announce(channel, std::move(meta));
}

void CaClient::on_value(event_handler_args args) {
  auto& channel = *static_cast<Channel*>(args.usr);
  if (args.status != ECA_NORMAL || args.dbr == nullptr) return;
  auto& client = channel.owner;
  auto update = dbr::read_time(channel.native, args.dbr, static_cast<std::uint32_t>(args.count),
                               client.options_.array_elements_max);
  update.channel = channel.id;
  if (channel.announced) {
    client.queue_.push(channel.tap, std::move(update));
    return;
  }
  if (channel.held.size() == kHeldValuesMax) {
    update.hidden_before = channel.held.back().hidden_before + 1;
    channel.held.pop_back();
  }
  channel.held.push_back(std::move(update));
}

void CaClient::on_read(event_handler_args args) {
  auto& channel = *static_cast<Channel*>(ca_puser(args.chid));
  auto& client = channel.owner;
  ReadDone done{as_token(args.usr), args.status, {}, channel.shared_from_this()};
  if (args.status == ECA_NORMAL) {
    done.update = dbr::read_time(channel.native, args.dbr, static_cast<std::uint32_t>(args.count),
                                 client.options_.array_elements_max);
  }
  done.update.channel = channel.id;
  bool wake = false;
  {
    const std::lock_guard lock(client.inbox_mutex_);
    client.reads_done_.push_back(std::move(done));
    wake = !std::exchange(client.woken_, true);
  }
  if (wake) client.wake_worker();
}

void CaClient::on_put(event_handler_args args) {
  auto& client = static_cast<Channel*>(ca_puser(args.chid))->owner;
  bool wake = false;
  {
    const std::lock_guard lock(client.inbox_mutex_);
    client.puts_done_.push_back({PutId{as_token(args.usr)}, args.status});
    wake = !std::exchange(client.woken_, true);
  }
  if (wake) client.wake_worker();
}

}  // namespace tidemark::epics
