import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeptTexts } from './kept.ts';
import { shrunk, shrunkOnce } from './shrink.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder = '';
let made = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kept-'));
  made = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a process that begins now gets, and whether it has to make it. */
async function textOf(...of: unknown[]): Promise<string> {
  return new KeptTexts(folder).textOf(of, async () => {
    made += 1;
    return `text of ${of}\n\u{1f98a}`;
  });
}

const files = (): string[] => readdirSync(folder).map((name) => join(folder, name));
const only = (): string => files()[0] ?? '';

describe('a text', () => {
  test('is made once for all processes', async () => {
    const first = await textOf('a');
    expect(await textOf('a')).toBe(first);
    expect(made).toBe(1);
  });

  test('is made once by a process that asks twice at the same time', async () => {
    const texts = new KeptTexts(folder);
    const make = async (): Promise<string> => `${++made}`;
    expect(await Promise.all([texts.textOf(['a'], make), texts.textOf(['a'], make)])).toEqual([
      '1',
      '1',
    ]);
  });

  test.each([
    ['cut off', (file: string) => file.slice(0, -1)],
    ['longer', (file: string) => `${file}x`],
    ['of another letter', (file: string) => file.replace('text', 'next')],
    ['without its sum', (file: string) => file.slice(file.indexOf('\n') + 1)],
    ['empty', () => ''],
    ['only zeros', (file: string) => '\0'.repeat(file.length)],
  ])('whose file is %s is made again, and kept again', async (_, damage) => {
    const text = await textOf('a');
    const file = readFileSync(only(), 'utf8');
    writeFileSync(only(), damage(file));
    expect(await textOf('a')).toBe(text);
    expect(made).toBe(2);
    expect(readFileSync(only(), 'utf8')).toBe(file);
  });

  test('is made once by two processes that ask at once, and nothing else stays', async () => {
    const slowly = async (): Promise<string> => {
      made += 1;
      await setTimeout(200);
      return `${made}`;
    };
    const two = [1, 2].map(() => new KeptTexts(folder).textOf(['a'], slowly));
    expect(await Promise.all(two)).toEqual(['1', '1']);
    expect(files()).toHaveLength(1);
  });

  test('that another process died of is made by the next one', async () => {
    const gone = new KeptTexts(folder);
    await gone.textOf(['a'], async () => 'gone');
    renameSync(only(), `${only()}.claim`);
    utimesSync(only(), 1, 1);
    expect(await textOf('a')).toContain('text of a');
    expect(files()).toHaveLength(1);
  });

  test('that cannot be made is an error, and is tried again', async () => {
    const texts = new KeptTexts(folder);
    const fails = () => Promise.reject(new Error('no terser'));
    await expect(texts.textOf(['a'], fails)).rejects.toThrow('no terser');
    expect(await texts.textOf(['a'], async () => 'now')).toBe('now');
  });

  test('is made wherever nothing can be kept', async () => {
    const text = await textOf('a');
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file in the place of the folder');
    expect(await textOf('a')).toBe(text);
    rmSync(folder);
    mkdirSync(folder);
    await textOf('a');
    const taken = only();
    rmSync(taken);
    mkdirSync(taken);
    expect(await textOf('a')).toBe(text);
    expect(files()).toEqual([taken]);
    expect(made).toBe(4);
  });

  test('is whole for all who make it at the same time, and leaves one file', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => textOf('a')));
    expect(new Set(all).size).toBe(1);
    expect(files()).toHaveLength(1);
  });

  describe('of a folder that has room for three', () => {
    const few = (): KeptTexts => new KeptTexts(folder, 3);
    const used = (of: string): Promise<string> => few().textOf([of], async () => `${of} anew`);

    test('goes when many others were used since', async () => {
      await few().textOf(['a'], async () => 'a');
      for (const of of ['b', 'c', 'd', 'e']) await used(of);
      expect(files()).toHaveLength(3);
      expect(await used('a')).toBe('a anew');
    });

    test('stays where another was used before it, however little', async () => {
      for (let turn = 0; turn < 30; turn++) {
        for (const of of ['a', 'a', `${turn}`, 'b', 'c']) await used(of);
        expect(await few().textOf([`${turn}`], async () => 'gone')).toBe(`${turn} anew`);
        for (const path of files()) rmSync(path);
      }
    });

    test('stays where it was made just now, whatever time others have', async () => {
      for (const of of ['a', 'b', 'c']) await used(of);
      for (const path of files()) utimesSync(path, 1e10, 1e10);
      await few().textOf(['d'], async () => 'd');
      expect(files()).toHaveLength(3);
      expect(await used('d')).toBe('d');
    });
  });
});

describe('a shrunk script', () => {
  const script = '(function(registry){"use strict";var second=2,other=1;return second+other+""})';
  const once = (text: string, year: number, kept: readonly string[]): Promise<string> =>
    shrunkOnce(text, year, kept, new KeptTexts(folder));

  test('is the same from the folder as when it is made', async () => {
    const made = await shrunk(script, 2020, []);
    expect(await once(script, 2020, [])).toBe(made);
    expect(await once(script, 2020, [])).toBe(made);
    expect(files()).toHaveLength(1);
  });

  test.each<[string, string, number, string[]]>([
    ['another script', script.replace('2', '3'), 2020, []],
    ['another edition', script, 2017, []],
    ['other names that stay', script, 2020, ['second']],
  ])('is another file for %s', async (_, text, year, kept) => {
    await once(script, 2020, []);
    await once(text, year, kept);
    expect(files()).toHaveLength(2);
  });

  const packages = join(root, 'node_modules');
  const rules = (place: string, text: string): void =>
    writeFileSync(join(place, 'firmware-bundle/shrink.ts'), text);
  const ours = readFileSync(new URL('shrink.ts', import.meta.url), 'utf8');
  /** The same package, of another version. */
  const another = (place: string, name: string): void => {
    const folder = join(place, 'node_modules', name);
    rmSync(folder);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"version":"0.0.1","main":"main.mjs"}');
    const same = JSON.stringify(createRequire(import.meta.url).resolve(name));
    const version = name === 'esbuild' ? "export const version = '0.0.1';" : '';
    writeFileSync(join(folder, 'main.mjs'), `export * from ${same};\n${version}`);
  };

  test.each<[string, number, (place: string) => void]>([
    ['the same', 1, () => undefined],
    ['other rules', 2, (place) => rules(place, ours.replace(/passes: \d+/, 'passes: 1'))],
    ['another esbuild', 2, (place) => another(place, 'esbuild')],
    ['another terser', 2, (place) => another(place, 'terser')],
  ])('by %s is in %i file(s) with ours', async (_, count, change) => {
    const place = join(folder, 'checkout');
    mkdirSync(join(place, 'node_modules'), { recursive: true });
    mkdirSync(join(place, 'firmware-bundle'));
    for (const name of ['esbuild', 'terser']) {
      symlinkSync(join(packages, name), join(place, 'node_modules', name));
    }
    for (const name of ['shrink.ts', 'kept.ts']) {
      copyFileSync(join(root, 'firmware-bundle', name), join(place, 'firmware-bundle', name));
    }
    change(place);
    const theirs = await import(join(place, 'firmware-bundle/shrink.ts'));
    const texts = join(folder, 'texts');
    await shrunkOnce(script, 2020, [], new KeptTexts(texts));
    await theirs.shrunkOnce(script, 2020, [], new KeptTexts(texts));
    expect(readdirSync(texts)).toHaveLength(count);
  });
});
