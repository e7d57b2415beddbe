// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declarators of component and instance types (Explainer.md #declarators).
#include "component/decoder.h"

namespace mayfly::component {

Result<void> Decoder::declaration(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t kind = cursor.u8();
  if (cursor.failed()) return cursor.error();
  switch (kind) {
    case 0x00:
      return core_type_definition(cursor);
    case 0x01:
      return type_definition(cursor);
    case 0x02:
      return alias(cursor);
    case 0x03:
      if (scope().kind == Scope::Kind::kComponentType) return import_entry(cursor);
      break;
    case 0x04:
      return export_declaration(cursor);
    default:
      break;
  }
  return invalid_at("malformed declaration " + std::to_string(kind), start);
}

}  // namespace mayfly::component
