// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loaded once, and never unloaded: it has threads and handlers of its own.
#include "wasi/curl_library.h"

#include <dlfcn.h>

#include <string>

namespace mayfly::wasi {
namespace {

constexpr const char* kFile = "libcurl.so.4";

template <typename Function>
bool find(void* library, const char* name, Function*& function) {
  // SAFETY: curl.h declares the function of this name with this type, in the ABI of libcurl.so.4.
  function = reinterpret_cast<Function*>(dlsym(library, name));
  return function != nullptr;
}

struct Loaded {
  CurlLibrary functions{};
  std::string error;
};

Loaded load_library() {
  Loaded loaded;
  void* const library = dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = dlerror();
    loaded.error = why != nullptr ? why : kFile;
    return loaded;
  }
  CurlLibrary& to = loaded.functions;
  const bool has_all = find(library, "curl_global_init", to.global_init) &&
                       find(library, "curl_easy_init", to.easy_init) &&
                       find(library, "curl_easy_setopt", to.easy_setopt) &&
                       find(library, "curl_easy_getinfo", to.easy_getinfo) &&
                       find(library, "curl_easy_pause", to.easy_pause) &&
                       find(library, "curl_easy_cleanup", to.easy_cleanup) &&
                       find(library, "curl_easy_strerror", to.easy_strerror) &&
                       find(library, "curl_multi_init", to.multi_init) &&
                       find(library, "curl_multi_setopt", to.multi_setopt) &&
                       find(library, "curl_multi_add_handle", to.multi_add_handle) &&
                       find(library, "curl_multi_remove_handle", to.multi_remove_handle) &&
                       find(library, "curl_multi_socket_action", to.multi_socket_action) &&
                       find(library, "curl_multi_info_read", to.multi_info_read) &&
                       find(library, "curl_multi_cleanup", to.multi_cleanup) &&
                       find(library, "curl_slist_append", to.slist_append) &&
                       find(library, "curl_slist_free_all", to.slist_free_all);
  if (!has_all) {
    loaded.error = std::string(kFile) + " lacks a function";
  } else if (to.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    loaded.error = std::string(kFile) + " cannot be initialized";
  }
  return loaded;
}

}  // namespace

Result<const CurlLibrary*> CurlLibrary::load() {
  static const Loaded loaded = load_library();
  if (!loaded.error.empty()) return Error{ErrorKind::kHost, "HTTP: " + loaded.error, 0};
  return &loaded.functions;
}

}  // namespace mayfly::wasi
