// How every source is written: how long it, its functions and its lines are, that it says first
// what it is, exports what somebody imports, and, on the device, takes no name from outside. A
// failure names the file and the rule. Who may import whom is in doors.test.ts.

import { parse } from 'acorn';
import { transform } from 'esbuild';
import { expect, test } from 'vitest';
import { freeNames, INTRINSICS } from '../firmware-bundle/globals.ts';
import { faultsIn } from './support/imports.ts';
import { readSources } from './support/sources.ts';
import { TRIED_BY } from './support/tried-by.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;
/** A file with more places where it goes one way or another decides something. */
const DECISIONS_MAX = 4;

const TESTS = /(\.test\.ts|^test\/.*)$/;
/** Device code: it must run where nothing but the language is. */
const BARE = /^(agent|crypto|platform\/quickjs)\/(?!.*\.test\.ts$)/;
/** What others than files import: apps, devices, what builds, scripts in a browser, what tests. */
const PUBLIC: readonly RegExp[] = [
  /^(agent\/index|platform\/ports|emulator\/command)\.ts$/,
  /^test\/(interop\/inside\/.*|bench\/kinto-device)\.js$/,
  /^test\/(support\/(crypto|picl|texts)-firmware|kinto\/shared)\.ts$/,
];

const sources = readSources();

test('names have one home: no default exports, no barrel but agent/index.ts', () => {
  const found = faultsIn(sources, ({ path, exports, isBarrel }) => [
    ...(exports.includes('default') ? ['has a default export'] : []),
    ...(exports.includes('*') ? ['exports all of another file'] : []),
    ...(isBarrel && path !== 'agent/index.ts' ? ['is a barrel'] : []),
  ]);
  expect(found).toEqual([]);
});

test('every export is imported by another file, be it a test', () => {
  const taken = new Set(
    [...sources.values()].flatMap(({ path, imports }) =>
      imports
        .filter(({ to }) => to !== path)
        .flatMap(({ to, names }) => names.map((name) => `${to} ${name}`)),
    ),
  );
  const found = faultsIn(sources, ({ path, exports }) =>
    PUBLIC.some((one) => one.test(path)) || taken.has(`${path} *`)
      ? []
      : exports
          .filter((name) => !taken.has(`${path} ${name}`))
          .map((name) => `nobody imports ${name}`),
  );
  expect(found).toEqual([]);
});

test('every file stays short, and says first what it is if it is no test', () => {
  const found = faultsIn(sources, ({ path, text }) => {
    const lines = text.split('\n').length - 1;
    const says = TESTS.test(path) || /^(#!.*\n)?(\/\/|\/\*)/.test(text);
    return [
      ...(says ? [] : ['does not begin with a comment']),
      ...(lines > FILE_LINES_MAX ? [`has ${lines} lines, ${FILE_LINES_MAX} allowed`] : []),
    ];
  });
  expect(found).toEqual([]);
});

test('a source that decides something has its test beside it', () => {
  const found = [...sources.values()].flatMap(({ path, decisions }) => {
    const needsTest = !TESTS.test(path) && decisions > DECISIONS_MAX && !sources.has(testOf(path));
    const by = TRIED_BY.get(path);
    if (needsTest && by === undefined) return [`${path} decides ${decisions} things untried`];
    if (by !== undefined && !needsTest)
      return [`${path} needs no place in the list of tried-by.ts`];
    return by === undefined || !by.endsWith('.ts') || sources.has(by)
      ? []
      : [`${path}: there is no ${by}`];
  });
  const gone = [...TRIED_BY.keys()].filter((path) => !sources.has(path));
  found.push(...gone.map((path) => `${path} is in tried-by.ts, and nowhere else`));
  expect(found).toEqual([]);
});

test('no function is so long that nobody sees it whole', () => {
  const found = faultsIn(sources, ({ functions }) =>
    functions
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
      .map(({ name, line, lines }) => `${name} in line ${line} has ${lines} lines`),
  );
  expect(found).toEqual([]);
});

test('no line is so long that an editor wraps it', () => {
  const found = faultsIn(sources, ({ text }) =>
    text.split('\n').flatMap((line, index) => {
      const { length } = line;
      return length > COLUMNS_MAX ? [`line ${index + 1} has ${length} columns`] : [];
    }),
  );
  expect(found).toEqual([]);
});

test('code for the device takes no name from outside', async () => {
  const found: string[] = [];
  for (const { path, text } of sources.values()) {
    if (!BARE.test(path)) continue;
    const { code } = await transform(text, { loader: 'ts', target: 'es2022' });
    const names = freeNames(parse(code, { ecmaVersion: 2022, sourceType: 'module' }))
      .map(({ name }) => name)
      .filter((name) => !INTRINSICS.has(name));
    if (names.length > 0) found.push(`${path}: uses ${names.join(', ')}`);
  }
  expect(found).toEqual([]);
});

function testOf(path: string): string {
  return path.replace(/\.m?[jt]s$/, '.test.ts');
}
