# lethe_add_plugin(name SOURCE...): a plugin as Lethe loads it: a module without prefix, hidden
# symbols, nothing undefined but libc and libm, and only the entry exported. Lethe's own plugins
# and those of third parties are built by this same function.
if(NOT TARGET lethe::plugin)
  add_library(lethe_plugin_sdk INTERFACE)
  target_include_directories(lethe_plugin_sdk INTERFACE
    $<BUILD_INTERFACE:${CMAKE_CURRENT_LIST_DIR}/../../include>)
  add_library(lethe::plugin ALIAS lethe_plugin_sdk)
endif()

function(lethe_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PRIVATE lethe::plugin m)
  target_link_options(${name} PRIVATE -Wl,--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  if(NOT LETHE_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
endfunction()
