// What apps can say of a record that the server reads.

import { describe, expect, test } from 'vitest';
import { generic } from '../../../collections/generic.ts';
import { isUnstorable, plainCollection } from './collection.ts';

const collection = plainCollection(generic('things', { plain: {} }));
const prepared = (input: object) => collection.prepare({ ...input }, null, 'newId', 0);
const refused = (complaint: string) => ({ ok: false, complaint });

describe('an id', () => {
  test('is the record’s own where the server takes it', () => {
    expect(prepared({ id: 'a_B-9', text: 'x' })).toEqual({
      ...{ ok: true, id: 'a_B-9' },
      body: { id: 'a_B-9', text: 'x' },
    });
    expect(collection.view('a', { id: 'a', text: 'x' })).toEqual({ id: 'a', text: 'x' });
  });

  test.each(['_a', '-a', 'https://app.example/1', '{a}', 'é', 'x'.repeat(65)])(
    '%s is none that it takes',
    (id) =>
      expect(prepared({ id })).toEqual(
        refused('id: not 1 to 64 letters, digits, _ and -, of which the first is no _ or -'),
      ),
  );

  test('that looks like a hash stays what it is', () => {
    const id = `h-${'A'.repeat(43)}`;
    expect(collection.ids?.ownId(id, { id: 'another' })).toBe(id);
  });

  test('of a new record is a UUID of version 4', () => {
    const ids = [0, 85, 170, 255].map((byte) => collection.newId(new Uint8Array(18).fill(byte)));
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(ids.filter((id) => !uuid.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(4);
  });
});

test.each(['last_modified', 'deleted'])('%s is the server’s own member', (name) => {
  expect(prepared({ [name]: 1 })).toEqual(refused(`${name}: a member that is the server's own`));
});

test('a text that no server stores is named, wherever it is', () => {
  const why = (name: string) =>
    refused(`${name}: U+0000 or half a surrogate pair, which no server takes`);
  expect(prepared({ a: 'x', b: { c: ['\u0000'] } })).toEqual(why('b'));
  expect(prepared({ a: { '\ud800': 1 } })).toEqual(why('a'));
  expect(prepared({ a: '\udfff' })).toEqual(why('a'));
  expect(prepared({ a: '\ud83d\ude00 \\u0000 \u0001', b: null })).toMatchObject({ ok: true });
});

test('of a JSON text, only an escape that is one is unstorable', () => {
  expect(isUnstorable('"\\u0000"')).toBe(true);
  expect(isUnstorable('"\\\\u0000"')).toBe(false);
  expect(isUnstorable('"\\\\\\u0000"')).toBe(true);
  expect(isUnstorable('"\\ud83d\\ude00"')).toBe(true);
  expect(isUnstorable('"\\uE000 \\u0001"')).toBe(false);
});
