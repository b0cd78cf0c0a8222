#include "gpu_worker/backends/torch_failure.h"

#include <c10/util/Exception.h>

#include <new>

#include "gpu_worker/backends/run_failure.h"

namespace farm {

RunFailure caught_failure() {
    try {
        throw;
    } catch (const c10::Error& error) {
        return failure_of(error.what_without_backtrace());
    } catch (const std::bad_alloc&) {
        return {Outcome::retryable_fault, "there is no memory for it"};
    } catch (const std::exception& error) {
        return failure_of(error.what());
    } catch (...) {
        return {Outcome::device_fault, "libtorch threw something that is no exception"};
    }
}

}  // namespace farm
