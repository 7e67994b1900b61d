// A fresh SQLite for every device that is switched on: its own WebAssembly instance and heap.
// Promises that two engines share nothing but compiled code. Never opens a file: see vfs.ts.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import initialise, { type Sqlite3Static } from '@sqlite.org/sqlite-wasm';

export interface Engine {
  readonly sqlite3: Sqlite3Static;
  /** What the instance exports, the globals that a rewritten module adds included. */
  readonly exports: WebAssembly.Exports;
}

/** Rewrites the module's bytes before they are compiled, for example to count instructions. */
export type Rewrite = (bytes: Uint8Array) => Uint8Array;

/** Starts an engine; `rewrite` is applied once and its result is kept for the next engine. */
export function startEngine(rewrite: Rewrite = asItIs): Promise<Engine> {
  // One after another: the package's start-up passes its state through a global variable.
  const started = queue.then(() => start(rewrite));
  queue = started.catch(() => undefined);
  return started;
}

const modules = new Map<Rewrite, Promise<WebAssembly.Module>>();
let queue: Promise<unknown> = Promise.resolve();

const asItIs: Rewrite = (bytes) => bytes;

async function start(rewrite: Rewrite): Promise<Engine> {
  const compiled = modules.get(rewrite) ?? compile(rewrite);
  modules.set(rewrite, compiled);
  const module = await compiled;
  let exports: WebAssembly.Exports = {};
  const sqlite3 = await load({
    async instantiateWasm(imports, use) {
      const instance = await WebAssembly.instantiate(module, imports);
      exports = instance.exports;
      use(instance);
    },
  });
  // It would print every result code that it also throws.
  sqlite3.config.warn = () => {};
  return { sqlite3, exports };
}

// The package's types leave out the parameter that its loader takes.
const load = initialise as (options: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    use: (instance: WebAssembly.Instance) => void,
  ): Promise<void>;
}) => Promise<Sqlite3Static>;

async function compile(rewrite: Rewrite): Promise<WebAssembly.Module> {
  const path = createRequire(import.meta.url).resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm');
  return WebAssembly.compile(rewrite(await readFile(path)));
}
