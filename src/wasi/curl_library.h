// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CurlLibrary: libcurl's functions, found when the first program needs them. libcurl brings some
// thirty libraries along, which nobody who uses no HTTP should wait for
// (docs/decisions/0022-http-by-libcurl.md).
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace mayfly::wasi {

struct CurlLibrary {
  decltype(&curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_pause) easy_pause;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_setopt) multi_setopt;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_socket_action) multi_socket_action;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;

  // For the life of the process. Errors: kHost, where it is not installed. Shareable.
  static Result<const CurlLibrary*> load();
};

}  // namespace mayfly::wasi
