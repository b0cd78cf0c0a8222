#pragma once

#include <c10/core/Device.h>
#include <c10/core/StreamGuard.h>

namespace farm {

/// The stream that one instance works on, for its life: one of libtorch's pool on a CUDA device,
/// so that the copies of one instance overlap the kernels of another. A CPU has none, and all of
/// this does nothing there. Used by the instance's thread.
class TorchStream {
  public:
    explicit TorchStream(const c10::Device& device);

    const c10::Stream& stream() const { return stream_; }

    /// Until all that was begun on it has ended. Throws c10::Error: what failed there.
    void wait() const;

    /// Makes it the current stream of the thread, and waits for it at the end, however the run
    /// ends: copies may read and write host memory that is released then.
    class Use {
      public:
        explicit Use(const TorchStream& stream) : stream_(stream), guard_(stream.stream_) {}
        ~Use();
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

      private:
        const TorchStream& stream_;
        c10::StreamGuard guard_;
    };

  private:
    c10::Stream stream_;
};

}  // namespace farm
