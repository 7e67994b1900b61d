// Finds functions in QuickJS's WebAssembly module, which has no names, by their shape: who calls
// whom, with which types. They are the memory allocator, what it takes to read an ArrayBuffer
// without allocating, and what asks for the host's environment. Promises exactly one match for
// each, or an error that says which one; a guess could leave allocations uncounted. Changes
// nothing.

import { ExternalKind, Instructions, Op, Reader, ValueType } from './binary.ts';
import type { FunctionType, ModuleEditor } from './module.ts';

/** Function indices. The names are those of the C sources (quickjs.c, cutils.c, dlmalloc). */
export interface Allocator {
  readonly malloc: number;
  readonly free: number;
  readonly realloc: number;
  /**
   * `js_def_malloc(state, bytes)`, and its companions: all that QuickJS allocates goes through
   * them.
   */
  readonly jsMalloc: number;
  readonly jsRealloc: number;
  readonly jsFree: number;
}

/** Function indices. */
export interface Environment {
  /** `environ_sizes_get(count out, bytes out)` and `environ_get`, which the host answers. */
  readonly questions: readonly number[];
  /** The only function that calls them. */
  readonly asker: number;
}

const { i32, i64 } = ValueType;
const shapes = {
  malloc: { params: [i32, i32], results: [i32] },
  realloc: { params: [i32, i32, i32], results: [i32] },
  free: { params: [i32, i32], results: [] },
  getArrayBuffer: { params: [i32, i32, i64], results: [i32] },
  environment: { params: [i32, i32], results: [i32] },
};

/** Finds the allocator. Throws when the module is not built as expected. */
export function findAllocator(module: ModuleEditor): Allocator {
  const calls = module.bodies.map((body) => directCalls(body.code));
  const inTable = [...module.tableFunctions()].filter((f) => f >= module.importedFunctions);
  const exported = new Set(
    module.exports.filter((e) => e.kind === ExternalKind.function).map((e) => e.index),
  );
  const callees = (f: number) => calls[f - module.importedFunctions] ?? [];
  const tableFunctionsLike = (shape: FunctionType) =>
    inTable.filter((f) => hasShape(module, f, shape));

  // js_def_free does nothing but free; js_def_realloc allocates, frees and reallocates.
  const freers = tableFunctionsLike(shapes.free).filter(
    (f) => callees(f).length === 1 && callees(f).every((callee) => exported.has(callee)),
  );
  const jsFree = only('js_def_free', freers);
  const free = only('free', callees(jsFree));
  const jsMallocs = tableFunctionsLike(shapes.malloc);
  const jsRealloc = only(
    'js_def_realloc',
    tableFunctionsLike(shapes.realloc).filter(
      (f) => callees(f).includes(free) && callees(f).some((callee) => jsMallocs.includes(callee)),
    ),
  );
  const jsMalloc = only(
    'js_def_malloc',
    callees(jsRealloc).filter((f) => jsMallocs.includes(f)),
  );
  const malloc = only(
    'malloc',
    callees(jsMalloc).filter((f) => exported.has(f)),
  );
  const realloc = only(
    'realloc',
    callees(jsRealloc).filter((f) => callees(f).includes(malloc) && callees(f).includes(free)),
  );
  const found = { malloc, free, realloc, jsMalloc, jsRealloc, jsFree };
  for (const f of [malloc, free, realloc]) {
    if (inTable.includes(f)) throw new Error(`cap: the allocator's function ${f} is in a table`);
  }
  return found;
}

/**
 * Finds `JS_GetArrayBuffer(context, size out, value) -> bytes or 0`, the only such function that an
 * exported one combines with an allocation: the binding's, which hands out a copy.
 */
export function findGetArrayBuffer(module: ModuleEditor, { malloc }: Allocator): number {
  const candidates = module.exports
    .filter((entry) => entry.kind === ExternalKind.function)
    .map((entry) => directCalls(module.bodyOf(entry.index).code))
    .filter((callees) => callees.length === 2 && callees.includes(malloc))
    .flatMap((callees) => callees.filter((f) => hasShape(module, f, shapes.getArrayBuffer)));
  return only('JS_GetArrayBuffer', candidates);
}

/** Finds what asks for the environment: no other imported function has such a type. */
export function findEnvironment(module: ModuleEditor): Environment {
  const questions = Array.from({ length: module.importedFunctions }, (_, f) => f).filter((f) =>
    hasShape(module, f, shapes.environment),
  );
  const askers = module.bodies.flatMap(({ code }, i) =>
    directCalls(code).some((f) => questions.includes(f)) ? [module.importedFunctions + i] : [],
  );
  const asker = only('who asks for the environment', askers);
  if (questions.length !== 2) {
    throw new Error(`cap: the environment was found ${questions.length} times, not twice`);
  }
  return { questions, asker };
}

function hasShape(module: ModuleEditor, f: number, shape: FunctionType): boolean {
  return JSON.stringify(module.typeOf(f)) === JSON.stringify(shape);
}

function directCalls(code: Uint8Array): number[] {
  const instructions = new Instructions(new Reader(code));
  const callees: number[] = [];
  while (instructions.next()) {
    if (instructions.opcode === Op.call) callees.push(instructions.index);
  }
  return callees;
}

function only(name: string, candidates: readonly number[]): number {
  const [found] = candidates;
  if (found === undefined || candidates.length !== 1) {
    throw new Error(`cap: ${name} was found ${candidates.length} times, not once`);
  }
  return found;
}
