import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addresses } from '../collections/addresses.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { contacts } from '../collections/contacts.ts';
import { forms } from '../collections/forms.ts';
import { generic } from '../collections/generic.ts';
import { history } from '../collections/history.ts';
import { passwords } from '../collections/passwords.ts';
import { readingList } from '../collections/reading-list.ts';
import { isRecordId } from '../collections/record-id.ts';
import { settings } from '../collections/settings.ts';
import { type IdRules, isHashedId, isKintoId, isPiclKey, recordIds, withIds } from './ids.ts';

const CHARS_MAX = 2_048;
const KINTO: IdRules = { charsMax: CHARS_MAX, isLegal: isKintoId };
const PICL: IdRules = { charsMax: CHARS_MAX, isLegal: isPiclKey };
/** A remote that takes what Sync storage 1.5 does, and hashes the rest. */
const SYNC: IdRules = { charsMax: CHARS_MAX, isLegal: (id) => /^[ -~]{1,64}$/.test(id) };
const REMOTES = { kinto: KINTO, picl: PICL, sync: SYNC };

const LEGAL = {
  kinto: /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/,
  picl: /^[A-Za-z0-9_-]{1,64}$/,
  sync: /^[ -~]{1,64}$/,
};

const SECRET = new Uint8Array(32).fill(7);
const OTHER_SECRET = new Uint8Array(32).fill(8);

const SHAPES = [
  fc.uuid().map((uuid) => `{${uuid}}`),
  fc.webUrl(),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 }),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,70}$/),
  // What looks like a hash.
  fc.stringMatching(/^h-[A-Za-z0-9_-]{42,44}$/),
  fc.nat(CHARS_MAX - 1).map((length) => 'x'.repeat(length + 1)),
  fc.constantFrom('.', '..', '__proto__', ' ', '%', '\u0000', 'a\nb', '%'.repeat(64), '-a', '_'),
] as const;
const anyId = fc.oneof(...SHAPES).filter((id) => !/[\ud800-\udfff]/u.test(id));

describe.each(Object.entries(REMOTES))('ids of a remote such as %s', (name, rules) => {
  const ids = recordIds(rules, SECRET, 'things');
  const wireId = (id: string): string => ids.wireId(id) ?? '';

  test('are ones that it takes and the storage can hold', () => {
    fc.assert(
      fc.property(anyId, (id) => {
        expect(wireId(id)).toMatch(LEGAL[name as keyof typeof LEGAL]);
        expect(isRecordId(wireId(id))).toBe(true);
      }),
    );
  });

  test('come back from the body, and from nobody else’s', () => {
    fc.assert(
      fc.property(anyId, anyId, (id, other) => {
        const wire = wireId(id);
        expect(ids.ownId(wire, { id })).toBe(id);
        expect(ids.proves(wire, { id })).toBe(true);
        expect(ids.proves(wire, { id: other })).toBe(other === id);
      }),
    );
  });

  test('never meet: two ids have two wire ids, a hash that an app gives included', () => {
    fc.assert(
      fc.property(anyId, anyId, (a, b) => {
        expect(wireId(a) === wireId(b)).toBe(a === b);
        expect(wireId(wireId(a)) === wireId(a)).toBe(wireId(a) === a);
      }),
    );
  });

  test('stay as they are where they may', () => {
    fc.assert(
      fc.property(anyId, (id) => {
        const isPlain = rules.isLegal(id) && isRecordId(id) && !isHashedId(id);
        expect(wireId(id) === id).toBe(isPlain);
      }),
    );
  });

  test('tell nothing to whoever has another key, of a user or of a collection', () => {
    const theirs = recordIds(rules, OTHER_SECRET, 'things');
    const elsewhere = recordIds(rules, SECRET, 'other things');
    fc.assert(
      fc.property(anyId, (id) => {
        if (!isHashedId(wireId(id))) return;
        expect(theirs.wireId(id)).not.toBe(wireId(id));
        expect(elsewhere.wireId(id)).not.toBe(wireId(id));
        expect(theirs.proves(wireId(id), { id })).toBe(false);
      }),
    );
  });
});

describe('an id', () => {
  const ids = recordIds(KINTO, SECRET, 'things');

  test.each([
    ['empty', ''],
    ['longer than the limit', 'x'.repeat(CHARS_MAX + 1)],
    ['half a surrogate pair', 'a\ud800'],
    ['a number', 1],
    ['nothing', undefined],
  ])('that is %s is none, and proves nothing', (_, id) => {
    expect(ids.wireId(id)).toBeNull();
    expect(ids.complaint).toBe('not a text of 1 to 2048 characters');
    const hashed = ids.wireId('{x}') ?? '';
    expect(ids.proves(hashed, { id })).toBe(false);
  });

  test('that is hashed is proved by a body alone that has it', () => {
    const hashed = ids.wireId('{x}') ?? '';
    expect(ids.proves(hashed, {})).toBe(false);
    expect(ids.proves('plain', {})).toBe(true);
    expect(ids.ownId(hashed, null)).toBe(hashed);
    expect(ids.ownId('plain', { id: 'another' })).toBe('plain');
  });

  test('is always hashed to the same text: what is stored is found by later versions', () => {
    expect(ids.wireId('{25058a1b-4aaf-43b5-9a22-c4bd8b45a5c6}')).toMatchInlineSnapshot(
      `"h-Ir4c94xyYfYH1aPAl0-2FY3YSPByIomYjOFujnNbnwc"`,
    );
  });

  test('cannot be hashed for a remote that takes no hash', () => {
    const rules = { charsMax: 8, isLegal: (id: string) => id.length < 9 };
    expect(() => recordIds(rules, SECRET, 'x')).toThrow('the remote takes no hashed ids');
  });
});

const NOW_MS = 1_795_323_276_914;
/** What an app gives of each kind, without an id. */
const ADDED: readonly (readonly [Collection, Body])[] = [
  [history, { url: 'https://a.example/', title: 'A' }],
  [passwords, { origin: 'https://a.example', formActionOrigin: '', username: 'u', password: 'p' }],
  [forms, { name: 'field', value: 'text' }],
  [addresses, { 'given-name': 'Ada' }],
  [settings, { name: 'wifi.enabled', value: true }],
  [readingList, { url: 'https://a.example/', title: 'A', added_by: 'tv' }],
  [contacts, { card: { fn: [{ value: 'Ada' }] } }],
  [generic('things'), { any: 'members' }],
];

describe.each(ADDED)('where a remote hashes all ids, an app adds to $name', (collection, body) => {
  const rules = { charsMax: CHARS_MAX, isLegal: isHashedId };
  const named = withIds(collection, recordIds(rules, SECRET, collection.name));

  test('and the new record has an id of its own kind', () => {
    const newId = collection.newId(new Uint8Array(16).fill(9));
    const prepared = named.prepare(body, null, newId, NOW_MS);
    expect(prepared).toMatchObject({ ok: true, body: { id: newId } });
  });
});
