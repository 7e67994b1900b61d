// One gateway process before a server that does as each test says, and what passes between them.

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { killCommands, startCommand } from '../../../platform/node/cli/testing.ts';

const BUCKET = '0123456789abcdef'.repeat(2);
const RECORDS = `/v1/buckets/${BUCKET}/collections/history/records`;
const ACCESS = { uid: 7, id: 'the-hawk-id', key: 'the-hawk-key', duration: 300 };
const ASSERTION = `${part({ exp: 4_000_000_000_000 })}.the-signature`;

type Answer = (asked: IncomingMessage, answer: ServerResponse) => void;

/** A token server and a storage node in one. */
const server = createServer((asked, answer) => {
  seen.push(asked);
  if (asked.url?.startsWith('/1.0/')) return onToken(asked, answer);
  asked.resume().once('end', () => onStorage(asked, answer));
});
const seen: IncomingMessage[] = [];
let origin: string;
let onToken: Answer;
let onStorage: Answer;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // A checkout builds the command first.
  await startCommand(['gateway', '--help']).ended;
});
beforeEach(() => {
  seen.length = 0;
  onToken = (_asked, answer) =>
    json(answer, 200, { ...ACCESS, api_endpoint: `${origin}/1.5/7`, hashalg: 'sha256' });
  onStorage = (_asked, answer) => json(answer, 200, []);
});
afterEach(killCommands);
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function json(answer: ServerResponse, status: number, value: unknown, headers = {}): void {
  answer.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  answer.end(JSON.stringify(value));
}

async function startGateway(...args: string[]) {
  const command = startCommand(['gateway', '--token-server', origin, ...args]);
  await Promise.race([command.saw('"listening"'), command.ended]);
  expect(command.complained()).toBe('');
  const [first = ''] = command.printed().split('\n');
  const url = `http://127.0.0.1:${JSON.parse(first).port}`;
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(url + path, {
      ...init,
      headers: { Authorization: `BrowserID ${ASSERTION}`, ...init.headers },
    });
  return { ...command, url, ask };
}

const namesOf = (asked: IncomingMessage | undefined) =>
  Object.keys(asked?.headers ?? {})
    .filter((name) => name !== 'connection')
    .sort();

test('of what a client says, the servers get to know what is theirs, and no more', async () => {
  const { ask } = await startGateway();
  const secrets = {
    Cookie: 'session=1',
    'X-Forwarded-For': '192.0.2.1',
    'Accept-Language': 'cs',
    'X-Client-State': 'f'.repeat(32),
    'X-KeyID': 'k',
    'If-Match': '"1442849064460"',
    'User-Agent': 'TV',
    'Content-Type': 'application/json',
  };
  onStorage = (_asked, answer) => json(answer, 200, 1_442_849_065.12);
  const init = { method: 'PUT', headers: secrets, body: '{"data":{"payload":"p"}}' };
  expect((await ask(`${RECORDS}/a`, init)).status).toBe(200);
  const [token, storage] = seen;
  expect(namesOf(token)).toEqual(['authorization', 'host', 'x-client-state']);
  expect(token?.headers).toMatchObject({
    authorization: `BrowserID ${ASSERTION}`,
    'x-client-state': BUCKET,
  });
  expect(namesOf(storage)).toEqual([
    ...['authorization', 'content-length', 'content-type', 'host', 'user-agent'],
    'x-if-unmodified-since',
  ]);
  expect(storage?.url).toBe('/1.5/7/storage/history/a');
  expect(storage?.headers.authorization).toMatch(/^Hawk id="the-hawk-id", /);
  expect(storage?.headers['user-agent']).toBe('Syncto/1.5.0 (on behalf of TV)');
});

test.each([301, 302, 303, 307, 308])(
  'a redirect (%i) is an outage, and not followed',
  async (status) => {
    const { ask } = await startGateway();
    const elsewhere: Answer = (_asked, answer) =>
      json(answer, status, {}, { Location: `${origin}/elsewhere` });
    onStorage = elsewhere;
    const fromStorage = await ask(RECORDS);
    expect([fromStorage.status, fromStorage.headers.get('retry-after')]).toEqual([503, '30']);
    expect(fromStorage.headers.has('location')).toBe(false);
    onToken = elsewhere;
    const other = { Authorization: 'Bearer other' };
    expect((await ask(RECORDS, { headers: other })).status).toBe(503);
    expect(seen.map(({ url }) => url)).not.toContain('/elsewhere');
  },
);

test('its log tells what was asked and how it ended, and no secret, id or name', async () => {
  const { ask, printed, child, ended } = await startGateway();
  onStorage = (_asked, answer) => json(answer, 404, 'why-it-is-not-there');
  await ask(`${RECORDS}/the-record?secret=query`, { headers: { 'User-Agent': 'the-client' } });
  await ask('/v1/the-path');
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const lines = printed().trim().split('\n');
  const events = lines.map((line) => JSON.parse(line));
  expect(events.map(({ event }) => event)).toEqual([
    ...['listening', 'request', 'request', 'closing', 'closed'],
  ]);
  expect(events[1]).toMatchObject({ method: 'GET', route: 'record', status: 404 });
  expect(events[2]).toMatchObject({ route: 'other', status: 404 });
  const words = ['the-', BUCKET, 'secret', ASSERTION.slice(0, 12), 'BrowserID', 'Hawk'];
  for (const word of words) expect(printed()).not.toContain(word);
});

describe('a list that breaks off', () => {
  const record = JSON.stringify({ id: 'a', modified: 1.5, payload: 'p' });
  test.each<[string, Answer]>([
    [
      'by a connection that ends',
      (_asked, answer) => answer.write(`[${record},`, () => setTimeout(() => answer.destroy(), 50)),
    ],
    ['without its end', (_asked, answer) => answer.end(`[${record}`)],
    ['in a record', (_asked, answer) => answer.end(`[${record},{"id":`)],
    ['with something else behind it', (_asked, answer) => answer.end(`[${record}] <html>`)],
    [
      'by what is no record',
      (_asked, answer) =>
        void answer.write(`[${record},`, () => setTimeout(() => answer.end('1]'), 50)),
    ],
  ])('%s is never taken for a whole one', async (_how, answer) => {
    onStorage = answer;
    const { ask, url } = await startGateway();
    const heard = await ask(RECORDS).then(
      async (response) => [response.status, await response.text().catch(() => 'broken')],
      () => [0, 'broken'],
    );
    expect(heard[0] === 200 || heard[0] === 0 ? heard[1] : 'refused').toMatch(/^(broken|refused)$/);
    expect((await fetch(`${url}/__lbheartbeat__`)).status).toBe(200);
  });
});

test.each([
  ['no JSON', 'text'],
  ['no credentials', '{}'],
  ['a place that is no URL', JSON.stringify({ ...ACCESS, api_endpoint: 'x' })],
  [
    'an id that would end its header',
    JSON.stringify({ ...ACCESS, id: 'a"\r\nX: y', api_endpoint: 'http://127.0.0.1:1' }),
  ],
  [
    'a node without encryption',
    JSON.stringify({ ...ACCESS, api_endpoint: 'http://192.0.2.1/1.5/1' }),
  ],
])('a token server that says %s is a server in trouble', async (_what, text) => {
  onToken = (_asked, answer) => answer.end(text);
  const { ask, printed } = await startGateway();
  const { status } = await ask(RECORDS);
  expect([500, 503]).toContain(status);
  expect(seen).toHaveLength(1);
  expect(printed()).not.toContain('192.0.2.1/');
});

describe('when it is told to end', () => {
  it('finishes what has begun, and takes nothing new', async () => {
    let finish = (): void => undefined;
    onStorage = (_asked, answer) => {
      answer.write('[{"id":"a","modified":1.5,"payload":"p"}');
      finish = () => answer.end(']');
    };
    const { ask, url, child, ended, saw } = await startGateway();
    const response = await Promise.race([ask(RECORDS), eventually(() => seen.length === 2)]);
    child.kill('SIGTERM');
    await saw('"closing"');
    await expect(fetch(`${url}/__lbheartbeat__`)).rejects.toThrow();
    finish();
    const text = await (response instanceof Response ? response : null)?.text();
    if (text !== undefined) expect(JSON.parse(text).data).toHaveLength(1);
    expect(await ended).toBe(0);
  });

  it('waits no longer than it was told to', async () => {
    onStorage = () => undefined;
    const { ask, child, ended } = await startGateway('--grace-seconds', '0');
    const asked = ask(RECORDS).catch(() => 'cut off');
    await eventually(() => seen.length === 2);
    child.kill('SIGTERM');
    expect(await asked).toBe('cut off');
    expect(await ended).toBe(0);
  });
});

test('whoever says it twice does not want to wait', async () => {
  onStorage = () => undefined;
  const { ask, child, ended, saw } = await startGateway();
  const asked = ask(RECORDS).catch(() => 'cut off');
  await eventually(() => seen.length === 2);
  child.kill('SIGINT');
  await saw('"closing"');
  child.kill('SIGTERM');
  expect(await ended).toBe(1);
  expect(await asked).toBe('cut off');
});

test('its help is printed, whatever else is typed, and nothing is started', async () => {
  const command = startCommand(['gateway', '--help', '--port', 'x']);
  expect(await command.ended).toBe(0);
  expect(command.printed()).toMatch(/^Usage: kitsync gateway /);
});

test('a port that somebody has is named, with what the system says of it', async () => {
  const { port } = new URL(origin);
  const command = startCommand(['gateway', '--token-server', origin, '--port', port]);
  expect(await command.ended).toBe(2);
  expect(command.complained()).toBe(`kitsync: cannot listen on port ${port}: EADDRINUSE\n`);
});

test('only what it was told may be written is written, and only that erased', async () => {
  const { ask } = await startGateway('--write', 'prefs', '--erase', 'history');
  const statusOf = async (name: string, method: string, init: RequestInit = {}) =>
    (await ask(`/v1/buckets/${BUCKET}/collections/${name}/records/a`, { method, ...init })).status;
  const put = {
    headers: { 'Content-Type': 'application/json' },
    body: '{"data":{"payload":"p"}}',
  };
  onStorage = (_asked, answer) => json(answer, 200, 1_442_849_065.12);
  expect([await statusOf('prefs', 'PUT', put), await statusOf('history', 'PUT', put)]).toEqual([
    ...[200, 405],
  ]);
  expect([await statusOf('history', 'DELETE'), await statusOf('prefs', 'DELETE')]).toEqual([
    ...[204, 405],
  ]);
});

test('a server that cannot be reached is named in the log by its host alone', async () => {
  const { ask, printed } = await startGateway();
  onToken = (asked) => asked.socket.destroy();
  expect((await ask(RECORDS)).status).toBe(503);
  const { host } = new URL(origin);
  const lines = printed()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toContainEqual(
    expect.objectContaining({ event: 'unreachable', host, cause: expect.stringMatching(/^\w+$/) }),
  );
});

test('a body that is too long is refused before it is read whole', async () => {
  const { url } = await startGateway();
  let sentBytes = 0;
  const status = await new Promise((resolve, reject) => {
    const asked = request(`${url}/v1/batch`, { method: 'POST' }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
      asked.destroy();
    });
    asked.on('error', (error) => (sentBytes > 0 ? undefined : reject(error)));
    const piece = Buffer.alloc(65_536);
    const send = (): void => {
      while (!asked.destroyed && sentBytes < 400_000_000) {
        sentBytes += piece.length;
        if (!asked.write(piece)) return void asked.once('drain', send);
      }
    };
    asked.once('close', () => resolve(413));
    send();
  });
  expect(status).toBe(413);
  expect(sentBytes).toBeLessThan(8_388_608 + 2e7);
});

test.each([
  [[], '--token-server URL is missing'],
  [['--token-server', 'ftp://x'], '--token-server must be an http or https URL'],
  [['--token-server', 'http://192.0.2.1'], 'not encrypted'],
  [['--token-server', 'https://u:p@x'], '--token-server must hold no user name'],
  [['--token-server', 'https://x', '--port', '70000'], '--port must be a whole number from 0'],
  [['--token-server', 'https://x', '--redis', 'redis://:hunter2@x'], '--redis needs'],
  [['--token-server', 'https://x', '--redis', 'http://hunter2'], '--redis must be'],
  [['--token-server', 'https://x', '--secret-file', '/nowhere'], 'cannot read /nowhere'],
  [['--token-server', 'https://x', '--write', 'a/b'], 'a collection cannot be named "a/b"'],
  [['--token-server', 'https://x', '--read-only', '--write', 'a'], '--read-only excludes'],
  [['--token-server', 'https://x', '--cache-seconds', '-1'], '--cache-seconds'],
  [['--token-server', 'https://x', 'more'], 'more'],
])('%j is refused in one line', async (args, why) => {
  const command = startCommand(['gateway', ...args]);
  expect(await command.ended).toBe(2);
  expect(command.complained()).toMatch(/^kitsync: [^\n]+\n$/);
  expect(command.complained()).toContain(why);
  expect(command.complained()).not.toContain('hunter2');
});

async function eventually(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 10));
}
