// Reads and writes WebAssembly modules as sections, and walks the instructions of a function.
// Promises that what it does not understand it refuses: an unknown opcode is an error, never
// skipped, because a rewriter that loses its place would produce a module that runs and lies.
// Knows core WebAssembly with sign extension, saturating conversion, bulk memory, reference types,
// multi-value and tail calls. Never validates: that is WebAssembly.compile's work.

/** Section ids of the binary format (WebAssembly core specification, 5.5.2). */
export const Section = {
  type: 1,
  import: 2,
  function: 3,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
} as const;

/** Opcodes that the rewriters look at or write (specification 5.4). */
export const Op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i32Load8U: 0x2d,
  i32Store: 0x36,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32GtU: 0x4b,
  i32LeU: 0x4d,
  i64GtS: 0x55,
  i64GtU: 0x56,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Or: 0x72,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64ExtendI32U: 0xad,
  refNull: 0xd0,
  refFunc: 0xd2,
  prefixed: 0xfc,
} as const;

/** Second opcodes behind `Op.prefixed` whose cost is not constant. */
export const BulkOp = { memoryInit: 8, memoryCopy: 10, memoryFill: 11 } as const;

export const ValueType = { i32: 0x7f, i64: 0x7e } as const;
/** The block type of a block without parameters and results. */
export const emptyBlock = 0x40;
/** What an import or export is. */
export const ExternalKind = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

export interface RawSection {
  readonly id: number;
  readonly payload: Uint8Array;
}

/** A position in WebAssembly bytes that only moves forwards. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  u8(): number {
    const value = this.bytes[this.at];
    if (value === undefined || this.at >= this.end) throw new Error('wasm: unexpected end');
    this.at += 1;
    return value;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('wasm: LEB128 too long');
  }

  /** Signed LEB128 of at most 32 bits. */
  s32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 25 && byte & 0x40 ? value | (-1 << (shift + 7)) : value;
    }
    throw new Error('wasm: LEB128 too long');
  }

  /** Passes a LEB128 of any kind. */
  skipLeb(): void {
    while (this.u8() >= 0x80);
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    if (this.at + length > this.end) throw new Error('wasm: unexpected end');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.u32()));
  }

  /** A vector: its count, then `read` for every item. */
  vector<T>(read: () => T): T[] {
    return Array.from({ length: this.u32() }, read);
  }
}

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** Signed LEB128 of a safe integer. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const next = Math.floor(rest / 0x80);
    const byte = rest - next * 0x80;
    if (next === (byte & 0x40 ? -1 : 0)) return [...bytes, byte];
    bytes.push(byte | 0x80);
    rest = next;
  }
}

/** A growing run of bytes. */
export class Writer {
  private buffer = new Uint8Array(1024);
  private length = 0;

  write(bytes: ArrayLike<number>): void {
    if (this.length + bytes.length > this.buffer.length) {
      const grown = new Uint8Array(2 * (this.length + bytes.length));
      grown.set(this.buffer.subarray(0, this.length));
      this.buffer = grown;
    }
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length);
  }
}

/** The bytes of all pieces, one behind the other. */
export function concat(...pieces: ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  for (const piece of pieces) writer.write(piece);
  return writer.take();
}

/** Splits a module into its sections, in order. Throws when it is not a version 1 module. */
export function readSections(module: Uint8Array): RawSection[] {
  const reader = new Reader(module);
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (header.some((byte) => reader.u8() !== byte)) throw new Error('wasm: not a module');
  const sections: RawSection[] = [];
  while (reader.at < reader.end) {
    const id = reader.u8();
    sections.push({ id, payload: reader.take(reader.u32()) });
  }
  return sections;
}

/** The inverse of `readSections`. */
export function writeSections(sections: readonly RawSection[]): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.write([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  for (const { id, payload } of sections) {
    writer.write([id, ...unsigned(payload.length)]);
    writer.write(payload);
  }
  return writer.take();
}

/** Walks the instructions of a function body; `next` moves to one and tells where it is. */
export class Instructions {
  opcode = 0;
  /** The second opcode of a prefixed instruction. */
  bulk = 0;
  /** The first immediate of an instruction that has an index (call, local, global, branch). */
  index = 0;
  /** Where the instruction starts; it ends where `reader.at` stands. */
  start = 0;
  readonly reader: Reader;

  constructor(reader: Reader) {
    this.reader = reader;
  }

  /** Moves to the next instruction; false behind the last one. */
  next(): boolean {
    if (this.reader.at >= this.reader.end) return false;
    this.start = this.reader.at;
    this.opcode = this.reader.u8();
    this.skipImmediates();
    return true;
  }

  private skipImmediates(): void {
    const { reader, opcode } = this;
    if (opcode >= 0x45 && opcode <= 0xc4) return;
    if (opcode >= 0x28 && opcode <= 0x3e) {
      this.skipLebs(2);
      return;
    }
    switch (opcode) {
      case Op.unreachable:
      case 0x01: // nop
      case Op.else:
      case Op.end:
      case Op.return:
      case Op.drop:
      case 0x1b: // select
      case 0xd1: // ref.is_null
        return;
      case Op.block:
      case Op.loop:
      case Op.if:
      case 0x3f: // memory.size
      case 0x40: // memory.grow
      case Op.i32Const:
      case Op.i64Const:
      case Op.refNull:
        reader.skipLeb();
        return;
      case 0x43: // f32.const
        reader.take(4);
        return;
      case 0x44: // f64.const
        reader.take(8);
        return;
      case Op.br:
      case Op.brIf:
      case Op.call:
      case Op.returnCall:
      case Op.localGet:
      case Op.localSet:
      case Op.localTee:
      case Op.globalGet:
      case Op.globalSet:
      case 0x25: // table.get
      case 0x26: // table.set
      case Op.refFunc:
        this.index = reader.u32();
        return;
      case Op.callIndirect:
      case Op.returnCallIndirect:
        this.skipLebs(2);
        return;
      case Op.brTable:
        this.skipLebs(reader.u32() + 1);
        return;
      case Op.selectTyped:
        this.skipLebs(reader.u32());
        return;
      case Op.prefixed:
        this.bulk = reader.u32();
        this.skipLebs(prefixedImmediates(this.bulk));
        return;
      default:
        throw new Error(`wasm: opcode 0x${opcode.toString(16)} is not known`);
    }
  }

  private skipLebs(count: number): void {
    for (let i = 0; i < count; i++) this.reader.skipLeb();
  }
}

function prefixedImmediates(bulk: number): number {
  if (bulk <= 7) return 0; // saturating conversions
  // memory.init, data.drop, memory.copy, memory.fill, table.init, elem.drop, table.copy, .grow,
  // .size, .fill
  const count = [2, 1, 2, 1, 2, 1, 2, 1, 1, 1][bulk - 8];
  if (count === undefined) throw new Error(`wasm: opcode 0xfc ${bulk} is not known`);
  return count;
}
