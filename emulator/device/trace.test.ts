import { expect, it, test } from 'vitest';
import { createTrace, describeCall, type HostCall, noTrace } from './trace.ts';

const call = (more: Partial<HostCall>): HostCall => ({
  ...{ op: 'now', id: 0, head: '', text: '', bytes: null },
  ...more,
});
const SECRET = 's3cret';

it('writes a line of JSON for each event, with the time of the device to a microsecond', () => {
  const lines: string[] = [];
  let nowNs = 1_234_567_890;
  const trace = createTrace({ nowNs: () => nowNs } as never, (line) => lines.push(line));
  trace('boot', {});
  nowNs += 1_400;
  trace('get', { keys: 2, range: null });
  expect(lines).toEqual([
    '{"t":1234.568,"event":"boot"}\n',
    '{"t":1234.569,"event":"get","keys":2,"range":null}\n',
  ]);
  noTrace('boot', {});
});

test.each<[Partial<HostCall>, object]>([
  [{ op: 'now' }, {}],
  [
    { op: 'unknown', id: 3, text: SECRET, bytes: new Uint8Array(5) },
    { id: 3, chars: 6, bytes: 5 },
  ],
  [{ op: 'random', head: '16' }, { count: 16 }],
  [
    { op: 'sleep', id: 1, head: '250' },
    { id: 1, ms: 250 },
  ],
  [
    { op: 'piece', head: '7 end', text: SECRET },
    { chars: 6, request: 7, what: 'end' },
  ],
  [{ op: 'piece', head: '7' }, { request: 7 }],
  [{ op: 'part', head: 'sync15' }, { name: 'sync15' }],
  [{ op: 'read', head: '2' }, { stream: 2 }],
  [{ op: 'close', head: '2' }, { stream: 2 }],
  [{ op: 'get', text: '' }, { keys: 0 }],
  [
    { op: 'get', text: 'a\nb\nc' },
    { chars: 5, keys: 3 },
  ],
  [{ op: 'scan', head: '! ~ 9' }, { range: '! ~ 9' }],
  [
    { op: 'commit', head: '[1,2]', text: SECRET },
    { chars: 6, changes: 2 },
  ],
  [
    { op: 'open', head: '[1]', text: SECRET },
    { chars: 6, items: 1 },
  ],
  [{ op: 'seal', head: '[1,2,3]' }, { items: 3 }],
  [
    { op: 'assertion', head: 'fresh', text: 'https://h/' },
    { chars: 10, audience: 'https://h/', fresh: true },
  ],
  [{ op: 'token', head: '' }, { fresh: false }],
  [
    { op: 'reply', head: 'badInput', text: SECRET },
    { chars: 6, error: 'badInput' },
  ],
  [
    {
      op: 'request',
      head: JSON.stringify({
        method: 'GET',
        url: `https://h/?a=1&token=${SECRET}&TOKEN=${SECRET}`,
        headers: [['authorization', SECRET]],
      }),
    },
    { method: 'GET', url: 'https://h/?a=1&token=…&TOKEN=…' },
  ],
  [
    { op: 'status', text: `{"state":"enabled","account":"${SECRET}"}` },
    { chars: 38, state: 'enabled' },
  ],
  [
    {
      op: 'event',
      text: `{"kind":"page","url":"${SECRET}","error":null,"state":7,"code":"x"}`,
    },
    { chars: 64, kind: 'page', state: 7, code: 'x' },
  ],
])('of %j it tells sizes, names and codes', (given, expected) => {
  const told = describeCall(call(given));
  expect(told).toEqual(expected);
  expect(JSON.stringify(told)).not.toContain(SECRET);
});
