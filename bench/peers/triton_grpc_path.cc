#include <optional>
#include <vector>

#include "bench/load/question.h"
#include "bench/peers/grpc_caller.h"
#include "bench/peers/inference.grpc.pb.h"
#include "bench/peers/path_list.h"
#include "bench/peers/shared_block.h"

namespace farm::bench {
namespace {

using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelInferResponse;

constexpr std::size_t sum_bytes = 8;

/// Triton over gRPC: tensors in the message, or in a system shared memory region with a place for
/// question and answer of each call outstanding, where they are written and read in place.
class TritonGrpcPath final : public EchoPath {
  public:
    TritonGrpcPath(const std::string& address, TritonMemory memory)
        : memory_(memory),
          channel_(open_channel(address)),
          service_(GRPCInferenceService::NewStub(channel_)) {}
    ~TritonGrpcPath() override { forget_block(); }

    Result<Sample> run(const Load& load) override {
        if (const auto done = wait_connected(*channel_); !done) {
            return tl::unexpected(done.error());
        }
        question_ = make_question(load.bytes);
        if (memory_ != TritonMemory::in_message) {
            if (const auto done = share_block(load); !done) return tl::unexpected(done.error());
        }
        std::vector<ModelInferRequest> requests;
        for (int slot = 0; slot < load.outstanding; ++slot) {
            requests.push_back(request_of(static_cast<std::size_t>(slot)));
        }
        return call_loop<ModelInferResponse>(
            load,
            [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, std::size_t slot) {
                return service_->AsyncModelInfer(context, requests[slot], queue);
            },
            [&](const ModelInferResponse& answer, std::size_t slot) {
                return check(answer, slot);
            });
    }

  private:
    bool reads_only() const { return memory_ == TritonMemory::shared_read; }
    std::size_t question_at(std::size_t slot) const { return 2 * slot * question_.size(); }
    std::size_t answer_at(std::size_t slot) const { return (2 * slot + 1) * question_.size(); }

    Result<void> share_block(const Load& load) {
        forget_block();
        const auto slots = static_cast<std::size_t>(load.outstanding);
        auto block = SharedBlock::make(2 * slots * load.bytes);
        if (!block) return tl::unexpected(block.error());
        block_ = std::move(*block);
        for (std::size_t slot = 0; slot < slots; ++slot) {
            question_.copy(block_->data() + question_at(slot), question_.size());
        }
        inference::SystemSharedMemoryRegisterRequest request;
        request.set_name(block_->name());
        request.set_key(block_->name());
        request.set_byte_size(block_->size());
        grpc::ClientContext context;
        inference::SystemSharedMemoryRegisterResponse answer;
        const auto status = service_->SystemSharedMemoryRegister(&context, request, &answer);
        block_->unlink();
        if (status.ok()) return {};
        return fail(ErrorCode::io, "triton: " + status.error_message());
    }

    void forget_block() {
        if (!block_) return;
        inference::SystemSharedMemoryUnregisterRequest request;
        request.set_name(block_->name());
        grpc::ClientContext context;
        inference::SystemSharedMemoryUnregisterResponse answer;
        service_->SystemSharedMemoryUnregister(&context, request, &answer);
        block_.reset();
    }

    ModelInferRequest request_of(std::size_t slot) const {
        ModelInferRequest request;
        request.set_model_name(reads_only() ? "sum" : "identity");
        auto* input = request.add_inputs();
        input->set_name("INPUT0");
        input->set_datatype("UINT8");
        input->add_shape(static_cast<std::int64_t>(question_.size()));
        auto* output = request.add_outputs();
        output->set_name("OUTPUT0");
        if (!block_) {
            request.add_raw_input_contents(question_);
            return request;
        }
        place(*input->mutable_parameters(), question_at(slot), question_.size());
        place(*output->mutable_parameters(), answer_at(slot),
              reads_only() ? sum_bytes : question_.size());
        return request;
    }

    template <class Parameters>
    void place(Parameters& parameters, std::size_t offset, std::size_t bytes) const {
        parameters["shared_memory_region"].set_string_param(block_->name());
        parameters["shared_memory_offset"].set_int64_param(static_cast<std::int64_t>(offset));
        parameters["shared_memory_byte_size"].set_int64_param(static_cast<std::int64_t>(bytes));
    }

    Result<void> check(const ModelInferResponse& answer, std::size_t slot) const {
        if (!block_) {
            if (answer.raw_output_contents_size() == 1) {
                return check_answer(question_, answer.raw_output_contents(0));
            }
            return fail(ErrorCode::internal, "triton: an answer without its tensor");
        }
        const char* data = block_->data() + answer_at(slot);
        if (!reads_only()) return check_answer(question_, {data, question_.size()});
        const std::uint64_t sum = sum_of_words(question_);
        return check_answer({reinterpret_cast<const char*>(&sum), sum_bytes}, {data, sum_bytes});
    }

    TritonMemory memory_;
    std::shared_ptr<grpc::Channel> channel_;
    decltype(GRPCInferenceService::NewStub(nullptr)) service_;  ///< calls it
    std::string question_;
    std::optional<SharedBlock> block_;
};

}  // namespace

Result<std::unique_ptr<EchoPath>> make_triton_path(const PathOptions& options,
                                                   TritonMemory memory) {
    return std::make_unique<TritonGrpcPath>(options.triton_grpc, memory);
}

}  // namespace farm::bench
