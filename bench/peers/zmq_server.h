#pragma once

#include <string>

namespace farm::bench {

/// Echo of whatever comes, frame by frame, for ever. `connects`: to a proxy's backend instead of
/// binding.
int serve_zmq_echo(const std::string& url, bool connects);
int serve_zmq_proxy(const std::string& front, const std::string& back);

}  // namespace farm::bench
