// What becomes of one change in a pack.

import { describe, expect, test } from 'vitest';
import type { Outgoing } from '../../remote.ts';
import { ENTRY_BYTES_MAX, FULL_BYTES, PACK_BYTES_MAX } from './limits.ts';
import {
  ALONE,
  bytesOfPack,
  DELETED,
  encodePack,
  LEVELS,
  LIVE,
  type Pack,
  type PackEntry,
  versionOf,
} from './pack.ts';
import { place } from './place.ts';
import { NO_TEXT, piecesOf } from './texts.ts';

const idOf = (n: number): string => `h-${Buffer.alloc(32, n + 1).toString('base64url')}`;
const TEXT = '{"id":"before"}';
const BEFORE: PackEntry = { writtenMs: 5, salt: 1, kind: LIVE, ...piecesOf(TEXT) };
const NEW = { writtenMs: 9, salt: 2 };
const stamp = () => NEW;
const packWith = (...entries: PackEntry[]): Pack => ({
  ...{ isFull: false, entries: new Map(entries.map((entry, n) => [idOf(n), entry])) },
});
const change = (base: string | null, payload = '{"id":"x"}', n = 0): Outgoing => ({
  ...{ id: idOf(n), payload, base, beside: {} },
});
const long = JSON.stringify({ id: 'x'.repeat(ENTRY_BYTES_MAX) });
const fill = JSON.stringify({ id: 'x'.repeat(700) });
const VERSION = versionOf(2, BEFORE);

describe('a record that is there', () => {
  test('is replaced by a change of its version', () => {
    const pack = packWith(BEFORE);
    expect(place(pack, 2, change(VERSION), stamp)).toMatchObject({ kind: 'written' });
    expect(pack.entries.get(idOf(0))).toEqual({ ...NEW, kind: LIVE, ...piecesOf('{"id":"x"}') });
  });

  test('is deleted, and its place kept', () => {
    const pack = packWith(BEFORE);
    expect(place(pack, 2, change(VERSION, ''), stamp)).toMatchObject({ hasChanged: true });
    expect(pack.entries.get(idOf(0))).toEqual({ ...NEW, kind: DELETED, ...NO_TEXT });
  });

  test.each([
    ['another version', versionOf(2, { writtenMs: 5, salt: 3 })],
    ['the same version in another pack', versionOf(1, BEFORE)],
    ['a version that lay alone', '5'],
    ['no version', null],
  ])('is in the way of a change of %s', (_, base) => {
    const pack = packWith(BEFORE);
    expect(place(pack, 2, change(base), stamp)).toMatchObject({
      ...{ kind: 'conflict', hasChanged: false },
      theirs: { envelope: { version: VERSION, payload: TEXT, modifiedMs: 5 } },
    });
    expect(pack).toEqual(packWith(BEFORE));
  });

  test('that has become long leaves, and stays in sight until it lies elsewhere', () => {
    const pack = packWith(BEFORE);
    const placed = place(pack, 2, change(VERSION, long), stamp);
    expect(placed).toEqual({ kind: 'alone', hasChanged: true });
    expect(pack.entries.get(idOf(0))).toEqual({ ...BEFORE, kind: ALONE });
    expect(place(pack, 2, change(VERSION, long), stamp)).toEqual({
      ...{ kind: 'alone', hasChanged: false },
    });
    expect(place(pack, 2, change(null, long), stamp)).toMatchObject({ kind: 'conflict' });
  });

  test('leaves when the whole pack would grow too long', () => {
    const pack = packWith(
      BEFORE,
      ...Array.from({ length: 10 }, () => ({ ...BEFORE, ...piecesOf(fill) })),
    );
    const rest = piecesOf('y'.repeat(PACK_BYTES_MAX - bytesOfPack(pack) - 60));
    pack.entries.set('h-A', { ...BEFORE, ...rest });
    expect(place(pack, 2, change(VERSION, fill), stamp)).toMatchObject({ kind: 'alone' });
    expect(place(packWith(BEFORE), 2, change(VERSION, fill), stamp)).toMatchObject({
      kind: 'written',
    });
  });

  test('that lies alone is no business of the pack', () => {
    const flag: PackEntry = { ...BEFORE, kind: ALONE, ...NO_TEXT };
    const pack = packWith(flag);
    expect(place(pack, 2, change(null), stamp)).toEqual({ kind: 'alone', hasChanged: false });
    expect(place(pack, 2, change(VERSION), stamp)).toEqual({ kind: 'conflict', hasChanged: false });
    expect(pack).toEqual(packWith(flag));
  });
});

describe('a record that is not there', () => {
  test('finds room', () => {
    const pack = packWith();
    expect(place(pack, 0, change(null), stamp)).toMatchObject({ kind: 'written' });
    expect(pack.entries.size).toBe(1);
  });

  test('was there, and is not any more', () => {
    expect(place(packWith(), 0, change('0.5.1'), stamp)).toMatchObject({
      ...{ kind: 'conflict', theirs: { kind: 'missing' } },
    });
  });

  test('goes deeper from a full pack', () => {
    const pack = { ...packWith(BEFORE), isFull: true };
    expect(place(pack, 0, change(null, '{}', 7), stamp)).toEqual({
      ...{ kind: 'deeper', hasChanged: false },
    });
  });

  test('fills a pack, and none takes more than its bound', () => {
    const pack = packWith();
    let n = 0;
    while (place(pack, 0, change(null, fill, n), stamp).kind === 'written') n++;
    expect(n).toBe(Math.floor(FULL_BYTES / (fill.length + 75 + 2 * 6)));
    expect(pack.isFull).toBe(true);
    expect(encodePack('p-', pack).length).toBeLessThanOrEqual(FULL_BYTES);
    // One that would still have room goes the same way: its ids are settled.
    expect(place(pack, 0, change(null, '{}', 99), stamp).kind).toBe('deeper');
  });

  test('that is long is told in the pack, and lies alone', () => {
    const pack = packWith();
    expect(place(pack, 0, change(null, long), stamp)).toEqual({ kind: 'alone', hasChanged: true });
    expect(pack.entries.get(idOf(0))).toEqual({ ...NEW, kind: ALONE, ...NO_TEXT });
  });

  test('lies alone where there is nothing deeper', () => {
    const pack = packWith(...Array.from({ length: 5 }, () => ({ ...BEFORE, ...piecesOf(fill) })));
    pack.entries.set('h-A', { ...BEFORE, ...piecesOf('y'.repeat(200)) });
    expect(place(pack, LEVELS - 1, change(null, fill, 99), stamp).kind).toBe('alone');
    expect(pack.isFull).toBe(false);
  });
});
