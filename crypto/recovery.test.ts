// A recovery code is read as it was written, however a person writes it, and a slip is noticed.

import { hkdfSync } from 'node:crypto';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { keyOfRecoveryCode, recoveryCode } from './recovery.ts';

const BYTES = Uint8Array.from({ length: 16 }, (_, at) => at * 17);
const CODE = recoveryCode(BYTES);

test('the words are proquints, and the key is derived from their bits', () => {
  // 127.0.0.1 and 63.84.220.193, as the paper has them.
  const known = new Uint8Array(16);
  known.set([127, 0, 0, 1, 63, 84, 220, 193]);
  expect(recoveryCode(known)).toMatch(/^lusab-babad-gutih-tugad(-babab){4}-[a-z]{5}$/);
  const key = Buffer.from(hkdfSync('sha256', BYTES, '', 'kitsync/v1/recovery', 32));
  expect(keyOfRecoveryCode(CODE)).toEqual({ kB: key.toString('hex') });
});

test.each([
  ['in capitals', CODE.toUpperCase()],
  ['with spaces', CODE.replaceAll('-', '  ')],
  ['over lines', `\n${CODE.replaceAll('-', ',\n')}.`],
])('a code that is written %s is the same', (_, text) => {
  expect(keyOfRecoveryCode(text)).toEqual(keyOfRecoveryCode(CODE));
});

property.prop([fc.uint8Array({ minLength: 16, maxLength: 16 })])(
  'any 128 bits come back, and no two codes have one key',
  (bytes) => {
    const { kB } = keyOfRecoveryCode(recoveryCode(bytes));
    expect(kB).toMatch(/^[0-9a-f]{64}$/);
    const other = Uint8Array.from(bytes, (byte, at) => (at === 0 ? byte ^ 1 : byte));
    expect(keyOfRecoveryCode(recoveryCode(other)).kB).not.toBe(kB);
  },
);

describe('a slip is told:', () => {
  const refused = (text: string) => {
    try {
      keyOfRecoveryCode(text);
    } catch (error) {
      return (error as Error).message;
    }
    return 'taken';
  };

  test('a word too few or too many', () => {
    expect(refused(CODE.slice(6))).toContain('8 words');
    expect(refused(`${CODE}-babab`)).toContain('10 words');
    expect(refused('')).toContain('0 words');
  });

  test('a word that is none', () => {
    expect(refused(CODE.replace(/-[a-z]{5}-/, '-hello-'))).toContain('word 2');
    expect(refused(CODE.replace(/^.{5}/, 'baba'))).toContain('word 1');
  });

  test('a wrong letter, or two words that have changed places, in all but one of 65,536', () => {
    const words = CODE.split('-');
    const swapped = [words[1], words[0], ...words.slice(2)].join('-');
    expect(refused(swapped)).toContain('do not belong together');
    const slips = [...CODE].flatMap((letter, at) => {
      if (letter === '-') return [];
      const letters = 'aiou'.includes(letter) ? 'aiou' : 'bdfghjklmnprstvz';
      return [...letters]
        .filter((other) => other !== letter)
        .map((other) => {
          return CODE.slice(0, at) + other + CODE.slice(at + 1);
        });
    });
    expect(slips.length).toBeGreaterThan(400);
    const taken = slips.filter((slip) => refused(slip) === 'taken');
    expect(taken).toEqual([]);
  });
});

test('other than 128 bits make no code', () => {
  expect(() => recoveryCode(new Uint8Array(15))).toThrow('16 bytes');
});
