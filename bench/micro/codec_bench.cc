// Cost of the wire per message: header of a usual CALL and RESULT, body, whole envelope.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/core/expect.h"
#include "common/wire/body.h"
#include "common/wire/envelope.h"
#include "common/wire/header.h"

namespace farm {
namespace {

Call usual_call() {
    Call call;
    call.key = {CallId::from_words(0x1122334455667788ULL, 0x99aabbccddeeff00ULL), 1};
    call.service = "gnn";
    call.remaining_ms = 60'000;
    call.rows = 16;
    call.input_bytes = 768;
    call.body_bytes = 802;
    return call;
}

Answer usual_answer() {
    Answer answer;
    answer.key = usual_call().key;
    answer.sequence = 42;
    answer.timings = {120'000, 4'000, 900'000, 3'000, 64, 4};
    answer.output_bytes = 64;
    answer.body_bytes = 150;
    return answer;
}

Tensor block(std::int64_t bytes) {
    MutableBuffer data(static_cast<std::size_t>(bytes));
    std::fill_n(data.data(), data.size(), std::byte{1});
    return {{"nodes", dtype::u8, {bytes}}, std::move(data).freeze()};
}

void encode(benchmark::State& state, const Message& item) {
    const auto count = state.range(0);
    HeaderWriter writer;
    for (auto _ : state) {
        writer.clear();
        for (std::int64_t i = 0; i < count; ++i) writer.try_add(item);
        benchmark::DoNotOptimize(writer.finish().data());
    }
    state.SetItemsProcessed(state.iterations() * count);
    state.counters["header_bytes"] = static_cast<double>(writer.finish().size());
}

void decode(benchmark::State& state, const Message& item) {
    const auto count = state.range(0);
    HeaderWriter writer;
    for (std::int64_t i = 0; i < count; ++i) writer.try_add(item);
    const Bytes bytes = writer.finish();
    std::vector<Message> items;
    for (auto _ : state) benchmark::DoNotOptimize(decode_header(bytes, items));
    state.SetItemsProcessed(state.iterations() * count);
}

void encode_call(benchmark::State& state) { encode(state, usual_call()); }
void decode_call(benchmark::State& state) { decode(state, usual_call()); }
void encode_result(benchmark::State& state) { encode(state, usual_answer()); }
void decode_result(benchmark::State& state) { decode(state, usual_answer()); }
BENCHMARK(encode_call)->Arg(1)->Arg(64);
BENCHMARK(decode_call)->Arg(1)->Arg(64);
BENCHMARK(encode_result)->Arg(1)->Arg(64);
BENCHMARK(decode_result)->Arg(1)->Arg(64);

void pack_one_tensor(benchmark::State& state) {
    const Tensor tensor = block(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(pack_call(std::span(&tensor, 1)));
}
BENCHMARK(pack_one_tensor)->Arg(768)->Arg(65'536);

void unpack_one_tensor(benchmark::State& state) {
    const Tensor tensor = block(state.range(0));
    const Payload payload = *pack_call(std::span(&tensor, 1));
    for (auto _ : state) benchmark::DoNotOptimize(unpack_call(payload));
}
BENCHMARK(unpack_one_tensor)->Arg(768)->Arg(65'536);

/// What a broker does with each small call: take the message apart and put it together again.
void relay_envelope(benchmark::State& state) {
    const auto count = state.range(0);
    const Tensor tensor = block(768);
    const Payload payload = *pack_call(std::span(&tensor, 1));
    EnvelopeWriter writer;
    for (std::int64_t i = 0; i < count; ++i) writer.try_add(usual_call(), &payload);
    std::vector<Buffer> frames;
    for (const Buffer& frame : writer.finish()) frames.push_back(Buffer::copy_of(frame.bytes()));
    writer.clear();
    PayloadStore store;
    std::vector<Message> items;
    for (auto _ : state) {
        FARM_ENSURE(open_envelope(frames, store, items));
        for (const Message& item : items) {
            const Payload taken = store.take(std::get<Call>(item).payload);
            writer.try_add(item, &taken);
        }
        benchmark::DoNotOptimize(writer.finish());
        writer.clear();
    }
    state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(relay_envelope)->Arg(1)->Arg(16);

}  // namespace
}  // namespace farm
