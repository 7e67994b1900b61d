import { describe, expect, it, test } from 'vitest';
import { concat, Op, readSections, Section, unsigned, writeSections } from './binary.ts';
import { ModuleEditor } from './module.ts';
import { readQuickJs, readSqlite, smallModule } from './testing.ts';

const small = () => new ModuleEditor(smallModule(Op.localGet, 0));

/** The small module with another section in place of one of its own. */
function withSection(id: number, ...items: number[][]): Uint8Array {
  const sections = readSections(smallModule(Op.localGet, 0)).map((section) =>
    section.id === id ? { id, payload: concat(unsigned(items.length), ...items) } : section,
  );
  return writeSections(sections);
}

async function run(bytes: Uint8Array<ArrayBuffer>) {
  const instance = await WebAssembly.instantiate(await WebAssembly.compile(bytes), {});
  return instance.exports as Record<string, unknown>;
}

test.each([
  ['QuickJS', readQuickJs],
  ['SQLite', readSqlite],
])('the module of %s is the same when nothing was changed', async (_name, readModule) => {
  const bytes = await readModule();
  expect(Buffer.compare(new ModuleEditor(bytes).write(), bytes)).toBe(0);
});

describe('a function', () => {
  it('has its type, its locals and its instructions', () => {
    const editor = small();
    expect(editor.typeOf(0)).toEqual({ params: [0x7f], results: [0x7f] });
    const { locals, code } = editor.bodyOf(0);
    expect([locals, [...code]]).toEqual([[[1, 0x7f]], [Op.localGet, 0, Op.end]]);
    expect(() => editor.typeOf(1)).toThrow('wasm: there is no function 1');
    expect(() => editor.bodyOf(1)).toThrow('wasm: function 1 has no body');
  });

  it('that was imported has a type and no body', async () => {
    const editor = new ModuleEditor(await readQuickJs());
    const { importedFunctions } = editor;
    expect(importedFunctions).toBeGreaterThan(0);
    expect(editor.typeOf(0).params).toBeDefined();
    expect(() => editor.bodyOf(importedFunctions - 1)).toThrow('has no body');
    expect(editor.bodyOf(importedFunctions).code.at(-1)).toBe(Op.end);
  });

  it('can be replaced, and others be added and exported', async () => {
    const editor = small();
    const constant = (value: number) => ({
      locals: [],
      code: Uint8Array.of(Op.i32Const, value, Op.end),
    });
    editor.setBody(0, constant(7));
    const added = editor.addFunction(0, constant(8));
    editor.exportFunction('more', added);
    const { run: first, more } = await run(editor.write());
    expect([(first as () => number)(), (more as () => number)()]).toEqual([7, 8]);
    expect(() => editor.setBody(9, constant(1))).toThrow('function 9 has no body');
    expect(() => editor.addFunction(9, constant(1))).toThrow('there is no function 9');
  });

  it('may be in a table, or not', async () => {
    const quickjs = new ModuleEditor(await readQuickJs());
    const inTable = quickjs.tableFunctions();
    expect(inTable.size).toBeGreaterThan(100);
    expect(inTable.size).toBeLessThan(quickjs.functionTypes.length);
    expect(() => small().tableFunctions()).toThrow('the module has no section 9');
  });
});

interface Valued {
  readonly value: unknown;
}

it('gets globals of both sizes behind those that it has', async () => {
  const editor = small();
  expect(editor.addGlobal('small', 'i32', -5)).toBe(0);
  expect(editor.addGlobal('large', 'i64', 2 ** 40)).toBe(1);
  const exports = await run(editor.write());
  expect((exports.small as Valued).value).toBe(-5);
  expect((exports.large as Valued).value).toBe(2n ** 40n);
  const again = new ModuleEditor(editor.write());
  expect(again.addGlobal('third', 'i32', 0)).toBe(2);
});

describe('a module that is not understood is refused', () => {
  test.each<[string, Uint8Array, string]>([
    ['a type of something else', withSection(Section.type, [0x5f, 0]), 'not that of a function'],
    [
      'an import of an unknown kind',
      withSection(Section.import, [1, 97, 1, 98, 9]),
      'import of kind 9 is not known',
    ],
    [
      'a global that is computed',
      withSection(Section.global, [0x7f, 0, Op.end]),
      `a global begins with opcode ${Op.end}`,
    ],
    [
      'a global of two constants',
      withSection(Section.global, [0x7f, 0, Op.i32Const, 1, Op.i32Const, 1, Op.end]),
      'a global is not one constant',
    ],
    [
      'no code',
      writeSections(
        readSections(smallModule(Op.localGet, 0)).filter(({ id }) => id !== Section.code),
      ),
      `the module has no section ${Section.code}`,
    ],
  ])('%s', (_, bytes, complaint) => {
    expect(() => new ModuleEditor(bytes)).toThrow(complaint);
  });

  test('but for imports of every known kind', () => {
    const named = [1, 97, 1, 98];
    const kinds = [
      [...named, 1, 0x70, 1, 1, 2],
      [...named, 2, 0, 1],
      [...named, 3, 0x7f, 0],
      [...named, 0, 0],
    ];
    const editor = new ModuleEditor(withSection(Section.import, ...kinds));
    expect([editor.importedFunctions, editor.functionTypes]).toEqual([1, [0, 0]]);
    // Behind the one that is imported.
    expect(editor.addGlobal('own', 'i32', 0)).toBe(1);
  });

  test.each([
    ['an element segment of another form', [1], 'an element segment has an unknown form'],
    ['one without a fixed place', [0, Op.globalGet, 0, Op.end, 0], 'has no fixed place'],
  ])('%s', (_, segment, complaint) => {
    const sections = readSections(smallModule(Op.localGet, 0));
    const element = { id: Section.element, payload: concat(unsigned(1), segment) };
    const code = sections.findIndex(({ id }) => id === Section.code);
    const bytes = writeSections([...sections.slice(0, code), element, ...sections.slice(code)]);
    expect(() => new ModuleEditor(bytes).tableFunctions()).toThrow(complaint);
  });
});
