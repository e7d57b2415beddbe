// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An image is kept as long as a program that was linked from it, or a sandbox, is.
#include "runtime/engine_state.h"

#include <sys/mman.h>

#include <string>
#include <utility>

#include "image/origin_mark.h"
#include "image/snapshot_format.h"

namespace mayfly::runtime {

Result<std::shared_ptr<EngineState>> EngineState::create(EngineConfig config) {
  constexpr uint64_t kPageBytes = 4096;
  Mapping mark = MAYFLY_TRY(Mapping::anonymous(kPageBytes));
  // Kernels since 4.14 have it; without it a child learns from its first KVM_RUN.
  static_cast<void>(::madvise(mark.data(), kPageBytes, MADV_WIPEONFORK));
  *mark.data() = 1;
  auto state = std::make_unique<EngineState>(Key(), std::move(config), std::move(mark));
  return std::shared_ptr<EngineState>(state.release(), [](EngineState* last) {
    // In a forked process its threads are not there to be joined, and its locks may be theirs.
    if (last->check_process()) std::default_delete<EngineState>()(last);
  });
}

Result<std::shared_ptr<const image::Image>> EngineState::image_for(
    const std::string& key,
    const std::function<Result<std::shared_ptr<const image::Image>>()>& build) {
  std::shared_ptr<CachedImage> cached;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(images_, [&](const auto& entry) {
      return entry.first != key && entry.second.use_count() == 1 && entry.second->image.expired();
    });
    auto& entry = images_[key];
    if (entry == nullptr) entry = std::make_shared<CachedImage>();
    cached = entry;
  }
  const std::lock_guard lock(cached->building);
  if (auto image = cached->image.lock()) {
    ++counters_.image_hits;
    return image;
  }
  auto built = MAYFLY_TRY(build());
  cached->image = built;
  return built;
}

std::shared_ptr<const image::Image> EngineState::find_image(const Hash& content, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, cached] : images_) {
    // What is being built is nobody's yet.
    const std::unique_lock building(cached->building, std::try_to_lock);
    if (!building.owns_lock()) continue;
    auto image = cached->image.lock();
    if (image == nullptr || image::without_origin_mark(image->file_bytes()).size() != bytes)
      continue;
    if (!cached->content) cached->content = image::image_content_hash(image->file_bytes());
    if (*cached->content == content) return image;
  }
  return nullptr;
}

Result<std::shared_ptr<const image::Image>> EngineState::image_with(
    const Hash& content, uint64_t bytes,
    const std::function<Result<std::shared_ptr<const image::Image>>()>& open) {
  const std::lock_guard lock(opening_);
  if (auto image = find_image(content, bytes)) return image;
  return image_for("opened " + std::to_string(++opened_count_), open);
}

Result<void> EngineState::check_process() const {
  if (*process_mark_.data() != 0) return {};
  return Error{ErrorKind::kState,
               "this process was forked from the one that made the engine, whose sandboxes did not "
               "come along: create an engine in the child",
               0};
}

}  // namespace mayfly::runtime
