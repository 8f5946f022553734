# `cmake --install`. The programs find each other, the plugins and the templates relative to where
# they stand (bin, libexec/lethe, lib/lethe-1/plugins, share/lethe), so these folders are fixed
# names below the prefix and not the GNU variables, and the tree may be moved.
include(CMakePackageConfigHelpers)
file(STRINGS ${CMAKE_SOURCE_DIR}/include/lethe/abi.h abi_line REGEX "define LETHE_ABI_MAJOR ")
string(REGEX REPLACE ".*LETHE_ABI_MAJOR[ ]+([0-9]+).*" "\\1" LETHE_ABI_MAJOR "${abi_line}")
if(NOT LETHE_ABI_MAJOR MATCHES "^[0-9]+$")
  message(FATAL_ERROR "include/lethe/abi.h: no line `#define LETHE_ABI_MAJOR N`")
endif()

set(sdk ${CMAKE_BINARY_DIR}/sdk)
configure_file(${CMAKE_CURRENT_LIST_DIR}/lethe.pc.in ${sdk}/lethe.pc @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/letheConfig.cmake.in ${sdk}/letheConfig.cmake @ONLY)
write_basic_package_version_file(${sdk}/letheConfigVersion.cmake
  COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)

install(TARGETS lethe RUNTIME DESTINATION bin)
install(TARGETS lethe-worker RUNTIME DESTINATION libexec/lethe)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/lethe DESTINATION include FILES_MATCHING PATTERN "*.h")
install(FILES ${sdk}/lethe.pc DESTINATION lib/pkgconfig)
install(FILES ${sdk}/letheConfig.cmake ${sdk}/letheConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/LethePlugin.cmake ${CMAKE_CURRENT_LIST_DIR}/plugin.map
  DESTINATION lib/cmake/lethe)
get_property(plugins GLOBAL PROPERTY LETHE_INSTALLED_PLUGINS)
install(TARGETS ${plugins} LIBRARY DESTINATION lib/lethe-1/plugins)
