// The emulated device's processor and memory: one JavaScript virtual machine (QuickJS) under an
// exact byte cap, with a clock that counts executed WebAssembly instructions.
// Promises that equal programs with equal inputs take equally many instructions and bytes, and that
// nothing a program does can pass the cap or hang the host: it is killed instead (vm-errors.ts).
// Never gives the program a clock or a random number: Date and Math.random do not exist in it.

import { type Counters, instantiateEngine, type Pointer, type QuickJs } from './vm-engine.ts';
import { VmError, VmKilled } from './vm-errors.ts';
import { NoRoom, Values, type VmArg } from './vm-values.ts';

interface VmOptions {
  /**
   * All memory that the machine may take, its base of some 60 KB and what the host puts in
   * included.
   */
  readonly capBytes: number;
  /** Instructions after which one slice is killed, as a watchdog would. */
  readonly sliceOpsMax: number;
  /**
   * The C stack of the program; deeper recursion is an InternalError inside. 64 KiB if left out.
   */
  readonly stackBytes?: number;
  /**
   * Compiled code keeps neither its source nor file and line, as a device sets its engine up that
   * has no memory to spare: stacks name functions only. False if left out.
   */
  readonly stripped?: boolean;
  /**
   * The engine throws where it is refused memory on purpose (`refuseEvery`), and is not killed: as
   * one with `JS_SetMemoryLimit`. What passes the cap is still a kill. False if left out.
   */
  readonly refusing?: boolean;
}

/** A value inside a machine; it lives there until it is released. */
export class VmRef {
  /** Zero once released. */
  pointer: Pointer;

  constructor(pointer: Pointer) {
    this.pointer = pointer;
  }
}

interface VmMeter {
  /** Instructions executed since the machine was made. */
  readonly instructions: number;
  readonly liveBytes: number;
  readonly peakBytes: number;
  readonly refusals: number;
  /** Those that were on purpose. */
  readonly refusedOnPurpose: number;
  /** Instructions of the longest slice, and the number of slices, since `resetSlices`. */
  readonly longestSlice: number;
  readonly slices: number;
  /** Of `loading`: what was executed, and the longest of its slices, which count apart. */
  readonly loadInstructions: number;
  readonly loadLongestSlice: number;
}

type HostFunction = (...args: VmArg[]) => VmArg | undefined;

/**
 * Makes a machine with an engine of its own. Throws a RangeError for limits that are no whole
 * numbers, and `VmKilled` when the cap cannot hold the machine's base.
 */
export async function createVm(options: VmOptions): Promise<Vm> {
  const { stripped: _stripped, refusing, ...numbers } = options;
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} is ${value}`);
  }
  const { quickjs, counters } = await instantiateEngine(refusing);
  return new Vm(quickjs, counters, options);
}

/** Some 370 calls deep. Above 96 KiB the host's own stack can end first, which is a trap. */
const defaultStackBytes = 64 * 1024;
/** Of IntrinsicsFlags all that ECMAScript has, but Date: 2. */
const intrinsicsWithoutDate = 1 | 4 | 8 | 16 | 32 | 64 | 128 | 256 | 512 | 1024 | 2048;
/** Room under the cap for the engine's boxes, 16 bytes a reference, which it never refuses. */
const boxReserveBytes = 1024;
/** What QuickJS throws itself, here on behalf of a host function. */
const OUT_OF_MEMORY = Object.assign(new Error('out of memory'), { name: 'InternalError' });
const argumentsMax = 8;
const pointerBytes = 4;
const valueBytes = 8;

export class Vm {
  private readonly quickjs: QuickJs;
  private readonly counters: Counters;
  private readonly options: VmOptions;
  private readonly runtime: Pointer;
  private readonly context: Pointer;
  private readonly values: Values;
  private readonly hostFunctions = new Map<number, HostFunction>();
  private nextHostFunction = 1;
  /** Where the argument pointers of a call lie. */
  private readonly argv: Pointer;
  /** What every further call throws. */
  private ended: Error | undefined;
  private running = false;
  private longestSlice = 0;
  private slices = 0;
  private loadInstructions = 0;
  private loadLongestSlice = 0;
  private isLoading = false;

  constructor(quickjs: QuickJs, counters: Counters, options: VmOptions) {
    this.quickjs = quickjs;
    this.counters = counters;
    this.options = options;
    quickjs.callbacks = {
      callFunction: (_unused, _context, _self, count, args, id) => this.callHost(count, args, id),
      freeHostRef: (_unused, _runtime, id) => this.hostFunctions.delete(id),
    };
    this.runtime = quickjs._QTS_NewRuntime();
    quickjs._QTS_RuntimeSetMaxStackSize(this.runtime, options.stackBytes ?? defaultStackBytes);
    if (options.stripped) counters.stripDebug(this.runtime, quickjs.HEAPU8);
    this.context = quickjs._QTS_NewContext(this.runtime, intrinsicsWithoutDate);
    this.argv = counters.allocate(argumentsMax * pointerBytes);
    // The limit holds from here on, because the engine's own start does not survive a refusal.
    counters.limitBytes = Math.max(0, options.capBytes - boxReserveBytes);
    if (counters.peakBytes > options.capBytes - boxReserveBytes) throw new VmKilled('memory');
    this.values = new Values(quickjs, counters, this.context);
    this.loading(() => this.release(this.evaluate('delete Math.random', 'boot')));
    this.loadInstructions = counters.ops;
  }

  /**
   * Runs a script, then all pending jobs: one slice. Returns the script's completion value.
   * Throws `VmError` for an exception, `VmKilled`.
   */
  evaluate(source: string, fileName: string): VmRef {
    const { quickjs, values, context } = this;
    return this.slice(() =>
      values.withUtf8(source, (code, length) =>
        values.withUtf8(fileName, (file) => quickjs._QTS_Eval(context, code, length, file, 0, 0)),
      ),
    );
  }

  /**
   * Calls a function, `this` being undefined, then runs all pending jobs: one slice. Throws as
   * `evaluate`.
   */
  call(fn: VmRef, args: readonly (VmArg | VmRef)[]): VmRef {
    if (args.length > argumentsMax) throw new RangeError(`at most ${argumentsMax} arguments`);
    const { quickjs, values, context, argv } = this;
    const callee = pointerOf(fn);
    return this.slice(() => {
      const made: Pointer[] = [];
      const boxes = args.map((arg) => {
        if (arg instanceof VmRef) return pointerOf(arg);
        const box = this.patiently(() => values.fromHost(arg));
        made.push(box);
        return box;
      });
      values.writePointers(argv, boxes);
      const nothing = quickjs._QTS_GetUndefined();
      const result = quickjs._QTS_Call(context, callee, nothing, args.length, argv);
      for (const box of made) values.free(box);
      return result;
    });
  }

  /** Calls a function for its effects only. */
  run(fn: VmRef, args: readonly (VmArg | VmRef)[]): void {
    this.release(this.call(fn, args));
  }

  /** A property of an object; undefined where there is none. */
  property(object: VmRef, name: string): VmRef {
    return this.enter(() => this.unwrap(this.values.property(pointerOf(object), name)));
  }

  /** A new plain object. */
  newObject(): VmRef {
    return this.enter(() => this.unwrap(this.quickjs._QTS_NewObject(this.context)));
  }

  /**
   * A function of the machine that calls into the host. It runs while the machine is running, so it
   * must not enter the machine. What it throws becomes an Error inside, except `VmKilled`, which
   * ends the machine.
   */
  hostFunction(name: string, fn: HostFunction): VmRef {
    const id = this.nextHostFunction++;
    this.hostFunctions.set(id, fn);
    const { quickjs, values, context } = this;
    return this.enter(() =>
      this.unwrap(
        values.withUtf8(name, (utf8) => quickjs._QTS_NewFunction(context, utf8, fn.length, 0, id)),
      ),
    );
  }

  /** The value as JavaScript's String() writes it. */
  toText(value: VmRef): string {
    return this.enter(() => this.values.toText(pointerOf(value)));
  }

  /** The value, if it is one that crosses; else throws a TypeError. */
  toHost(value: VmRef): VmArg {
    return this.enter(() => this.values.toHost(pointerOf(value)));
  }

  /** Gives a value up. Harmless when it is given up already, or the machine is dead. */
  release(value: VmRef): void {
    if (value.pointer !== 0 && !this.ended) this.values.free(value.pointer);
    value.pointer = 0;
  }

  /** The counters as they are now, also of a dead machine. */
  meter(): VmMeter {
    const { ops: instructions, liveBytes, peakBytes, refused, refusedOnPurpose } = this.counters;
    const { longestSlice, slices, loadInstructions, loadLongestSlice } = this;
    const counted = { instructions, longestSlice, slices, loadInstructions, loadLongestSlice };
    return { ...counted, liveBytes, peakBytes, refusals: refused, refusedOnPurpose };
  }

  /**
   * What a device does when its program is loaded (`JS_RunGC`, `JS_SetGCThreshold`): collects
   * garbage, and puts the next collection off until half of the room that is left is used.
   */
  collectGarbage(): void {
    const { counters, quickjs, options } = this;
    counters.collectGarbage(this.runtime, quickjs.HEAPU8, options.capBytes);
    const next = counters.liveBytes + Math.floor((options.capBytes - counters.liveBytes) / 2);
    counters.collectGarbage(this.runtime, quickjs.HEAPU8, next);
  }

  /**
   * From now on every request for memory of this number is refused; 0: none. Only of a `refusing`
   * machine.
   */
  refuseEvery(requests: number): void {
    this.counters.refuseEvery = requests;
  }

  /** Does some work that loads the program: its slices are not those of the run. */
  loading<T>(work: () => T): T {
    this.isLoading = true;
    this.loadInstructions -= this.counters.ops;
    try {
      return work();
    } finally {
      this.isLoading = false;
      this.loadInstructions += this.counters.ops;
    }
  }

  /** Counts slices anew, so that those of the boot are not mixed with those of the run. */
  resetSlices(): void {
    this.longestSlice = 0;
    this.slices = 0;
  }

  /**
   * Ends the machine without a word to the program. Its memory goes with the last use of this
   * object.
   */
  drop(): void {
    this.ended ??= new Error('the virtual machine was dropped');
    this.hostFunctions.clear();
  }

  private slice(run: () => Pointer): VmRef {
    return this.enter(() => {
      const before = this.counters.ops;
      try {
        const result = run();
        this.runJobs();
        return this.unwrap(result);
      } finally {
        this.countSlice(this.counters.ops - before);
      }
    });
  }

  private countSlice(instructions: number): void {
    if (this.isLoading) this.loadLongestSlice = Math.max(this.loadLongestSlice, instructions);
    else {
      this.slices += 1;
      this.longestSlice = Math.max(this.longestSlice, instructions);
    }
  }

  /** Whatever makes the engine execute something goes through here. */
  private enter<T>(body: () => T): T {
    if (this.ended) throw this.ended;
    if (this.running) throw new Error('a host function cannot enter the virtual machine');
    this.running = true;
    const opsLimit = this.counters.ops + this.options.sliceOpsMax;
    this.counters.opsLimit = opsLimit;
    try {
      const result = body();
      this.throwIfRefused();
      if (this.counters.ops > opsLimit) throw new VmKilled('cpu');
      return result;
    } catch (error) {
      throw this.judge(error, opsLimit);
    } finally {
      this.running = false;
    }
  }

  /** What the caller gets to see; also ends the machine where it did not survive. */
  private judge(error: unknown, opsLimit: number): unknown {
    const isTooLong = this.counters.ops > opsLimit;
    const isRefused = this.counters.refused > 0;
    if (error instanceof NoRoom && this.wasOnPurpose()) return new VmError('out of memory', '');
    const isHarmless = error instanceof VmError || error instanceof TypeError;
    if (isHarmless && !isTooLong && !isRefused) return error;
    if (error instanceof VmKilled) this.ended = error;
    else if (isRefused) this.ended = new VmKilled('memory', error);
    else this.ended = new VmKilled(isTooLong ? 'cpu' : 'trap', error);
    return this.ended;
  }

  private throwIfRefused(): void {
    if (this.counters.refused > 0) throw new VmKilled('memory');
  }

  /**
   * Jobs are reactions of promises: what they throw rejects a promise. Without memory for that it
   * arrives here.
   */
  private runJobs(): void {
    const { quickjs, runtime, values, argv } = this;
    while (quickjs._QTS_IsJobPending(runtime)) {
      const outcome = quickjs._QTS_ExecutePendingJob(runtime, -1, argv);
      const thrown = values.isNumber(outcome) ? null : new VmError(values.toText(outcome), '');
      values.free(outcome);
      if (thrown !== null) throw thrown;
    }
  }

  /** Takes a box over, or throws the exception that it stands for. */
  private unwrap(box: Pointer): VmRef {
    const { quickjs, values, context } = this;
    if (!values.isException(box)) return new VmRef(box);
    const exception = quickjs._QTS_ResolveException(context, box);
    values.free(box);
    const error = new VmError(values.toText(exception), values.stackOf(exception));
    values.free(exception);
    throw error;
  }

  /**
   * A call out of the machine. What is thrown from here unwinds the machine, which does not
   * survive.
   */
  private callHost(count: number, args: Pointer, id: number): Pointer {
    this.throwIfRefused();
    try {
      const fn = this.hostFunctions.get(id);
      if (!fn) throw new Error(`there is no host function ${id}`);
      const given = Array.from({ length: count }, (_, i) =>
        this.values.toHost(args + i * valueBytes),
      );
      return this.values.fromHost(fn(...given));
    } catch (error) {
      const isKill = error instanceof VmKilled || (error instanceof NoRoom && !this.wasOnPurpose());
      if (isKill) throw error;
      const thrown = error instanceof NoRoom ? OUT_OF_MEMORY : error;
      return this.patiently(() => this.throwInside(thrown));
    }
  }

  /** A careful host has memory in reserve for its own part: it asks again. */
  private patiently<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof NoRoom) || !this.wasOnPurpose()) throw error;
      return work();
    }
  }

  /** Nothing was refused but what had to be, by `refuseEvery`. */
  private wasOnPurpose(): boolean {
    return this.counters.refused === 0 && this.counters.refusedOnPurpose > 0;
  }

  private throwInside(error: unknown): Pointer {
    const { quickjs, values, context } = this;
    const box = quickjs._QTS_NewError(context);
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    values.setProperty(box, 'name', name);
    values.setProperty(box, 'message', message);
    const thrown = quickjs._QTS_Throw(context, box);
    values.free(box);
    return thrown;
  }
}

function pointerOf(ref: VmRef): Pointer {
  if (ref.pointer === 0) throw new TypeError('the reference was released');
  return ref.pointer;
}
