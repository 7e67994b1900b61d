import sqlite3InitModule, { type Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } from 'quickjs-emscripten';
import { describe, expect, it } from 'vitest';
import type { Code } from './assembler.ts';
import * as asm from './assembler.ts';
import { emptyBlock, Instructions, Op, Reader, ValueType, Writer } from './binary.ts';
import { countsBytes, isStructure, Meter, meterModule } from './meter.ts';
import { ModuleEditor } from './module.ts';
import { readQuickJs, readSqlite, smallModule } from './testing.ts';

interface Metered {
  run(argument: number): number;
  readonly counter: Meter;
}

async function meter(...code: Code): Promise<Metered> {
  const module = await WebAssembly.compile(meterModule(smallModule(...code)));
  const { exports } = await WebAssembly.instantiate(module, {});
  return {
    run: exports.run as Metered['run'],
    counter: new Meter(exports),
  };
}

// local 1 counts down from the argument; what it passes in a turn is 8 instructions.
const countDown: Code = [
  [asm.get(0), asm.set(1)],
  [Op.loop, emptyBlock],
  [Op.block, emptyBlock, asm.not(asm.get(1)), Op.brIf, 0],
  [asm.subtract(asm.get(1), asm.constant(1)), asm.set(1), Op.br, 1],
  [Op.end, Op.end],
  asm.get(1),
];

describe('the counter', () => {
  it('counts every instruction of straight code once', async () => {
    const { run, counter } = await meter(asm.add(asm.get(0), asm.constant(5)));
    expect(run(37)).toBe(42);
    expect(counter.ops).toBe(3n);
  });

  it('counts the turns of a loop, and the way out of it', async () => {
    const { run, counter } = await meter(countDown);
    expect(run(0)).toBe(0);
    expect(counter.ops).toBe(2n + 3n + 1n);
    run(1000);
    expect(counter.ops).toBe(6n + 6n + 1000n * 8n);
  });

  it('counts only the arm of a condition that is taken', async () => {
    const i32 = 0x7f;
    const { run, counter } = await meter(
      [asm.get(0), Op.if, i32, asm.constant(1), Op.else],
      [asm.add(asm.constant(1), asm.constant(1)), Op.end],
    );
    expect([run(1), counter.ops]).toEqual([1, 2n + 1n]);
    expect([run(0), counter.ops]).toEqual([2, 3n + 2n + 3n]);
  });

  it('counts the jumps of a table to where they go', async () => {
    const { run, counter } = await meter(
      [Op.block, emptyBlock, Op.block, emptyBlock, asm.get(0), Op.brTable, 1, 0, 1, Op.end],
      [asm.leaveWith(asm.constant(7)), Op.end],
      asm.constant(9),
    );
    expect([run(0), counter.ops]).toEqual([7, 2n + 2n]);
    expect([run(1), counter.ops]).toEqual([9, 4n + 2n + 1n]);
  });

  it('counts what a bulk operation moves, eight bytes as one', async () => {
    const zero = asm.constant(0);
    const { run, counter } = await meter(
      [zero, zero, asm.get(0), Op.prefixed, 11, 0],
      [zero, zero, asm.get(0), Op.prefixed, 10, 0, 0],
      zero,
    );
    run(8000);
    expect(counter.ops).toBe(9n + 2n * 1000n);
  });
});

describe('the limit', () => {
  it('ends an endless loop in a trap, at most one turn late', async () => {
    const { run, counter } = await meter(Op.loop, emptyBlock, Op.br, 0, Op.end, asm.get(0));
    counter.limit = 10_000n;
    expect(() => run(0)).toThrow(WebAssembly.RuntimeError);
    expect(counter.ops).toBe(10_001n);
  });

  it('may be moved, which changes no count', async () => {
    const { run, counter } = await meter(countDown);
    run(1000);
    const before = counter.ops;
    counter.limit = before - 1n;
    expect(counter.ops).toBe(before);
    expect(() => run(0)).toThrow(WebAssembly.RuntimeError);
    counter.limit = counter.ops + 6n;
    expect(run(0)).toBe(0);
    expect(counter.ops).toBe(before + 2n + 6n);
  });

  it('lets a run of exactly that many instructions end well', async () => {
    const { run, counter } = await meter(countDown);
    counter.limit = 6n + 1000n * 8n;
    expect(run(1000)).toBe(0);
  });
});

describe('the modules of the device', () => {
  it('count QuickJS block by block as if instruction by instruction', async () => {
    const bytes = await readQuickJs();
    const blocks = new Meter(await runQuickJs(meterModule(bytes))).ops;
    const { [SINGLE]: counted } = await runQuickJs(meterEveryInstruction(bytes));
    const single = (counted as WebAssembly.Global<'i64'>).value;
    expect(blocks).toBe(single);
    expect(blocks).toBeGreaterThan(1_000_000n);
  });

  it('count SQLite, equally in two instances', async () => {
    const bytes = meterModule(await readSqlite());
    const first = await runSqlite(bytes);
    expect(first.answer).toBe(5050);
    expect(first.ops).toBeGreaterThan(10_000n);
    expect(await runSqlite(bytes)).toEqual(first);
  });
});

const SINGLE = 'single_ops';

/** The slow meter that the fast one is compared with: it adds one before every instruction. */
function meterEveryInstruction(bytes: Uint8Array): Uint8Array {
  const module = new ModuleEditor(bytes);
  const ops = module.addGlobal(SINGLE, 'i64', 0);
  const add = (amount: Code): Code => [asm.read(ops), amount, Op.i64Add, asm.write(ops)];
  const one = asm.flatten(add([Op.i64Const, 1]));
  module.bodies.forEach(({ locals, code }, i) => {
    const { params } = module.typeOf(module.importedFunctions + i);
    const scratch = locals.reduce((sum, [count]) => sum + count, params.length);
    const eighth: Code = [asm.get(scratch), asm.constant(3), Op.i32ShrU, Op.i64ExtendI32U];
    const moved = asm.flatten([asm.tee(scratch), add(eighth)]);
    const output = new Writer();
    const instructions = new Instructions(new Reader(code));
    while (instructions.next()) {
      if (!isStructure(instructions.opcode)) output.write(one);
      if (countsBytes(instructions)) output.write(moved);
      output.write(code.subarray(instructions.start, instructions.reader.at));
    }
    module.bodies[i] = { locals: [...locals, [1, ValueType.i32]], code: output.take() };
  });
  return module.write();
}

async function runQuickJs(bytes: Uint8Array): Promise<WebAssembly.Exports> {
  const module = await WebAssembly.compile(bytes);
  let exports: WebAssembly.Exports = {};
  const instantiateWasm = async (
    imports: WebAssembly.Imports,
    onSuccess: (instance: WebAssembly.Instance) => void,
  ) => {
    const instance = await WebAssembly.instantiate(module, imports);
    exports = instance.exports;
    onSuccess(instance);
    return exports;
  };
  const variant = newVariant(RELEASE_SYNC, { emscriptenModule: { instantiateWasm } });
  const quickJs = await newQuickJSWASMModuleFromVariant(variant);
  quickJs.evalCode(`
    const words = 'the quick brown fox jumps over the lazy dog'.repeat(50).split(' ');
    const sorted = [...new Set(words)].sort().map((word) => word.replace(/[aeiou]/g, '-'));
    JSON.parse(JSON.stringify({ sorted, list: new Uint8Array(5000).fill(3).slice(10) }));
    try { null.x } catch (error) { error.stack }
  `);
  return exports;
}

async function runSqlite(bytes: Uint8Array): Promise<{ answer: unknown; ops: bigint }> {
  const module = await WebAssembly.compile(bytes);
  let exports: WebAssembly.Exports = {};
  const instantiateWasm = async (
    imports: WebAssembly.Imports,
    onSuccess: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => {
    const instance = await WebAssembly.instantiate(module, imports);
    exports = instance.exports;
    onSuccess(instance, module);
    return exports;
  };
  const init = sqlite3InitModule as unknown as (options: object) => Promise<Sqlite3Static>;
  const sqlite = await init({ instantiateWasm });
  const db = new sqlite.oo1.DB(':memory:');
  db.exec('create table t(n integer primary key)');
  for (let n = 1; n <= 100; n++) db.exec({ sql: 'insert into t values (?)', bind: [n] });
  const answer = db.selectValue('select sum(n) from t');
  db.close();
  return { answer, ops: new Meter(exports).ops };
}
