// Carries values across the border of a virtual machine: texts, numbers, ArrayBuffers and null.
// Promises that whatever the host makes inside is allocated under the cap, and that a text arrives
// unit by unit as it left. Never decides what a refusal or an exception means: vm.ts does.

import type { Counters, Pointer, QuickJs } from './vm-engine.ts';

/** What can cross. Bytes are an ArrayBuffer inside, and always a copy. */
export type VmArg = string | number | Uint8Array | null;

/** Thrown when the cap has no room for what the host wants to put into the machine. */
export class NoRoom extends Error {}

/** Tags of a JSValue (quickjs.h): its upper word; the lower one is an integer or a pointer. */
const Tag = {
  first: -9,
  rope: -6,
  string: -7,
  object: -1,
  int: 0,
  null: 2,
  undefined: 3,
  exception: 6,
  float64: 8,
} as const;

/** A C string of QuickJS lies in a JSString, whose header has the length this far before it. */
const stringLengthOffset = -12;
const stringLengthMask = 0x7fff_ffff;

export class Values {
  private readonly quickjs: QuickJs;
  private readonly counters: Counters;
  private readonly context: Pointer;
  /** The machine's own JSON.parse. */
  private readonly parseJson: Pointer;
  /** Room for one word, of no meaning between calls. */
  private readonly scratch: Pointer;
  private memory: Buffer;

  constructor(quickjs: QuickJs, counters: Counters, context: Pointer) {
    this.quickjs = quickjs;
    this.counters = counters;
    this.context = context;
    this.memory = Buffer.from(quickjs.HEAPU8.buffer);
    this.scratch = this.allocate(4);
    const global = quickjs._QTS_GetGlobalObject(context);
    const json = this.property(global, 'JSON');
    this.parseJson = this.property(json, 'parse');
    this.free(json);
    this.free(global);
  }

  /** Releases a box and its share of the value in it. */
  free(value: Pointer): void {
    this.quickjs._QTS_FreeValuePointer(this.context, value);
  }

  /** Whether the box holds the mark that says "an exception is pending". */
  isException(value: Pointer): boolean {
    return this.tag(value) === Tag.exception;
  }

  isNumber(value: Pointer): boolean {
    const tag = this.tag(value);
    return tag === Tag.int || tag < Tag.first || tag >= Tag.float64;
  }

  /** A new box with the value. Throws `NoRoom`. */
  fromHost(value: VmArg | undefined): Pointer {
    const { quickjs, context } = this;
    if (typeof value === 'string') return this.fromText(value);
    if (typeof value === 'number') return quickjs._QTS_NewFloat64(context, value);
    if (value instanceof Uint8Array) return this.fromBytes(value);
    const constant = value === null ? quickjs._QTS_GetNull() : quickjs._QTS_GetUndefined();
    return quickjs._QTS_DupValuePointer(context, constant);
  }

  /** The value in a box; `undefined` becomes null. Throws a TypeError for what cannot cross. */
  toHost(value: Pointer): VmArg {
    const tag = this.tag(value);
    if (tag === Tag.int) return this.view().readInt32LE(value);
    if (tag === Tag.null || tag === Tag.undefined) return null;
    if (tag === Tag.string || tag === Tag.rope) {
      const text = this.textOf(value);
      if (text === null) throw new NoRoom();
      return text;
    }
    if (tag === Tag.object) return this.toBytes(value);
    if (this.isNumber(value)) return this.quickjs._QTS_GetFloat64(this.context, value);
    throw new TypeError('only texts, numbers, ArrayBuffers and null cross to the host');
  }

  /** The value as JavaScript's String() writes it; empty where that throws. */
  toText(value: Pointer): string {
    return this.textOf(value) ?? '';
  }

  private textOf(value: Pointer): string | null {
    const { quickjs, context } = this;
    const text = quickjs._QTS_GetString(context, value);
    if (text === 0) return null;
    const memory = this.view();
    const length = memory.readInt32LE(text + stringLengthOffset) & stringLengthMask;
    const decoded = memory.toString('utf8', text, text + length);
    const exact = decoded.includes('\ufffd') ? decodeExactly(memory, text, length) : decoded;
    quickjs._QTS_FreeCString(context, text);
    return exact;
  }

  /** A new box with the property of an object, or with the exception mark. Throws `NoRoom`. */
  property(object: Pointer, name: string): Pointer {
    const key = this.fromText(name);
    const value = this.quickjs._QTS_GetProp(this.context, object, key);
    this.free(key);
    return value;
  }

  /** Sets a property of an object. Throws `NoRoom`. */
  setProperty(object: Pointer, name: string, value: VmArg): void {
    const key = this.fromText(name);
    const box = this.fromHost(value);
    this.quickjs._QTS_SetProp(this.context, object, key, box);
    this.free(box);
    this.free(key);
  }

  /** The `stack` of an Error; empty where there is none. */
  stackOf(value: Pointer): string {
    if (this.tag(value) !== Tag.object) return '';
    const stack = this.property(value, 'stack');
    const text = this.tag(stack) === Tag.string ? this.toText(stack) : '';
    this.free(stack);
    return text;
  }

  /** Writes a list of pointers. */
  writePointers(at: Pointer, pointers: readonly Pointer[]): void {
    const memory = this.view();
    for (const [i, pointer] of pointers.entries()) memory.writeUInt32LE(pointer, at + 4 * i);
  }

  /** Runs `use` with the text as zero-terminated UTF-8 in the machine's memory. Throws `NoRoom`. */
  withUtf8<T>(text: string, use: (pointer: Pointer, length: number) => T): T {
    const length = Buffer.byteLength(text);
    const pointer = this.allocate(length + 1);
    const memory = this.view();
    memory.write(text, pointer, length, 'utf8');
    memory[pointer + length] = 0;
    const result = use(pointer, length);
    this.quickjs._free(pointer);
    return result;
  }

  private fromText(text: string): Pointer {
    // The C interface takes text up to the first zero, and only text that UTF-8 can carry; JSON
    // carries everything else.
    if (text.includes('\0') || !isWellFormed(text)) return this.fromJson(JSON.stringify(text));
    return this.made(
      this.withUtf8(text, (utf8) => this.quickjs._QTS_NewString(this.context, utf8)),
    );
  }

  private fromJson(json: string): Pointer {
    const { quickjs, context } = this;
    const text = this.fromText(json);
    this.writePointers(this.scratch, [text]);
    const self = quickjs._QTS_GetUndefined();
    const value = quickjs._QTS_Call(context, this.parseJson, self, 1, this.scratch);
    this.free(text);
    return this.made(value);
  }

  private fromBytes(bytes: Uint8Array): Pointer {
    const block = this.allocate(bytes.length);
    this.quickjs.HEAPU8.set(bytes, block);
    return this.made(this.quickjs._QTS_NewArrayBuffer(this.context, block, bytes.length));
  }

  private toBytes(value: Pointer): Uint8Array {
    const { quickjs, context } = this;
    const jsValue = this.view().readBigInt64LE(value);
    const bytes = quickjs._JS_GetArrayBuffer(context, this.scratch, jsValue);
    if (bytes === 0) throw new TypeError('of objects only an ArrayBuffer crosses to the host');
    return quickjs.HEAPU8.slice(bytes, bytes + this.view().readUInt32LE(this.scratch));
  }

  /** A box that can only be an exception because memory ran out. */
  private made(box: Pointer): Pointer {
    if (this.isException(box)) throw new NoRoom();
    return box;
  }

  private allocate(bytes: number): Pointer {
    const block = this.counters.allocate(bytes);
    if (block === 0) throw new NoRoom();
    return block;
  }

  private tag(value: Pointer): number {
    return this.view().readInt32LE(value + 4);
  }

  /** The machine's memory, which moves when it grows. */
  private view(): Buffer {
    const { buffer } = this.quickjs.HEAPU8;
    if (this.memory.buffer !== buffer) this.memory = Buffer.from(buffer);
    return this.memory;
  }
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Decodes UTF-8 in which surrogates may stand alone, three bytes each, as QuickJS writes them. */
function decodeExactly(memory: Buffer, start: number, length: number): string {
  const pieces: string[] = [];
  let from = start;
  for (let at = start; at < start + length; at++) {
    // 0xed 0xa0..0xbf is a surrogate; after 0xed a character proper has 0x80..0x9f.
    if (memory[at] === 0xed && memory.readUInt8(at + 1) >= 0xa0) {
      const unit =
        0xd000 | ((memory.readUInt8(at + 1) & 0x3f) << 6) | (memory.readUInt8(at + 2) & 0x3f);
      pieces.push(memory.toString('utf8', from, at), String.fromCharCode(unit));
      from = at + 3;
    }
  }
  pieces.push(memory.toString('utf8', from, start + length));
  return pieces.join('');
}
