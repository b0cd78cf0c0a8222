#include <utility>

#include "tests/sim/process.h"

namespace farm::sim {

void ClientNode::start() {
    fresh_store();
    up = true;
    ClientOptions options;
    options.peer = PeerId::from_words(3, static_cast<std::uint64_t>(id) + 1);
    options.epoch = ++epoch_;
    options.name = world_.name(id);
    for (NodeId broker : world_.broker_ids) options.addresses.push_back(world_.name(broker));
    options.back_off = world_.back_off;
    options.give_up_after = std::chrono::seconds(5);
    options.direct = world_.direct;
    if (world_.random.chance(world_.same_host)) options.host = world_.host;
    options.seed = world_.random.next();
    machine = std::make_unique<ClientMachine>(options);
    world_.log(world_.name(id) + " starts");
    step(Tick{});
}

void ClientNode::submit(const PlannedCall& plan, std::uint64_t bytes, std::uint32_t rows,
                        std::uint8_t priority) {
    world_.history.submitted(plan);
    SimPayload inputs;
    inputs.call = plan.id;
    if (bytes > limits::small_call_bytes) {
        const std::uint64_t first = bytes / 3;
        inputs.large = {{0, first}, {2, bytes - first}};
        inputs.filled = {first, bytes - first};
    }
    Submit submit;
    submit.id = plan.id;
    submit.service = plan.service;
    submit.large = inputs.large;
    submit.payload = payloads->add(std::move(inputs));
    submit.input_bytes = bytes;
    submit.rows = rows;
    submit.deadline = plan.deadline;
    submit.priority = priority;
    submit.idempotent = plan.idempotent;
    if (world_.verdict.listening()) {
        world_.log(world_.name(id) + " submits call " + short_hex(plan.id) + " " + plan.service +
                   " bytes " + std::to_string(bytes));
    }
    step(submit);
}

void ClientNode::cancel(const CallId& call) {
    if (world_.history.is_over(call)) return;
    world_.history.cancelled(call);
    step(CancelCall{call});
}

void ClientNode::arrive(Wire& wire, Parcel parcel) {
    if (live(wire) == nullptr) return;
    world_.check_framing(wire.dialler_link, parcel.message);
    std::vector<LargeTensor> large;
    if (parcel.payload) {
        large = parcel.payload->large;
        *payload_member(parcel.message) = payloads->add(std::move(*parcel.payload));
    }
    if (const auto* answer = std::get_if<Answer>(&parcel.message)) {
        world_.history.client_received(wire.broker, *answer);
        const CallKey key = answer->key;
        const bool ends =
            answer->outcome == Outcome::ok && !answer->chunked && world_.history.awaits(key);
        const int life = incarnation;
        step(AnswerArrived{wire.dialler_link, *answer, std::move(large)});
        if (ends && life == incarnation && world_.history.awaits(key)) {
            world_.verdict.violate("a RESULT that has come ends its call",
                                   "call " + short_hex(key.id));
        }
        return;
    }
    step(Received{wire.dialler_link, std::move(parcel.message)});
}

void ClientNode::carry_out(ClientEffects& effects) {
    for (ClientEffect& effect : effects) {
        if (auto* transmitted = std::get_if<Transmit>(&effect)) {
            if (const auto* call = std::get_if<Call>(&transmitted->message)) {
                world_.history.client_sent(call->key);
            }
            send(*transmitted);
        } else if (auto* piece = std::get_if<TransmitChunk>(&effect)) {
            send(*piece);
        } else if (auto* link = std::get_if<OpenLink>(&effect)) {
            open(link->link, world_.broker_ids.at(link->address));
        } else if (auto* direct = std::get_if<OpenDirect>(&effect)) {
            open(direct->link, std::stoi(direct->url.substr(4)));
        } else if (auto* bulk = std::get_if<OpenBulk>(&effect)) {
            open_bulk(*bulk);
        } else if (auto* shut = std::get_if<CloseLink>(&effect)) {
            close(shut->link);
        } else if (auto* frames = std::get_if<ExpectFrames>(&effect)) {
            payloads->allocate(frames->payload);
        } else if (auto* chunk = std::get_if<StoreChunk>(&effect)) {
            payloads->store_chunk(chunk->chunk, chunk->into, chunk->frame, chunk->offset);
        } else if (auto* dropped = std::get_if<DropPayload>(&effect)) {
            payloads->drop(dropped->payload);
        } else if (auto* done = std::get_if<Complete>(&effect)) {
            if (world_.verdict.listening()) {
                world_.log(world_.name(id) + " completes call " + short_hex(done->id) + " " +
                           std::string(to_string(done->status)) + " " + done->detail);
            }
            if (done->payload) {
                const SimPayload outputs = payloads->take(done->payload, "Complete");
                if (outputs.call != done->id || !outputs.complete()) {
                    world_.verdict.violate("an answer is whole and its own",
                                           "call " + short_hex(done->id));
                }
            }
            world_.history.completed(done->id, done->status, done->detail, done->attempts,
                                     static_cast<bool>(done->payload), machine->has_session());
        } else if (auto* poison = std::get_if<Quarantine>(&effect)) {
            payloads->take(poison->payload, "Quarantine");
        } else if (auto* note = std::get_if<Note>(&effect)) {
            if (world_.verdict.listening()) world_.log(world_.name(id) + " note: " + note->text);
        }
    }
}

}  // namespace farm::sim
