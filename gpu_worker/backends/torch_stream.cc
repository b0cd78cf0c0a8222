#include "gpu_worker/backends/torch_stream.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <exception>

namespace farm {

namespace {

c10::Stream stream_of(const c10::Device& device) {
    const c10::impl::VirtualGuardImpl place(device.type());
    return device.is_cuda() ? place.getStreamFromGlobalPool(device) : place.getStream(device);
}

}  // namespace

TorchStream::TorchStream(const c10::Device& device) : stream_(stream_of(device)) {}

void TorchStream::wait() const {
    c10::impl::VirtualGuardImpl(stream_.device_type()).synchronizeStream(stream_);
}

TorchStream::Use::~Use() {
    try {
        stream_.wait();
    } catch (const std::exception&) {
        // The run has failed with it already.
    }
}

}  // namespace farm
