#include "cpu_client/lib/client_rim.h"

#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "common/core/expect.h"
#include "common/wire/body.h"
#include "common/wire/envelope.h"
#include "cpu_client/lib/large_block.h"
#include "cpu_client/lib/quarantine.h"

namespace farm {
namespace {

std::unique_ptr<SameHostLinks> make_same_host_links(const ClientOptions& options) {
    if (options.host.empty()) return nullptr;
    auto links = SameHostLinks::make({.held_bytes_limit = limits::held_answer_bytes});
    if (!links) throw std::runtime_error(links.error().message);
    return std::move(*links);
}

}  // namespace

ClientRim::ClientRim(Parts parts, Handlers handlers)
    : context_(std::move(parts.context)),
      quarantine_folder_(std::move(parts.quarantine_folder)),
      handlers_(std::move(handlers)),
      machine_(parts.options),
      links_(*context_, poller_, parts.options.addresses, std::move(parts.curve)),
      same_host_links_(make_same_host_links(parts.options)),
      outbox_([this](LinkId link, Lane lane, std::span<const Buffer> frames) {
          return send(link, lane, frames);
      }) {
    poller_.watch(waker_);
    if (same_host_links_) poller_.watch(*same_host_links_);
}

ClientRim::~ClientRim() {
    if (same_host_links_) poller_.forget(*same_host_links_);
    poller_.forget(waker_);
}

void ClientRim::sleep(std::optional<TimePoint> until) {
    poller_.wait(earliest(machine_.next_deadline(), until));
}

void ClientRim::submit(Submit&& submit, Payload&& payload) {
    submit.payload = payloads_.add(std::move(payload));
    feed(std::move(submit));
}

void ClientRim::feed(const ClientInput& input) {
    effects_.clear();
    machine_.step(input, now_, effects_);
    for (const ClientEffect& effect : effects_) {
        std::visit([this](const auto& what) { carry_out(what); }, effect);
    }
}

void ClientRim::receive() {
    links_.tell(
        {[this](LinkOpened opened) { feed(opened); }, [this](LinkLost lost) { feed(lost); },
         [this](LinkId link, std::vector<Buffer> frames) { take(link, std::move(frames)); }});
    if (!same_host_links_) return;
    same_host_links_->tell(
        {[this](LinkOpened opened) { feed(opened); }, [this](LinkLost lost) { feed(lost); },
         [this](LinkId link, std::vector<Buffer> frames) { take(link, std::move(frames)); },
         [this](const Malformed& malformed) {
             refuse(malformed.link, malformed.reason, {ErrorCode::protocol, malformed.detail});
         }});
}

void ClientRim::finish_turn() {
    feed(Tick{});
    flush();
}

/// A link that cannot take what is sent is over (rule 5); what the machine says to that goes out
/// as well.
void ClientRim::flush() {
    outbox_.flush([this](const LinkLost& lost) {
        close(lost.link);
        feed(lost);
    });
}

SendResult ClientRim::send(LinkId link, Lane lane, std::span<const Buffer> frames) {
    return is_same_host(link) ? same_host_links_->send(link, frames)
                              : links_.send(link, lane, frames);
}

void ClientRim::close(LinkId link) {
    is_same_host(link) ? same_host_links_->close(link) : links_.close(link);
}

// ---- arriving ---------------------------------------------------------------------------------

void ClientRim::take(LinkId link, std::vector<Buffer> frames) {
    const Buffer header = frames.empty() ? Buffer{} : frames.front();
    const auto opened = open_envelope(std::move(frames), payloads_, messages_, framing_of(link));
    if (!opened) {
        const auto version = header_version(header.bytes());
        const bool other = version && *version != protocol_version;
        return refuse(link, other ? RefusedReason::protocol_version : RefusedReason::malformed,
                      opened.error());
    }
    for (Message& message : messages_) {
        if (auto* answer = std::get_if<Answer>(&message)) {
            take(link, std::move(*answer));
        } else {
            feed(Received{link, std::move(message)});
        }
    }
}

/// Bytes that are not our protocol count as a refusal by the peer, so that the text is told.
void ClientRim::refuse(LinkId link, RefusedReason reason, const Error& why) {
    feed(Received{link, Refused{reason, "what the peer sent cannot be read: " + why.message}});
}

void ClientRim::take(LinkId link, Answer answer) {
    AnswerArrived arrived{link, std::move(answer), {}};
    const Payload* payload = payloads_.find(arrived.answer.payload);
    if (!arrived.answer.chunked || payload == nullptr) return feed(std::move(arrived));
    const auto body = decode_answer_body(payload->body);
    if (body) {
        arrived.large = large_tensors(body->tensors);
    } else {
        arrived.answer.outcome = Outcome::retryable_fault;
        arrived.answer.detail = "the worker's answer cannot be read: " + body.error().message;
    }
    feed(std::move(arrived));
}

// ---- effects ----------------------------------------------------------------------------------

void ClientRim::carry_out(const OpenLink& effect) {
    links_.open(effect);
    waker_.wake();  // one that cannot even start to connect is told in the next turn
}

void ClientRim::carry_out(const OpenDirect& effect) {
    if (is_same_host(effect.link)) return same_host_links_->open(effect.link, effect.url);
    links_.open(effect.link, effect.url, effect.worker_key);
    waker_.wake();
}

void ClientRim::carry_out(const OpenBulk& effect) {
    links_.open_bulk(effect);
    waker_.wake();
}

void ClientRim::carry_out(const CloseLink& effect) {
    outbox_.flush_link(effect.link);
    close(effect.link);
}

void ClientRim::carry_out(const Transmit& effect) {
    const Payload* payload = nullptr;
    if (const auto* call = std::get_if<Call>(&effect.message))
        payload = payloads_.find(call->payload);
    const bool on_bulk = framing_of(effect.link) == Framing::direct && is_bulky(effect.message);
    const bool fits =
        outbox_.add(effect.link, on_bulk ? Lane::bulk : Lane::control, effect.message, payload);
    if (!fits) {
        carry_out(Note{NoteLevel::error, std::string(verb_name(effect.message)) +
                                             " is too long for a message and was not sent"});
    }
}

void ClientRim::carry_out(const TransmitChunk& effect) {
    const Payload* whole = payloads_.find(effect.payload);
    FARM_EXPECT(whole != nullptr && effect.frame < whole->frames.size());
    Payload piece;
    piece.frames.push_back(whole->frames[effect.frame].slice(effect.offset, effect.length));
    Chunk chunk;
    chunk.key = effect.key;
    chunk.tensor = effect.tensor;
    chunk.offset = effect.offset;
    chunk.length = effect.length;
    FARM_ENSURE(outbox_.add(effect.link, Lane::bulk, chunk, &piece));
}

void ClientRim::carry_out(const ExpectFrames& effect) {
    const Payload* payload = payloads_.find(effect.payload);
    FARM_EXPECT(payload != nullptr);
    const auto body = decode_answer_body(payload->body);
    FARM_EXPECT(body.has_value());  // it was read when it came
    downloads_[effect.payload] = IncomingFrames(large_tensors(body->tensors), &large_block);
}

void ClientRim::carry_out(const StoreChunk& effect) {
    Payload chunk = payloads_.take(effect.chunk);
    const auto download = downloads_.find(effect.into);
    FARM_EXPECT(download != downloads_.end() && chunk.frames.size() == 1);
    download->second.store(effect.frame, effect.offset, std::move(chunk.frames.front()));
}

void ClientRim::carry_out(const DropPayload& effect) {
    payloads_.drop(effect.payload);
    downloads_.erase(effect.payload);
}

void ClientRim::carry_out(const Complete& effect) {
    Payload payload = payloads_.take(effect.payload);
    const auto download = downloads_.find(effect.payload);
    if (download == downloads_.end()) return handlers_.complete(effect, std::move(payload));
    auto frames = std::move(download->second).take();
    downloads_.erase(download);
    if (frames) {
        payload.frames = std::move(*frames);
        return handlers_.complete(effect, std::move(payload));
    }
    Complete failed = effect;
    failed.status = CallStatus::internal;
    failed.detail = "no memory for the result: lower max_result_bytes, or the calls in flight";
    failed.payload = {};
    handlers_.complete(failed, {});
}

void ClientRim::carry_out(const Reply& effect) { handlers_.reply(effect); }

void ClientRim::carry_out(const Quarantine& effect) {
    const Payload inputs = payloads_.take(effect.payload);
    if (quarantine_folder_.empty()) return;
    const auto place = write_quarantine(quarantine_folder_, effect, inputs);
    if (place) {
        return carry_out(Note{
            NoteLevel::warning,
            "call " + short_hex(effect.id) + " is poison: its inputs are in " + place->string()});
    }
    carry_out(Note{NoteLevel::error,
                   "call " + short_hex(effect.id) +
                       " is poison, and its inputs could not be kept: " + place.error().message});
}

void ClientRim::carry_out(const Note& effect) { handlers_.note(effect); }

}  // namespace farm
