// A server as the description has it: a posted document takes the place of the one before, and
// nobody looks whether somebody was faster.

import { expect, test } from 'vitest';
import { type AppsDevice, AppsUser, type Serving } from '../../../test/support/installed-apps.ts';
import { startOwa } from '../../../test/support/owa-server.ts';
import { owa } from '../../index.ts';

const idOf = (n: number): string => `https://app${n}.test`;
const app = (n: number, version = 1) => ({ manifest: { name: `app ${n}`, version } });

/** A user with two devices; `between` is done once, before the next document arrives. */
async function begin() {
  const { world, verifyUrl, audience, other } = startOwa({ replaces: true });
  let between: (() => Promise<void>) | null = null;
  const fetch = async (request: Request): Promise<Response> => {
    const headers = new Headers(request.headers);
    headers.delete('X-If-Unmodified-Since');
    const body = request.method === 'GET' ? null : await request.text();
    if (request.url !== verifyUrl && body !== null && between !== null) {
      const faster = between;
      between = null;
      await faster();
    }
    const { method, url, signal } = request;
    const answer = await world.fetch(new Request(url, { method, headers, body, signal }));
    answer.headers.delete('X-Precondition');
    return answer;
  };
  const remote = { protocol: 'owa', serverUrl: verifyUrl, audience, auth: 'bearer' as const };
  const user = new AppsUser<Serving>({
    ...{ clock: world.clock, identity: world.device, collection: 'apps' },
    config: { remote },
    contents: { drivers: [owa], collections: [] },
    fetch,
  });
  const one = await user.device();
  const two = await user.device();
  for (const n of [1, 2]) await user.put(one, idOf(n), app(n));
  await user.sync(one, two);
  const document = async () => (await other()).document();
  return { user, one, two, document, before: (work: () => Promise<void>) => (between = work) };
}

type Faster = (user: AppsUser<Serving>, device: AppsDevice) => Promise<unknown>;

test.each<[string, Faster, object]>([
  ['change', (user, one) => user.put(one, idOf(1), app(1, 2)), { [idOf(1)]: app(1, 2) }],
  ['new app', (user, one) => user.put(one, idOf(4), app(4)), { [idOf(4)]: app(4) }],
  ['deletion', (user, one) => user.delete(one, idOf(1)), { [idOf(1)]: { deleted: true } }],
])('a %s of another device that was faster is put there again', async (_, change, changed) => {
  const { user, one, two, document, before } = await begin();
  user.pass(60_000);
  await user.put(two, idOf(3), app(3));
  before(async () => {
    await change(user, one);
    await user.sync(one);
    expect(await document()).toMatchObject(changed);
  });
  await user.sync(two);
  // What it had read before is what is there now.
  expect(await document()).not.toMatchObject(changed);
  await user.sync(one, two, one);
  const ends = { [idOf(2)]: app(2), [idOf(3)]: app(3), ...changed };
  expect(await document()).toMatchObject(ends);
  for (const [id, entry] of Object.entries(changed)) {
    const isDeleted = 'deleted' in entry;
    for (const device of [one, two]) {
      expect(await user.get(device, id)).toEqual(isDeleted ? null : expect.objectContaining(entry));
    }
  }
});
