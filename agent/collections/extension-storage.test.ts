// What two devices make of an extension's items, item by item, and what an edit may not grow over.

import { describe, expect, test } from 'vitest';
import type { Body } from './collection.ts';
import { extensionStorage } from './extension-storage.ts';

const EXT = 'addon@example.test';
const record = (items: object, more: object = {}): Body => ({
  ...{ id: 'a', extId: EXT, data: JSON.stringify(items) },
  ...more,
});
const itemsOf = (body: Body): unknown => JSON.parse(`${body.data}`);

/** What goes up of `mine`, where both sides had `base`: its items, or the word for it. */
function merged(mine: object | null, base: object | null, theirs: object | null): unknown {
  const { local, mirror } = extensionStorage.merge({
    local: { body: mine && record(mine), changedAtMs: 1 },
    mirror: base && { body: record(base), modifiedMs: 1 },
    incoming: { body: theirs && record(theirs), modifiedMs: 2 },
    serverNowMs: 3,
    deviceNowMs: 3,
  });
  expect(mirror).toBe(theirs && 'asIs');
  return typeof local === 'string' ? local : itemsOf(local);
}

describe('two versions', () => {
  test('have what either has changed, the server’s where both have', () => {
    expect(merged({ a: 2, b: 1, c: 1 }, { a: 1, b: 1, c: 1 }, { a: 1, b: 2, c: 1 })).toEqual({
      ...{ a: 2, b: 2, c: 1 },
    });
    expect(merged({ a: 2 }, { a: 1 }, { a: 3 })).toBe('none');
  });

  test('lose an item that one has removed, unless the other has changed it', () => {
    expect(merged({ b: 2 }, { a: 1, b: 1 }, { a: 1, b: 1 })).toEqual({ b: 2 });
    expect(merged({ b: 1 }, { a: 1, b: 1 }, { a: 1, b: 1 })).toEqual({ b: 1 });
    expect(merged({ a: 1, b: 2 }, { a: 1, b: 1 }, { b: 1 })).toEqual({ b: 2 });
    expect(merged({ b: 1 }, { a: 1, b: 1 }, { a: 5, b: 1 })).toBe('none');
  });

  test('that never met have all items, the server’s of one key', () => {
    expect(merged({ a: 1, b: 1 }, null, { a: 2, c: 3 })).toEqual({ a: 2, b: 1, c: 3 });
  });

  test('that say the same need no upload', () => {
    expect(merged({ b: 1, a: { x: 1 } }, null, { a: { x: 1 }, b: 1 })).toBe('none');
  });

  test('of which theirs is gone keep what was changed here, and nothing else', () => {
    expect(merged({ a: 2, b: 1 }, { a: 1, b: 1 }, null)).toEqual({ a: 2 });
    expect(merged({ a: 1 }, { a: 1 }, null)).toBe('none');
  });

  test('of which ours is gone: a change of theirs revives it', () => {
    expect(merged(null, { a: 1 }, { a: 1 })).toBe('keep');
    expect(merged(null, { a: 1 }, { a: 2 })).toBe('none');
    expect(merged(null, { a: 1 }, null)).toBe('none');
    const [agreed, again] = ['{"a":1,"b":2}', '{ "b": 2, "a": 1 }'].map((data) => ({
      body: record({}, { data }),
      modifiedMs: 2,
    }));
    const local = { body: null, changedAtMs: 1 };
    if (!agreed || !again) throw new Error('there are two');
    const input = { local, mirror: agreed, incoming: again, serverNowMs: 3, deviceNowMs: 3 };
    expect(extensionStorage.merge(input).local).toBe('keep');
  });

  test('of a server that has begun anew: the one that it wrote last, but for changes here', () => {
    const mergeAnew = (theirsMs: number, mine?: object | null) => {
      const { local } = extensionStorage.merge({
        local: mine === undefined ? null : { body: mine && record(mine), changedAtMs: 1 },
        mirror: { body: record({ a: 1, b: 1 }), modifiedMs: 5, epoch: 1 },
        incoming: { body: record({ a: 0, c: 1 }), modifiedMs: theirsMs },
        ...{ epoch: 2, serverNowMs: 9, deviceNowMs: 9 },
      });
      return typeof local === 'string' ? local : itemsOf(local);
    };
    expect(mergeAnew(4)).toEqual({ a: 1, b: 1 });
    expect(mergeAnew(4, { a: 1, b: 2 })).toEqual({ a: 1, b: 2 });
    expect(mergeAnew(4, null)).toBe('keep');
    expect(mergeAnew(6)).toBe('none');
    expect(mergeAnew(6, { a: 1, b: 1, d: 2 })).toEqual({ a: 0, c: 1, d: 2 });
  });

  test('keep items with any name', () => {
    const odd = JSON.parse('{"__proto__":1,"constructor":2}');
    expect(Object.keys(merged(odd, null, { a: 1 }) as object).sort()).toEqual(
      ['__proto__', 'a', 'constructor'].sort(),
    );
  });
});

describe('an edit', () => {
  const edit = (change: object, existing: Body | null = null) =>
    extensionStorage.prepare({ extId: EXT, ...change }, existing, 'new', 0);
  const edited = (change: object, existing: Body | null = null): unknown => {
    const result = edit(change, existing);
    return result.ok ? itemsOf(result.body) : result.complaint;
  };

  test('sets and removes items, and leaves the rest', () => {
    expect(edited({ set: { a: 1 } })).toEqual({ a: 1 });
    expect(edited({ set: { b: 2 }, remove: ['a', 'x'] }, record({ a: 1, c: 3 }))).toEqual({
      ...{ b: 2, c: 3 },
    });
    expect(edited({ remove: ['a'] }, record({ a: 1, c: 3 }))).toEqual({ c: 3 });
    expect(edited({ set: { a: 2 }, remove: ['a'] }, record({ a: 1 }))).toEqual({ a: 2 });
  });

  test('that changes nothing leaves the text as another client wrote it', () => {
    const existing = { ...record({}), data: '{ "a" : 1 }' };
    for (const change of [{}, { set: { a: 1 } }, { remove: ['x'] }]) {
      expect(edit(change, existing)).toMatchObject({ ok: true, body: existing });
    }
  });

  test.each<[object, string]>([
    [{ extId: '' }, 'extId: not a text'],
    [{ extId: 7 }, 'extId: not a text'],
    [{ extId: 'other' }, 'extId: not that of this record'],
    [{ set: [] }, 'set: not an object'],
    [{ set: null }, 'set: not an object'],
    [{ remove: 'a' }, 'remove: not a list of keys'],
  ])('%j is refused: %s', (change, complaint) => {
    expect(edited(change, record({}))).toBe(complaint);
  });

  test('has one item of 8,192 bytes at most, its key and its value as JSON', () => {
    const value = (bytes: number): string => 'x'.repeat(bytes - '"k"'.length);
    expect(edited({ set: { k: value(8_192) } })).toEqual({ k: value(8_192) });
    expect(edited({ set: { k: value(8_193) } })).toBe('"k": 8193 bytes, an item may have 8192');
    expect(edited({ set: { k: 'ü'.repeat(4_095) } })).toMatch(/"k": 8193 bytes/);
  });

  test('has no more than 512 items and 102,400 bytes in all', () => {
    const many = (count: number, chars: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n}`, 'x'.repeat(chars)]));
    expect(edited({ set: many(512, 1) })).toEqual(many(512, 1));
    expect(edited({ set: many(513, 1) })).toBe('"key512": 513 items, an extension may have 512');
    expect(edited({ set: many(14, 8_000) })).toMatch(/^"key13": \d+ bytes in all/);
  });

  test('may remove from what is over its quota already, and add no more to it', () => {
    const full = record(
      Object.fromEntries(Array.from({ length: 14 }, (_, n) => [`key${n}`, 'x'.repeat(8_000)])),
    );
    expect(edit({ remove: ['key0'] }, full)).toMatchObject({ ok: true });
    expect(edit({ set: { key0: 'short' } }, full)).toMatchObject({ ok: true });
    expect(edited({ set: { more: 'x' } }, full)).toMatch(/bytes in all/);
  });
});

test.each<[Body, string | null]>([
  [record({}), null],
  [record({}, { extId: '' }), 'extId: not a text'],
  [record({}, { extId: null }), 'extId: not a text'],
  [record({}, { data: '[]' }), 'data: not the JSON of an object'],
  [record({}, { data: '{' }), 'data: not the JSON of an object'],
  [record({}, { data: {} }), 'data: not the JSON of an object'],
  [record({}, { data: undefined }), 'data: not the JSON of an object'],
])('of a record with %j is said %j', (body, complaint) => {
  expect(extensionStorage.check(body)).toBe(complaint);
});

test('apps that watch are told whose items have changed, and which', () => {
  const changed = (was: object | null, is: object | null): unknown =>
    extensionStorage.changes?.(was && record(was), is && record(is));
  expect(changed({ a: 1, b: 1, c: 1 }, { a: 1, b: 2, d: 1 })).toEqual({
    extId: EXT,
    keys: ['b', 'c', 'd'],
  });
  expect(changed(null, { a: 1 })).toEqual({ extId: EXT, keys: ['a'] });
  expect(changed({ a: 1 }, null)).toEqual({ extId: EXT, keys: ['a'] });
});
