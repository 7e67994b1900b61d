import sqlite3InitModule, { type Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } from 'quickjs-emscripten';
import { describe, expect, it } from 'vitest';
import type { Code } from './assembler.ts';
import * as asm from './assembler.ts';
import { emptyBlock, Instructions, Op, Reader, ValueType, Writer } from './binary.ts';
import { countsBytes, isStructure, meterExports, meterModule } from './meter.ts';
import { ModuleEditor } from './module.ts';
import { readQuickJs, readSqlite, smallModule } from './testing.ts';

type Metered = {
  run(argument: number): number;
  ops: WebAssembly.Global<'i64'>;
  limit: WebAssembly.Global<'i64'>;
};

async function meter(...code: Code): Promise<Metered> {
  const module = await WebAssembly.compile(meterModule(smallModule(...code)));
  const { exports } = await WebAssembly.instantiate(module, {});
  return {
    run: exports.run as Metered['run'],
    ops: exports[meterExports.ops] as Metered['ops'],
    limit: exports[meterExports.limit] as Metered['limit'],
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
    const { run, ops } = await meter(asm.add(asm.get(0), asm.constant(5)));
    expect(run(37)).toBe(42);
    expect(ops.value).toBe(3n);
  });

  it('counts the turns of a loop, and the way out of it', async () => {
    const { run, ops } = await meter(countDown);
    expect(run(0)).toBe(0);
    expect(ops.value).toBe(2n + 3n + 1n);
    run(1000);
    expect(ops.value).toBe(6n + 6n + 1000n * 8n);
  });

  it('counts only the arm of a condition that is taken', async () => {
    const i32 = 0x7f;
    const { run, ops } = await meter(
      [asm.get(0), Op.if, i32, asm.constant(1), Op.else],
      [asm.add(asm.constant(1), asm.constant(1)), Op.end],
    );
    expect([run(1), ops.value]).toEqual([1, 2n + 1n]);
    expect([run(0), ops.value]).toEqual([2, 3n + 2n + 3n]);
  });

  it('counts the jumps of a table to where they go', async () => {
    const { run, ops } = await meter(
      [Op.block, emptyBlock, Op.block, emptyBlock, asm.get(0), Op.brTable, 1, 0, 1, Op.end],
      [asm.leaveWith(asm.constant(7)), Op.end],
      asm.constant(9),
    );
    expect([run(0), ops.value]).toEqual([7, 2n + 2n]);
    expect([run(1), ops.value]).toEqual([9, 4n + 2n + 1n]);
  });

  it('counts what a bulk operation moves, eight bytes as one', async () => {
    const zero = asm.constant(0);
    const { run, ops } = await meter(
      [zero, zero, asm.get(0), Op.prefixed, 11, 0],
      [zero, zero, asm.get(0), Op.prefixed, 10, 0, 0],
      zero,
    );
    run(8000);
    expect(ops.value).toBe(9n + 2n * 1000n);
  });
});

describe('the limit', () => {
  it('ends an endless loop in a trap, at most one turn late', async () => {
    const { run, ops, limit } = await meter(Op.loop, emptyBlock, Op.br, 0, Op.end, asm.get(0));
    limit.value = 10_000n;
    expect(() => run(0)).toThrow(WebAssembly.RuntimeError);
    expect(ops.value).toBe(10_001n);
  });

  it('lets a run of exactly that many instructions end well', async () => {
    const { run, limit } = await meter(countDown);
    limit.value = 6n + 1000n * 8n;
    expect(run(1000)).toBe(0);
  });
});

describe('the modules of the device', () => {
  it('count QuickJS block by block as if instruction by instruction', async () => {
    const bytes = await readQuickJs();
    const blocks = await runQuickJs(meterModule(bytes));
    const single = await runQuickJs(meterEveryInstruction(bytes));
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

/** The slow meter that the fast one is compared with: it adds one before every instruction. */
function meterEveryInstruction(bytes: Uint8Array): Uint8Array {
  const module = new ModuleEditor(bytes);
  const ops = module.addGlobal(meterExports.ops, 'i64', 0);
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

async function runQuickJs(bytes: Uint8Array): Promise<bigint> {
  const module = await WebAssembly.compile(bytes);
  let ops: Metered['ops'] | undefined;
  const instantiateWasm = async (
    imports: WebAssembly.Imports,
    onSuccess: (instance: WebAssembly.Instance) => void,
  ) => {
    const instance = await WebAssembly.instantiate(module, imports);
    ops = instance.exports[meterExports.ops] as Metered['ops'];
    onSuccess(instance);
    return instance.exports;
  };
  const variant = newVariant(RELEASE_SYNC, { emscriptenModule: { instantiateWasm } });
  const quickJs = await newQuickJSWASMModuleFromVariant(variant);
  quickJs.evalCode(`
    const words = 'the quick brown fox jumps over the lazy dog'.repeat(50).split(' ');
    const sorted = [...new Set(words)].sort().map((word) => word.replace(/[aeiou]/g, '-'));
    JSON.parse(JSON.stringify({ sorted, list: new Uint8Array(5000).fill(3).slice(10) }));
    try { null.x } catch (error) { error.stack }
  `);
  return ops?.value ?? 0n;
}

async function runSqlite(bytes: Uint8Array): Promise<{ answer: unknown; ops: bigint }> {
  const module = await WebAssembly.compile(bytes);
  let ops: Metered['ops'] | undefined;
  const instantiateWasm = async (
    imports: WebAssembly.Imports,
    onSuccess: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => {
    const instance = await WebAssembly.instantiate(module, imports);
    ops = instance.exports[meterExports.ops] as Metered['ops'];
    onSuccess(instance, module);
    return instance.exports;
  };
  const init = sqlite3InitModule as unknown as (options: object) => Promise<Sqlite3Static>;
  const sqlite = await init({ instantiateWasm });
  const db = new sqlite.oo1.DB(':memory:');
  db.exec('create table t(n integer primary key)');
  for (let n = 1; n <= 100; n++) db.exec({ sql: 'insert into t values (?)', bind: [n] });
  const answer = db.selectValue('select sum(n) from t');
  db.close();
  return { answer, ops: ops?.value ?? 0n };
}
