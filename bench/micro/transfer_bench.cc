// Chunk assembly: the bookkeeping of both ends of a large transfer, and the copy into its tensor.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/transfer.h"
#include "schemas/chunking.h"

namespace farm::bench {
namespace {

/// One tensor: pieces are cut, accepted and granted until it has passed; `store` gets each piece.
template <class Store>
void pass(std::uint64_t size_bytes, const Store& store) {
    const std::vector<LargeTensor> tensors{{0, size_bytes}};
    OutgoingTransfer sender(tensors, routed_chunking);
    IncomingTransfer receiver(tensors, routed_chunking);
    while (!receiver.done()) {
        if (const auto granted = receiver.next_grant()) sender.grant(*granted);
        while (const auto piece = sender.next()) {
            benchmark::DoNotOptimize(receiver.accept(piece->tensor, piece->offset, piece->length));
            store(*piece);
        }
    }
}

void transfer_bookkeeping(benchmark::State& state) {
    const auto size_bytes = static_cast<std::uint64_t>(state.range(0)) << 20;
    for (auto _ : state) pass(size_bytes, [](const Piece&) {});
    state.SetItemsProcessed(state.iterations() * state.range(0));  // chunks of 1 MiB
}
BENCHMARK(transfer_bookkeeping)->ArgName("MiB")->Arg(1)->Arg(16)->Arg(100)->Arg(1024);

/// With the bytes: every chunk is copied to its place in a tensor that is there already.
/// transfer_memcpy is what to compare it with.
void transfer_assembly(benchmark::State& state) {
    const auto size_bytes = static_cast<std::uint64_t>(state.range(0)) << 20;
    MutableBuffer tensor(size_bytes);
    std::vector<std::byte> chunk(limits::chunk_bytes, std::byte{1});
    std::fill_n(tensor.data(), tensor.size(), std::byte{0});
    for (auto _ : state) {
        pass(size_bytes, [&](const Piece& piece) {
            std::copy_n(chunk.data(), piece.length, tensor.data() + piece.offset);
        });
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size_bytes));
}
BENCHMARK(transfer_assembly)->ArgName("MiB")->Arg(1)->Arg(16)->Arg(100);

void transfer_memcpy(benchmark::State& state) {
    const auto size_bytes = static_cast<std::size_t>(state.range(0)) << 20;
    const std::vector<std::byte> from(size_bytes, std::byte{1});
    std::vector<std::byte> to(size_bytes);
    for (auto _ : state) {
        std::copy_n(from.data(), size_bytes, to.data());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size_bytes));
}
BENCHMARK(transfer_memcpy)->ArgName("MiB")->Arg(1)->Arg(16)->Arg(100);

}  // namespace
}  // namespace farm::bench
