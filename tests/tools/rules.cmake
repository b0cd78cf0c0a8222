# The rules that the tree keeps about itself, and the tests of their checkers and of training/.
add_test(NAME check_includes
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/check_includes.py"
            "${PROJECT_SOURCE_DIR}")
farm_set_test_properties(check_includes)
foreach(checker check_includes goal_table summarise training_plan)
    add_test(NAME ${checker}_test
        COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/${checker}_test.py")
    farm_set_test_properties(${checker}_test ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endforeach()
add_test(NAME training_test
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/training_test.py")
add_test(NAME training_networks_test
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/training_networks_test.py"
            "$<$<BOOL:${FARM_WITH_TORCH}>:$<TARGET_FILE:farm>>")
foreach(name training_test training_networks_test)
    farm_set_test_properties(${name} ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
