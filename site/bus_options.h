// site/bus_options.h
//
// What a site file says about its bus, as options of a link: endpoints, keys, registries. For
// every program that joins a site.

#pragma once

#include <string>
#include <vector>

#include "bus/zmq_link.h"
#include "config/site.h"

namespace tidemark::site {

/// The registries of the site, the one that counts first. Incarnation 0: the directory corrects it.
/// Errors: what load_public_key() says.
Result<std::vector<bus::NodeInfo>> registries_of(const config::Site& site);

/// A node that binds sockets and registers. `name` is that of its endpoints and of its key.
/// Errors: what load_curve_keys() says.
Result<bus::ZmqLinkOptions> node_options(const config::Site& site, const std::string& name);

/// The same for a subsystem: sockets of its own for each life, so that a newer one can take the
/// place of an older one that is still there. Sockets of lives that ended are removed.
Result<bus::ZmqLinkOptions> subsystem_options(const config::Site& site, const std::string& name,
                                              bus::Incarnation incarnation);

/// A client that only asks and reads. `key` is the name of its key; unused without keys.
Result<bus::ZmqLinkOptions> client_options(const config::Site& site, const std::string& name,
                                           const std::string& key);

}  // namespace tidemark::site
