# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Warnings, sanitizers, and one function per kind of target.
#   mayfly_library(NAME DEPENDS ...)   every .cc of the folder but its tests, as a static library
#                                      mayfly_NAME, and every *_test.cc as one test NAME_test
#   mayfly_executable(NAME SOURCES ... DEPENDS ...)

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
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

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
    gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
  endif()
endfunction()

function(mayfly_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set(depends ${ARG_DEPENDS})
  list(TRANSFORM depends PREPEND mayfly_)
  target_link_libraries(${name} PRIVATE mayfly_options ${depends})
endfunction()
