// What is believed of a record that came out of a pack, or lay alone.

import { expect, test } from 'vitest';
import { otherClient } from '../../../../emulator/servers/kinto/other-client.ts';
import { generic } from '../../../collections/generic.ts';
import { withIds } from '../../ids.ts';
import type { Codec, Envelope } from '../../remote.ts';
import { packedCodec, spoiltPlaceOf, spoiltVersion } from './codec.ts';

const other = otherClient('11'.repeat(32), 'things');
const collection = withIds(generic('things'), {
  complaint: '',
  wireId: (id) => other.wireId(String(id)),
  ownId: (wireId, body) => String(body?.id ?? wireId),
  proves: (wireId, body) => wireId === other.wireId(String(body.id)),
});
const asked: string[] = [];
const alone: Codec = {
  async open(envelopes) {
    asked.push(...envelopes.map(({ version }) => version));
    return envelopes.splice(0).map(({ payload }) => ({
      ...(payload === null ? { kind: 'unprovenDeletion' } : { kind: 'tombstone' }),
    }));
  },
  seal: () => Promise.reject(new Error('it seals nothing that lies in packs')),
};
let pauses = 0;
const codec = packedCodec(collection, alone, async () => {
  pauses++;
});
const wireId = other.wireId('one');
const envelope = (version: string, payload: string | null): Envelope => ({
  ...{ id: wireId, version, modifiedMs: 1, payload },
});

test.each([
  ['its own body', '0.1.2', '{"id":"one","n":1}', { kind: 'live', body: { id: 'one', n: 1 } }],
  ['its deletion', '0.1.2', '', { kind: 'tombstone' }],
  ['another one inside', '0.1.2', '{"id":"two"}', { code: 'idMismatch', proven: false }],
  ['no id inside', '0.1.2', '{"n":1}', { code: 'idMismatch' }],
  ['no object inside', '0.1.2', '[1]', { code: 'notAnObject' }],
  ['no JSON inside', '0.1.2', '{', { code: 'notAnObject' }],
  ['a pack that does not open', spoiltVersion(3, '77'), '', { code: 'badPack', proven: false }],
  ['a stamp, which lay alone', '1795000000000', '{"id":"one"}', { kind: 'tombstone' }],
  ['a deletion of the wire', '0.0.0', null, { kind: 'unprovenDeletion' }],
])('a record with %s', async (_, version, payload, expected) => {
  expect(await codec.open([envelope(version, payload)])).toMatchObject([expected]);
});

test('each has its own word, and only what lies alone is opened', async () => {
  asked.length = 0;
  const all = [envelope('0.1.2', '{"id":"one"}'), envelope('9', 'x'), envelope('0.1.3', '')];
  const kinds = (await codec.open(all)).map(({ kind }) => kind);
  expect(kinds).toEqual(['live', 'tombstone', 'tombstone']);
  expect(asked).toEqual(['9']);
  expect(all).toEqual([]);
});

test('a change is in the clear until its pack is sealed', async () => {
  const change = { id: wireId, base: '0.1.2', changedAtMs: 1 };
  const body = { id: 'one', n: 1 };
  expect(await codec.seal({ ...change, body })).toMatchObject({ payload: '{"id":"one","n":1}' });
  expect(await codec.seal({ ...change, body: null })).toMatchObject({ payload: '' });
});

test('a version of a pack that does not open says where it is', () => {
  expect(spoiltPlaceOf(spoiltVersion(11, '5'))).toEqual({ level: 11 });
  for (const version of [null, '', '0.1.2', '5', '!x']) expect(spoiltPlaceOf(version)).toBeNull();
});

test('many are opened with pauses between them', async () => {
  pauses = 0;
  await codec.open(Array.from({ length: 50 }, () => envelope('0.1.2', '{"id":"one"}')));
  expect(pauses).toBe(6);
});
