// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adds up the orders in a file with the prices that a server knows, and draws one of them.
//   orders FILE URL       FILE: [{"item": "apple", "count": 2}, ...]   URL: {"apple": 1.25, ...}
import { getArguments } from 'wasi:cli/environment@0.2.12';
import { getDirectories } from 'wasi:filesystem/preopens@0.2.12';

const LARGEST_FILE = 1n << 20n;

// The program's only way to files: the directories that it was given, by --dir.
function readText(name) {
  const [[directory]] = getDirectories();
  const file = directory.openAt({ symlinkFollow: true }, name, {}, { read: true });
  const [bytes] = file.read(LARGEST_FILE, 0n);
  return new TextDecoder().decode(bytes);
}

// And to servers: those of --http.
async function readPrices(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: status ${response.status}`);
  return response.json();
}

function draw(orders) {
  const [number] = crypto.getRandomValues(new Uint32Array(1));
  return orders[number % orders.length].item;
}

export const run = {
  async run() {
    const [, file, url] = getArguments();
    try {
      const orders = JSON.parse(readText(file));
      const prices = await readPrices(url);
      const sums = orders.map(({ item, count }) => ({ item, sum: count * prices[item] }));
      const total = sums.reduce((sum, order) => sum + order.sum, 0);
      console.log(JSON.stringify({ orders: sums, total }));
      console.log(`drawn: ${draw(orders)}, ${crypto.randomUUID()}`);
    } catch (error) {
      console.error(`orders: ${error}`);
      throw error;
    }
  },
};
