# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Reads /w/words.txt, writes a database and a report, and hands 100 MB through a file.
import collections
import json
import re
import sqlite3
import sys
import zlib

with open("/w/words.txt", encoding="utf-8") as file:
    counts = collections.Counter(re.findall(r"\w+", file.read().lower()))
database = sqlite3.connect("/w/words.db")
database.execute("create table words (word text primary key, count integer)")
database.executemany("insert into words values (?, ?)", counts.items())
database.commit()
rows = database.execute("select word, count from words order by count desc, word limit 3")
with open("/w/report.json", "w", encoding="utf-8") as file:
    json.dump({"words": sum(counts.values()), "most": rows.fetchall()}, file)

BLOCK = bytes(range(256)) * 4000
written = 0
with open("/w/large", "wb") as file:
    for i in range(100):
        block = i.to_bytes(4, "little") + BLOCK
        written = zlib.crc32(block, written)
        file.write(block)
read = size = 0
with open("/w/large", "rb") as file:
    while block := file.read(1 << 20):
        read = zlib.crc32(block, read)
        size += len(block)
print(sys.platform, size, read == written)
