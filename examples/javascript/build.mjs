// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the component orders.wasm, in the current folder, of orders.js and a JavaScript engine.
import { componentize } from '@bytecodealliance/componentize-js';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

// The texts of WASI's interfaces, which come with the toolchain.
const wit = await mkdtemp(join(tmpdir(), 'orders-wit-'));
await cp(here('node_modules/@bytecodealliance/jco/lib/wit/builtin/0.2.12'), join(wit, 'deps'),
         { recursive: true });
await cp(here('world.wit'), join(wit, 'world.wit'));
const { component } = await componentize(await readFile(here('orders.js'), 'utf8'), {
  witPath: wit,
  worldName: 'orders',
  disableFeatures: ['fetch-event'],
});
await writeFile('orders.wasm', component);
await rm(wit, { recursive: true });
