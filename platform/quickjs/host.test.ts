// The agent's ports over a host function that the test answers by hand.

import { describe, expect, test, vi } from 'vitest';
import { bufferOf, changesOf, setUp } from '../../test/support/host.ts';
import type { Change, PortErrorCode, Value } from '../ports.ts';
import { createHostPlatform } from './host.ts';
import { lengthOf, pack } from './values.ts';

describe('a call to the device', () => {
  test('has a number of its own, and the answer with that number is its answer', async () => {
    const { platform, calls, answer } = setUp();
    const both = Promise.all([
      platform.identity.assertion('https://a/', false),
      platform.identity.assertion('https://b/', true),
    ]);
    expect(calls.map(({ op, head, text }) => [op, head, text])).toEqual([
      ['assertion', '', 'https://a/'],
      ['assertion', 'fresh', 'https://b/'],
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    await answer(calls[1], { text: 'second' });
    await answer(calls[0], { text: 'first' });
    expect(await both).toEqual(['first', 'second']);
  });

  test.each<PortErrorCode>([
    ...(['full', 'failed', 'offline', 'timeout'] as const),
    ...(['truncated', 'encoding', 'signedOut', 'unverified'] as const),
  ])('fails with the code that the device answers: %s', async (code) => {
    const { platform, answer, last } = setUp();
    const failing = platform.identity.syncKey().catch((reason: unknown) => reason);
    await answer(last('synckey'), { error: code });
    const error = await failing;
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code });
  });

  test('is answered once: late, second and unknown answers change nothing', async () => {
    const { platform, answer, last } = setUp();
    const asked = platform.identity.deviceKey();
    await answer({ op: '', id: 77, head: '', text: '', bytes: null }, { text: 'nobody asked' });
    await answer(last('devicekey'), { bytes: bufferOf(1, 2) });
    await answer(last('devicekey'), { error: 'failed' });
    expect(await asked).toEqual(Uint8Array.of(1, 2));
  });

  test('without an answer waits, and keeps no other from theirs', async () => {
    const { platform, answer, last } = setUp();
    void platform.clock.sleep(1.2);
    const paused = platform.clock.pause();
    expect(last('sleep')?.head).toBe('2');
    await answer(last('pause'));
    await paused;
  });
});

test('what is answered at once is returned, and numbered zero', () => {
  const { platform, calls } = setUp({ now: 17, random: bufferOf(9, 8), connection: 'metered' });
  expect(platform.clock.nowMs()).toBe(17);
  expect(platform.entropy.random(2)).toEqual(Uint8Array.of(9, 8));
  expect(platform.power.connection()).toBe('metered');
  platform.shell.status('{"a":1}');
  platform.shell.event('{"b":2}');
  expect(calls.map(({ op, id, head, text }) => [op, id, head, text])).toEqual([
    ['now', 0, '', ''],
    ['random', 0, '2', ''],
    ['connection', 0, '', ''],
    ['status', 0, '', '{"a":1}'],
    ['event', 0, '', '{"b":2}'],
  ]);
});

test('a device without cryptography of its own has no such port', () => {
  const { platform } = createHostPlatform(() => undefined, false);
  expect('crypto' in platform).toBe(false);
});

describe('storage', () => {
  const values: (Value | null)[] = ['é\u{1f9a6}', null, Uint8Array.of(1, 2), '', new Uint8Array(0)];
  const { text, bytes } = pack(values);
  const packed = {
    head: JSON.stringify(values.map(lengthOf)),
    text,
    bytes: bufferOf(...(bytes ?? [])),
  };

  test('gets many values in one call', async () => {
    const { platform, answer, settle, last } = setUp();
    const got = platform.storage.get(['a', 'b', 'c', 'd', 'e']);
    await settle();
    expect(last('get')).toMatchObject({ head: '', text: 'a\nb\nc\nd\ne' });
    await answer(last('get'), packed);
    expect(await got).toEqual(values);
  });

  test('scans keys', async () => {
    const { platform, answer, settle, last } = setUp();
    const scanned = platform.storage.scan({ from: 'a', to: 'c', limit: 7, reverse: true });
    await settle();
    expect(last('scan')).toMatchObject({ head: '[7,1]', text: 'a\nc' });
    await answer(last('scan'), { text: 'b\na' });
    expect(await scanned).toEqual(['b', 'a']);
  });

  test('finds nothing where there is nothing', async () => {
    const { platform, answer, settle, last } = setUp();
    const scanned = platform.storage.scan({ from: 'a', to: 'c', limit: 7 });
    await settle();
    expect(last('scan')?.head).toBe('[7,0]');
    await answer(last('scan'), { head: '[0]' });
    expect(await scanned).toEqual([]);
  });

  test('commits a small change in one call', async () => {
    const { platform, answer, settle, calls } = setUp();
    const changes: Change[] = [
      ['a', 'text'],
      ['b', Uint8Array.of(1, 2)],
      ['c', null],
    ];
    const committed = platform.storage.commit(changes);
    await settle();
    expect(calls.map(({ op }) => op)).toEqual(['commit']);
    expect(calls.map(changesOf)).toEqual([changes]);
    await answer(calls[0]);
    await committed;
  });

  test('commits a large one in portions, with turns between them, under one number', async () => {
    const { platform, answer, settle, calls, last } = setUp();
    const changes = Array.from({ length: 30 }, (_, n): Change => [`k${n}`, 'v'.repeat(1_000)]);
    let isDone = false;
    const committed = platform.storage.commit(changes).then(() => {
      isDone = true;
    });
    await settle();
    while (last('commit') === undefined) {
      expect(calls.at(-1)?.op).toBe('pause');
      await answer(calls.at(-1));
    }
    const parts = calls.filter(({ op }) => op !== 'pause');
    expect(parts.slice(0, -1).every(({ op }) => op === 'more')).toBe(true);
    expect(parts.length).toBeGreaterThan(2);
    expect(new Set(parts.map(({ id }) => id)).size).toBe(1);
    expect(parts.flatMap(changesOf)).toEqual(changes);
    for (const { text: part } of parts) expect(part.length).toBeLessThan(6_000);
    expect(isDone).toBe(false);
    await answer(last('commit'));
    await committed;
  });

  test('begins nothing while an earlier commit is on its way', async () => {
    const { platform, answer, settle, calls, last } = setUp();
    const changes = Array.from({ length: 10 }, (_, n): Change => [`k${n}`, 'v'.repeat(1_000)]);
    void platform.storage.commit(changes);
    void platform.storage.commit([['k0', 'second']]);
    void platform.storage.get(['k0']);
    await settle();
    while (last('commit') === undefined) await answer(last('pause'));
    expect(calls.some(({ op }) => op === 'get')).toBe(false);
    await answer(last('commit'));
    expect(calls.filter(({ op }) => op === 'commit')).toHaveLength(2);
    expect(calls.some(({ op }) => op === 'get')).toBe(false);
    await answer(last('commit'));
    expect(calls.at(-1)?.op).toBe('get');
  });

  test('never asks for a commit that no read would wait for', async () => {
    const { platform, calls, answer, last } = setUp();
    vi.spyOn(Promise.prototype, 'catch').mockImplementationOnce(() => {
      throw new RangeError('out of memory');
    });
    expect(() => platform.storage.commit([['a', '1']])).toThrow('out of memory');
    const read = platform.storage.get(['a']);
    while (last('get') === undefined) await null;
    await answer(last('get'), { head: '[-1]' });
    await read;
    expect(calls.map(({ op }) => op)).toEqual(['get']);
  });

  test('goes on after a commit that failed', async () => {
    const { platform, answer, settle, last } = setUp();
    const first = platform.storage.commit([['a', '1']]);
    const second = platform.storage.commit([['a', '2']]);
    await settle();
    await Promise.all([
      expect(first).rejects.toMatchObject({ code: 'full' }),
      answer(last('commit'), { error: 'full' }),
    ]);
    await answer(last('commit'));
    await second;
  });
});

describe('network', () => {
  const head = JSON.stringify({ stream: 4, status: 200, headers: [['etag', '"1"']] });

  async function open() {
    const set = setUp();
    const headers = [['Authorization', 'x']] as const;
    const limits = { timeoutMs: 5, windowMs: 6, windowBytesMin: 7, longestMs: 8 };
    const requested = set.platform.network.request({
      method: 'PUT',
      url: 'https://a/',
      headers,
      body: 'ü',
      ...limits,
    });
    expect(set.last('request')?.text).toBe('ü');
    expect(JSON.parse(set.last('request')?.head ?? '')).toEqual({
      method: 'PUT',
      url: 'https://a/',
      headers,
      ...limits,
    });
    await set.answer(set.last('request'), { head });
    return { ...set, response: await requested };
  }

  test('gives status, headers, and pieces until the end', async () => {
    const { response, answer, last, calls } = await open();
    expect(response).toMatchObject({ status: 200, headers: [['etag', '"1"']] });
    const first = response.read();
    expect(last('read')?.head).toBe('4');
    await answer(last('read'), { text: 'piece' });
    expect(await first).toBe('piece');
    const end = response.read();
    await answer(last('read'), { head: 'end' });
    expect(await end).toBeNull();
    const askedSoFar = calls.length;
    expect(await response.read()).toBeNull();
    response.cancel();
    expect(calls).toHaveLength(askedSoFar);
  });

  test('is given up once, and not read any more', async () => {
    const { response, calls } = await open();
    response.cancel();
    response.cancel();
    expect(await response.read()).toBeNull();
    expect(calls.filter(({ op }) => op === 'close').map((call) => call.head)).toEqual(['4']);
    expect(calls.some(({ op }) => op === 'read')).toBe(false);
  });
});

describe('cryptography of the device', () => {
  const [encKey, macKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

  test('opens many records in one call, each with its text or why not', async () => {
    const { platform, answer, last } = setUp();
    const opened = platform.crypto?.open(encKey, macKey, [
      { ciphertext: 'cc', IV: 'i', hmac: 'mmm' },
      { ciphertext: '', IV: 'ii', hmac: '' },
      { ciphertext: 'c', IV: '', hmac: 'm' },
    ]);
    const call = last('open');
    expect(call).toMatchObject({ head: '[[2,"i","mmm"],[0,"ii",""],[1,"","m"]]', text: 'ccc' });
    expect(new Uint8Array(call?.bytes ?? new ArrayBuffer(0))).toEqual(
      Uint8Array.of(...encKey, ...macKey),
    );
    await answer(call, { head: '[3,-3,0]', text: 'one' });
    expect(await opened).toEqual([{ text: 'one' }, { code: 'badMac' }, { text: '' }]);
  });

  test('names every refusal by its number, and takes a new one for a bad MAC', async () => {
    const { platform, answer, last } = setUp();
    const items = Array(6).fill({ ciphertext: '', IV: '', hmac: '' });
    const opened = platform.crypto?.open(encKey, macKey, items);
    await answer(last('open'), { head: '[-1,-2,-3,-4,-5,-9]' });
    expect(await opened).toEqual(
      ['badBase64', 'badIv', 'badMac', 'badPadding', 'badUtf8', 'badMac'].map((code) => ({ code })),
    );
  });

  test('seals many texts in one call', async () => {
    const { platform, answer, last } = setUp();
    const ivs = [new Uint8Array(16).fill(3), new Uint8Array(16).fill(4)];
    const sealed = platform.crypto?.seal(encKey, macKey, ['a', 'bc'], ivs);
    const call = last('seal');
    expect(call).toMatchObject({ head: '[1,2]', text: 'abc' });
    expect(call?.bytes?.byteLength).toBe(64 + 32);
    await answer(call, { head: '[1,2,1,2,1,1]', text: 'CIIMccim' });
    expect(await sealed).toEqual([
      { ciphertext: 'C', IV: 'II', hmac: 'M' },
      { ciphertext: 'cc', IV: 'i', hmac: 'm' },
    ]);
  });
});
