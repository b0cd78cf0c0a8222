# Workers that a real Slurm starts and pre-empts; needs root and the packages of `./dev test --slow`.
add_test(NAME slurm_test
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/slurm/slurm_test.py"
            "$<TARGET_FILE:farm>" "$<TARGET_FILE:farm-broker>" "$<TARGET_FILE:farm-worker>"
            "${PROJECT_SOURCE_DIR}/systemd/slurm/farm-workers.sbatch")
farm_set_test_properties(slurm_test LABELS slow TIMEOUT 300
                         ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
set_tests_properties(slurm_test PROPERTIES SKIP_RETURN_CODE 77)
