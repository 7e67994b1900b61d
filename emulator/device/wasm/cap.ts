// The memory cap: rewrites QuickJS's WebAssembly module so that every block the virtual machine
// allocates is counted with the bytes it really takes, and refused where it would pass a limit.
// Promises that what the machine itself allocates never passes the limit, not for an instant. The
// binding's own blocks (an 8-byte box per handle) are counted but never refused, because the binding
// does not check for failure. Never changes what a program computes while memory lasts.

import { type Allocator, findAllocator } from './allocator.ts';
import {
  concat,
  ExternalKind,
  emptyBlock,
  Instructions,
  Op,
  Reader,
  signed,
  unsigned,
  ValueType,
  Writer,
} from './binary.ts';
import { type Body, ModuleEditor } from './module.ts';

/** What a capped module exports: four i32 globals and a function. */
export const capExports = {
  /** Bytes in use, with the allocator's header of every block. */
  live: 'heap_live',
  /** The highest that `live` has been. */
  peak: 'heap_peak',
  /** The limit of `live`, an unsigned number; none at first. */
  limit: 'heap_limit',
  /** How many requests were refused. */
  refused: 'heap_refused',
  /** `(bytes) => pointer` or 0: `malloc` for the host, under the same limit. */
  allocate: 'heap_allocate',
} as const;

/** Returns the module with the cap in it. Throws when it is not QuickJS as expected. */
export function capModule(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const module = new ModuleEditor(bytes);
  const allocator = findAllocator(module);
  const counters = {
    live: module.addGlobal(capExports.live, 'i32', 0),
    peak: module.addGlobal(capExports.peak, 'i32', 0),
    limit: module.addGlobal(capExports.limit, 'i32', -1),
    refused: module.addGlobal(capExports.refused, 'i32', 0),
  };
  const bodies = module.bodies.length;
  const counted = addCountedFunctions(module, allocator, counters);
  redirect(module, allocator, counted, bodies);
  replaceJsFunctions(module, allocator, counted);
  clampGcThreshold(module, counted.clamp);
  module.exportFunction(capExports.allocate, counted.malloc);
  return module.write();
}

type Counters = { readonly [name in 'live' | 'peak' | 'limit' | 'refused']: number };

/** The functions that count; their names are those of what they stand for. */
interface Counted {
  readonly malloc: number;
  readonly uncheckedMalloc: number;
  readonly free: number;
  readonly realloc: number;
  readonly clamp: number;
}

// The few instructions that the functions below are written in.
type Code = number[];
const get = (local: number): Code => [Op.localGet, ...unsigned(local)];
const set = (local: number): Code => [Op.localSet, ...unsigned(local)];
const tee = (local: number): Code => [Op.localTee, ...unsigned(local)];
const read = (global: number): Code => [Op.globalGet, ...unsigned(global)];
const write = (global: number): Code => [Op.globalSet, ...unsigned(global)];
const constant = (value: number): Code => [Op.i32Const, ...signed(value)];
const call = (index: number): Code => [Op.call, ...unsigned(index)];
const when = (...code: Code): Code => [Op.if, emptyBlock, ...code, Op.end];
const leaveWith = (...value: Code): Code => [...value, Op.return];
const wide = (...value: Code): Code => [...value, Op.i64ExtendI32U];
const load = (offset: number): Code => [Op.i32Load, 2, offset];
const store = (offset: number): Code => [Op.i32Store, 2, offset];

/**
 * The bytes that a block takes, header included: dlmalloc keeps them in the word before the block,
 * with flags in the three lowest bits.
 */
const sizeOf = (pointer: Code): Code => [
  ...pointer,
  ...constant(4),
  Op.i32Sub,
  ...load(0),
  ...constant(-8),
  Op.i32And,
];

/**
 * What a block can take beyond the bytes asked for: a header of 4, rounding to 8 with a minimum of
 * 16, and a rest of 8 that is too small to be a block of its own.
 */
const overheadBytes = 24;

function body(locals: number, ...code: Code): Body {
  return {
    locals: locals > 0 ? [[locals, ValueType.i32]] : [],
    code: Uint8Array.from([...code, Op.end]),
  };
}

function addCountedFunctions(
  module: ModuleEditor,
  allocator: Allocator,
  counters: Counters,
): Counted {
  const { live, peak, limit, refused } = counters;
  const { malloc, free, realloc } = allocator;
  const [first, second, third] = [get(0), get(1), get(2)];

  // (bytes) -> 1 when they fit, else 0
  const fits = module.addFunction(
    malloc,
    body(
      0,
      ...[...wide(...read(live)), ...wide(...first), Op.i64Add],
      ...[...wide(...constant(overheadBytes)), Op.i64Add, ...wide(...read(limit)), Op.i64GtU],
      ...when(
        ...[...read(refused), ...constant(1), Op.i32Add, ...write(refused)],
        ...leaveWith(...constant(0)),
      ),
      ...constant(1),
    ),
  );
  // (block or 0) -> the same, counted
  const count = module.addFunction(
    malloc,
    body(
      0,
      ...[...first, Op.i32Eqz, ...when(...leaveWith(...constant(0)))],
      ...[...read(live), ...sizeOf(first), Op.i32Add, ...write(live)],
      ...[...read(live), ...read(peak), Op.i32GtU, ...when(...read(live), ...write(peak))],
      ...first,
    ),
  );
  const uncheckedMalloc = module.addFunction(
    malloc,
    body(0, ...first, ...call(malloc), ...call(count)),
  );
  const checkedMalloc = module.addFunction(
    malloc,
    body(
      0,
      ...[...first, ...call(fits), Op.i32Eqz, ...when(...leaveWith(...constant(0)))],
      ...[...first, ...call(uncheckedMalloc)],
    ),
  );
  const countedFree = module.addFunction(
    free,
    body(
      0,
      ...[...first, Op.i32Eqz, ...when(Op.return)],
      ...[...read(live), ...sizeOf(first), Op.i32Sub, ...write(live)],
      ...[...first, ...call(free)],
    ),
  );
  // A block that moves is counted by the malloc and free inside realloc, old and new together; what
  // is left to count here is one that grows or shrinks where it is.
  const checkedRealloc = module.addFunction(
    realloc,
    body(
      1,
      ...[...first, Op.i32Eqz, ...when(...leaveWith(...second, ...call(checkedMalloc)))],
      ...[...sizeOf(first), ...set(2), ...second, ...third, Op.i32GtU],
      ...when(
        ...[...second, ...third, Op.i32Sub, ...call(fits), Op.i32Eqz],
        ...when(...leaveWith(...constant(0))),
      ),
      ...[...first, ...second, ...call(realloc), ...tee(1), ...first, Op.i32Eq],
      ...when(
        ...[...read(live), ...third, Op.i32Sub, ...write(live)],
        ...first,
        ...call(count),
        Op.drop,
      ),
      ...second,
    ),
  );
  // (garbage collection threshold) -> the same, or half of what is left if that comes earlier
  const clamp = module.addFunction(
    malloc,
    body(
      1,
      ...[...read(limit), ...read(live), Op.i32Sub, ...constant(1), Op.i32ShrU],
      ...[...read(live), Op.i32Add, ...tee(1), ...first, Op.i32LeU],
      ...when(...leaveWith(...second)),
      ...first,
    ),
  );
  return {
    malloc: checkedMalloc,
    uncheckedMalloc,
    free: countedFree,
    realloc: checkedRealloc,
    clamp,
  };
}

/** Sends every call and export of the allocator, in the module's own code, to its counted form. */
function redirect(
  module: ModuleEditor,
  allocator: Allocator,
  counted: Counted,
  bodies: number,
): void {
  const { malloc, free, realloc } = allocator;
  const outside = new Map([
    [malloc, counted.uncheckedMalloc],
    [free, counted.free],
    [realloc, counted.realloc],
  ]);
  // A block that moves needs room for its old and its new place.
  const insideRealloc = new Map([
    [malloc, counted.malloc],
    [free, counted.free],
  ]);
  for (let i = 0; i < bodies; i++) {
    const f = module.importedFunctions + i;
    if (f === malloc || f === free) continue;
    module.bodies[i] = redirectCalls(module.bodyOf(f), f === realloc ? insideRealloc : outside);
  }
  module.exports.forEach((entry, i) => {
    const index = entry.kind === ExternalKind.function ? outside.get(entry.index) : undefined;
    if (index !== undefined) module.exports[i] = { ...entry, index };
  });
}

function redirectCalls(original: Body, targets: ReadonlyMap<number, number>): Body {
  const output = new Writer();
  const code = new Instructions(new Reader(original.code));
  while (code.next()) {
    const target = code.opcode === Op.call ? targets.get(code.index) : undefined;
    output.write(
      target === undefined ? original.code.subarray(code.start, code.reader.at) : call(target),
    );
  }
  return { locals: original.locals, code: output.take() };
}

/**
 * Gives QuickJS allocation functions that keep its books in real bytes: `JSMallocState` begins with
 * the number of blocks and the sum of their sizes, and that sum decides when garbage is collected.
 */
function replaceJsFunctions(module: ModuleEditor, allocator: Allocator, counted: Counted): void {
  const { jsMalloc, jsFree, jsRealloc } = allocator;
  const [state, block] = [get(0), get(1)];
  const blockCount = 0;
  const byteCount = 4;
  const add = (field: number, amount: Code): Code => [
    ...[...state, ...state, ...load(field)],
    ...[...amount, Op.i32Add, ...store(field)],
  ];
  const subtract = (field: number, amount: Code): Code => [
    ...[...state, ...state, ...load(field)],
    ...[...amount, Op.i32Sub, ...store(field)],
  ];
  module.setBody(
    jsMalloc,
    body(
      0,
      ...[...get(1), ...call(counted.malloc), ...tee(1)],
      ...when(...add(blockCount, constant(1)), ...add(byteCount, sizeOf(block))),
      ...block,
    ),
  );
  module.setBody(
    jsFree,
    body(
      0,
      ...block,
      ...when(
        ...subtract(blockCount, constant(1)),
        ...subtract(byteCount, sizeOf(block)),
        ...[...block, ...call(counted.free)],
      ),
    ),
  );
  const bytes = get(2);
  const oldSize = 3;
  module.setBody(
    jsRealloc,
    body(
      1,
      ...[...block, Op.i32Eqz],
      ...when(
        ...[...bytes, Op.i32Eqz, ...when(...leaveWith(...constant(0)))],
        ...leaveWith(...state, ...bytes, ...call(jsMalloc)),
      ),
      ...[...bytes, Op.i32Eqz],
      ...when(...leaveWith(...state, ...block, ...call(jsFree), ...constant(0))),
      ...[...sizeOf(block), ...set(oldSize)],
      ...[...block, ...bytes, ...call(counted.realloc), ...tee(1)],
      ...when(...add(byteCount, [...sizeOf(block), ...get(oldSize), Op.i32Sub])),
      ...block,
    ),
  );
}

/**
 * QuickJS collects garbage cycles when its heap has grown by half since the last time. Under a cap
 * that can be later than the end of memory, so the next time is moved to half of the room left.
 */
function clampGcThreshold(module: ModuleEditor, clamp: number): void {
  // rt->malloc_gc_threshold = size + (size >> 1)
  const pattern = [
    Op.i32Load,
    Op.localTee,
    Op.i32Const,
    Op.i32ShrU,
    Op.localGet,
    Op.i32Add,
    Op.i32Store,
  ];
  const places = module.bodies.flatMap((candidate, i) =>
    findSequence(candidate.code, pattern).map((at) => ({ i, at })),
  );
  const [place] = places;
  const found = place && module.bodies[place.i];
  if (!found || places.length !== 1) {
    throw new Error(`cap: the collection threshold was found ${places.length} times, not once`);
  }
  const code = concat(found.code.subarray(0, place.at), call(clamp), found.code.subarray(place.at));
  module.bodies[place.i] = { locals: found.locals, code };
}

/**
 * Where the last instruction of every run of instructions with these opcodes starts. The first
 * opcode must not come again in the run.
 */
function findSequence(code: Uint8Array, opcodes: readonly number[]): number[] {
  const instructions = new Instructions(new Reader(code));
  const found: number[] = [];
  let matched = 0;
  while (instructions.next()) {
    if (instructions.opcode !== opcodes[matched]) matched = 0;
    if (instructions.opcode === opcodes[matched]) matched += 1;
    if (matched === opcodes.length) {
      found.push(instructions.start);
      matched = 0;
    }
  }
  return found;
}
