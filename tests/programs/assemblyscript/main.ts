// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strings, maps, sorting, garbage, arguments and the exit code.
class Node {
  next: Node | null = null;
  constructor(public value: i32) {}
}

const counts = new Map<string, i32>();
const words = "the cat and the hat and the bat".split(" ");
for (let i = 0; i < words.length; ++i) {
  counts.set(words[i], (counts.has(words[i]) ? counts.get(words[i]) : 0) + 1);
}
const keys = counts.keys().sort();
let line = "";
for (let i = 0; i < keys.length; ++i) line += keys[i] + "=" + counts.get(keys[i]).toString() + " ";
console.log(line);

let sum: i64 = 0;
for (let round = 0; round < 1000; ++round) {
  let head = new Node(round);
  for (let i = 0; i < 1000; ++i) {
    const node = new Node(i);
    node.next = head;
    head = node;
  }
  for (let node: Node | null = head; node; node = node.next) sum += node.value;
}
console.log(sum.toString() + " " + (1.5 / 4.0).toString());
console.log(process.argv.slice(1).join(","));
process.exit(9);
