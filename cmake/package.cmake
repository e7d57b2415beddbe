# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# libmayfly.so and libmayfly.a, and what `cmake --install` puts where: headers, libraries, programs,
# and the files by which find_package(mayfly) and pkg-config find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package ${PROJECT_SOURCE_DIR}/cmake/package)
set(mayfly_parts api wasi runtime vmm vmm_process linker image component wasm base)

list(TRANSFORM mayfly_parts PREPEND mayfly_ OUTPUT_VARIABLE part_targets)

# The version script exports the members of the headers' classes and what they mark with MAYFLY_API.
file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/mayfly/*)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
set(exports)
foreach(header ${headers})
  file(STRINGS ${header} lines REGEX "^(class|MAYFLY_API) .*[{(]")
  file(STRINGS ${header} in_detail REGEX "^namespace mayfly::detail {")
  set(scope mayfly::)
  if(in_detail)
    set(scope mayfly::detail::)
  endif()
  foreach(line ${lines})
    if(line MATCHES "^class (MAYFLY_API )?([A-Za-z0-9]+) [^<]*{")
      list(APPEND exports "${scope}${CMAKE_MATCH_2}::*")
    elseif(line MATCHES "^MAYFLY_API .*[ ]([a-z_0-9]+)\\(")
      list(APPEND exports "${scope}${CMAKE_MATCH_1}?*")
    endif()
  endforeach()
endforeach()
list(REMOVE_DUPLICATES exports)
list(JOIN exports ";\n      " MAYFLY_EXPORTS)
set(symbols ${CMAKE_CURRENT_BINARY_DIR}/symbols.map)
configure_file(${package}/symbols.map.in ${symbols} @ONLY)

# Before 1.0 a minor version may change the ABI, so it is part of the soname.
add_library(mayfly_shared SHARED ${package}/libmayfly.cc)
set_target_properties(
  mayfly_shared
  PROPERTIES OUTPUT_NAME mayfly VERSION ${PROJECT_VERSION}
             SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
             LINK_DEPENDS ${symbols})
target_compile_features(mayfly_shared INTERFACE cxx_std_20)
target_include_directories(mayfly_shared INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(mayfly_shared PRIVATE mayfly_options
                                            $<LINK_LIBRARY:WHOLE_ARCHIVE,mayfly_api>)
target_link_options(mayfly_shared PRIVATE -Wl,--version-script=${symbols}
                    -Wl,--no-undefined)
add_library(mayfly::mayfly ALIAS mayfly_shared)

# One archive of all that the static library consists of.
set(archive ${CMAKE_CURRENT_BINARY_DIR}/libmayfly.a)
set(script ${CMAKE_CURRENT_BINARY_DIR}/libmayfly.mri)
set(merge "create ${archive}\n")
foreach(target ${part_targets})
  string(APPEND merge "addlib $<TARGET_FILE:${target}>\n")
endforeach()
file(GENERATE OUTPUT ${script} CONTENT "${merge}save\nend\n")
add_custom_command(
  OUTPUT ${archive}
  COMMAND ${CMAKE_AR} -M < ${script}
  DEPENDS ${part_targets} ${script}
  COMMENT "Merging libmayfly.a"
  VERBATIM)
add_custom_target(mayfly_static ALL DEPENDS ${archive})

install(TARGETS mayfly_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS mayfly mayfly-compiler RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/mayfly DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/mayfly)
configure_package_config_file(
  ${package}/mayflyConfig.cmake.in mayflyConfig.cmake INSTALL_DESTINATION ${config_folder}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(mayflyConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mayflyConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/mayflyConfigVersion.cmake DESTINATION ${config_folder})

file(RELATIVE_PATH MAYFLY_PREFIX_FROM_PKGCONFIG /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${package}/mayfly.pc.in mayfly.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mayfly.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
