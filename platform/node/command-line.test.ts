import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parted } from './command-line.ts';

const OPTIONS = { one: { type: 'string' }, is: { type: 'boolean' } } as const;
const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_{}@.:/';
const dashed = fc
  .string({ unit: fc.constantFrom(...ID_LETTERS), minLength: 2, maxLength: 64 })
  .filter((rest) => !rest.startsWith('-') && !(rest in OPTIONS))
  .map((rest) => `-${rest}`);

test('an id that begins with a dash is a word, and behind an option its value', () => {
  fc.assert(
    fc.property(dashed, dashed, dashed, (id, value, other) => {
      for (const args of [
        [id, '--one', value, '--is', other],
        ['--one', value, id, other, '--is'],
        [id, '--is', '--one', value, '--', other],
      ]) {
        const { options, words } = parted(args, OPTIONS, true);
        expect([new Set(options), words]).toEqual([
          new Set([`--one=${value}`, '--is']),
          [id, other],
        ]);
      }
    }),
  );
});

test('behind -- all are words', () => {
  const behind = ['--one', '--is', '-n', '-is', '--'];
  expect(parted(['a', '--', ...behind], OPTIONS, true)).toEqual({
    ...{ options: [], words: ['a', ...behind] },
  });
});

test.each(['-one', '-one=1', '-is', '-n'])(
  '%s lacks a dash, and is no word and no value',
  (word) => {
    const [name = ''] = word.split('=');
    const line = `Unknown option '${name}'${name === '-n' ? '' : `: -${name} has two dashes`}`;
    for (const args of [[word], ['--one', word]])
      expect(() => parted(args, OPTIONS, true)).toThrow(new Error(line));
  },
);

test('an option is no value, and where no words are wanted a dash begins an option', () => {
  expect(parted(['--one', '--is'], OPTIONS, true).options).toEqual(['--one', '--is']);
  expect(parted(['--is', '-AbC'], OPTIONS, false).options).toEqual(['--is', '-AbC']);
});
