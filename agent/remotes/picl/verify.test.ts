import { expect, test } from 'vitest';
import { decodeHex } from '../../../crypto/bytes.ts';
import { textCrypto } from '../../../crypto/texts.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import { VECTORS } from '../../../test/support/picl-vectors.ts';
import { piclKeysOf } from './keys.ts';
import type { Log } from './log.ts';
import { advanced, START } from './place.ts';
import type { ListedChange } from './read.ts';
import { chainV1, GENESIS, type Signed } from './scheme.ts';
import { verifiedChanges } from './verify.ts';

const crypto = textCrypto(nodeDeviceCrypto(), async () => undefined);
const keys = piclKeysOf(decodeHex(VECTORS.keys.root_hex) ?? new Uint8Array());
const scheme = chainV1(crypto, keys.signKey('passwords'));
const log = { name: 'passwords', scheme } as Log;
const HONEST: readonly ListedChange[] = VECTORS.chain
  .slice(0, 5)
  .map((change) => ({ ...change, previous: null }));

/** As a server makes it that has no key: ids are right, signatures are what it has. */
async function rehashed(changes: readonly Signed[]): Promise<ListedChange[]> {
  const ids = await scheme.mint(GENESIS, changes);
  return changes.map((one, at) => ({ ...one, changeid: ids[at] ?? '', previous: null }));
}

const set = (at: number, part: Partial<Signed>) =>
  HONEST.map((change, index) => (index === at ? { ...change, ...part } : change));
const [first, second, third] = HONEST as [ListedChange, ListedChange, ListedChange];

test('honest changes are all taken, from the beginning and behind a place', async () => {
  expect(await verifiedChanges(log, START, HONEST)).toEqual(HONEST);
  const place = advanced(START, HONEST.slice(0, 2));
  expect(await verifiedChanges(log, place, HONEST.slice(2))).toEqual(HONEST.slice(2));
});

test('P33: what comes again is left out, with it or behind it as a server begins', async () => {
  const place = advanced(START, HONEST.slice(0, 3));
  for (const from of [0, 1, 2, 3]) {
    expect(await verifiedChanges(log, place, HONEST.slice(from))).toEqual(HONEST.slice(3));
  }
  expect(await verifiedChanges(log, place, HONEST.slice(0, 3))).toEqual([]);
});

test.each<[string, string, () => readonly ListedChange[] | Promise<ListedChange[]>]>([
  ['payload swapped', 'badChangeid', () => set(1, { payload: 'payload1' })],
  ['key swapped', 'badChangeid', () => set(1, { key: 'key1' })],
  ['drop middle', 'gap', () => [first, third]],
  ['drop middle and renumber', 'badChangeid', () => [first, { ...third, seqnum: 2 }]],
  ['reorder', 'gap', () => [second, first, third]],
  ['delete turned into empty set', 'badChangeid', () => set(2, { payload: '' })],
  ['replay twice', 'gap', () => [first, second, second, third]],
  ['another id', 'badChangeid', () => set(4, { changeid: GENESIS })],
  ['recomputed ids', 'badSignature', () => rehashed(set(1, { payload: 'forged' }))],
  ['no signature', 'badSignature', () => set(2, { signature: '' })],
])('P48, P49, P50: %s: %s', async (_what, reason, changes) => {
  await expect(verifiedChanges(log, START, await changes())).rejects.toMatchObject({
    ...{ code: 'badResponse', detail: { reason, collection: 'passwords' } },
  });
});

test('signed by another collection’s key: badSignature', async () => {
  const elsewhere = chainV1(crypto, keys.signKey('bookmarks'));
  const ids = HONEST.map(({ changeid }) => changeid);
  const signatures = await elsewhere.sign(ids);
  const changes = HONEST.map((one, at) =>
    at === 0 ? one : { ...one, signature: signatures[at] ?? '' },
  );
  await expect(verifiedChanges(log, START, changes)).rejects.toMatchObject({
    detail: { reason: 'badSignature' },
  });
  // From its first change on it is somebody else's log.
  const theirs = HONEST.map((one, at) => ({ ...one, signature: signatures[at] ?? '' }));
  await expect(verifiedChanges(log, START, theirs)).rejects.toMatchObject({ code: 'keyMismatch' });
});

test('P52: a change that comes again as another one is a fork', async () => {
  const place = advanced(START, HONEST.slice(0, 3));
  const other = { ...third, changeid: GENESIS };
  await expect(verifiedChanges(log, place, [other])).rejects.toMatchObject({
    detail: { reason: 'fork' },
  });
});

test('a log may begin with number 0 or 1, and with no other', async () => {
  const from = async (seqnum: number) => {
    const [changeid = ''] = await scheme.mint(GENESIS, [{ ...first, seqnum }]);
    const [signature = ''] = await scheme.sign([changeid]);
    return verifiedChanges(log, START, [{ ...first, seqnum, changeid, signature }]);
  };
  expect(await from(0)).toHaveLength(1);
  expect(await from(1)).toHaveLength(1);
  await expect(from(2)).rejects.toMatchObject({ detail: { reason: 'gap' } });
});
