// docs/kinto-encryption.md: its numbers are what the code computes, and its program for kinto.js
// reads and writes what the agent does, and refuses what it must.

import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isHashedId, recordIds } from '../../agent/remotes/ids.ts';
import { kintoKeys } from '../../agent/remotes/kinto/keys.ts';
import { encodePack, LIVE, type Pack, packIdOf } from '../../agent/remotes/kinto/packs/pack.ts';
import { piecesOf } from '../../agent/remotes/kinto/packs/texts.ts';
import { bsoCrypto } from '../../crypto/bso.ts';
import { decodeHex, encodeHex } from '../../crypto/bytes.ts';
import { hmac, hmacKey } from '../../crypto/hmac.ts';
import { syncKeyBundle } from '../../crypto/keys.ts';
import { keyOfRecoveryCode, recoveryCode } from '../../crypto/recovery.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import { createKinto } from '../../emulator/servers/kinto/kinto.ts';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import { listenOnLoopback } from '../../emulator/servers/loopback.ts';
import { readBody, sendResponse, toRequest } from '../../emulator/servers/node-http.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { meetInPacksWithKintoJs, meetWithKintoJs } from '../kinto/page-story.ts';
import { PAGE, programOfPage } from '../support/kinto-page.ts';
import { codesIn, tableOf, textOf } from './markdown.ts';

const KB = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const IV = 'f0e0d0c0b0a090807060504030201000';
const NAME = 'things';
const OWN_ID = 'https://app.example/1?é';
const BODY = { id: OWN_ID, text: 'any members' };
const RULES = { charsMax: 2_048, isLegal: isHashedId };

const PACK_ID = 'p-3';
const TIMES = { writtenMs: 1_795_000_000_000, salt: 66_051, kind: LIVE } as const;
const packOf = (wireId: string): Pack => ({
  ...{
    isFull: false,
    entries: new Map([[wireId, { ...TIMES, ...piecesOf(JSON.stringify(BODY)) }]]),
  },
});

const CODE_BYTES = Uint8Array.from({ length: 16 }, (_, at) => at);

/** As the agent computes them. */
async function vectors(): Promise<[what: string, value: string][]> {
  const { encKey, macKey } = syncKeyBundle({ kB: KB });
  const keys = kintoKeys({ kB: KB });
  const bundle = keys.bundleFor(NAME);
  const secret = hmac(hmacKey(macKey), encodeUtf8('kitsync/v1/ids'));
  const wireId = `${recordIds(RULES, secret, NAME).wireId(OWN_ID)}`;
  const cleartext = wireId + JSON.stringify(BODY);
  const tombstone = `${wireId}{"deleted":true}`;
  const seal = async (text: string): Promise<string> => {
    const entropy = { random: () => decodeHex(IV) ?? new Uint8Array() };
    const crypto = bsoCrypto(nodeDeviceCrypto(), entropy, async () => undefined);
    return `${(await crypto.seal(bundle, [text]))[0]}`;
  };
  return [
    ['`kB`', KB],
    ['`sync`', encodeHex(encKey) + encodeHex(macKey)],
    ['bucket', keys.bucket],
    ['AES key', encodeHex(bundle.encKey)],
    ['MAC key', encodeHex(bundle.macKey)],
    ['id of the epoch', keys.epochIdFor(NAME)],
    ['`secret`', encodeHex(secret)],
    ['own id', OWN_ID],
    ['wire id', wireId],
    ['IV', IV],
    ['cleartext', cleartext],
    ['payload', await seal(cleartext)],
    ['tombstone', tombstone],
    ['tombstone payload, same IV', await seal(tombstone)],
    ['pack', PACK_ID],
    ['its entry', `${TIMES.writtenMs} ${TIMES.salt} ${TIMES.kind}`],
    ['its cleartext, in bytes', encodeHex(encodeUtf8(encodePack(PACK_ID, packOf(wireId))))],
    ['its payload, same IV', await seal(encodePack(PACK_ID, packOf(wireId)))],
    ['bytes of a recovery code', encodeHex(CODE_BYTES)],
    ['the code', recoveryCode(CODE_BYTES)],
    ['its `kB`', keyOfRecoveryCode(recoveryCode(CODE_BYTES)).kB],
  ];
}

test('the test vectors of the page are what the code computes', async () => {
  const rows = tableOf(textOf(PAGE), 'what');
  const shown = rows.map(([what = '', value = '']) => [what, codesIn(value)[0]]);
  expect(shown).toEqual(await vectors());
});

test('the pack of the vectors is on the way of its record', () => {
  expect(packIdOf(otherClient(KB, NAME).wireId(OWN_ID), 1)).toBe(PACK_ID);
});

describe('the program of the page', () => {
  const other = otherClient(KB, NAME);
  const wireId = other.wireId(OWN_ID);
  const opened = async (payload: string | null, id = wireId) => {
    const { encryptedCollection } = await programOfPage();
    const { options } = await encryptedCollection(KB, NAME);
    const wire = { id, last_modified: 1 };
    const [transformer] = options.remoteTransformers;
    return transformer.decode({ ...wire, ...(payload === null ? { deleted: true } : { payload }) });
  };
  const sealed = (body: object): string => other.sealed(OWN_ID, body);

  test('opens the pack of the page, and no other in its place', async () => {
    const payload = new Map(await vectors()).get('its payload, same IV') ?? '';
    const entries = { [wireId]: { ...TIMES, text: JSON.stringify(BODY) } };
    const pack = { isFull: false, entries };
    expect(await opened(payload, PACK_ID)).toEqual({ id: PACK_ID, last_modified: 1, pack });
    expect(await opened(payload, 'p-2')).toMatchObject({ refused: expect.any(String) });
  });

  test('finds the bucket, and opens the vectors of the page', async () => {
    const page = new Map(await vectors());
    const { encryptedCollection } = await programOfPage();
    const { bucket } = await encryptedCollection(KB, NAME);
    expect(bucket).toBe(page.get('bucket'));
    const live = await opened(page.get('payload') ?? '');
    expect(live).toEqual({ id: wireId, last_modified: 1, body: BODY });
    const gone = await opened(page.get('tombstone payload, same IV') ?? '');
    expect(gone).toEqual({ id: wireId, last_modified: 1, deleted: true });
  });

  test.each([
    ['another id inside', sealed({ id: 'two' }), 'another record'],
    ['no id inside', sealed({ text: 'x' }), 'not an id'],
    ['another record', other.sealed('two', BODY), 'another record'],
    ['the tombstone of another record', other.sealed('two', null), 'another record'],
    ['a bare tombstone', other.seal('{"deleted":true}'), 'another record'],
    ['a tombstone under the own id', other.seal(`${OWN_ID}{"deleted":true}`), 'another record'],
    ['a wire tombstone', null, 'a deletion that nobody sealed'],
    [
      'a payload of another collection',
      otherClient(KB, 'others').sealed(OWN_ID, BODY),
      'another MAC',
    ],
    ['a payload without an envelope', '{}', 'no envelope'],
  ])('refuses %s', async (_, payload, refused) => {
    expect(await opened(payload)).toEqual({ id: wireId, last_modified: 1, refused });
  });

  test.each([
    ['a record', { id: 'a', b: 1 }],
    ['a tombstone', null],
  ])('refuses %s with a bit of its IV changed', async (_, body) => {
    const { ciphertext, IV: iv, hmac: mac } = JSON.parse(other.sealed('a', body));
    const results = Array.from({ length: 128 }, (_, bit) => {
      const bytes = Buffer.from(iv, 'base64');
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const payload = JSON.stringify({ ciphertext, IV: bytes.toString('base64'), hmac: mac });
      return opened(payload, other.wireId('a'));
    });
    const taken = (await Promise.all(results)).filter(({ refused }) => refused === undefined);
    expect(taken).toEqual([]);
  });

  test('refuses a record under its own id, which is not hashed', async () => {
    const one = other.seal('one{"id":"one","text":"x"}');
    expect(await opened(one, 'one')).toMatchObject({ refused: 'another record' });
  });

  test('seals what the other client opens, with the id first', async () => {
    const { encryptedCollection } = await programOfPage();
    const [transformer] = (await encryptedCollection(KB, NAME)).options.remoteTransformers;
    const body = { text: 'ü', id: OWN_ID };
    const { payload } = await transformer.encode({ id: wireId, body });
    expect(other.open(payload ?? '')).toBe(`${wireId}{"id":"${OWN_ID}","text":"ü"}`);
    const other2 = transformer.encode({ id: other.wireId('two'), body });
    await expect(other2).rejects.toThrow('not of this body');
  });
});

describe('kinto.js with the program of the page', () => {
  let url = '';
  const server = createServer(async (incoming, outgoing) => {
    const body = await readBody(incoming, 4_000_000);
    if (typeof body === 'string') throw new Error(body);
    const request = toRequest(incoming, `${url}${incoming.url}`, body);
    if (request !== null) await sendResponse(outgoing, await kinto.fetch(request));
  });
  let kinto: ReturnType<typeof createKinto>;
  beforeAll(async () => {
    url = `http://127.0.0.1:${await listenOnLoopback(server, 0)}`;
    const userOf = (given: string) => (given.startsWith('Basic ') ? 'account:bob' : null);
    kinto = createKinto({ url, nowMs: Date.now, userOf });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('has what the agent has, both ways', async () => {
    const user = { url, name: 'bob', password: 'b' };
    await meetWithKintoJs(user, async (method, path) => {
      const headers = { Authorization: 'Basic Ym9iOmI=' };
      const response = await fetch(`${url}/v1${path}`, { method, headers });
      return ((await response.json()) as { data?: unknown }).data;
    });
  });

  test('has what the agent has where small records lie in packs', async () => {
    await meetInPacksWithKintoJs({ url, name: 'packer', password: 'b' });
  });
});
