// Who opens and seals: the device's cryptography where it has some, and ours for what is long.

import { describe, expect, test } from 'vitest';
import { longPayloadUnits } from '../../crypto/bso.ts';
import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { json, remoteBench } from '../../test/support/remote.ts';
import { SYNC_KEY } from '../../test/support/server.ts';
import { bsoCryptoOf } from './bso-crypto.ts';

/** The cryptography of a device, and how many calls its own had. */
function device(has: boolean, recordCharsMax = 400_000) {
  const { platform, config } = remoteBench(() => json({})).options;
  const calls: string[] = [];
  const own = nodeDeviceCrypto();
  const crypto: DeviceCrypto = {
    ...own,
    open: (...of) => {
      calls.push('open');
      return own.open(...of);
    },
    seal: (...of) => {
      calls.push('seal');
      return own.seal(...of);
    },
  };
  const made = bsoCryptoOf({
    platform: { ...platform, ...(has && { crypto }) },
    config: { ...config, recordCharsMax },
  });
  return { calls, ...made };
}

const textOf = (chars: number): string => JSON.stringify({ id: 'a', text: 'x'.repeat(chars) });
const SHORT = textOf(10);
const LONG = textOf(longPayloadUnits);

describe.each([true, false])('where the device has cryptography: %j', (has) => {
  test.each([SHORT, LONG])('what is sealed opens again', async (text) => {
    const { calls, open, seal } = device(has);
    const [payload = ''] = await seal(SYNC_KEY, [text]);
    expect(await open(SYNC_KEY, [{ id: 'a', payload }])).toMatchObject([{ ok: true, text }]);
    const isShort = text === SHORT;
    expect(calls).toEqual(has ? (isShort ? ['seal', 'open'] : ['seal']) : []);
  });
});

test('one long record among short ones is reason enough to open all in turns', async () => {
  const { calls, open, seal } = device(true);
  const [short = '', long = ''] = await seal(SYNC_KEY, [SHORT, LONG]);
  calls.length = 0;
  const items = [short, long].map((payload) => ({ id: 'a', payload }));
  expect(await open(SYNC_KEY, items)).toMatchObject([{ ok: true }, { ok: true }]);
  expect(calls).toEqual([]);
});

test.each([true, false])('what a record may take of memory holds for both (%j)', async (has) => {
  const { open, seal } = device(has, 1_000);
  const many = JSON.stringify({ id: 'a', list: Array.from({ length: 6_000 }, () => []) });
  const [payload = ''] = await seal(SYNC_KEY, [many]);
  expect(await open(SYNC_KEY, [{ id: 'a', payload }])).toMatchObject([{ code: 'tooLarge' }]);
});
