import { beforeEach, describe, expect, it, test } from 'vitest';
import { createBridge } from './bridge.ts';
import { virtualClock } from './clock.ts';
import type { Answer } from './operations.ts';
import { createRandom } from './random.ts';
import type { HostCall } from './trace.ts';

const call = (op: string, more: Partial<HostCall> = {}): HostCall => ({
  ...{ op, id: 0, head: '', text: '', bytes: null },
  ...more,
});

let traced: object[];
let told: unknown[];

/** A bridge with one operation, `get`, whose answers are given by the test. */
function bridge() {
  const clock = virtualClock();
  const asked: { call: HostCall; answer: (answer: Answer) => void }[] = [];
  const made = createBridge({
    ...{ clock, epochMs: 1_000, config: '{"a":1}', random: createRandom(1) },
    connection: () => 'wifi',
    operations: new Map([['get', (given, answer) => void asked.push({ call: given, answer })]]),
    trace: (event, detail) => traced.push({ event, ...detail }),
    settle: () => clock.spend(2_000_000),
    onEvent: (json) => told.push(json),
    onClose: (stream) => told.push(stream),
  } as Parameters<typeof createBridge>[0]);
  const delivered: unknown[] = [];
  const commands: unknown[] = [];
  made.connect({
    deliver: (...answer) => delivered.push(answer),
    command: (...command) => commands.push(command),
  });
  return { ...made, clock, asked, delivered, commands };
}

beforeEach(() => {
  traced = [];
  told = [];
});

describe('what is answered at once', () => {
  it('is the configuration, the time with the work done so far, chance, and the network', () => {
    const { host } = bridge();
    expect(host(call('config'))).toBe('{"a":1}');
    expect([host(call('now')), host(call('now'))]).toEqual([1_004, 1_006]);
    expect(host(call('random', { head: '16' }))).toHaveLength(16);
    expect(host(call('connection'))).toBe('wifi');
  });

  it('is nothing for what the agent only tells', () => {
    const { host } = bridge();
    expect(host(call('status', { text: '{"state":"enabled"}' }))).toBeUndefined();
    host(call('event', { text: '{"kind":"state"}' }));
    host(call('close', { head: '7' }));
    expect(told).toEqual(['{"kind":"state"}', 7]);
    expect(traced).toMatchObject([
      { event: 'status', state: 'enabled' },
      { event: 'event', kind: 'state' },
      { event: 'close', stream: 7 },
    ]);
  });

  it('is an exception for an operation that there is not', () => {
    expect(() => bridge().host(call('steal'))).toThrow('the bridge has no operation steal');
  });
});

describe('what is answered later', () => {
  it('is delivered with the id that it was asked with, once somebody is connected', () => {
    const { host, asked, delivered } = bridge();
    expect(host(call('get', { id: 3, text: 'a' }))).toBeUndefined();
    expect([asked[0]?.call.text, delivered]).toEqual(['a', []]);
    asked[0]?.answer({ head: 'h', text: 'value', bytes: Uint8Array.of(1) });
    asked[0]?.answer({ error: 'full' });
    asked[0]?.answer({});
    expect(delivered).toEqual([
      [3, '', 'h', 'value', Uint8Array.of(1)],
      [3, 'full', '', '', null],
      [3, '', '', '', null],
    ]);
    expect(traced.slice(1)).toEqual([
      { event: 'answer', op: 'get', id: 3, chars: 5, bytes: 1 },
      { event: 'answer', op: 'get', id: 3, error: 'full' },
      { event: 'answer', op: 'get', id: 3 },
    ]);
  });

  test.each<[string, string, object]>([
    ['read', 'end', { end: true }],
    ['request', '{"status":200,"stream":4,"headers":[["x","s3cret"]]}', { status: 200, stream: 4 }],
    ['get', 's3cret', {}],
    ['read', '', {}],
  ])('is traced by what it is: %s with %j', (op, head, expected) => {
    const answers: ((answer: Answer) => void)[] = [];
    const { host } = createBridge({
      ...{ clock: virtualClock(), epochMs: 0, config: '', random: createRandom(1) },
      ...{ connection: () => 'wifi', settle: () => undefined },
      ...{ onEvent: () => undefined, onClose: () => undefined },
      operations: new Map([[op, (_, answer) => void answers.push(answer)]]),
      trace: (event, detail) => traced.push({ event, ...detail }),
    } as Parameters<typeof createBridge>[0]);
    host(call(op, { id: 1, head: op === 'request' ? '{"method":"GET","url":"https://h/"}' : '1' }));
    // Nobody is connected: nothing is delivered, and nothing breaks.
    answers[0]?.({ head });
    expect(traced.at(-1)).toEqual({ event: 'answer', op, id: 1, ...expected });
  });
});

describe('a command', () => {
  it('is handed in when the clock moves, and ends with its own reply, once', async () => {
    const { command, host, clock, commands } = bridge();
    const replies: unknown[] = [];
    command('sync', '{}', (reply) => replies.push(['sync', reply]));
    command('status', '{}', (reply) => replies.push(['status', reply]));
    expect(commands).toEqual([]);
    while (await clock.step());
    expect(commands).toEqual([
      [1, 'sync', '{}'],
      [2, 'status', '{}'],
    ]);
    host(call('reply', { id: 2, text: '"ok"' }));
    host(call('reply', { id: 1, head: 'offline', text: '{}' }));
    host(call('reply', { id: 1, text: 'again' }));
    host(call('reply', { id: 9, text: 'of nobody' }));
    expect(replies).toEqual([
      ['status', { error: '', text: '"ok"' }],
      ['sync', { error: 'offline', text: '{}' }],
    ]);
    expect(traced).toContainEqual({ event: 'command', id: 1, name: 'sync', chars: 2 });
  });
});
