import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../test/support/folders.ts';
import { readProgram } from './program.ts';

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

/** The program of these files, which begins in `entry.ts`. */
function programOf(files: { readonly [path: string]: string }, syntax = 2020, contents?: string) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const source = { root, entry: 'entry.ts', ...(contents !== undefined && { contents }) };
  return readProgram(source, syntax);
}

const codeOf = ({ pieces }: Awaited<ReturnType<typeof programOf>>): string =>
  pieces.map(({ code }) => code).join('\n');

/** An entry that asks for what these expressions say. */
const asking = (...expressions: string[]) =>
  `export const boot = async () => [${expressions.join(', ')}];`;

describe('a program', () => {
  it('has its modules in the order in which they are evaluated, each with its bytes', async () => {
    const { modules, bytesOf, boot, globals, roots, syntax } = await programOf({
      'entry.ts': `import { b } from './b.ts'; import { a } from './a.ts';
                   import type { T } from './types.ts';
                   export const boot = (t: T) => a + b + t;`,
      'a.ts': "import { c } from './c.ts'; export const a = 'a'.repeat(c);",
      'b.ts': "import { c } from './c.ts'; export const b = 'b'.repeat(c);",
      'c.ts': 'export const c = Number(String(7));',
      'types.ts': 'export type T = string;',
    });
    expect(modules).toEqual(['c.ts', 'b.ts', 'a.ts', 'entry.ts']);
    expect(modules.every((path) => (bytesOf.get(path) ?? 0) > 0)).toBe(true);
    expect([boot.length > 0, roots, syntax]).toEqual([true, [], 2020]);
    expect([...globals].sort()).toEqual(['Number', 'String']);
  });

  it('lacks what one module only passes on from another', async () => {
    const program = await programOf({
      'entry.ts': "import { asked } from './all.ts'; export const boot = () => asked();",
      'all.ts': "export { asked } from './asked.ts'; export { unasked } from './unasked.ts';",
      'asked.ts': 'export const asked = () => 7;',
      'unasked.ts': "export const unasked = () => 'left out';",
    });
    expect(codeOf(program)).not.toContain('left out');
  });

  it('has other contents where it is given some', async () => {
    const files = {
      'entry.ts': `import { contents } from './platform/quickjs/contents.ts';
                   export const boot = () => contents;`,
      'platform/quickjs/contents.ts': "export const contents = 'as it ships';",
    };
    expect(codeOf(await programOf(files))).toContain('as it ships');
    const other = await programOf(files, 2020, "export const contents: string = 'chosen';");
    expect(codeOf(other)).toContain('chosen');
    expect(codeOf(other)).not.toContain('as it ships');
  });
});

describe('a part', () => {
  const FILES = {
    'parts/one.ts': "export const some = () => 'of one'; export const other = () => 'other';",
    'parts/two.ts': "export const two = () => 'of two'; export const unasked = () => 'left out';",
  };

  it('bears the name of its file, and has what is asked for of it', async () => {
    const program = await programOf({
      ...FILES,
      'entry.ts': asking("(await import('./parts/two.ts')).two()"),
    });
    expect(program.roots.map(({ name }) => name)).toEqual(['two']);
    expect(program.roots[0]?.left).toBe(program.roots[0]?.locals[0]);
    expect(program.modules).toEqual(['entry.ts', 'parts/two.ts']);
    expect(codeOf(program)).toContain('of two');
    expect(codeOf(program)).not.toContain('left out');
    expect(codeOf(program)).not.toContain('import(');
  });

  it('leaves several things under short names, each once, whoever asks for them', async () => {
    const program = await programOf({
      ...FILES,
      'entry.ts': asking(
        "(await import('./parts/one.ts')).some()",
        "(await import('./parts/one.ts')).other()",
        "(await import('./parts/one.ts')).some",
      ),
    });
    const [one] = program.roots;
    expect(one?.locals).toHaveLength(2);
    expect(one?.left).toBe(`{$0:${one?.locals[0]},$1:${one?.locals[1]}}`);
    expect(
      codeOf(program)
        .match(/\)\.\$[01]/g)
        ?.sort(),
    ).toEqual([').$0', ').$0', ').$1']);
  });

  it('may ask for others, and comes before these', async () => {
    const program = await programOf({
      ...FILES,
      'parts/first.ts': "export const first = async () => (await import('./two.ts')).two;",
      'entry.ts': asking("(await import('./parts/first.ts')).first"),
    });
    expect(program.roots.map(({ name }) => name)).toEqual(['first', 'two']);
  });

  it('has a name that no other one has', async () => {
    const files = {
      'a/same.ts': 'export const a = () => 1;',
      'b/same.ts': 'export const b = () => 2;',
      'entry.ts': asking("(await import('./a/same.ts')).a", "(await import('./b/same.ts')).b"),
    };
    await expect(programOf(files)).rejects.toThrow(
      'two parts are called same: a/same.ts and b/same.ts',
    );
  });

  test.each([
    "import('./parts/one.ts').then(({ some }) => some)",
    "(async () => { const part = await import('./parts/one.ts'); return [part.some, part]; })()",
    "(async () => (await import('./parts/one.ts')).default.some)() || import('./parts/one.ts')",
  ])('is asked for in one form only, and not so: %s', async (expression) => {
    const one = 'export const some = () => 1; export default { some };';
    const files = { 'parts/one.ts': one, 'entry.ts': `export const boot = () => ${expression};` };
    await expect(programOf(files)).rejects.toThrow(
      'import("part:parts/one.ts"): not (await import(...)).NAME',
    );
  });

  it('has what is asked for', async () => {
    const files = { ...FILES, 'entry.ts': asking("(await import('./parts/one.ts')).none") };
    await expect(programOf(files)).rejects.toThrow('No matching export');
  });
});

describe('what is no program', () => {
  test.each<[string, { readonly [path: string]: string }, string]>([
    [
      'imports that go round in a circle',
      {
        'entry.ts': "import { a } from './a.ts'; export const b = a, boot = a;",
        'a.ts': "import { b } from './entry.ts'; export const a = () => b;",
      },
      'imports go round in a circle: entry.ts -> a.ts -> entry.ts',
    ],
    [
      'a Node built-in',
      { 'entry.ts': "import { sep } from 'node:path'; export const boot = () => sep;" },
      'Could not resolve "node:path"',
    ],
    ['no boot', { 'entry.ts': 'export const start = 1;' }, 'No matching export'],
    ['no syntax', { 'entry.ts': 'export const boot = (;' }, 'Unexpected ";"'],
    ['no entry', {}, 'Could not resolve "./entry.ts"'],
  ])('is refused: %s', async (_, files, complaint) => {
    await expect(programOf(files)).rejects.toThrow(complaint);
  });

  test.each([
    ['/(?<=a)b/', 2017],
    ['/(?<name>a)/', 2017],
    ['/[a--b]/v', 2020],
    ['/a/d', 2020],
  ])('is a pattern that is newer than asked for: %s in %i', async (pattern, syntax) => {
    const files = { 'entry.ts': `export const boot = (text: string) => ${pattern}.test(text);` };
    await expect(programOf(files, syntax)).rejects.toThrow(
      `${pattern}: newer than ECMAScript ${syntax}`,
    );
    expect((await programOf(files, 2024)).modules).toEqual(['entry.ts']);
  });

  it('is newer syntax than asked for, if it cannot be written in an older one', async () => {
    const newer = { 'entry.ts': 'export const boot = await Promise.resolve();' };
    await expect(programOf(newer, 2017)).rejects.toThrow('Top-level await is not available');
    const older = { 'entry.ts': 'export const boot = (a?: { b: number }) => a?.b ?? 1;' };
    expect(codeOf(await programOf(older, 2017))).not.toMatch(/\?\.|\?\?/);
  });
});
