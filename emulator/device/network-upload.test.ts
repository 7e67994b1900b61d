// A body that is made while it goes up, on the engine of a device: what it costs there.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Firmware } from '../firmware.ts';
import { loadProfile } from '../profiles.ts';
import { virtualClock } from './clock.ts';
import { createDevice, type Device } from './device.ts';
import { createNetwork, type FetchHandler } from './network.ts';
import { createRandom } from './random.ts';
import { noTrace } from './trace.ts';

/** Sends as many pieces as it is told, each of one letter. */
const PROGRAM = `
  import { streamedBody } from './agent/wire/body.ts';
  import { createHostPlatform } from './platform/quickjs/host.ts';
  import { sendPieces } from './platform/quickjs/pieces.ts';

  export function boot(host) {
    const { platform, deliver } = createHostPlatform(host, false, sendPieces);
    const times = { timeoutMs: 180000, windowMs: 300000, longestMs: 3600000 };
    const limits = { ...times, windowBytesMin: 4096 };
    const upload = async ({ pieces }) => {
      let left = pieces;
      const make = async () => (left-- > 0 ? 'x'.repeat(16384) : null);
      const body = streamedBody({ aborted: false }, () => make);
      const url = 'https://server.test/';
      const request = { method: 'PUT', url, headers: [], body, ...limits };
      const response = await platform.network.request(request);
      return { status: response.status, text: await response.read() };
    };
    const command = (id, name, text) => {
      upload(JSON.parse(text)).then(
        (result) => host('reply', id, '', JSON.stringify(result), null),
        ({ code, message }) =>
          host('reply', id, code || 'failed', JSON.stringify({ message }), null),
      );
    };
    return { deliver, command };
  }
`;

let firmware: Firmware;
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: PROGRAM,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'program',
    target: 'es2020',
    platform: 'neutral',
  });
  const code = `${outputFiles[0]?.text ?? ''}; () => program.boot`;
  firmware = { parts: [{ file: 'upload.js', code }], bytes: code.length, sha256: '' };
});

async function television(fetch: FetchHandler, config = '{"bodies":"streamed"}'): Promise<Device> {
  const clock = virtualClock();
  const profile = loadProfile('panasonic-cx700');
  const none = (): never => {
    throw new Error('nobody asks');
  };
  const device = createDevice({
    ...{ profile, firmware, clock, config, crypto: null, epochMs: 0, trace: noTrace },
    network: createNetwork({ clock, link: profile.network, fetch, connection: () => 'wifi' }),
    identity: {
      ...{ account: none, assertion: none, accessToken: none, syncKey: none, deviceKey: none },
    },
    random: createRandom(1),
    connection: () => 'wifi',
    onEvent: none,
    onStep: () => undefined,
    openStorage: async () =>
      Object.assign(new MemoryStorage(), {
        ...{ instructions: () => 0, heapPeakBytes: () => 0, payloadBytes: 0 },
      }),
  });
  await device.boot();
  return device;
}

/** Answers with how many bytes came. */
const counting: FetchHandler = async (request) => {
  let bytes = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return new Response(`${bytes}`);
    bytes += value?.length ?? 0;
  }
};

const PIECE_BYTES = 16_384;
const MEGABYTE = 2 ** 20;

test('5 MB take no more of the heap than a short body, and less than 1 MiB of it', async () => {
  const peaks: number[] = [];
  for (const pieces of [8, (5 * MEGABYTE) / PIECE_BYTES]) {
    const device = await television(counting);
    const reply = await device.command('upload', { pieces });
    expect(reply).toEqual({ status: 200, text: `${pieces * PIECE_BYTES}` });
    peaks.push(device.counters().peakBytes);
    console.log(`${pieces * PIECE_BYTES} bytes sent: peak ${peaks.at(-1)} bytes of heap`);
  }
  const [short = 0, long = 0] = peaks;
  expect(long - short).toBeLessThan(PIECE_BYTES);
  expect(long).toBeLessThan(MEGABYTE);
});

test('a device that takes no pieces sends a short body whole, and refuses a long one', async () => {
  const device = await television(counting, '{}');
  expect(await device.command('upload', { pieces: 2 })).toEqual({ status: 200, text: '32768' });
  const long = device.command('upload', { pieces: 3 });
  await expect(long).rejects.toThrow(
    'more than 48000 characters, and this device has no operation',
  );
  expect(device.counters().peakBytes).toBeLessThan(MEGABYTE);
});

test('an answer before the end is heard, and the rest is not made', async () => {
  const device = await television(async () => new Response('why', { status: 413 }));
  const reply = await device.command('upload', { pieces: 100_000 });
  expect(reply).toEqual({ status: 413, text: 'why' });
});
