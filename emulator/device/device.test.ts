import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import type { Firmware } from '../firmware.ts';
import { loadProfile } from '../profiles.ts';
import { type DeviceClock, NS_PER_MS, virtualClock } from './clock.ts';
import {
  CommandError,
  createDevice,
  type Device,
  DeviceHung,
  type DeviceOptions,
} from './device.ts';
import { PowerCut } from './flash.ts';
import { createNetwork } from './network.ts';
import { createRandom } from './random.ts';
import { createTrace } from './trace.ts';
import { VmError, VmKilled } from './vm-errors.ts';

const PARROT = readFileSync(new URL('./fixtures/parrot.js', import.meta.url), 'utf8');
const EPOCH_MS = 1_700_000_000_000;
const SECRET = 'very-secret';

const firmware = (...codes: string[]): Firmware => ({
  parts: codes.map((code, i) => ({ file: `part${i}.js`, code })),
  bytes: codes.join('').length,
  sha256: '',
});

interface Bench {
  readonly device: Device;
  readonly clock: DeviceClock;
  readonly storage: MemoryStorage;
  readonly lines: string[];
  ask(op: string, call?: object): Promise<Record<string, unknown>>;
  call(op: string, call?: object): Promise<unknown>;
}

async function bench(change: Partial<DeviceOptions> = {}): Promise<Bench> {
  const clock = virtualClock();
  const lines: string[] = [];
  const storage = new MemoryStorage();
  const profile = loadProfile('panasonic-cx700');
  const device = createDevice({
    profile,
    firmware: firmware(PARROT),
    clock,
    network: createNetwork({
      clock,
      link: profile.network,
      fetch: async () => new Response('{"ü":1}', { status: 201, headers: { 'x-y': 'z' } }),
      connection: () => 'wifi',
    }),
    identity: {
      account: async () => ({ uid: '1', email: 'a@b.c' }),
      assertion: async (audience, fresh) => `${SECRET} ${audience} ${fresh}`,
      accessToken: async (fresh) => ({ token: `${SECRET} ${fresh}` }),
      syncKey: async () => ({ kB: SECRET }),
      deviceKey: async () => new Uint8Array(32).fill(7),
    },
    crypto: nodeDeviceCrypto(),
    random: createRandom(1),
    config: '{"profile":"x"}',
    epochMs: EPOCH_MS,
    connection: () => 'metered',
    trace: createTrace(clock, (line) => lines.push(line)),
    onEvent: () => {},
    onStep: () => {},
    openStorage: async () =>
      Object.assign(storage, {
        instructions: () => 0,
        heapPeakBytes: () => 0,
        payloadBytes: 0,
      }),
    ...change,
  });
  await device.boot();
  return {
    device,
    clock,
    storage,
    lines,
    ask: (op, call = {}) => device.command('ask', { op, ...call }) as never,
    call: async (op, call = {}) =>
      ((await device.command('call', { op, ...call })) as { value: unknown }).value,
  };
}

let it: Bench;
beforeEach(async () => {
  it = await bench();
});

describe('what is answered at once', () => {
  test('configuration, time, connection, random bytes', async () => {
    expect(await it.call('config')).toBe('{"profile":"x"}');
    expect(await it.call('connection')).toBe('metered');
    expect(await it.call('now')).toBe(EPOCH_MS + Math.floor(it.clock.nowNs() / NS_PER_MS));
    expect(await it.call('random', { head: '5' })).toEqual([...createRandom(1).bytes(5)]);
  });

  test('time moves while a program works, also within a slice', async () => {
    const before = (await it.call('now')) as number;
    const { now } = (await it.device.command('work', { turns: 100_000 })) as { now: number };
    const { longestSlice } = it.device.counters();
    expect(longestSlice).toBeGreaterThan(30_000_000);
    expect(now - before).toBeGreaterThanOrEqual(Math.floor(longestSlice / 1e6) - 2);
    expect(now - before).toBeLessThanOrEqual(Math.ceil(longestSlice / 1e6) + 2);
  });

  test('an operation that does not exist throws inside', async () => {
    await expect(it.call('fly')).rejects.toThrow(/the bridge has no operation fly/);
  });
});

describe('what is answered later', () => {
  test('a sleep takes its time, a pause only a turn', async () => {
    const before = it.clock.nowNs();
    await it.ask('sleep', { head: '1500' });
    const asleepMs = (it.clock.nowNs() - before) / NS_PER_MS;
    expect(asleepMs).toBeGreaterThanOrEqual(1500);
    expect(asleepMs).toBeLessThan(1510);
  });

  test('answers come one by one, in the order of time', async () => {
    const list = [
      { op: 'sleep', head: '20' },
      { op: 'pause' },
      { op: 'sleep', head: '10' },
      { op: 'pause' },
    ];
    expect(await it.device.command('order', { list })).toEqual({ came: [1, 3, 2, 0] });
  });

  test('values go into the storage and come out, with their numbers', async () => {
    const commit = { head: '[["k1",3],["k2",-4],["k3",-1]]', text: 'añ€', bytes: [1, 2] };
    expect(await it.ask('commit', commit)).toMatchObject({ error: '' });
    expect(await it.storage.get(['k1', 'k2', 'k3'])).toEqual(['añ€', Uint8Array.of(1, 2), null]);
    expect(await it.ask('get', { text: 'k2\nk9\nk1' })).toEqual({
      error: '',
      head: '[-4,-1,3]',
      text: 'añ€',
      bytes: [1, 2],
    });
    expect(await it.ask('get', { text: '' })).toMatchObject({ head: '[]', text: '', bytes: null });
    expect(await it.ask('scan', { head: '[5,1]', text: 'k\nl' })).toEqual({
      error: '',
      head: '',
      text: 'k2\nk1',
      bytes: null,
    });
  });

  test('an exchange gives its head first, then its text in pieces', async () => {
    const head = { method: 'GET', url: 'https://a.test/', headers: [], timeoutMs: 1000 };
    const answer = await it.ask('request', { head: JSON.stringify(head) });
    expect(JSON.parse(String(answer.head))).toEqual({
      stream: 1,
      status: 201,
      headers: [
        ['content-type', 'text/plain;charset=UTF-8'],
        ['x-y', 'z'],
      ],
    });
    expect(await it.ask('read', { head: '1' })).toMatchObject({ head: '', text: '{"ü":1}' });
    expect(await it.ask('read', { head: '1' })).toMatchObject({ head: 'end', text: '' });
  });

  test('the account manager is asked, freshly if so wanted', async () => {
    expect(await it.ask('account')).toMatchObject({ text: '{"uid":"1","email":"a@b.c"}' });
    expect(await it.ask('assertion', { text: 'https://t/', head: 'fresh' })).toMatchObject({
      text: `${SECRET} https://t/ true`,
    });
    expect(await it.ask('token')).toMatchObject({ text: `{"token":"${SECRET} false"}` });
    expect(await it.ask('synckey')).toMatchObject({ text: `{"kB":"${SECRET}"}` });
    expect(await it.ask('devicekey')).toMatchObject({ bytes: new Array(32).fill(7) });
  });

  test('records are sealed and opened by the device, and refusals have their numbers', async () => {
    const keys = [...createRandom(2).bytes(64)];
    const sealed = await it.ask('seal', {
      head: '[2,0]',
      text: 'hü',
      bytes: [...keys, ...keys.slice(0, 32)],
    });
    const lengths = JSON.parse(String(sealed.head)) as number[];
    expect(lengths).toEqual([24, 24, 64, 24, 24, 64]);
    const text = String(sealed.text);
    const first = {
      ciphertext: text.slice(0, 24),
      iv: text.slice(24, 48),
      mac: text.slice(48, 112),
    };
    const rest = text.slice(112);
    const items = {
      head: JSON.stringify([
        [24, first.iv, first.mac],
        [24, rest.slice(24, 48), rest.slice(48)],
      ]),
      text: first.ciphertext + rest.slice(0, 24),
    };
    expect(await it.ask('open', { ...items, bytes: keys })).toMatchObject({
      head: '[2,0]',
      text: 'hü',
    });
    const wrongKeys = keys.map((byte) => byte ^ 1);
    expect(await it.ask('open', { ...items, bytes: wrongKeys })).toMatchObject({
      head: '[-3,-3]',
    });
  });

  test("a port's error is a code, and anything else ends the run", async () => {
    const failing = async (error: Error) =>
      bench({
        openStorage: async () => ({
          get: () => Promise.reject(error),
          scan: async () => [],
          commit: async () => {},
          instructions: () => 0,
          heapPeakBytes: () => 0,
          payloadBytes: 0,
        }),
      });
    const full = await failing(Object.assign(new Error('x'), { code: 'full' }));
    expect(await full.ask('get', { text: 'k' })).toMatchObject({ error: 'full' });
    const cut = await failing(new PowerCut());
    await expect(cut.ask('get', { text: 'k' })).rejects.toThrow(PowerCut);
  });
});

describe('a device', () => {
  test('takes a command while it waits for something else, and says what was refused', async () => {
    await expect(it.device.command('ask', { op: 'fly' })).rejects.toThrow(CommandError);
    await expect(it.device.command('throw', {})).rejects.toThrow(VmError);
  });

  test('that is never woken again has hung', async () => {
    const deaf = await bench({
      firmware: firmware('(function () { return () => ({ deliver() {}, command() {} }) })'),
    });
    await expect(deaf.device.command('sync', {})).rejects.toThrow(DeviceHung);
  });

  test('loads its firmware in parts that share a registry', async () => {
    const parts = ['(function (r) { r.greet = "hello" })'];
    parts.push(
      PARROT.replace('function () {\n  return', 'function (r) {\n  r.greet.length;\n  return'),
    );
    const shared = await bench({ firmware: firmware(...parts) });
    expect(await shared.call('connection')).toBe('metered');
    expect(shared.device.counters().loadInstructions).toBeGreaterThan(100_000);
  });

  test('kills a program that works too long or takes too much', async () => {
    const tv = loadProfile('panasonic-cx700');
    const hasty = await bench({ profile: { ...tv, sliceInstructionsMax: 20_000_000 } });
    await expect(hasty.device.command('work', { turns: 1e9 })).rejects.toThrow(VmKilled);
    await expect(bench({ profile: { ...tv, ramCapBytes: 70_000 } })).rejects.toThrow(VmKilled);
  });

  test('goes on counting over a loss of power, and forgets what it waited for', async () => {
    const sleeping = it.device.command('ask', { op: 'sleep', head: '10' });
    await sleeping;
    const before = it.device.counters();
    it.device.powerOff();
    expect(it.device.counters()).toEqual(before);
    expect(await it.clock.step()).toBe(false);
    await it.device.boot();
    const after = it.device.counters();
    expect(after.boots).toBe(2);
    expect(after.instructions).toBe(
      before.instructions + after.loadInstructions - before.loadInstructions,
    );
    expect(await it.call('connection')).toBe('metered');
  });
});

describe('the trace', () => {
  test('has a line for everything that crosses the bridge, in the order of time', async () => {
    await it.ask('get', { text: 'a\nb' });
    const events = it.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ event }) => event)).toEqual([
      'boot',
      'load',
      'command',
      'get',
      'answer',
      'reply',
    ]);
    expect(events[3]).toMatchObject({ event: 'get', id: 1, keys: 2 });
    const times = events.map(({ t }) => t as number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('holds no secret and nothing of what is stored or sent', async () => {
    const head = {
      method: 'PUT',
      url: 'https://a.test/?_token=tok-en&_since=5',
      headers: [['authorization', SECRET]],
      timeoutMs: 1000,
    };
    await it.ask('request', { head: JSON.stringify(head), text: `{"body":"${SECRET}"}` });
    await it.ask('read', { head: '1' });
    await it.ask('commit', { head: '[["k",11]]', text: SECRET });
    await it.ask('get', { text: 'k' });
    for (const op of ['assertion', 'token', 'synckey', 'devicekey']) await it.ask(op);
    await it.call('event', { text: `{"kind":"pass","report":{"x":"${SECRET}"}}` });
    const trace = it.lines.join('');
    expect(trace).toContain('"url":"https://a.test/?_token=…&_since=5"');
    expect(trace).not.toMatch(/very-secret|tok-en|ü/);
  });
});
