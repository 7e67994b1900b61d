// A document that is longer than the memory of a device, exchanged by the whole agent on it: what
// its heap is at its peak. In the simulations only.

import { expect, test } from 'vitest';
import { DEFAULT_SOURCE } from '../../firmware-bundle/build.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { isWhole } from '../../test/sim/share.ts';
import {
  AUDIENCE,
  COLLECTION,
  DocumentServer,
} from '../../test/support/made-up/document-server.ts';
import { userWith } from '../../test/support/made-up/services.ts';
import { firmwareFrom } from '../firmware.ts';
import { loadProfile } from '../profiles.ts';
import { NS_PER_MS, virtualClock } from './clock.ts';
import { createDevice } from './device.ts';
import { createNetwork } from './network.ts';
import { createRandom } from './random.ts';
import { noTrace } from './trace.ts';

const PROFILE = 'panasonic-cx700';
const EPOCH_MS = 1_795_330_000_000;
const MEBIBYTE = 2 ** 20;
const MEMBER_CHARS = 5_100;
const DOCUMENT_CHARS = 5 * MEBIBYTE;
const CONTENTS = `
import { generic } from '../../agent/index.ts';
import { documentRemote } from '../../test/support/made-up/document-remote.ts';
export const contents = { drivers: [documentRemote], collections: [generic('${COLLECTION}')] };
export { cryptoOf as crypto, identityOf as identity } from './host.ts';
export { sendPieces as send } from './pieces.ts';
export const more = undefined;
export const systemApps = undefined;
`;

test.runIf(isWhole)(
  'a long document comes down and goes up, and the heap stays under 1 MiB',
  async () => {
    const clock = virtualClock();
    const nowMs = (): number => EPOCH_MS + clock.nowNs() / NS_PER_MS;
    const server = new DocumentServer(nowMs);
    const profile = loadProfile(PROFILE);
    const remote = { protocol: 'document', serverUrl: server.url, audience: AUDIENCE };
    const config = JSON.stringify({
      ...{ profile: profile.name, crypto: 'device', bodies: 'streamed' },
      remote: { ...remote, auth: 'bearer' },
      collections: { [COLLECTION]: { enabled: true, readOnly: false } },
      ...profile.agent,
    });
    const storage = Object.assign(new MemoryStorage(), {
      ...{ instructions: () => 0, heapPeakBytes: () => 0, payloadBytes: 0 },
    });
    const device = createDevice({
      ...{
        profile,
        firmware: await firmwareFrom(PROFILE, { ...DEFAULT_SOURCE, contents: CONTENTS }),
        clock,
        config,
        crypto: nodeDeviceCrypto(),
        trace: noTrace,
      },
      epochMs: EPOCH_MS,
      network: createNetwork({
        ...{ clock, link: profile.network, fetch: server.fetch, connection: () => 'wifi' },
      }),
      identity: {
        ...userWith({ kB: 'ab'.repeat(32) }, () => server.assertion),
        deviceKey: async () => new Uint8Array(32),
      },
      random: createRandom(1),
      connection: () => 'wifi',
      onEvent: () => undefined,
      onStep: () => undefined,
      openStorage: async () => storage,
    });
    const text = 'é\u{1f9a6}'.repeat(MEMBER_CHARS / 3);
    const member = { last_modified: EPOCH_MS / 1_000, text };
    const ids = Array.from(
      { length: Math.ceil(DOCUMENT_CHARS / MEMBER_CHARS) },
      (_, n) => `https://app${n}.test`,
    );
    server.replace(Object.fromEntries(ids.map((id, n) => [id, { ...member, n }])));

    await device.boot();
    expect(await device.command('enable', {})).toMatchObject({ ok: true });
    const down = device.counters().peakBytes;
    const record = { id: ids[3], text: 'ours' };
    await device.command('put', { collection: COLLECTION, record });
    await device.idle(60_000);
    expect(await device.command('sync', {})).toMatchObject({ ok: true });

    const { [ids[3] ?? '']: ours, ...others } = server.document();
    expect(ours).toMatchObject({ text: 'ours' });
    expect(Object.keys(others)).toHaveLength(ids.length - 1);
    const chars = server.text().length;
    expect(chars).toBeGreaterThan(DOCUMENT_CHARS);
    const { peakBytes } = device.counters();
    console.log(`${chars} characters down: peak ${down} bytes; and up: peak ${peakBytes} bytes`);
    expect(peakBytes).toBeLessThan(MEBIBYTE);
  },
  300_000,
);
