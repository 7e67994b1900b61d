import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Instructions,
  Op,
  Reader,
  readSections,
  signed,
  unsigned,
  writeSections,
} from './binary.ts';
import { ModuleEditor } from './module.ts';
import { readQuickJs, readSqlite, smallModule } from './testing.ts';

describe('LEB128', () => {
  it('reads every unsigned number that it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
        expect(new Reader(Uint8Array.from(unsigned(value))).u32()).toBe(value);
      }),
    );
  });

  it('writes signed numbers so that the sign comes back', () => {
    expect(signed(-1)).toEqual([0x7f]);
    expect(signed(63)).toEqual([0x3f]);
    expect(signed(64)).toEqual([0xc0, 0x00]);
    expect(signed(-0x8000_0000)).toEqual([0x80, 0x80, 0x80, 0x80, 0x78]);
    expect(signed(-(2 ** 49))).toEqual([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]);
  });

  it('refuses a number that goes on for ever', () => {
    expect(() => new Reader(new Uint8Array(9).fill(0x80)).u32()).toThrow('LEB128 too long');
  });
});

describe.each([
  ['QuickJS', readQuickJs],
  ['SQLite', readSqlite],
])('the module of %s', (_name, readModule) => {
  it('is written as it was read', async () => {
    const bytes = await readModule();
    expect(Buffer.compare(writeSections(readSections(bytes)), bytes)).toBe(0);
  });

  it('is walked instruction by instruction to the end of every function', async () => {
    const { bodies } = new ModuleEditor(await readModule());
    for (const { code } of bodies) {
      const instructions = new Instructions(new Reader(code));
      while (instructions.next());
      expect(instructions.opcode).toBe(Op.end);
      expect(instructions.reader.at).toBe(code.length);
    }
  });
});

describe('a module that is not understood', () => {
  it('is refused when it is none', () => {
    expect(() => readSections(Uint8Array.from([0, 0x61, 0x73, 0x6e]))).toThrow('not a module');
  });

  it('is refused when it ends too early', () => {
    const bytes = smallModule(Op.localGet, 0);
    expect(() => readSections(bytes.subarray(0, bytes.length - 1))).toThrow('unexpected end');
  });

  it('is refused for an opcode that is not known', () => {
    const vector = 0xfd;
    const instructions = new Instructions(new Reader(Uint8Array.from([vector, 0])));
    expect(() => instructions.next()).toThrow('opcode 0xfd is not known');
  });
});
