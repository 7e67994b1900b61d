// Two people's apps are never made one without anybody having said so.

import { expect, it } from 'vitest';
import { owaBench, verified } from '../../../test/support/owa/service.ts';

/** A server that signs everybody in as this one. */
function as(email: string, place: string) {
  return verified({ resource: place, auth: `Opaque ${place}`, email });
}

it('O55: another account at a later login is not merged, until somebody signs out', async () => {
  const it = owaBench();
  const { bench, asked } = it;
  let user = 'one@example.test';
  const documents = new Map<string, string>();
  it.lie = ({ method, url, body }) => {
    if (url.endsWith('/verify')) return as(user, `/of/${user}`);
    if (method === 'POST') documents.set(url, body);
    const text = documents.get(url) ?? '{}';
    return new Response(method === 'POST' ? null : text, { headers: { 'X-Last-Modified': '1' } });
  };
  const device = await bench.synced(0);
  await bench.put(device, 0, { text: 'of the first' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  user = 'two@example.test';
  asked.length = 0;
  const again = await bench.boot(device.storage.fork());
  expect(await again.agent.sync()).toMatchObject({ error: { code: 'accountChanged' } });
  expect(asked.filter(({ url }) => !url.endsWith('/verify'))).toEqual([]);
  expect(await bench.held(again)).toEqual(
    new Map([[bench.service.id(0), { text: 'of the first' }]]),
  );
  // That decides it.
  await again.agent.disable();
  expect(await again.agent.enable()).toMatchObject({ ok: true });
  expect(await bench.held(again)).toEqual(new Map());
  expect([...documents.keys()]).toEqual(['https://document.test/of/one@example.test']);
});

it('O55: in the middle of a pass, too', async () => {
  const it = owaBench();
  const { bench, asked } = it;
  const device = await bench.synced(1);
  it.lie = ({ url }) =>
    url.endsWith('/verify') ? as('two@example.test', '/user/1') : new Response('', { status: 401 });
  asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'accountChanged' } });
  expect(asked).toHaveLength(2);
});

it('a server that does not say who has signed in has one user', async () => {
  const it = owaBench();
  const device = await it.bench.synced(1);
  it.lie = async ({ url }, answer) => {
    if (!url.endsWith('/verify')) return answer;
    const { email: _, ...rest } = Object(await answer.json());
    return Response.json(rest);
  };
  const again = await it.bench.boot(device.storage.fork());
  expect(await again.agent.sync()).toMatchObject({ ok: true });
});
