import { expect, test } from 'vitest';
import { textCrypto } from '../../../crypto/texts.ts';
import { otherClient } from '../../../emulator/servers/picl/other-client.ts';
import { nodeDeviceCrypto } from '../../../platform/node/crypto.ts';
import { piclKeys } from './keys.ts';
import { mintedChanges } from './mint.ts';
import { chainV1, GENESIS } from './scheme.ts';

const KB = '0'.repeat(64);

test('another client reads what is sealed for its numbers and hangs together', async () => {
  const crypto = textCrypto(nodeDeviceCrypto(), async () => undefined);
  const keys = piclKeys({ kB: KB });
  let drawn = 0;
  const entropy = { random: (count: number) => new Uint8Array(count).fill(++drawn) };
  const sealing = { crypto, entropy, key: keys.sealKey('things'), collection: 'things' };
  const log = { scheme: chainV1(crypto, keys.signKey('things')), sealing };
  const texts = ['{"a":"ü"}', null, '{"b":2}', '{"a":"ü"}'];
  const changes = await mintedChanges(
    log,
    GENESIS,
    1,
    texts.map((payload, at) => ({ id: `k${at % 2}`, payload })),
  );
  const other = otherClient(KB, 'things');
  expect(changes.map((change) => other.open(change))).toEqual(texts);
  let before = { seqnum: 0, changeid: GENESIS };
  for (const change of changes) {
    expect(change.seqnum).toBe(before.seqnum + 1);
    expect(change.signature).toBe(other.sign(change.changeid));
    before = change;
  }
  expect(await log.scheme.verify(GENESIS, changes)).toBe(-1);
  // The same text never is the same payload: its number is another one, and so is its IV.
  expect(new Set(changes.map(({ payload }) => payload)).size).toBe(4);
});
