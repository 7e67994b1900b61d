// The memory cap: rewrites QuickJS's WebAssembly module so that every block the virtual machine
// allocates is counted with the bytes it really takes, and refused where it would pass a limit.
// Promises that what the machine itself allocates never passes the limit, not for an instant. The
// binding's own blocks (a box of 16 bytes per handle) are counted but never refused, because the
// binding does not check for failure. Never changes what a program computes while memory lasts.
// The C library learns nothing of the host's environment, which would be blocks of another size on
// another computer.

import {
  type Allocator,
  type Environment,
  findAllocator,
  findEnvironment,
  findGetArrayBuffer,
} from './allocator.ts';
import * as asm from './assembler.ts';
import { concat, ExternalKind, Instructions, Op, Reader, Writer } from './binary.ts';
import { addCounted, type Counted, sizeOf } from './counted.ts';
import { type Body, ModuleEditor } from './module.ts';

/** What a capped module exports: i32 globals and functions. */
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
  /** `(context, size out, JSValue) => pointer` or 0: the bytes of an ArrayBuffer, not copied. */
  getArrayBuffer: 'js_get_array_buffer',
  /** `(runtime, 1)`: collects garbage cycles. */
  collectGarbage: 'js_run_gc',
  /** Where in the runtime's memory the size is that starts the next collection. */
  gcThresholdAt: 'js_gc_threshold_at',
  /** Where in the runtime's memory the byte is that says what compiled code leaves out. */
  stripFlagsAt: 'js_strip_flags_at',
} as const;

/** What a module exports besides that refuses memory on purpose: i32 globals. */
export const refusingExports = {
  /** Every request of this number is refused; 0, as at first: none. */
  every: 'heap_refuse_every',
  /** How many were refused on purpose. */
  count: 'heap_refused_on_purpose',
} as const;

/**
 * Returns the module with the cap in it. Throws when it is not QuickJS as expected. `refusing`:
 * what the engine asks for can be refused on purpose, as by a `JS_SetMemoryLimit` that is met now
 * and then.
 */
export function capModule(bytes: Uint8Array, refusing = false): Uint8Array<ArrayBuffer> {
  const module = new ModuleEditor(bytes);
  const allocator = findAllocator(module);
  const getArrayBuffer = findGetArrayBuffer(module, allocator);
  const environment = findEnvironment(module);
  const originals = module.bodies.length;
  const counted = addCounted(module, allocator, {
    live: module.addGlobal(capExports.live, 'i32', 0),
    peak: module.addGlobal(capExports.peak, 'i32', 0),
    limit: module.addGlobal(capExports.limit, 'i32', -1),
    refused: module.addGlobal(capExports.refused, 'i32', 0),
  });
  redirect(module, allocator, counted, originals);
  withoutEnvironment(module, environment);
  const refuses = refusing ? addRefuses(module, allocator) : null;
  replaceJsFunctions(module, allocator, counted, refuses);
  clampGcThreshold(module, counted.clamp);
  exportStripFlags(module);
  module.exportFunction(capExports.allocate, counted.malloc);
  module.exportFunction(capExports.getArrayBuffer, getArrayBuffer);
  return module.write();
}

/** Sends every call and export of the allocator, in the module's own code, to its counted form. */
function redirect(
  module: ModuleEditor,
  { malloc, free, realloc }: Allocator,
  counted: Counted,
  originals: number,
): void {
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
  for (let i = 0; i < originals; i++) {
    const f = module.importedFunctions + i;
    if (f === malloc || f === free) continue;
    module.setBody(f, redirectCalls(module.bodyOf(f), f === realloc ? insideRealloc : outside));
  }
  module.exports.forEach((entry, i) => {
    const index = entry.kind === ExternalKind.function ? outside.get(entry.index) : undefined;
    if (index !== undefined) module.exports[i] = { ...entry, index };
  });
}

/**
 * The C library copies its environment when it starts: the language of the host's user, and the
 * path of the host's program. Its two questions fail, and it goes on with none.
 */
function withoutEnvironment(module: ModuleEditor, { asker, questions }: Environment): void {
  const [like = asker] = questions;
  const fails = module.addFunction(like, asm.assemble(0, asm.constant(1)));
  const none = new Map(questions.map((question) => [question, fails]));
  module.setBody(asker, redirectCalls(module.bodyOf(asker), none));
}

function redirectCalls(original: Body, targets: ReadonlyMap<number, number>): Body {
  const output = new Writer();
  const code = new Instructions(new Reader(original.code));
  while (code.next()) {
    const target = code.opcode === Op.call ? targets.get(code.index) : undefined;
    const same = original.code.subarray(code.start, code.reader.at);
    output.write(target === undefined ? same : asm.flatten(asm.call(target)));
  }
  return { locals: original.locals, code: output.take() };
}

/**
 * Gives QuickJS allocation functions that keep its books in real bytes: `JSMallocState` begins with
 * the number of blocks and the sum of their sizes, and that sum decides when garbage is collected.
 */
function replaceJsFunctions(
  module: ModuleEditor,
  allocator: Allocator,
  counted: Counted,
  refuses: number | null,
): void {
  const { jsMalloc, jsFree, jsRealloc } = allocator;
  const [state, block] = [asm.get(0), asm.get(1)];
  const zero = asm.constant(0);
  const change = (blocks: number, bytes: asm.Code): asm.Code => [
    asm.store(state, 0, asm.add(asm.load(state, 0), asm.constant(blocks))),
    asm.store(state, 4, asm.add(asm.load(state, 4), bytes)),
  ];
  const mayRefuse = (size: asm.Code): asm.Code =>
    refuses === null ? [] : asm.when(asm.call(refuses, size), asm.leaveWith(zero));
  module.setBody(
    jsMalloc,
    asm.assemble(
      0,
      mayRefuse(asm.get(1)),
      [asm.call(counted.malloc, asm.get(1)), asm.set(1)],
      asm.when(block, change(1, sizeOf(block))),
      block,
    ),
  );
  module.setBody(
    jsFree,
    asm.assemble(
      0,
      asm.when(block, change(-1, asm.subtract(zero, sizeOf(block))), asm.call(counted.free, block)),
    ),
  );
  const bytes = asm.get(2);
  const oldSize = 3;
  module.setBody(
    jsRealloc,
    asm.assemble(
      1,
      asm.when(
        asm.not(block),
        asm.when(asm.not(bytes), asm.leaveWith(zero)),
        asm.leaveWith(asm.call(jsMalloc, state, bytes)),
      ),
      asm.when(asm.not(bytes), asm.call(jsFree, state, block), asm.leaveWith(zero)),
      mayRefuse(bytes),
      [sizeOf(block), asm.set(oldSize)],
      [asm.call(counted.realloc, block, bytes), asm.set(1)],
      asm.when(block, change(0, asm.subtract(sizeOf(block), asm.get(oldSize)))),
      block,
    ),
  );
}

/** `(bytes) -> 1` for every Nth call, else 0. */
function addRefuses(module: ModuleEditor, { malloc }: Allocator): number {
  const every = module.addGlobal(refusingExports.every, 'i32', 0);
  const count = module.addGlobal(refusingExports.count, 'i32', 0);
  const requests = module.addGlobal('heap_requests', 'i32', 0);
  const [zero, one] = [asm.constant(0), asm.constant(1)];
  return module.addFunction(
    malloc,
    asm.assemble(
      0,
      asm.when(asm.not(asm.read(every)), asm.leaveWith(zero)),
      [asm.add(asm.read(requests), one), asm.write(requests)],
      asm.when(asm.greater(asm.read(every), asm.read(requests)), asm.leaveWith(zero)),
      [zero, asm.write(requests)],
      [asm.add(asm.read(count), one), asm.write(count)],
      one,
    ),
  );
}

/**
 * QuickJS collects garbage cycles when its heap has grown by half since the last time. Under a cap
 * that can be later than the end of memory, so the next time is moved to half of the room left.
 */
function clampGcThreshold(module: ModuleEditor, clamp: number): void {
  // rt->malloc_gc_threshold = size + (size >> 1)
  const growByHalf = [Op.i32Const, Op.i32ShrU, Op.localGet, Op.i32Add];
  const pattern = [Op.i32Load, Op.localTee, ...growByHalf, Op.i32Store];
  const places = module.bodies.flatMap(({ code }, i) =>
    findSequence(code, pattern).map((at) => ({ f: module.importedFunctions + i, at })),
  );
  const [place] = places;
  if (!place || places.length !== 1) {
    throw new Error(`cap: the collection threshold was found ${places.length} times, not once`);
  }
  const { locals, code } = module.bodyOf(place.f);
  exportCollector(module, code, place.at);
  const clamped = [
    code.subarray(0, place.at),
    asm.flatten(asm.call(clamp)),
    code.subarray(place.at),
  ];
  module.setBody(place.f, { locals, code: concat(...clamped) });
}

/**
 * `fd->strip_debug` is one bit of `rt->strip_flags` (`JS_SetStripInfo`, which this build leaves
 * out): the only byte of the runtime from which the second bit is taken.
 */
function exportStripFlags(module: ModuleEditor): void {
  const takeSecondBit = [Op.i32Const, Op.i32ShrU, Op.i32Const, Op.i32And, Op.i32Or];
  const pattern = [Op.i32Load, Op.i32Load8U, ...takeSecondBit];
  const places = module.bodies.flatMap(({ code }) =>
    findSequence(code, pattern).map((at) => ({ code, at })),
  );
  const [place] = places;
  if (!place || places.length !== 1) {
    throw new Error(`cap: the strip flags were found ${places.length} times, not once`);
  }
  let offset = -1;
  const instructions = new Instructions(new Reader(place.code));
  while (instructions.next() && instructions.start < place.at) {
    if (instructions.opcode !== Op.i32Load8U) continue;
    const load = new Reader(place.code, instructions.start + 1);
    load.u32();
    offset = load.u32();
  }
  module.addGlobal(capExports.stripFlagsAt, 'i32', offset);
}

/** The collection itself is what was called last before the threshold is stored at `storeAt`. */
function exportCollector(module: ModuleEditor, code: Uint8Array, storeAt: number): void {
  let collect = -1;
  const instructions = new Instructions(new Reader(code));
  while (instructions.next() && instructions.start <= storeAt) {
    if (instructions.opcode === Op.call) collect = instructions.index;
  }
  const store = new Reader(code.subarray(storeAt + 1));
  store.u32();
  if (collect < 0) throw new Error('cap: nothing is called before the collection threshold is set');
  module.exportFunction(capExports.collectGarbage, collect);
  module.addGlobal(capExports.gcThresholdAt, 'i32', store.u32());
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
