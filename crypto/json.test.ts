// JSON in pieces: the same values and the same refusals as the engine's own parser, and turns for
// the device in between.

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLongJson } from './json.ts';

/** What a parser makes of a text: its value, or that it refused. */
const refused = { refused: true };
const native = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return refused;
  }
};

async function inPieces(text: string): Promise<{ value: unknown; turns: number }> {
  let turns = 0;
  const pause = async () => {
    turns++;
  };
  const value = await parseLongJson(text, pause, Number.MAX_VALUE).catch(() => refused);
  return { value, turns };
}

/**
 * Equal in everything that can be observed: members in their order, `__proto__` as a member, minus
 * zero.
 */
async function expectSame(text: string): Promise<void> {
  const { value } = await inPieces(text);
  const wanted = native(text);
  expect(JSON.stringify(value)).toBe(JSON.stringify(wanted));
  expect(isDeepStrictEqual(value, wanted)).toBe(true);
}

const blank = fc.constantFrom('', '', ' ', '\n', '\t\r ', '  '.repeat(50));
const letters = fc.constantFrom(
  'a',
  'é',
  '日',
  '😀',
  '"',
  '\\',
  '\n',
  '\u0000',
  '\ud800',
  '{',
  '[',
  ',',
);
const names = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'id', '', '0', '10', '2'),
  fc.string({ unit: letters, maxLength: 5 }),
);
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, -0, -1.5e-7, Number.MAX_VALUE, 1e300, 123456789012345),
    fc.string({ unit: letters, maxLength: 9 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('value')), { maxLength: 4 }).map((members) => ({ members })),
  ),
}));

/** JSON with blanks, doubled names and escapes that `JSON.stringify` would not write. */
function written(value: unknown, gap: string, escaped: boolean): string {
  if (Array.isArray(value))
    return `[${value.map((one) => gap + written(one, gap, escaped)).join(`${gap},`)}${gap}]`;
  if (typeof value === 'object' && value !== null) {
    const { members } = value as { members: [string, unknown][] };
    const texts = members.map(
      ([name, one]) =>
        `${gap}${written(name, gap, escaped)}${gap}:${gap}${written(one, gap, escaped)}`,
    );
    return `{${texts.join(',')}${gap}}`;
  }
  const text = Object.is(value, -0) ? '-0' : JSON.stringify(value);
  if (typeof value !== 'string' || !escaped) return text;
  const hex = (unit: string): string => unit.charCodeAt(0).toString(16).padStart(4, '0');
  return `"${value
    .split('')
    .map((unit) => `\\u${hex(unit)}`)
    .join('')}"`;
}

describe('a text in pieces', () => {
  it('has the value that JSON.parse gives it', async () => {
    await fc.assert(
      fc.asyncProperty(anyValue, blank, fc.boolean(), (value, gap, escaped) =>
        expectSame(gap + written(value, gap, escaped) + gap),
      ),
      { numRuns: 300 },
    );
  });

  it('is refused where JSON.parse refuses it, whatever was cut out or put in', async () => {
    const strange = fc.constantFrom(
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '-',
      'e',
      '\n',
      '\u00a0',
      '\ufeff',
      '\0',
      'x',
      '.',
    );
    await fc.assert(
      fc.asyncProperty(anyValue, fc.nat(), fc.nat(3), strange, (value, place, count, put) => {
        const text = written(value, '', false);
        const at = place % (text.length + 1);
        return expectSame(text.slice(0, at) + put + text.slice(at + count));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    '',
    ' ',
    '"',
    '"\\',
    '"\\u12"',
    '"\\x"',
    '"\t"',
    '[',
    '[1',
    '[1,',
    '[1,]',
    '[,]',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,}',
    '{,}',
    '{a:1}',
    '{"a" 1}',
    '{1:1}',
    '[}',
    '{]',
    '1 2',
    '01',
    '-',
    '+1',
    '.5',
    '1.',
    '1e',
    '0x1',
    '1e400',
    '[-0, 1e-400, 12345678901234567890]',
    'tru',
    'nulll',
    'NaN',
    'undefined',
    "'a'",
    '[1]]',
    '/**/1',
    '\u00a01',
    '[1\u2028]',
  ])('%j is as good as it is to JSON.parse', (text) => expectSame(text));

  it('may cut a long string anywhere but in an escape', async () => {
    const units = fc.constantFrom(
      'a',
      '😀',
      '\\\\',
      '\\"',
      '\\n',
      '\\u0041',
      '\\ud83d',
      '\\ude00',
      '日',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(units, { minLength: 1, maxLength: 7 }),
        fc.integer({ min: 4080, max: 4100 }),
        (some, before) => expectSame(`["${'x'.repeat(before)}${some.join('').repeat(900)}", 1]`),
      ),
      { numRuns: 60 },
    );
    for (const run of [4094, 4095, 4096, 4097, 9000, 9001]) {
      await expectSame(`"${'\\'.repeat(run)}"`);
      await expectSame(`"${'\\'.repeat(run)}n"`);
    }
  });

  it('is refused when a long string has no end, or one that is escaped', async () => {
    for (const length of [4095, 4096, 4097, 8192]) {
      await expectSame(`"${'x'.repeat(length)}`);
      await expectSame(`"${'x'.repeat(length)}\\"`);
      await expectSame(`"${'x'.repeat(length)}\u0001"`);
      await expectSame(`"${'x'.repeat(length)}\\u00"`);
    }
  });
});

describe('the device', () => {
  it('gets a turn after a few kilobytes of a string or of blanks, or a few values', async () => {
    const turnsOf = async (text: string) => (await inPieces(text)).turns;
    expect(await turnsOf(`"${'x'.repeat(409_600)}"`)).toBe(101);
    expect(await turnsOf(`${' '.repeat(409_600)}1`)).toBe(101);
    expect(await turnsOf(JSON.stringify(Array(3_199).fill(1)))).toBe(101);
  });
});

describe('what a small device could not hold', () => {
  const code = (text: string, bytesMax = 500_000) =>
    parseLongJson(text, async () => undefined, bytesMax).then(
      () => 'taken',
      (error: Error) => error.constructor.name,
    );

  it('is refused when it nests too deeply, and nothing recurs on the way', async () => {
    expect(await code('['.repeat(32) + ']'.repeat(32))).toBe('taken');
    expect(await code('['.repeat(33) + ']'.repeat(33))).toBe('JsonTooLarge');
    expect(await code('{"a":'.repeat(300_000))).toBe('JsonTooLarge');
  });

  it.each([
    ['lists', 5_000, '[]'],
    ['objects', 5_000, '{}'],
    ['empty texts', 9_700, '""'],
    ['numbers', 41_000, '0'],
    ['visits', 3_550, '{"date":1795330000000000,"type":1}'],
    ['names of children', 8_000, '"childchildAB"'],
  ])('is refused when its values take too much: %s', async (_, count, one) => {
    const list = (length: number) => `[${Array(length).fill(one).join()}]`;
    expect(await code(list(Math.floor(count * 0.9)))).toBe('taken');
    expect(await code(list(Math.ceil(count * 1.1)))).toBe('JsonTooLarge');
    expect(await code(list(count * 4), Number.MAX_VALUE)).toBe('taken');
  });

  it('is refused when its objects have ever other members', async () => {
    const names = Array.from({ length: 3_000 }, (_, n) => `{"a${n}":0}`);
    expect(await code(`[${names.join()}]`)).toBe('JsonTooLarge');
    const members = Array.from({ length: 3_000 }, (_, n) => `"a${n}":0`);
    expect(await code(`{${members.join()}}`)).toBe('JsonTooLarge');
    expect(await code(`[${Array(3_000).fill('{"a1":0}').join()}]`)).toBe('taken');
  });

  it('is refused without being held: a million brackets', async () => {
    expect(await code(`[${'[],'.repeat(1e6)}0]`)).toBe('JsonTooLarge');
    expect(await code(`{${'"a":{},'.repeat(1e6)}"b":0}`)).toBe('JsonTooLarge');
  });

  it('is refused when a number goes on for a thousand digits', async () => {
    expect(await code('9'.repeat(999))).toBe('taken');
    expect(await code('9'.repeat(1_000))).toBe('JsonTooLarge');
  });
});
