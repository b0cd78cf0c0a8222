# What `cmake --install` leaves behind: the programs (farm_add_executable INSTALLED), and for
# `find_package(eventfarm)` the EXPORTED libraries with the headers of their folders.

include(CMakePackageConfigHelpers)

get_property(exported GLOBAL PROPERTY FARM_EXPORTED_TARGETS)
install(TARGETS ${exported} EXPORT eventfarmTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(target IN LISTS exported)
    get_target_property(folder ${target} SOURCE_DIR)
    cmake_path(RELATIVE_PATH folder BASE_DIRECTORY "${PROJECT_SOURCE_DIR}")
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}/"
            DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/eventfarm/${folder}"
            FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES "${PROJECT_BINARY_DIR}/generated/common/core/version.h"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/eventfarm/common/core")

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/eventfarm")
install(EXPORT eventfarmTargets NAMESPACE eventfarm:: DESTINATION "${package_folder}")
configure_package_config_file(cmake/eventfarmConfig.cmake.in eventfarmConfig.cmake
                              INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file(eventfarmConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/eventfarmConfig.cmake"
              "${PROJECT_BINARY_DIR}/eventfarmConfigVersion.cmake"
        DESTINATION "${package_folder}")
install(FILES LICENSE NOTICE CHANGELOG.md TYPE DOC)
foreach(optional README.md)
    if(EXISTS "${PROJECT_SOURCE_DIR}/${optional}")
        install(FILES ${optional} TYPE DOC)
    endif()
endforeach()
