// Three processes of `kitsync serve owa` on one PostgreSQL database, behind one address: clients
// post to one document at once, and one process is killed in the middle of its work. What was
// acknowledged is in the document; times only grow; one login is good at each.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type OwaUser, signIn } from '../../emulator/servers/owa/testing.ts';
import { findPostgres } from '../support/postgres.ts';
import { deviceAt, realClock } from '../support/served.ts';
import { threeProcesses } from '../support/three-processes.ts';

const { kB } = JSON.parse(
  readFileSync(new URL('../fixtures/corpus-a.json', import.meta.url), 'utf8'),
) as { kB: string };

const bin = findPostgres();
const WRITERS = 6;
const POSTS = 40;
/** Of all posts, after which a process is killed. */
const KILL_AFTER = 90;
const SHARED = 'https://shared.example';

interface Wrote {
  /** By name, the last stamp that was acknowledged. */
  readonly stamps: ReadonlyMap<string, number>;
  /** What answers said of posts that were sent once. */
  readonly times: readonly number[];
}

describe.skipIf(bin === null)('three processes', () => {
  const three = threeProcesses(bin ?? '', ['owa']);

  test('merge into one document, one is killed, and no entry is lost', async () => {
    const servers = three();
    expect(servers.complaints).toEqual(['', '', '']);
    let posts = 0;
    const afterPost = (): void => {
      if (++posts === KILL_AFTER) servers.killOne();
    };
    const user = await userAt(servers.url);
    const written = await Promise.all(
      Array.from({ length: WRITERS }, (_, writer) => write(user, writer, afterPost)),
    );
    expect(posts).toBe(WRITERS * POSTS);
    const document = (await user.document()) as Record<string, { last_modified: number }>;
    for (const { stamps } of written)
      for (const [name, stamp] of stamps)
        expect([name, (document[name]?.last_modified ?? 0) >= stamp]).toEqual([name, true]);
    expect(document[SHARED]?.last_modified).toBe(WRITERS * POSTS);
    const times = written.flatMap((one) => one.times);
    expect(new Set(times).size).toBe(times.length);
    for (const one of written) expect(one.times).toEqual([...one.times].sort((a, b) => a - b));
    expect((await userAt(servers.url)).resource).toBe(user.resource);
  });
});

function userAt(url: string): Promise<OwaUser> {
  const send = (request: Request) => fetch(request);
  return signIn({
    fetch: send,
    urls: { owa: `${url}/owa` },
    device: deviceAt(url, kB),
    clock: realClock,
  });
}

/** Each post changes something whatever the others do, and is sent until it is answered. */
async function write(user: OwaUser, writer: number, afterPost: () => void): Promise<Wrote> {
  const stamps = new Map<string, number>();
  const times: number[] = [];
  for (let n = 1; n <= POSTS; n++) {
    const name = `https://w${writer}-${n % 7}.example`;
    const shared = (n - 1) * WRITERS + writer + 1;
    const app = (last_modified: number) => ({ last_modified, manifest_url: 'https://m.example' });
    const document = { [name]: app(n), [SHARED]: app(shared) };
    const post = () => user.ask('POST', document).catch(() => null);
    let answer = await post();
    const isFirst = answer?.status === 204;
    // A process that is killed answers nobody, and its place may be tried again.
    for (let tries = 0; answer?.status !== 204 && tries < 20; tries++) answer = await post();
    expect(answer?.status).toBe(204);
    stamps.set(name, n);
    // What is sent again may have changed something before, and nothing now.
    if (isFirst) times.push(Number(answer?.headers.get('x-last-modified')));
    afterPost();
  }
  return { stamps, times };
}
