// A WebAssembly module opened for rewriting: what its functions are, and a way to add globals,
// functions and exports at the end of their index spaces. Promises that no index the module
// already uses changes its meaning. Never looks into instructions: its users do.

import {
  concat,
  ExternalKind,
  Op,
  type RawSection,
  Reader,
  readSections,
  Section,
  signed,
  unsigned,
  ValueType,
  writeSections,
} from './binary.ts';

export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

/** One function: its declared locals and its instructions. */
export interface Body {
  /** Groups of how many, and of which type. */
  readonly locals: readonly (readonly [count: number, type: number])[];
  /** The instructions, the last `end` included. */
  readonly code: Uint8Array;
}

export class ModuleEditor {
  /** Every function type, by its index. */
  readonly types: readonly FunctionType[];
  /** The index of the type of every function, the imported ones first. */
  readonly functionTypes: number[];
  readonly importedFunctions: number;
  readonly exports: Export[];
  /** The functions of the module itself; entry 0 has the function index `importedFunctions`. */
  readonly bodies: Body[];
  private readonly sections: readonly RawSection[];
  private readonly importedGlobals: number;
  private readonly globals: Uint8Array[];

  /** Throws when the bytes are no module, or one without a section that rewriting needs. */
  constructor(bytes: Uint8Array) {
    this.sections = readSections(bytes);
    this.types = this.vector(Section.type, readFunctionType);
    const imports = this.vector(Section.import, readImport);
    const functions = imports.filter((entry) => entry.kind === ExternalKind.function);
    this.importedFunctions = functions.length;
    this.importedGlobals = imports.filter((entry) => entry.kind === ExternalKind.global).length;
    this.functionTypes = [
      ...functions.map((entry) => entry.type),
      ...this.vector(Section.function, (reader) => reader.u32()),
    ];
    this.globals = this.vector(Section.global, readGlobal);
    this.exports = this.vector(Section.export, readExport);
    this.bodies = this.vector(Section.code, readBody);
  }

  /** The type of a function of the module. */
  typeOf(functionIndex: number): FunctionType {
    const type = this.types[this.functionTypes[functionIndex] ?? -1];
    if (!type) throw new Error(`wasm: there is no function ${functionIndex}`);
    return type;
  }

  /** The instructions and locals of a function of the module. */
  bodyOf(functionIndex: number): Body {
    const body = this.bodies[functionIndex - this.importedFunctions];
    if (!body) throw new Error(`wasm: function ${functionIndex} has no body`);
    return body;
  }

  /** Replaces a function of the module; its type stays. */
  setBody(functionIndex: number, body: Body): void {
    this.bodyOf(functionIndex);
    this.bodies[functionIndex - this.importedFunctions] = body;
  }

  /** Functions that a table holds, so that they can be called without being named. */
  tableFunctions(): Set<number> {
    return new Set(this.vector(Section.element, readElementFunctions).flat());
  }

  /** Adds an exported mutable integer global, and returns its index. */
  addGlobal(name: string, type: 'i32' | 'i64', initial: number): number {
    const constant = type === 'i32' ? Op.i32Const : Op.i64Const;
    const mutable = 1;
    const index = this.importedGlobals + this.globals.length;
    this.globals.push(
      Uint8Array.from([ValueType[type], mutable, constant, ...signed(initial), Op.end]),
    );
    this.exports.push({ name, kind: ExternalKind.global, index });
    return index;
  }

  /** Adds a function with the type of the function `like`, and returns its index. */
  addFunction(like: number, body: Body): number {
    const type = this.functionTypes[like];
    if (type === undefined) throw new Error(`wasm: there is no function ${like}`);
    this.functionTypes.push(type);
    this.bodies.push(body);
    return this.functionTypes.length - 1;
  }

  /** Exports a function of the module under a further name. */
  exportFunction(name: string, index: number): void {
    this.exports.push({ name, kind: ExternalKind.function, index });
  }

  /** The rewritten module. */
  write(): Uint8Array<ArrayBuffer> {
    const rewritten = new Map([
      [Section.function, this.functionTypes.slice(this.importedFunctions).map(unsigned)],
      [Section.global, this.globals],
      [Section.export, this.exports.map(exportBytes)],
      [Section.code, this.bodies.map(bodyBytes)],
    ] as [number, ArrayLike<number>[]][]);
    return writeSections(
      this.sections.map(({ id, payload }) => {
        const items = rewritten.get(id);
        return { id, payload: items ? concat(unsigned(items.length), ...items) : payload };
      }),
    );
  }

  private vector<T>(id: number, read: (reader: Reader) => T): T[] {
    const section = this.sections.find((candidate) => candidate.id === id);
    if (!section) throw new Error(`wasm: the module has no section ${id}`);
    const reader = new Reader(section.payload);
    return reader.vector(() => read(reader));
  }
}

function readFunctionType(reader: Reader): FunctionType {
  if (reader.u8() !== 0x60) throw new Error('wasm: a type is not that of a function');
  return { params: reader.vector(() => reader.u8()), results: reader.vector(() => reader.u8()) };
}

function readImport(reader: Reader): { kind: number; type: number } {
  reader.name();
  reader.name();
  const kind = reader.u8();
  switch (kind) {
    case ExternalKind.function:
      return { kind, type: reader.u32() };
    case ExternalKind.table:
      reader.u8();
      skipLimits(reader);
      return { kind, type: 0 };
    case ExternalKind.memory:
      skipLimits(reader);
      return { kind, type: 0 };
    case ExternalKind.global:
      reader.take(2);
      return { kind, type: 0 };
    default:
      throw new Error(`wasm: import of kind ${kind} is not known`);
  }
}

function skipLimits(reader: Reader): void {
  const hasMaximum = reader.u8() & 1;
  reader.skipLeb();
  if (hasMaximum) reader.skipLeb();
}

/** A global as it is written; its initial value must be one constant. */
function readGlobal(reader: Reader): Uint8Array {
  const start = reader.at;
  reader.take(2);
  const opcode = reader.u8();
  if (opcode !== Op.i32Const && opcode !== Op.i64Const && opcode !== Op.globalGet) {
    throw new Error(`wasm: a global begins with opcode ${opcode}`);
  }
  reader.skipLeb();
  if (reader.u8() !== Op.end) throw new Error('wasm: a global is not one constant');
  return reader.bytes.subarray(start, reader.at);
}

function readExport(reader: Reader): Export {
  return { name: reader.name(), kind: reader.u8(), index: reader.u32() };
}

/** Only the plain form: function indices put into table 0 at a constant place. */
function readElementFunctions(reader: Reader): number[] {
  if (reader.u32() !== 0) throw new Error('wasm: an element segment has an unknown form');
  if (reader.u8() !== Op.i32Const) throw new Error('wasm: an element segment has no fixed place');
  reader.skipLeb();
  reader.u8();
  return reader.vector(() => reader.u32());
}

function readBody(reader: Reader): Body {
  const size = reader.u32();
  const body = new Reader(reader.take(size));
  const locals = body.vector(() => [body.u32(), body.u8()] as const);
  return { locals, code: body.bytes.subarray(body.at) };
}

function exportBytes({ name, kind, index }: Export): Uint8Array {
  const text = new TextEncoder().encode(name);
  return concat(unsigned(text.length), text, [kind], unsigned(index));
}

function bodyBytes({ locals, code }: Body): Uint8Array {
  const groups = locals.flatMap(([count, type]) => [...unsigned(count), type]);
  const size = unsigned(locals.length).length + groups.length + code.length;
  return concat(unsigned(size), unsigned(locals.length), groups, code);
}
