// What a client with a CBOR library has packed, this one opens.

import { expect, test } from 'vitest';
import { otherPacks as packer } from '../../../test/support/kinto-packs.ts';
import { otherPacks } from './other-packs.ts';

const KB = 'ab'.repeat(32);
const { sealPack } = packer(KB, 'settings');
const hash = Buffer.alloc(32, 7).toString('base64url');
const entry = (kind: number, text: string) => ({
  ...{ hash, kind, text, writtenMs: 1_795_330_000_123, salt: 70_000 },
});
const open = otherPacks(KB, 'settings');

test.each([
  ['a record', entry(0, '{"id":"grüße"}'), '{"id":"grüße"}'],
  ['a long record', entry(0, `{"id":"${'x'.repeat(70_000)}"}`), `{"id":"${'x'.repeat(70_000)}"}`],
  ['a deleted record', entry(1, ''), null],
])('%s is in its pack', (_, one, text) => {
  const payload = sealPack('p-', { isFull: false, entries: [one] });
  const wireId = `h-${hash}`;
  expect(open('p-', payload)).toEqual([{ wireId, writtenMs: one.writtenMs, text }]);
});

test('a record that lies alone is in none', () => {
  expect(open('p-', sealPack('p-', { isFull: true, entries: [entry(2, '')] }))).toEqual([]);
});

test.each([
  ['of another place', 'p-1', KB, 'settings'],
  ['of another collection', 'p-', KB, 'contacts'],
  ['of another user', 'p-', 'cd'.repeat(32), 'settings'],
])('a pack %s does not open', (_, packId, kB, collection) => {
  const payload = sealPack('p-', { isFull: false, entries: [entry(0, '{}')] });
  expect(otherPacks(kB, collection)(packId, payload)).toBe(null);
});

test('what is no pack does not open', () => {
  expect([open('p-', ''), open('p-', 'AAAA')]).toEqual([null, null]);
});
