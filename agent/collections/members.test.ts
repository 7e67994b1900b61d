// What every collection does with the members of its records: whatever their names, and whatever
// the clocks say.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Body, MergeInput } from './collection.ts';
import {
  addressKey,
  addressPrefix,
  believed,
  chooseId,
  complaintOfEdit,
  countOf,
  editedOver,
  editOf,
  FIRST_MS,
  hashKey,
  hasSameMembers,
  isLocalYounger,
  isSameValue,
  shortId,
  withIdFirst,
  youngerWins,
} from './members.ts';

const NOW_MS = 1_795_000_000_000;
const ODD = JSON.parse('{"__proto__":1,"constructor":2}') as Body;

describe('the index entry of an address', () => {
  const address = fc.string({ unit: 'binary', maxLength: 120 });

  test('is short ASCII that no other mark of a key is in, and is found by every start', () => {
    fc.assert(
      fc.property(address, fc.nat(120), (text, length) => {
        const key = addressKey(text);
        expect(key).toMatch(/^u["-}]{0,56}$/);
        expect(key.startsWith(addressPrefix(text.slice(0, length)))).toBe(true);
      }),
    );
  });

  test('tells addresses apart by their ends, be they long', () => {
    const start = `https://example.com/${'a'.repeat(100)}`;
    expect(addressKey(`${start}1`)).not.toBe(addressKey(`${start}2`));
    expect(addressKey('https://a/')).toBe('uhttps://a/');
  });

  test('is as long as it may be and no longer: one that fits is whole', () => {
    expect(addressKey('x'.repeat(56))).toBe(`u${'x'.repeat(56)}`);
    expect(addressKey('x'.repeat(57))).toBe(`u${'x'.repeat(56)}`);
    // Escaped it does not fit any more.
    expect(addressKey('!'.repeat(20))).toHaveLength(57);
  });
});

describe('two values', () => {
  test.each<[unknown, unknown, boolean]>([
    [1, 1, true],
    ['1', 1, false],
    [null, undefined, false],
    [null, {}, false],
    [{ a: [1] }, { a: [1] }, true],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, false],
    [[1], { 0: 1 }, false],
    ['[1]', [1], false],
  ])('%j and %j are the same: %j', (a, b, same) => {
    expect(isSameValue(a, b)).toBe(same);
    expect(isSameValue(b, a)).toBe(same);
  });

  test('of records may be in any order, and none may be missing', () => {
    expect(hasSameMembers({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
    expect(hasSameMembers({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(hasSameMembers({ a: 1, b: 2 }, { a: 1 })).toBe(false);
    expect(hasSameMembers({ a: undefined }, { b: undefined })).toBe(true);
    expect(hasSameMembers(ODD, { ...ODD })).toBe(true);
    expect(hasSameMembers(ODD, { constructor: 2 } as unknown as Body)).toBe(false);
  });
});

describe('the younger change', () => {
  const input = (localAgeMs: number, theirAgeMs: number, serverAheadMs = 0): MergeInput => ({
    local: { body: {}, changedAtMs: NOW_MS - localAgeMs },
    mirror: null,
    incoming: { body: {}, modifiedMs: NOW_MS + serverAheadMs - theirAgeMs },
    serverNowMs: NOW_MS + serverAheadMs,
    deviceNowMs: NOW_MS,
  });

  test.each<[number, number, boolean]>([
    [1, 2, true],
    [2, 1, false],
    [1, 1, false],
    [-5, 1, true],
    [-5, 0, false],
    [0, -5, false],
    [-1, -5, false],
  ])('of ages %i and %i is ours: %j', (ours, theirs, is) => {
    for (const ahead of [0, -9e11, 9e11]) {
      expect(isLocalYounger(input(ours, theirs, ahead))).toBe(is);
    }
  });

  test('is never ours where there is none', () => {
    expect(isLocalYounger({ ...input(0, 9), local: null })).toBe(false);
  });

  const merged = (mine: Body | null, theirs: Body | null, ours = true, mirror?: Body) =>
    youngerWins({
      ...input(ours ? 1 : 9, 5),
      local: { body: mine, changedAtMs: NOW_MS - (ours ? 1 : 9) },
      mirror: mirror ? { body: mirror, modifiedMs: 0 } : null,
      incoming: { body: theirs, modifiedMs: NOW_MS - 5 },
    });

  test('wins, with what only the other one has', () => {
    expect(merged({ id: 'a', x: 1 }, { id: 'a', x: 2, y: 3 })).toEqual({
      ...{ mirror: 'asIs', local: { id: 'a', x: 1, y: 3 } },
    });
    expect(merged({ id: 'a', x: 1 }, { id: 'a', x: 2 }, false)).toEqual({
      ...{ mirror: 'asIs', local: 'none' },
    });
  });

  test('leaves to the other what it has not edited itself', () => {
    const base = { id: 'a', x: 0, y: 0 };
    const { local } = merged({ ...base, x: 1 }, { ...base, y: 2 }, true, base);
    expect(local).toEqual({ id: 'a', x: 1, y: 2 });
  });

  test('that says what the other says needs no upload', () => {
    expect(merged({ x: 1, id: 'a' }, { id: 'a', x: 1 }).local).toBe('none');
  });

  test('deletes or revives', () => {
    expect(merged(null, { id: 'a' })).toEqual({ mirror: 'asIs', local: 'keep' });
    expect(merged({ id: 'a' }, null)).toEqual({ mirror: null, local: 'keep' });
    expect(merged(null, null)).toEqual({ mirror: null, local: 'none' });
    expect(merged({ id: 'a' }, null, false)).toEqual({ mirror: null, local: 'none' });
  });

  test('is ours against what was written again as it was agreed', () => {
    const base = { id: 'a', x: 0, y: 0 };
    expect(merged(null, { ...base }, false, base)).toEqual({ mirror: 'asIs', local: 'keep' });
    expect(merged({ ...base, x: 1 }, { ...base }, false, base).local).toEqual({ ...base, x: 1 });
    // Nor is it theirs because they have changed another member.
    const both = { ...base, x: 1, y: 2 };
    expect(merged({ ...base, x: 1 }, { ...base, y: 2 }, false, base).local).toEqual(both);
    expect(merged({ ...base, x: 1 }, { ...base, x: 2 }, false, base).local).toBe('none');
  });

  describe('where the server has begun anew', () => {
    const agreed = { id: 'a', x: 1, mine: 1 };
    const older = { id: 'a', x: 0, theirs: 1 };
    const anew = (
      ageMs: number,
      { local = null, ...more }: Partial<Pick<MergeInput, 'local' | 'epoch' | 'serverNowMs'>> = {},
      theirs: Body | null = older,
    ) =>
      youngerWins({
        ...{ ...input(0, 0), epoch: 2, local, ...more },
        mirror: { body: agreed, modifiedMs: NOW_MS - 50, epoch: 1 },
        incoming: { body: theirs, modifiedMs: NOW_MS - ageMs },
      });
    const taken = { mirror: 'asIs', local: 'none' };

    test('is what was agreed on, if the server wrote its own before that', () => {
      expect(anew(51)).toEqual({ mirror: 'asIs', local: { ...older, ...agreed } });
      expect(anew(51, {}, { ...agreed })).toEqual(taken);
      expect(anew(51, {}, null)).toEqual({ mirror: null, local: 'none' });
    });

    test('is the server’s, if it was written since, or nothing tells', () => {
      for (const ageMs of [50, 49]) expect(anew(ageMs)).toEqual(taken);
      expect(anew(51, { epoch: 1 })).toEqual(taken);
      expect(anew(51, { serverNowMs: NOW_MS - 51 })).toEqual(taken);
    });

    test('is an edit or a deletion of what was agreed on, however old', () => {
      const local = (body: Body | null) => ({ local: { body, changedAtMs: NOW_MS - 99 } });
      const edited = { ...agreed, mine: 2 };
      expect(anew(51, local(edited)).local).toEqual({ ...older, ...edited });
      expect(anew(51, local(null))).toEqual({ mirror: 'asIs', local: 'keep' });
      expect(anew(49, local(edited))).toEqual(taken);
    });
  });

  test('never changes whose record it is', () => {
    expect(merged({ id: 'b', x: 1 }, { id: 'a' }).local).toEqual({ id: 'a', x: 1 });
  });
});

test.each<[unknown, number | null]>([
  [0, 0],
  ['7', 7],
  ['12.7', 12],
  [1.9, 1],
  [-1, null],
  ['', null],
  [' ', 0],
  ['x', null],
  [null, null],
  [true, null],
  [[5], null],
  [Number.NaN, null],
  [Infinity, null],
  [2 ** 53, null],
  [2 ** 53 - 1, 2 ** 53 - 1],
])('%j as a count is %j', (value, count) => {
  expect(countOf(value)).toBe(count);
});

test('a time is believed up to what the clock says that knew it, if that clock is set', () => {
  expect(believed(5, NOW_MS)).toBe(5);
  expect(believed(NOW_MS + 1, NOW_MS)).toBe(NOW_MS);
  expect(believed(NOW_MS, FIRST_MS)).toBe(FIRST_MS);
  expect(believed(NOW_MS, FIRST_MS - 1)).toBe(NOW_MS);
});

describe('the id of a record', () => {
  test('stands first, and every other member behind it', () => {
    expect(JSON.stringify(withIdFirst('a', { x: 1, id: 'b' }))).toBe('{"id":"a","x":1}');
    const [first, ...others] = Object.keys(withIdFirst('a', ODD));
    expect([first, others.sort()]).toEqual(['id', ['__proto__', 'constructor']]);
  });

  test('is the record’s own, else the one asked for, else a new one', () => {
    expect(chooseId({ id: 'b', guid: 'c' }, { id: 'a' }, 'n')).toBe('a');
    expect(chooseId({ id: 'b', guid: 'c' }, null, 'n')).toBe('b');
    expect(chooseId({ guid: 'c' }, {}, 'n')).toBe('c');
    expect(chooseId({}, null, 'n')).toBe('n');
    expect(chooseId({ id: '..' }, null, 'n')).toBeNull();
    expect(chooseId({ id: 7 }, null, 'n')).toBeNull();
  });

  test('that is new has twelve letters of the random bytes, all that there are', () => {
    expect(shortId(Uint8Array.from([0, 1, 63, 64, 255, 26, 52, 62, 0, 0, 0, 0, 9]))).toBe(
      'AB_A_a0-AAAA',
    );
  });
});

test('a text in four hex digits is the same each time, and tells others apart', () => {
  expect(['', 'a', 'b'].map(hashKey)).toEqual(['0000', '0061', '0062']);
  expect(hashKey('größe 😀'.repeat(100))).toMatch(/^[0-9a-f]{4}$/);
});

describe('an edit', () => {
  test('is laid over what others have changed meanwhile', () => {
    const base = { a: 1, b: 1, c: { x: 1 } };
    expect(editedOver({ a: 2, b: 1, c: { x: 1 } }, base, { a: 1, b: 3, d: 4 })).toEqual({
      ...{ a: 2, b: 3, d: 4 },
    });
    expect(editedOver({ a: 1 }, undefined, { a: 2, b: 2 })).toEqual({ a: 1, b: 2 });
    expect(Object.keys(editedOver(ODD, {}, {}))).toContain('__proto__');
  });

  test('says nothing that the record says already, as it is or as apps see it', () => {
    const stored = { url: 'https://a/', title: 'x' };
    const view = { address: 'https://a/', title: 'shown' };
    const says = (input: Body): Body => editOf(input, stored, view);
    expect(says({ url: 'https://a/', address: 'https://a/', title: 'shown' })).toEqual({});
    expect(says({ title: 'x' })).toEqual({});
    expect(says({ title: 'new', more: undefined })).toStrictEqual({ title: 'new' });
    expect(says({ address: null })).toEqual({ address: null });
  });

  test('is not blamed for what was wrong before', () => {
    const check = ({ x }: Body): string | null => (x === 1 ? null : `x: ${x}`);
    expect(complaintOfEdit(check, { x: 2 }, { x: 2 })).toBeNull();
    expect(complaintOfEdit(check, { x: 2 }, { x: 3 })).toBe('x: 3');
    expect(complaintOfEdit(check, { x: 1 }, { x: 2 })).toBe('x: 2');
    expect(complaintOfEdit(check, null, { x: 2 })).toBe('x: 2');
    expect(complaintOfEdit(check, { x: 2 }, { x: 1 })).toBeNull();
  });
});
