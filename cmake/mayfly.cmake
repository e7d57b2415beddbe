# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Warnings, sanitizers, and one function per kind of target.
#   mayfly_library(NAME DEPENDS ...)   every .cc of the folder but its tests, as a static library
#                                      mayfly_NAME, and every *_test.cc as one test NAME_test
#   mayfly_executable(NAME SOURCES ... DEPENDS ...)
#   mayfly_fuzzer(NAME DEPENDS ...)    fuzz/NAME_fuzz.cc, and the test fuzz.NAME that runs it with
#                                      the seeds of fuzz/corpus/NAME, or of corpus/SEEDS
# Tests are sorted by label: `unit` runs in build/debug, `fuzz` in build/fuzz, the rest in
# build/release; `golden` marks those that rewrite their files when MAYFLY_BLESS is set.

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_package(GTest REQUIRED)
find_package(Threads REQUIRED)
include(GoogleTest)

add_library(mayfly_options INTERFACE)
target_include_directories(mayfly_options INTERFACE ${PROJECT_SOURCE_DIR}/include
                                                    ${PROJECT_SOURCE_DIR}/src)
target_compile_options(
  mayfly_options
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
            $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>
            $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wno-gnu-statement-expression>
            -fno-strict-aliasing)
add_link_options(-fuse-ld=lld)

if(MAYFLY_SANITIZE)
  add_compile_options(-fsanitize=${MAYFLY_SANITIZERS} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MAYFLY_SANITIZERS})
endif()
if(MAYFLY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_custom_target(fuzzers)
endif()
set(MAYFLY_FUZZ_SECONDS 60 CACHE STRING "Seconds for which the test of each fuzzer runs")

function(mayfly_library name)
  cmake_parse_arguments(ARG "EXCEPTIONS" "" "DEPENDS;SYSTEM_INCLUDES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(depends ${ARG_DEPENDS})
  list(TRANSFORM depends PREPEND mayfly_)
  if(sources)
    add_library(mayfly_${name} STATIC ${sources})
    target_link_libraries(mayfly_${name} PUBLIC mayfly_options ${depends})
    target_include_directories(mayfly_${name} SYSTEM PRIVATE ${ARG_SYSTEM_INCLUDES})
    if(NOT ARG_EXCEPTIONS)
      target_compile_options(mayfly_${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
    endif()
  else()
    add_library(mayfly_${name} INTERFACE)
    target_link_libraries(mayfly_${name} INTERFACE mayfly_options ${depends})
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE mayfly_${name} GTest::gtest_main GTest::gmock)
    if(NOT ARG_EXCEPTIONS)
      target_compile_options(${name}_test PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
    endif()
    gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300 LABELS unit)
    if(NOT MAYFLY_SANITIZE)
      set_target_properties(${name}_test PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endif()
endfunction()

function(mayfly_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set(depends ${ARG_DEPENDS})
  list(TRANSFORM depends PREPEND mayfly_)
  target_link_libraries(${name} PRIVATE mayfly_options ${depends})
endfunction()

function(mayfly_fuzzer name)
  cmake_parse_arguments(ARG "" "SEEDS" "DEPENDS" ${ARGN})
  if(NOT ARG_SEEDS)
    set(ARG_SEEDS ${name})
  endif()
  mayfly_executable(${name}_fuzz SOURCES ${name}_fuzz.cc DEPENDS ${ARG_DEPENDS})
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name}_fuzz)
  set(found ${CMAKE_CURRENT_BINARY_DIR}/${name}_corpus)
  file(MAKE_DIRECTORY ${found})
  set(seeds ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${ARG_SEEDS})
  if(NOT IS_DIRECTORY ${seeds})
    set(seeds)
  endif()
  add_test(NAME fuzz.${name} COMMAND ${name}_fuzz -max_total_time=${MAYFLY_FUZZ_SECONDS} -timeout=10
                                     -rss_limit_mb=2048 -print_final_stats=1 ${found} ${seeds})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()

# The header that `mayfly bindgen` writes for a world, for a target to include as "WORLD.h".
function(mayfly_bindings target wit world)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}.bindings)
  set(header ${folder}/${world}.h)
  add_custom_command(
    OUTPUT ${header}
    COMMAND mayfly bindgen ${wit} --world ${world} -o ${folder}
    DEPENDS mayfly ${wit}
    VERBATIM)
  target_sources(${target} PRIVATE ${header})
  target_include_directories(${target} PRIVATE ${folder})
endfunction()
