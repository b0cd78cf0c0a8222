#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/net/poller.h"
#include "common/net/router.h"
#include "schemas/machine.h"

namespace farm {

/// The listening side of links: a control socket, a bulk socket, and which connections of the two
/// belong together. A broker has one, and so has a worker that offers a direct path.
///
/// It decides nothing: it carries out BindBulk and CloseLink. Owned by one loop, on its thread;
/// `poller` outlives it.
class Listener {
  public:
    struct Arrival {
        LinkId link;                 ///< of the session once bulk is bound, else of the socket
        bool first{false};           ///< the first message of this connection
        const Identity* identity;    ///< valid until close()
        std::vector<Buffer> frames;  ///< one message
    };

    Listener(std::unique_ptr<Router> control, std::unique_ptr<Router> bulk, Poller& poller);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    std::optional<Arrival> receive(Lane lane);
    /// `gone` for a link that is not there (any more).
    SendResult send(LinkId link, Lane lane, std::span<const Buffer> frames);
    /// By which socket this message to this link leaves: CHUNK and ATTACH by bulk, and whatever is
    /// for a stranger who knocked there.
    Lane lane_of(LinkId link, const Message& message);
    void bind(const BindBulk& effect);
    void close(LinkId link);

    /// What to tell the machine about a message that cannot be read; `header` is its first frame.
    Malformed malformed(LinkId link, const Buffer& header, const Error& error) const;

  private:
    Poller& poller_;
    std::unique_ptr<Router> control_;
    std::unique_ptr<Router> bulk_;
    std::unordered_map<LinkId, LinkId> bulk_of_;     ///< by control link
    std::unordered_map<LinkId, LinkId> control_of_;  ///< by bulk link
};

/// A socket that listens on all of these, tcp beyond this machine only as rule 15 has it.
/// `link_bits`: as for Router::make.
Result<std::unique_ptr<Router>> listen_on(Context& context, Lane lane,
                                          const std::vector<std::string>& urls,
                                          const std::optional<CurveServer>& curve, bool insecure,
                                          std::uint64_t link_bits = 0);

/// Where large tensors go when nobody says: "tcp://*:5600" -> "tcp://*:5601" (any port for any
/// port), "ipc:///run/farm.sock" -> "ipc:///run/farm.sock.bulk".
std::string default_bulk_url(const std::string& control);

}  // namespace farm
