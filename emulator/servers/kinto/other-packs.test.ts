// The emulator's other client of packs, on packs that a CBOR library has written.

import { expect, test } from 'vitest';
import { otherPacks } from '../../../test/support/kinto-packs.ts';
import { otherClient } from './other-client.ts';
import { isPackId, packedRecords } from './other-packs.ts';

const KB = '11'.repeat(32);
const theirs = otherPacks(KB, 'things');
const open = (id: string, payload: string) => packedRecords(otherClient(KB, 'things'), id, payload);
const entry = (byte: number, kind: number, text: string) => ({
  hash: Buffer.alloc(32, byte).toString('base64url'),
  ...{ writtenMs: 1_795_000_000_000 + byte, salt: 7, kind, text },
});

test('it finds what is live and what is deleted, and passes over what lies alone', () => {
  const long = JSON.stringify({ id: 'ü'.repeat(300) });
  const entries = [entry(1, 0, long), entry(2, 1, ''), entry(3, 2, '{}'), entry(4, 0, '{}')];
  const payload = theirs.sealPack('p-1', { isFull: true, entries });
  expect(open('p-1', payload)).toEqual([
    { wireId: `h-${entries[0]?.hash}`, writtenMs: 1_795_000_000_001, text: long },
    { wireId: `h-${entries[1]?.hash}`, writtenMs: 1_795_000_000_002, text: null },
    { wireId: `h-${entries[3]?.hash}`, writtenMs: 1_795_000_000_004, text: '{}' },
  ]);
  expect(open('p-2', payload)).toBeNull();
  expect(packedRecords(otherClient(KB, 'others'), 'p-1', payload)).toBeNull();
});

test.each(['', 'AAAA', '{"ciphertext":"x"}', theirs.sealItems(['p-'.padEnd(16), '2 0'])])(
  '%j is no pack',
  (payload) => expect(open('p-', payload)).toBeNull(),
);

test('a pack is known by its id', () => {
  expect(['p-', 'p-0', 'p-01230123012'].map(isPackId)).toEqual([true, true, true]);
  expect(['p', 'p-4', 'h-x', 'p-012301230123'].map(isPackId)).toEqual([false, false, false, false]);
});
