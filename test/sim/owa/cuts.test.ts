// Devices with apps before a real server of Open Web Apps, whose connection and whose power are cut
// anywhere: in the end the server and all devices have the same apps, and no change is lost.

import { describe, expect, it } from 'vitest';
import { owa } from '../../../agent/index.ts';
import type { Handler } from '../../../emulator/servers/http.ts';
import type { OwaUser } from '../../../emulator/servers/owa/testing.ts';
import { type AppsDevice, AppsUser, type Serving } from '../../support/installed-apps.ts';
import { startOwa } from '../../support/owa-server.ts';
import { every } from '../share.ts';

const MINUTE_MS = 60_000;
const PASSES_MAX = 6;
const CASES_MAX = 400;

interface Scene {
  readonly user: AppsUser<Serving>;
  readonly device: AppsDevice;
  /** Another client of the user. */
  other(): Promise<OwaUser>;
  /** In the place of the server's handler, for requests of the device. */
  harm: (request: Request, serve: Handler) => Promise<Response>;
  requests: number;
}

const idOf = (n: number): string => `https://app${n}.test`;
const app = (name: string) => ({ manifest: { name }, manifest_url: `https://x.test/${name}` });
const entry = (name: string, nowMs: number) => ({ last_modified: nowMs / 1_000, ...app(name) });

/** Both sides have installed, changed and deleted apps; no pass has seen it. */
async function scene(replaces: boolean): Promise<Scene> {
  const { world, verifyUrl, audience, other } = startOwa({ replaces });
  const { clock, device: identity } = world;
  const made: Omit<Scene, 'user' | 'device' | 'other'> = {
    harm: (request, serve) => serve(request),
    requests: 0,
  };
  const remote = { protocol: 'owa', serverUrl: verifyUrl, audience, auth: 'browserid' as const };
  const user = new AppsUser<Serving>({
    ...{ clock, identity, collection: 'apps', config: { remote } },
    contents: { drivers: [owa], collections: [] },
    async fetch(request) {
      if (!request.url.startsWith(new URL(verifyUrl).origin)) return world.fetch(request);
      made.requests++;
      return holder.harm(request, world.fetch);
    },
  });
  const client = await other();
  const holder: Scene = Object.assign(made, { user, other, device: null as never });
  const at = () => clock.nowMs;
  const first = Object.fromEntries([0, 1, 2, 3, 4].map((n) => [idOf(n), entry(`old ${n}`, at())]));
  await client.post(first);
  Object.assign(holder, { device: await user.device() });
  user.pass(MINUTE_MS);
  await client.post({
    ...(await client.document()),
    [idOf(2)]: entry('theirs 2', at()),
    [idOf(3)]: { last_modified: at() / 1_000, deleted: true },
    [idOf(6)]: entry('theirs 6', at()),
  });
  user.pass(MINUTE_MS);
  await user.put(holder.device, idOf(0), app('ours 0'));
  await user.delete(holder.device, idOf(1));
  await user.put(holder.device, idOf(5), app('ours 5'));
  user.pass(MINUTE_MS);
  made.requests = 0;
  return holder;
}

const END = ['https://app0.test ours 0', 'https://app2.test theirs 2', 'https://app4.test old 4'];
const TOLD = [...END, 'https://app5.test ours 5', 'https://app6.test theirs 6'];

async function toldToTheEnd(on: Scene, device: AppsDevice, where: string): Promise<void> {
  const { user, other } = on;
  on.harm = (request, serve) => serve(request);
  if (!user.devices.includes(device)) user.devices.push(device);
  let isOk = false;
  for (let n = 0; n < PASSES_MAX && !isOk; n++) {
    user.pass(24 * 60 * MINUTE_MS);
    isOk = (await device.agent.sync()).ok;
  }
  expect(isOk, where).toBe(true);
  const nameOf = (value: unknown): string => Object(Object(value).manifest).name;
  const live = Object.entries(await (await other()).document()).flatMap(([id, value]) =>
    Object(value).deleted === true ? [] : [`${id} ${nameOf(value)}`],
  );
  expect(live.sort(), where).toEqual(TOLD);
  const held = (await user.list(device)).map((body) => `${body.guid} ${nameOf(body)}`);
  expect(held.sort(), where).toEqual(TOLD);
  const { pending, quarantined } = device.agent.status().collections.apps ?? {};
  expect([pending, quarantined], where).toEqual([0, 0]);
}

/** An answer whose connection breaks behind so many bytes; null: it is not that long. */
async function cutAnswer(answer: Response, bytes: number): Promise<Response | null> {
  const whole = new Uint8Array(await answer.arrayBuffer());
  if (bytes >= whole.length) return null;
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(whole.slice(0, bytes)),
    pull: (controller) => controller.error(new TypeError('terminated')),
  });
  const { status, headers } = answer;
  return new Response(body, { status, headers });
}

describe.each([false, true])('a server that replaces what it has: %s', (replaces) => {
  it('mends itself after any answer that breaks off', { timeout: 600_000 }, async () => {
    let cuts = 0;
    for (let bytes = 0; bytes < 1_200; bytes += 7 * every(24, 3)) {
      const on = await scene(replaces);
      let isCut = false;
      on.harm = async (request, serve) => {
        const answer = await serve(request);
        const copy = answer.clone();
        const broken = isCut || answer.status !== 200 ? null : await cutAnswer(copy, bytes);
        isCut ||= broken !== null;
        return broken ?? answer;
      };
      await on.device.agent.sync();
      if (isCut) cuts++;
      await toldToTheEnd(on, on.device, `cut behind ${bytes} bytes`);
    }
    expect(cuts).toBeGreaterThan(2);
  });

  it('mends itself after any document that breaks off on its way up', async () => {
    for (let bytes = 0; bytes < 1_200; bytes += 7 * every(24, 3)) {
      const on = await scene(replaces);
      let isCut = false;
      on.harm = async (request, serve) => {
        if (request.method !== 'POST' || isCut) return serve(request);
        isCut = true;
        const { url, headers, method } = request;
        const body = (await request.text()).slice(0, bytes);
        const answer = await serve(new Request(url, { method, headers, body }));
        expect(answer.status).toBe(400);
        throw new TypeError('fetch failed');
      };
      await on.device.agent.sync();
      expect(isCut).toBe(true);
      await toldToTheEnd(on, on.device, `cut behind ${bytes} bytes`);
    }
  });

  it('mends itself after any lost answer', async () => {
    let at = 1;
    for (; at < CASES_MAX; at++) {
      const on = await scene(replaces);
      on.harm = async (request, serve) => {
        const number = on.requests;
        const answer = await serve(request);
        if (number !== at) return answer;
        await answer.body?.cancel();
        throw new TypeError('fetch failed');
      };
      await on.device.agent.sync();
      if (on.requests < at) break;
      await toldToTheEnd(on, on.device, `answer ${at} was lost`);
    }
    expect(at).toBeGreaterThan(3);
  });

  it('gets again what it has only said that it has stored', async () => {
    const on = await scene(replaces);
    on.harm = async (request, serve) =>
      request.method === 'POST' && !request.url.endsWith('/verify')
        ? new Response(null, { status: 204 })
        : serve(request);
    expect(await on.device.agent.sync()).toMatchObject({ ok: true });
    await toldToTheEnd(on, on.device, 'nothing was stored');
  });

  it.each(['before', 'after'] as const)('goes on after a cut %s any commit', async (when) => {
    let atCommit = 1;
    for (; atCommit < CASES_MAX; atCommit++) {
      const on = await scene(replaces);
      const storage = on.device.storage.fork({ atCommit, when });
      const doomed = on.user.boot(0, storage);
      await doomed.agent.start();
      await doomed.agent.sync().catch(() => null);
      if (storage.commits < atCommit) break;
      const again = on.user.boot(0, storage.fork());
      await again.agent.start();
      await toldToTheEnd(on, again, `cut ${when} commit ${atCommit}`);
    }
    expect(atCommit).toBeGreaterThan(2);
  });
});
