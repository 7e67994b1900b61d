// One fresh QuickJS WebAssembly instance, capped and metered, and nothing else.
// Promises that no two virtual machines share an instance (a used allocator gives other addresses,
// and with them other instruction counts), and that the module is rewritten and compiled once a
// process. Never interprets values: vm-values.ts does.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { RELEASE_SYNC } from 'quickjs-emscripten';
import { capExports, capModule, refusingExports } from './wasm/cap.ts';
import { Meter, meterModule } from './wasm/meter.ts';

/** A pointer into the instance's memory; 0 is none. */
export type Pointer = number;

/**
 * The functions of quickjs-emscripten's C interface that are used here, and one that it uses. A
 * `value` points to a JSValue in a box of its own, which `QTS_FreeValuePointer` releases.
 */
export interface QuickJs {
  _QTS_NewRuntime(): Pointer;
  _QTS_RuntimeSetMaxStackSize(runtime: Pointer, bytes: number): void;
  _QTS_NewContext(runtime: Pointer, intrinsics: number): Pointer;
  _QTS_GetGlobalObject(context: Pointer): Pointer;
  _QTS_GetUndefined(): Pointer;
  _QTS_GetNull(): Pointer;
  _QTS_DupValuePointer(context: Pointer, value: Pointer): Pointer;
  _QTS_FreeValuePointer(context: Pointer, value: Pointer): void;
  _QTS_NewObject(context: Pointer): Pointer;
  _QTS_NewError(context: Pointer): Pointer;
  _QTS_NewFloat64(context: Pointer, value: number): Pointer;
  _QTS_GetFloat64(context: Pointer, value: Pointer): number;
  /** `text` is UTF-8 that ends with a zero; it stays the caller's. */
  _QTS_NewString(context: Pointer, text: Pointer): Pointer;
  /**
   * Borrowed UTF-8 (surrogates that stand alone are encoded as they are), for `QTS_FreeCString`.
   */
  _QTS_GetString(context: Pointer, value: Pointer): Pointer;
  _QTS_FreeCString(context: Pointer, text: Pointer): void;
  /** Takes `bytes`, a block of the allocator, over. */
  _QTS_NewArrayBuffer(context: Pointer, bytes: Pointer, length: number): Pointer;
  /** The bytes of an ArrayBuffer, not copied; 0 and a pending exception when `jsValue` is none. */
  _JS_GetArrayBuffer(context: Pointer, lengthOut: Pointer, jsValue: bigint): Pointer;
  _QTS_NewFunction(c: Pointer, name: Pointer, arity: number, isNew: 0 | 1, id: number): Pointer;
  _QTS_GetProp(context: Pointer, object: Pointer, key: Pointer): Pointer;
  _QTS_SetProp(context: Pointer, object: Pointer, key: Pointer, value: Pointer): void;
  _QTS_Eval(c: Pointer, code: Pointer, n: number, file: Pointer, detect: 0, flags: 0): Pointer;
  _QTS_Call(c: Pointer, fn: Pointer, self: Pointer, count: number, args: Pointer): Pointer;
  _QTS_Throw(context: Pointer, error: Pointer): Pointer;
  /** The pending exception when `value` is the exception mark, else 0. */
  _QTS_ResolveException(context: Pointer, value: Pointer): Pointer;
  _QTS_IsJobPending(runtime: Pointer): number;
  /** Runs all pending jobs; a number, or the error that a job threw. */
  _QTS_ExecutePendingJob(runtime: Pointer, limit: -1, contextOut: Pointer): Pointer;
  _free(block: Pointer): void;
  readonly HEAPU8: Uint8Array;
  callbacks: QuickJsCallbacks;
}

/** What the instance calls in the host; the first argument is of no use in this build. */
interface QuickJsCallbacks {
  callFunction(
    unused: undefined,
    context: Pointer,
    self: Pointer,
    count: number,
    args: Pointer,
    id: number,
  ): Pointer;
  freeHostRef(unused: undefined, runtime: Pointer, id: number): void;
}

/** `JS_STRIP_DEBUG` of quickjs.h. */
const STRIP_DEBUG = 2;

/** The counters that the rewriting added, as numbers. */
export class Counters {
  private readonly exports: WebAssembly.Exports;
  private readonly meter: Meter;
  private readonly refusedGlobal: WebAssembly.Global<'i32'>;

  constructor(exports: WebAssembly.Exports) {
    this.exports = exports;
    this.meter = new Meter(exports);
    this.refusedGlobal = this.heapGlobal('refused');
  }

  /** Instructions executed by the instance; exact up to 2^53. */
  get ops(): number {
    return Number(this.meter.ops);
  }

  /** The count past which the next loop traps. */
  set opsLimit(value: number) {
    this.meter.limit = BigInt(value);
  }

  /** Requests for memory that were refused. */
  get refused(): number {
    return this.refusedGlobal.value >>> 0;
  }

  get liveBytes(): number {
    return this.heapGlobal('live').value >>> 0;
  }

  get peakBytes(): number {
    return this.heapGlobal('peak').value >>> 0;
  }

  /** What `liveBytes` may reach. */
  set limitBytes(value: number) {
    this.heapGlobal('limit').value = value;
  }

  /** A block of memory under the cap; 0, and counted as refused, where it does not fit. */
  allocate(bytes: number): Pointer {
    const allocate = this.exports[capExports.allocate] as (bytes: number) => Pointer;
    return allocate(bytes) >>> 0;
  }

  /** Collects garbage cycles of the runtime; the next time is when `nextBytes` are in use. */
  collectGarbage(runtime: Pointer, memory: Uint8Array, nextBytes: number): void {
    const collect = this.exports[capExports.collectGarbage] as (rt: Pointer, weak: 1) => void;
    const at = this.exports[capExports.gcThresholdAt] as WebAssembly.Global<'i32'>;
    collect(runtime, 1);
    new DataView(memory.buffer).setUint32(runtime + at.value, nextBytes, true);
  }

  /**
   * Code that is compiled from now on keeps neither its source nor file and line
   * (`JS_STRIP_DEBUG`).
   */
  stripDebug(runtime: Pointer, memory: Uint8Array): void {
    const at = this.exports[capExports.stripFlagsAt] as WebAssembly.Global<'i32'>;
    memory[runtime + at.value] = STRIP_DEBUG;
  }

  /** Every request of the engine of this number is refused; 0: none. For an engine that refuses. */
  set refuseEvery(requests: number) {
    (this.exports[refusingExports.every] as WebAssembly.Global<'i32'>).value = requests;
  }

  /** Requests that were refused on purpose. */
  get refusedOnPurpose(): number {
    const count = this.exports[refusingExports.count] as WebAssembly.Global<'i32'> | undefined;
    return count === undefined ? 0 : count.value;
  }

  private heapGlobal(name: 'live' | 'peak' | 'limit' | 'refused'): WebAssembly.Global<'i32'> {
    return this.exports[capExports[name]] as WebAssembly.Global<'i32'>;
  }
}

interface Engine {
  readonly quickjs: QuickJs;
  readonly counters: Counters;
}

const compiled = new Map<boolean, Promise<WebAssembly.Module>>();

/** A fresh instance. No runtime is made in it yet. `refusing`: see `capModule`. */
export async function instantiateEngine(refusing = false): Promise<Engine> {
  const compiling = compiled.get(refusing) ?? compile(refusing);
  compiled.set(refusing, compiling);
  const module = await compiling;
  const load = (await RELEASE_SYNC.importModuleLoader()) as unknown as Loader;
  let exports: WebAssembly.Exports = {};
  const quickjs: QuickJs = await load({
    async instantiateWasm(imports, onSuccess) {
      const instance = await WebAssembly.instantiate(module, imports);
      exports = instance.exports;
      onSuccess(instance);
      return exports;
    },
    // What C prints when it aborts; the trap that follows says as much.
    print() {},
    printErr() {},
  });
  const getArrayBuffer = exports[capExports.getArrayBuffer] as QuickJs['_JS_GetArrayBuffer'];
  return {
    quickjs: Object.assign(quickjs, { _JS_GetArrayBuffer: getArrayBuffer }),
    counters: new Counters(exports),
  };
}

type Loader = (options: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    onSuccess: (instance: WebAssembly.Instance) => void,
  ): Promise<WebAssembly.Exports>;
  print(text: string): void;
  printErr(text: string): void;
}) => Promise<QuickJs>;

/** The cap comes first, so that its own instructions are metered like all others. */
async function compile(refusing: boolean): Promise<WebAssembly.Module> {
  const ours = createRequire(import.meta.url);
  const theirs = createRequire(ours.resolve('quickjs-emscripten'));
  const bytes = await readFile(theirs.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'));
  return WebAssembly.compile(meterModule(capModule(bytes, refusing)));
}
