import { expect, test } from 'vitest';
import { textCrypto } from '../../../crypto/texts.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import { generic } from '../../collections/generic.ts';
import type { Envelope } from '../remote.ts';
import { logCodec } from './codec.ts';
import { piclKeys } from './keys.ts';
import { sealPayloads } from './seal.ts';

const crypto = textCrypto(nodeDeviceCrypto(), async () => undefined);
let drawn = 0;
const sealing = {
  ...{ crypto, key: piclKeys({ kB: '1'.repeat(64) }).sealKey('things'), collection: 'things' },
  entropy: { random: (count: number) => new Uint8Array(count).fill(++drawn) },
};
const pause = async () => undefined;
const codec = logCodec({ collection: generic('things'), sealing, bodyBytesMax: 50_000, pause });

async function envelope(seqnum: number, text: string | null): Promise<Envelope> {
  const id = `k${seqnum}`;
  const [payload = ''] =
    text === null ? [] : await sealPayloads(sealing, [{ key: id, seqnum, text }]);
  const version = `${seqnum}-AAAAAAAA`;
  return { id, version, modifiedMs: null, payload: text === null ? null : payload };
}

test('each record opens by itself, and a bad one spoils no other', async () => {
  const texts = [
    '{"id":"k1","a":1}',
    null,
    '{"id":"k1"}',
    '[]',
    'x',
    `{"id":"k6","a":[${'[],'.repeat(9_000)}0]}`,
    `{"id":"k7","a":"${'x'.repeat(20_000)}"}`,
    `{"id":"k8","a":"${'x'.repeat(20_000)}`,
  ];
  const envelopes = await Promise.all(texts.map((text, at) => envelope(at + 1, text)));
  const moved = await envelope(9, '{"id":"k9"}');
  const opened = await codec.open([...envelopes, { ...moved, version: '10-AAAAAAAA' }]);
  const words = opened.map((one) => (one.kind === 'malformed' ? one.code : one.kind));
  expect(words).toEqual([
    ...['live', 'tombstone', 'idMismatch', 'notAnObject', 'badJson', 'tooLarge', 'live'],
    ...['badJson', 'badMac'],
  ]);
});

test('a change is sealed by the upload: here it is its text, and null is a deletion', async () => {
  const change = { id: 'k', base: null, changedAtMs: 1 };
  expect(await codec.seal({ ...change, body: { id: 'k', a: 'ü' } })).toMatchObject({
    payload: '{"id":"k","a":"ü"}',
  });
  expect(await codec.seal({ ...change, body: null })).toMatchObject({ payload: null });
});
