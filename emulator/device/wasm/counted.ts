// The counted forms of malloc, free and realloc that the memory cap puts in the place of the
// originals, as WebAssembly functions. Promises that `live` is the sum of what all blocks take, at
// every instant, and that a checked function lets it reach the limit but never pass it.

import type { Allocator } from './allocator.ts';
import * as asm from './assembler.ts';
import { Op } from './binary.ts';
import type { ModuleEditor } from './module.ts';

/** Indices of the i32 globals. */
interface Counters {
  readonly live: number;
  readonly peak: number;
  readonly limit: number;
  readonly refused: number;
}

/** Indices of the functions; they have the types of what they stand for. */
export interface Counted {
  /** Returns 0, and counts a refusal, where the limit would be passed. */
  readonly malloc: number;
  readonly realloc: number;
  /** Counts, but never refuses. */
  readonly uncheckedMalloc: number;
  readonly free: number;
  /** Moves a threshold of `live` to the middle of the room left, if that is lower. */
  readonly clamp: number;
}

const [first, second, third] = [asm.get(0), asm.get(1), asm.get(2)] as const;
const zero = asm.constant(0);

/**
 * What a block can take beyond the bytes asked for: a header of 4, rounding to 8 with a minimum of
 * 16, and a rest of 8 that is too small to be a block of its own.
 */
const overheadBytes = 24;

/**
 * The bytes that a block takes, header included: dlmalloc keeps them in the word before the block,
 * with flags in the three lowest bits.
 */
export function sizeOf(block: asm.Code): asm.Code {
  return [asm.load(asm.subtract(block, asm.constant(4))), asm.constant(-8), Op.i32And];
}

/** Adds the functions to the module. */
export function addCounted(module: ModuleEditor, original: Allocator, counters: Counters): Counted {
  const fits = addFits(module, original, counters);
  const count = addCount(module, original, counters);
  const uncheckedMalloc = module.addFunction(
    original.malloc,
    asm.assemble(0, asm.call(count, asm.call(original.malloc, first))),
  );
  const malloc = module.addFunction(
    original.malloc,
    asm.assemble(
      0,
      asm.when(asm.not(asm.call(fits, first)), asm.leaveWith(zero)),
      asm.call(uncheckedMalloc, first),
    ),
  );
  const free = module.addFunction(
    original.free,
    asm.assemble(
      0,
      asm.when(asm.not(first), Op.return),
      [asm.subtract(asm.read(counters.live), sizeOf(first)), asm.write(counters.live)],
      asm.call(original.free, first),
    ),
  );
  const realloc = addRealloc(module, original, counters, { fits, count, malloc });
  return { malloc, realloc, uncheckedMalloc, free, clamp: addClamp(module, original, counters) };
}

/** `(bytes) -> 1` when they fit, else 0 and a refusal. In 64 bits, so that nothing wraps. */
function addFits(module: ModuleEditor, original: Allocator, counters: Counters): number {
  const wide = (value: asm.Code): asm.Code => [value, Op.i64ExtendI32U];
  const needed = [
    [wide(asm.read(counters.live)), wide(first), Op.i64Add],
    [wide(asm.constant(overheadBytes)), Op.i64Add],
  ];
  return module.addFunction(
    original.malloc,
    asm.assemble(
      0,
      asm.when(
        [needed, wide(asm.read(counters.limit)), Op.i64GtU],
        [asm.add(asm.read(counters.refused), asm.constant(1)), asm.write(counters.refused)],
        asm.leaveWith(zero),
      ),
      asm.constant(1),
    ),
  );
}

/** `(block or 0) -> the same`, now counted. */
function addCount(module: ModuleEditor, original: Allocator, counters: Counters): number {
  const live = asm.read(counters.live);
  return module.addFunction(
    original.malloc,
    asm.assemble(
      0,
      asm.when(asm.not(first), asm.leaveWith(zero)),
      [asm.add(live, sizeOf(first)), asm.write(counters.live)],
      asm.when(asm.greater(live, asm.read(counters.peak)), live, asm.write(counters.peak)),
      first,
    ),
  );
}

/**
 * A block that moves is counted by the malloc and free inside the original, old and new together;
 * what is left to count here is one that grows or shrinks where it is.
 */
function addRealloc(
  module: ModuleEditor,
  original: Allocator,
  counters: Counters,
  { fits, count, malloc }: { fits: number; count: number; malloc: number },
): number {
  const growth = asm.subtract(second, third);
  return module.addFunction(
    original.realloc,
    asm.assemble(
      1,
      asm.when(asm.not(first), asm.leaveWith(asm.call(malloc, second))),
      [sizeOf(first), asm.set(2)],
      asm.when(
        asm.greater(second, third),
        asm.when(asm.not(asm.call(fits, growth)), asm.leaveWith(zero)),
      ),
      [asm.call(original.realloc, first, second), asm.set(1)],
      asm.when(
        asm.equal(first, second),
        [asm.subtract(asm.read(counters.live), third), asm.write(counters.live)],
        [asm.call(count, first), Op.drop],
      ),
      second,
    ),
  );
}

function addClamp(module: ModuleEditor, original: Allocator, counters: Counters): number {
  const room = asm.subtract(asm.read(counters.limit), asm.read(counters.live));
  const middle = asm.add(asm.read(counters.live), [room, asm.constant(1), Op.i32ShrU]);
  return module.addFunction(
    original.malloc,
    asm.assemble(
      1,
      [middle, asm.set(1)],
      asm.when(asm.greater(second, first), asm.leaveWith(first)),
      second,
    ),
  );
}
