# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Counts the words of a file of its folder, and says what it drew: a component by componentize-py.
import collections
import hashlib
import json
import random
import sys
import uuid

import wit_world.exports


class Run(wit_world.exports.Run):
    def run(self):
        _, name = sys.argv
        with open(f"/w/{name}", encoding="utf-8") as file:
            words = collections.Counter(file.read().lower().split())
        with open("/w/words.json", "w", encoding="utf-8") as file:
            most = sorted(words.items(), key=lambda item: (-item[1], item[0]))
            json.dump({"most": most[:3]}, file)
        block = bytes(range(256)) * 40000
        print(hashlib.sha256(block).hexdigest(), sum(words.values()), 2 ** 200 % 1000007)
        print("drawn:", random.randrange(10 ** 12), uuid.uuid4())
