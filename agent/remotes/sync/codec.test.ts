// Records of Firefox Sync as they come and go: the keys are looked at once more before a record is
// blamed, and no record spoils another.

import { describe, expect, test } from 'vitest';
import { syncKeyBundle } from '../../../crypto/keys.ts';
import { softwareCrypto } from '../../../crypto/software.ts';
import { DEFAULT_BUNDLE, SYNC_KEY } from '../../../test/support/server.ts';
import { testRandom } from '../../../test/support/store.ts';
import type { Body } from '../../collections/collection.ts';
import { SLICE_CHARS_MAX } from '../../limits.ts';
import type { Envelope } from '../remote.ts';
import { bsoCodec, isTombstone } from './codec.ts';

const crypto = softwareCrypto(testRandom(), async () => undefined);
const OTHER = syncKeyBundle({ kB: '11'.repeat(32) });

async function envelope(id: string, body: object, bundle = SYNC_KEY): Promise<Envelope> {
  const [payload = ''] = await crypto.seal(bundle, [JSON.stringify(body)]);
  return { id, version: '1', modifiedMs: 1, payload };
}

/** A codec whose keys are replaced by `next` when they are looked at again. */
function codec(next = SYNC_KEY) {
  const seen = { rechecks: 0, pauses: 0, groups: [] as number[] };
  let bundle = SYNC_KEY;
  return {
    seen,
    ...bsoCodec({
      collection: 'notes',
      crypto: {
        ...crypto,
        open(with_, items) {
          seen.groups.push(items.length);
          return crypto.open(with_, items);
        },
      },
      bundle: () => bundle,
      async recheck() {
        seen.rechecks++;
        const changed = next !== bundle;
        bundle = next;
        return changed;
      },
      async pause() {
        seen.pauses++;
      },
    }),
  };
}

describe('what is opened', () => {
  test('is live, a tombstone or malformed, each in its place', async () => {
    const cut = await envelope('c', { id: 'c' });
    const list = [
      await envelope('a', { id: 'a', text: 'x' }),
      await envelope('b', { id: 'b', deleted: true }),
      { ...cut, payload: `${cut.payload}`.slice(1) },
      await envelope('d', { id: 'other' }),
    ];
    expect(await codec().open(list)).toMatchObject([
      { kind: 'live', body: { id: 'a', text: 'x' } },
      { kind: 'tombstone' },
      { kind: 'malformed', code: 'badPayload', proven: false },
      { kind: 'malformed', code: 'idMismatch', proven: false },
    ]);
    expect(list).toEqual([]);
  });

  test('that is too much for this device was proven first', async () => {
    const small = softwareCrypto(testRandom(), async () => undefined, 1_000);
    const { open } = bsoCodec({
      ...{ collection: 'notes', crypto: small, bundle: () => SYNC_KEY },
      recheck: async () => false,
      pause: async () => undefined,
    });
    const long = { id: 'a', list: Array.from({ length: 6_000 }, () => []) };
    expect(await open([await envelope('a', long)])).toEqual([
      { kind: 'malformed', code: 'tooLarge', proven: true },
    ]);
  });

  test('gives the device a turn after every slice’s worth, one long record at least', async () => {
    const text = 'x'.repeat(SLICE_CHARS_MAX);
    const { open, seen } = codec();
    await open([
      await envelope('a', { id: 'a', text }),
      await envelope('b', { id: 'b' }),
      await envelope('c', { id: 'c' }),
      await envelope('d', { id: 'd', text }),
    ]);
    expect(seen).toMatchObject({ groups: [1, 2, 1], pauses: 3 });
  });
});

describe('a wrong MAC', () => {
  test('is a reason to look at the keys, and the record opens under the new ones', async () => {
    const { open, seen } = codec(OTHER);
    const list = [await envelope('a', { id: 'a' }, OTHER), await envelope('b', { id: 'b' }, OTHER)];
    expect(await open(list)).toMatchObject([{ kind: 'live' }, { kind: 'live' }]);
    expect(seen.rechecks).toBe(1);
  });

  test('is the record’s own fault where the keys are as before', async () => {
    const { open, seen } = codec();
    const list = [await envelope('a', { id: 'a' }, OTHER), await envelope('b', { id: 'b' })];
    expect(await open(list)).toMatchObject([
      { kind: 'malformed', code: 'badMac', proven: false },
      { kind: 'live' },
    ]);
    expect(seen.rechecks).toBe(1);
  });

  test('of a long record ends the pass where the keys changed: it is not there twice', async () => {
    const { open } = codec(OTHER);
    const long = await envelope('a', { id: 'a', text: 'x'.repeat(100_000) }, OTHER);
    await expect(open([long])).rejects.toMatchObject({
      code: 'conflict',
      detail: { collection: 'notes' },
    });
  });

  test('is no word that other faults have: the keys are not looked at for them', async () => {
    const { open, seen } = codec(OTHER);
    await open([{ id: 'a', version: '1', modifiedMs: 1, payload: 'no JSON' }]);
    expect(seen.rechecks).toBe(0);
  });
});

describe('what is sealed', () => {
  const change = (body: Body | null) => ({ id: 'a', body, base: '7', changedAtMs: 1 });
  const sealed = (body: Body | null) => codec().seal(change(body));

  test('opens again, and says what it was made from', async () => {
    const { id, payload, base, beside } = await sealed({ id: 'a', text: 'x' });
    expect([id, base, beside]).toEqual(['a', '7', {}]);
    expect(await crypto.open(SYNC_KEY, [{ id, payload: `${payload}` }])).toMatchObject([
      { ok: true, body: { id: 'a', text: 'x' } },
    ]);
    expect(await crypto.open(DEFAULT_BUNDLE, [{ id, payload: `${payload}` }])).toMatchObject([
      { ok: false, code: 'badMac' },
    ]);
  });

  test('of a deletion is a tombstone with its id', async () => {
    const { id, payload } = await sealed(null);
    expect(await crypto.open(SYNC_KEY, [{ id, payload: `${payload}` }])).toMatchObject([
      { ok: true, text: '{"id":"a","deleted":true}' },
    ]);
  });
});

test.each<[Body, boolean]>([
  [{ id: 'a', deleted: true }, true],
  [{ id: 'a', deleted: 1 }, true],
  [{ id: 'a', deleted: null }, true],
  [{ id: 'a', deleted: false }, false],
  [{ id: 'a' }, false],
  [Object.create({ deleted: true }) as Body, false],
])('%j is a tombstone: %j', (body, is) => {
  expect(isTombstone(body)).toBe(is);
});
