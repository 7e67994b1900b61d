// The instruction counter: rewrites a WebAssembly module so that it counts what it executes.
// Promises that equal runs count equally, and that a run past its limit ends in a trap, whatever
// the code does: a loop in C that polls nothing, a regular expression, `for (;;);`.
// Never touches what the module computes.
//
// What counts as one: every executed instruction but the marks of structure (`block`, `loop`,
// `else`, `end`), for which no machine does anything. `memory.copy`, `memory.fill` and
// `memory.init` are one more for every eight bytes. The sum of a basic block is added where the
// block ends, so between two calls the counter is exact.

import {
  BulkOp,
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

/** The global that a metered module exports: i64, instructions past the limit, negative before. */
const OVER = 'ops_over';
/** Far more than any run executes. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** The counter of a metered module's instance; only one of them may set the limit. */
export class Meter {
  readonly #over: WebAssembly.Global<'i64'>;
  #limit = BigInt(NO_LIMIT);

  /** `exports`: the instance's. */
  constructor(exports: WebAssembly.Exports) {
    this.#over = exports[OVER] as WebAssembly.Global<'i64'>;
  }

  /** Instructions executed so far. */
  get ops(): bigint {
    return this.#over.value + this.#limit;
  }

  /** The count past which the next turn of any loop traps; without limit at first. */
  set limit(ops: bigint) {
    this.#over.value += this.#limit - ops;
    this.#limit = ops;
  }
}

/** Returns the module with the counter in it. Throws when it holds an unknown instruction. */
export function meterModule(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const module = new ModuleEditor(bytes);
  const snippets = makeSnippets(module.addGlobal(OVER, 'i64', -NO_LIMIT));
  module.bodies.forEach((body, i) => {
    const { params } = module.typeOf(module.importedFunctions + i);
    module.bodies[i] = meterBody(body, params.length, snippets);
  });
  return module.write();
}

interface Snippets {
  /** Adds a constant to the counter. */
  count(instructions: number): number[];
  /** Adds an eighth of the byte count on top of the stack, which `scratch` keeps. */
  countBytes(scratch: number): number[];
  /** Traps when the counter has passed the limit. */
  readonly check: number[];
}

/** One counter for both: a second one costs every turn of every loop a tenth of its time. */
function makeSnippets(over: number): Snippets {
  const get = [Op.globalGet, ...unsigned(over)];
  const add = [Op.i64Add, Op.globalSet, ...unsigned(over)];
  return {
    count: (instructions) => [...get, Op.i64Const, ...signed(instructions), ...add],
    countBytes: (scratch) => [
      ...[Op.localTee, ...unsigned(scratch)],
      ...get,
      ...[Op.localGet, ...unsigned(scratch), Op.i32Const, 3, Op.i32ShrU, Op.i64ExtendI32U],
      ...add,
    ],
    check: [...[...get, Op.i64Const, 0, Op.i64GtS], ...[Op.if, emptyBlock, Op.unreachable, Op.end]],
  };
}

function meterBody(body: Body, params: number, snippets: Snippets): Body {
  const scratch = params + body.locals.reduce((sum, [count]) => sum + count, 0);
  const output = new Writer();
  const code = new Instructions(new Reader(body.code));
  let pending = 0;
  let usesScratch = false;
  while (code.next()) {
    if (!isStructure(code.opcode)) pending += 1;
    if (pending > 0 && endsBasicBlock(code.opcode)) {
      output.write(snippets.count(pending));
      pending = 0;
    }
    if (countsBytes(code)) {
      output.write(snippets.countBytes(scratch));
      usesScratch = true;
    }
    output.write(body.code.subarray(code.start, code.reader.at));
    if (code.opcode === Op.loop) output.write(snippets.check);
  }
  const locals = usesScratch ? [...body.locals, [1, ValueType.i32] as const] : body.locals;
  return { locals, code: output.take() };
}

/** Instructions where control can arrive or leave: what is pending is added before them. */
function endsBasicBlock(opcode: number): boolean {
  switch (opcode) {
    case Op.loop:
    case Op.if:
    case Op.else:
    case Op.end:
    case Op.br:
    case Op.brIf:
    case Op.brTable:
    case Op.return:
    case Op.returnCall:
    case Op.returnCallIndirect:
    case Op.unreachable:
      return true;
    default:
      return false;
  }
}

/** Marks that structure the code; a machine does nothing for them. */
export function isStructure(opcode: number): boolean {
  return opcode === Op.block || opcode === Op.loop || opcode === Op.else || opcode === Op.end;
}

/** Instructions whose cost is in the byte count that they take from the top of the stack. */
export function countsBytes({ opcode, bulk }: Instructions): boolean {
  return (
    opcode === Op.prefixed &&
    (bulk === BulkOp.memoryCopy || bulk === BulkOp.memoryFill || bulk === BulkOp.memoryInit)
  );
}
