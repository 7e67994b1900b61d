// One signed POST that comes to several processes on the same storage: to three on PostgreSQL, at
// one time and again later, and on SQLite, which has one process at a time, to the next one.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as open } from 'node:http';
import { afterAll, describe, expect, test } from 'vitest';
import { GENESIS } from '../../emulator/servers/picl/changes.ts';
import { Pen, signIn } from '../../emulator/servers/picl/testing.ts';
import { storageClient } from '../../emulator/servers/testing.ts';
import { killCommands } from '../../platform/node/cli/testing.ts';
import { temporaryFolder } from '../support/folders.ts';
import { findPostgres } from '../support/postgres.ts';
import { deviceAt, realClock, startServers } from '../support/served.ts';
import { threeProcesses } from '../support/three-processes.ts';

const { kB } = JSON.parse(
  readFileSync(new URL('../fixtures/corpus-a.json', import.meta.url), 'utf8'),
) as { kB: string };
const bin = findPostgres();

/** A POST as it was signed, which can be sent to any process, as often as one likes. */
interface Signed {
  readonly headers: Record<string, string>;
  readonly path: string;
  readonly body: string;
}

/** A user of a collection at `url`, who also signs what is not sent. */
async function userOf(url: string, name: string) {
  const device = deviceAt(url, kB);
  const urls = { picl: `${url}/picl` };
  const { at, id, key, collections } = await signIn({ fetch, urls, device, clock: realClock });
  const kept: Request[] = [];
  const keep = async (request: Request): Promise<Response> => {
    kept.push(request);
    return new Response(null, { status: 204 });
  };
  const pass = { id, key, api_endpoint: collections[name] ?? '' };
  const sign = storageClient({ fetch: keep }, pass, Date.now);
  const pen = new Pen();
  return {
    pen,
    /** Of the next change. */
    async signed(record: string, hasHash: boolean): Promise<Signed> {
      const first = { 'If-None-Match': '*' };
      const headers = pen.changeid === GENESIS ? first : { 'If-Match': pen.tag };
      const body = JSON.stringify({ changes: [pen.write(record, 'mine')] });
      await sign('POST', 'records', { headers, body, ...(hasHash ? { hashOf: body } : {}) });
      const request = kept.pop() as Request;
      const { host, pathname } = new URL(request.url);
      return { headers: { ...Object.fromEntries(request.headers), host }, path: pathname, body };
    },
    head: async () => {
      const { json } = await at(name)('GET', '');
      return [json.seqnum, json.changeid];
    },
  };
}

/** Of the process at this port. */
async function statusOf(port: number, { headers, path, body }: Signed): Promise<number> {
  const outgoing = open({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  incoming.resume();
  return incoming.statusCode ?? 0;
}

/** What is made of a signature without a hash: the change that would be next. */
function forged(signed: Signed, { seqnum, changeid, tag }: Pen): Signed {
  const { 'if-none-match': _, ...headers } = signed.headers;
  const changes = [new Pen(seqnum, changeid).write('a', 'theirs')];
  return { ...signed, headers: { ...headers, 'if-match': tag }, body: JSON.stringify({ changes }) };
}

describe.skipIf(bin === null)('three processes on PostgreSQL', () => {
  const three = threeProcesses(bin ?? '', ['picl']);

  test('take a POST whose body nobody has signed once between them', async () => {
    const { url, ports, complaints } = three();
    expect([ports.length, complaints]).toEqual([3, ['', '', '']]);
    const user = await userOf(url, 'history');
    const one = await user.signed('a', false);
    const taken = await Promise.all(ports.map((port) => statusOf(port, one)));
    expect(taken.sort()).toEqual([204, 401, 401]);
    for (const port of ports) {
      expect(await statusOf(port, one)).toBe(401);
      expect(await statusOf(port, forged(one, user.pen))).toBe(401);
    }
    expect(await user.head()).toEqual([1, user.pen.changeid]);
  });

  test('append one whose body is signed once: where it comes again, its head is over', async () => {
    const { url, ports } = three();
    const user = await userOf(url, 'bookmarks');
    const one = await user.signed('a', true);
    const taken = await Promise.all(ports.map((port) => statusOf(port, one)));
    expect(taken.sort()).toEqual([204, 412, 412]);
    for (const port of ports) {
      expect(await statusOf(port, one)).toBe(401);
      expect(await statusOf(port, forged(one, user.pen))).toBe(401);
    }
    expect(await user.head()).toEqual([1, user.pen.changeid]);
  });
});

describe('the next process on SQLite', () => {
  afterAll(killCommands);

  test('takes no POST again that the one before it took', async () => {
    const args = ['picl', '--test-accounts', '--database', temporaryFolder(), '--port'];
    const before = await startServers(...args, '0');
    const user = await userOf(before.url, 'history');
    const posts = [await user.signed('a', false), await user.signed('b', true)];
    for (const one of posts) expect(await statusOf(before.port, one)).toBe(204);
    before.child.kill('SIGKILL');
    await before.ended;
    const after = await startServers(...args, `${before.port}`);
    expect([after.port, after.complained()]).toEqual([before.port, '']);
    const again = [];
    for (const one of posts) again.push(await statusOf(after.port, one));
    expect(again).toEqual([401, 412]);
    for (const one of posts) expect(await statusOf(after.port, forged(one, user.pen))).toBe(401);
    expect(await user.head()).toEqual([2, user.pen.changeid]);
  });
});
