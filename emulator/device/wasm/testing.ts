// What the tests of the rewriters share: the two modules that the emulator runs, and a way to write
// a small one by hand.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Code, flatten } from './assembler.ts';
import { concat, Op, type RawSection, Section, unsigned, writeSections } from './binary.ts';

const ours = createRequire(import.meta.url);

/** QuickJS as quickjs-emscripten ships it. */
export function readQuickJs(): Promise<Uint8Array> {
  const theirs = createRequire(ours.resolve('quickjs-emscripten'));
  return readFile(theirs.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'));
}

/** SQLite as its authors ship it. */
export function readSqlite(): Promise<Uint8Array> {
  return readFile(ours.resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm'));
}

const memorySection = 5;
const i32 = 0x7f;

/** A module with one page of memory and one exported function `run(i32) -> i32`. */
export function smallModule(...code: Code): Uint8Array {
  const instructions = [...flatten(code), Op.end];
  const oneMoreLocal = [1, 1, i32];
  const body = [...oneMoreLocal, ...instructions];
  const name = (text: string) => [text.length, ...new TextEncoder().encode(text)];
  const section = (id: number, ...items: number[][]): RawSection => ({
    id,
    payload: concat(unsigned(items.length), ...items),
  });
  return writeSections([
    section(Section.type, [0x60, 1, i32, 1, i32]),
    section(Section.import),
    section(Section.function, [0]),
    section(memorySection, [0, 1]),
    section(Section.global),
    section(Section.export, [...name('run'), 0, 0]),
    section(Section.code, [...unsigned(body.length), ...body]),
  ]);
}
