import { expect, test } from 'vitest';
import { UsageError } from './complaint.ts';
import { exclude, flag, needed, parse, text, texts, urlOf, wholeNumber } from './typed.ts';

const OPTIONS = { one: text, more: texts, is: flag } as const;

test('options and words are told from each other, negative numbers too', () => {
  const { values, words } = parse(
    ['a', '--one', '-5', '--more=1', '--more', '2', '--is', '--', '--b'],
    ['A', 'B...?'],
    OPTIONS,
  );
  expect([values, words]).toEqual([{ one: '-5', more: ['1', '2'], is: true }, ['a', '--b']]);
});

test.each([
  ['--AbCdEfGhIjKl', ['A', 'ID...?'], '; an ID that begins so stands behind a word --'],
  ['--AbCdEfGhIjKl', ['A'], ''],
  ['--of.vcf', ['FILE'], '; a FILE that begins so stands behind a word --'],
  ['-n', ['ID?'], '; an ID that begins so stands behind a word --'],
  ['-n', [], ''],
  ['-none', [], ''],
] as const)('%s may be a mistyped option, where %j is wanted', (word, names, advice) => {
  const option = word.startsWith('--') ? word : word.slice(0, 2);
  const line = `Unknown option '${option}'${advice}`;
  for (const args of [[word], [word, 'x'], ['--one', '1', word]])
    expect(() => parse(args, names, OPTIONS)).toThrow(new UsageError(line));
  expect(() => parse(['--', word], ['ID', 'B?'], OPTIONS)).not.toThrow();
});

test.each([
  [['a', 'b'], ['A'], 'one word too many: "b"'],
  [['{"password":1}'], [], 'one word too many behind the options'],
  [[], ['A'], 'A is missing'],
  [['--two'], [], "Unknown option '--two'"],
] as const)('%j is refused where %j is wanted', (args, names, line) => {
  expect(() => parse(args, names, OPTIONS)).toThrow(line);
});

test('a value is what its option takes, or the line names it', () => {
  expect([needed('--a', 'x'), wholeNumber('--n', '7', 1, 9)]).toEqual(['x', 7]);
  expect(urlOf('--u', 'https://h/', false)).toBe('https://h');
  expect(() => needed('--a', '')).toThrow('--a is missing');
  expect(() => wholeNumber('--n', '10', 1, 9)).toThrow('--n must be a whole number from 1 to 9');
  expect(() => urlOf('--u', 'http://h', false)).toThrow('--u: http://h is not encrypted');
  expect(() => exclude({ a: true, b: 'x' }, 'a', 'b')).toThrow('--a and --b exclude each other');
  expect(() => exclude({ a: true, b: false }, 'a', 'b')).not.toThrow();
});
