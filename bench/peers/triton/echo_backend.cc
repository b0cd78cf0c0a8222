// A Triton backend in C++, as cheap as they come: model "identity" copies INPUT0 to OUTPUT0 (one
// copy is the least that its interface allows), model "sum" reads INPUT0 and answers with the sum
// of its bytes as 64-bit words, in 8 bytes.
#include <cstring>
#include <string_view>

#include "bench/peers/triton/backend_api.h"

namespace {

using namespace farm::bench::triton;

struct Question {
    TRITONBACKEND_Input* input{nullptr};
    int type{0};
    const std::int64_t* shape{nullptr};
    std::uint32_t rank{0};
    std::uint64_t bytes{0};
    std::uint32_t buffer_count{0};
};

TRITONSERVER_Error* open_question(TRITONBACKEND_Request* request, Question& question) {
    if (auto* error = TRITONBACKEND_RequestInputByIndex(request, 0, &question.input)) return error;
    const char* name = nullptr;
    return TRITONBACKEND_InputProperties(question.input, &name, &question.type, &question.shape,
                                         &question.rank, &question.bytes, &question.buffer_count);
}

/// Gives each piece of the input to `use(data, bytes)`, in order.
template <class Use>
TRITONSERVER_Error* for_each_buffer(const Question& question, Use use) {
    for (std::uint32_t i = 0; i < question.buffer_count; ++i) {
        const void* data = nullptr;
        std::uint64_t bytes = 0;
        int memory = cpu_memory;
        std::int64_t device = 0;
        if (auto* error =
                TRITONBACKEND_InputBuffer(question.input, i, &data, &bytes, &memory, &device)) {
            return error;
        }
        if (memory == gpu_memory) return TRITONSERVER_ErrorNew(error_unsupported, "GPU memory");
        use(static_cast<const char*>(data), bytes);
    }
    return nullptr;
}

TRITONSERVER_Error* output_block(TRITONBACKEND_Response* response, int type,
                                 const std::int64_t* shape, std::uint32_t rank, std::uint64_t bytes,
                                 void** block) {
    TRITONBACKEND_Output* output = nullptr;
    if (auto* error =
            TRITONBACKEND_ResponseOutput(response, &output, "OUTPUT0", type, shape, rank)) {
        return error;
    }
    int memory = cpu_memory;
    std::int64_t device = 0;
    return TRITONBACKEND_OutputBuffer(output, block, bytes, &memory, &device);
}

TRITONSERVER_Error* answer_identity(const Question& question, TRITONBACKEND_Response* response) {
    void* block = nullptr;
    if (auto* error = output_block(response, question.type, question.shape, question.rank,
                                   question.bytes, &block)) {
        return error;
    }
    char* to = static_cast<char*>(block);
    return for_each_buffer(question, [&](const char* data, std::uint64_t bytes) {
        std::memcpy(to, data, bytes);
        to += bytes;
    });
}

TRITONSERVER_Error* answer_sum(const Question& question, TRITONBACKEND_Response* response) {
    std::uint64_t sum = 0;
    // Shared memory is one buffer; pieces of a message that end inside a word are not summed here.
    auto* error = for_each_buffer(question, [&](const char* data, std::uint64_t bytes) {
        std::uint64_t at = 0;
        std::uint64_t word = 0;
        for (; at + sizeof(word) <= bytes; at += sizeof(word)) {
            std::memcpy(&word, data + at, sizeof(word));
            sum += word;
        }
        word = 0;
        std::memcpy(&word, data + at, bytes - at);
        sum += word;
    });
    if (error != nullptr) return error;
    const std::int64_t shape = sizeof(sum);
    void* block = nullptr;
    error = output_block(response, type_uint8, &shape, 1, sizeof(sum), &block);
    if (error == nullptr) std::memcpy(block, &sum, sizeof(sum));
    return error;
}

void drop(TRITONSERVER_Error* error) {
    if (error != nullptr) TRITONSERVER_ErrorDelete(error);
}

void answer(TRITONBACKEND_Request* request, bool sums) {
    TRITONBACKEND_Response* response = nullptr;
    Question question;
    auto* error = open_question(request, question);
    if (auto* refused = TRITONBACKEND_ResponseNew(&response, request)) {
        drop(refused);
        drop(error);
    } else {
        if (error == nullptr) {
            error = sums ? answer_sum(question, response) : answer_identity(question, response);
        }
        drop(TRITONBACKEND_ResponseSend(response, response_final, error));
        drop(error);
    }
    drop(TRITONBACKEND_RequestRelease(request, release_all));
}

}  // namespace

#define FARM_TRITON_EXPORT extern "C" __attribute__((visibility("default")))

FARM_TRITON_EXPORT TRITONSERVER_Error* TRITONBACKEND_Initialize(TRITONBACKEND_Backend*) {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    if (auto* error = TRITONBACKEND_ApiVersion(&major, &minor)) return error;
    if (major != 1) return TRITONSERVER_ErrorNew(error_unsupported, "the backend API is not 1.x");
    return nullptr;
}

FARM_TRITON_EXPORT TRITONSERVER_Error* TRITONBACKEND_ModelInstanceExecute(
    TRITONBACKEND_ModelInstance* instance, TRITONBACKEND_Request** requests, std::uint32_t count) {
    TRITONBACKEND_Model* model = nullptr;
    const char* name = nullptr;
    if (auto* error = TRITONBACKEND_ModelInstanceModel(instance, &model)) return error;
    if (auto* error = TRITONBACKEND_ModelName(model, &name)) return error;
    const bool sums = std::string_view(name) == "sum";
    for (std::uint32_t i = 0; i < count; ++i) answer(requests[i], sums);
    return nullptr;
}
