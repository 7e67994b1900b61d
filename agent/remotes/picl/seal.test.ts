import { expect, test } from 'vitest';
import { decodeHex } from '../../../crypto/bytes.ts';
import { textCrypto } from '../../../crypto/texts.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import { openPayload } from '../../../platform/node/picl/seal.ts';
import { VECTORS } from '../../../test/support/picl-vectors.ts';
import { piclKeysOf } from './keys.ts';
import { PAYLOAD_CHARS_MAX, PLAIN_BYTES_MAX } from './limits.ts';
import { openPayloads, sealPayloads } from './seal.ts';

const { encrypt, keys } = VECTORS;
const { key, seqnum, payload } = encrypt;
const IV = decodeHex(encrypt.iv_hex) ?? new Uint8Array(0);

const sealing = (device: ReturnType<typeof nodeDeviceCrypto> | undefined) => ({
  crypto: textCrypto(device, async () => undefined),
  entropy: { random: () => IV },
  key: piclKeysOf(decodeHex(keys.root_hex) ?? new Uint8Array()).sealKey(keys.collection),
  collection: keys.collection,
});

test.each([
  ['by the device', nodeDeviceCrypto()],
  ['in JavaScript', undefined],
])('a payload is that of the vectors, and opens again, %s', async (_how, device) => {
  const options = sealing(device);
  const text = encrypt.plaintext;
  expect(await sealPayloads(options, [{ key, seqnum, text }])).toEqual([payload]);
  expect(await openPayloads(options, [{ key, seqnum, payload }])).toEqual([{ ok: true, text }]);
});

test('a payload opens at no other key, number or collection', async () => {
  const options = sealing(nodeDeviceCrypto());
  const refused = [{ ok: false, code: 'badMac' }];
  expect(await openPayloads(options, [{ key: 'key2', seqnum, payload }])).toEqual(refused);
  expect(await openPayloads(options, [{ key, seqnum: 127, payload }])).toEqual(refused);
  const elsewhere = { ...options, collection: 'bookmarks' };
  expect(await openPayloads(elsewhere, [{ key, seqnum, payload }])).toEqual(refused);
});

test('who has sealed it is inside, before the text, and is taken off again', async () => {
  const author = '0d1ce000-0000-4000-8000-000000000001';
  const options = { ...sealing(nodeDeviceCrypto()), author };
  const [sealed = ''] = await sealPayloads(options, [{ key, seqnum, text: '{"a":1}' }]);
  const items = [{ key, seqnum, payload: sealed }];
  expect(await openPayloads(options, items)).toEqual([{ ok: true, text: '{"a":1}' }]);
  const [named = ''] = await sealPayloads(sealing(undefined), [
    { key, seqnum, text: `${author}\n{"a":1}` },
  ]);
  expect(named).toBe(sealed);
});

test.each([
  ['by the device', nodeDeviceCrypto()],
  ['in JavaScript', undefined],
])(
  'what cannot be a payload is refused one by one, and spoils no other, %s',
  async (_how, device) => {
    const options = sealing(device);
    const [bad] = await sealPayloads(options, [{ key, seqnum, text: 'x' }]);
    const rows: readonly (readonly [string, string])[] = [
      ['', 'badPayload'],
      ['!', 'badPayload'],
      ['AQ', 'badPayload'],
      ['Ag', 'unknownVersion'],
      [`Ag${payload.slice(2)}`, 'unknownVersion'],
      [`Ag${payload.slice(2)}!`, 'badPayload'],
      [`Ag${payload.slice(2)}=`, 'badPayload'],
      ['AgB', 'badPayload'],
      [`${payload}!`, 'badPayload'],
      [`${payload.slice(0, 60)}é${payload.slice(61)}`, 'badPayload'],
      [`${payload.slice(0, 60)}\n${payload.slice(61)}`, 'badPayload'],
      [`${payload.slice(0, 60)}\ud800${payload.slice(61)}`, 'badPayload'],
      [`${bad?.slice(0, -2)}AA`, 'badMac'],
      [payload, 'ok'],
    ];
    const items = rows.map(([one]) => ({ key, seqnum, payload: one }));
    const codes = (await openPayloads(options, items)).map((one) => (one.ok ? 'ok' : one.code));
    expect(codes).toEqual(rows.map(([, code]) => code));
  },
);

test('P56: the longest cleartext fills a payload, and a byte more would not fit', async () => {
  const options = sealing(nodeDeviceCrypto());
  const [longest, longer] = await sealPayloads(options, [
    { key, seqnum, text: 'x'.repeat(PLAIN_BYTES_MAX) },
    { key, seqnum, text: 'x'.repeat(PLAIN_BYTES_MAX + 1) },
  ]);
  expect(longest).toHaveLength(PAYLOAD_CHARS_MAX);
  expect(longer?.length).toBeGreaterThan(PAYLOAD_CHARS_MAX);
  const opened = await openPayloads(options, [
    { key, seqnum, payload: longest ?? '' },
    { key, seqnum, payload: longer ?? '' },
  ]);
  expect(opened[0]).toMatchObject({ ok: true });
  expect(opened[1]).toEqual({ ok: false, code: 'tooLarge' });
});

test('who writes is named inside, and whoever opens reads what is behind the name', async () => {
  const author = '01234567-89ab-4def-8123-456789abcdef';
  const options = { ...sealing(nodeDeviceCrypto()), author };
  const texts = ['{"id":"k"}', '{}', '[]'];
  const items = texts.map((text) => ({ key, seqnum, text }));
  const payloads = await sealPayloads(options, items);
  const keyBytes = Buffer.from(options.key);
  const place = { collection: options.collection, key, seqnum };
  const inside = payloads.map((one) => `${openPayload(one, place, keyBytes)}`);
  expect(inside).toEqual(texts.map((text) => `${author}\n${text}`));
  const opened = await openPayloads(
    options,
    payloads.map((one) => ({ key, seqnum, payload: one })),
  );
  expect(opened).toEqual(texts.map((text) => ({ ok: true, text })));
});

test('an object with a line end where a name would end names nobody', async () => {
  const options = sealing(nodeDeviceCrypto());
  const text = `{"a":"${'x'.repeat(28)}",\n"b":1}`;
  expect(text[36]).toBe('\n');
  const [sealed = ''] = await sealPayloads(options, [{ key, seqnum, text }]);
  expect(await openPayloads(options, [{ key, seqnum, payload: sealed }])).toEqual([
    { ok: true, text },
  ]);
});

test('what cannot be sealed is an error before anything is', async () => {
  const options = sealing(undefined);
  const half = [{ key, seqnum, text: 'a\ud800' }];
  await expect(sealPayloads(options, half)).rejects.toMatchObject({ code: 'badText' });
  const stuck = { ...options, entropy: { random: () => new Uint8Array(11) } };
  const good = [{ key, seqnum, text: 'a' }];
  await expect(sealPayloads(stuck, good)).rejects.toMatchObject({ code: 'badEntropy' });
});
