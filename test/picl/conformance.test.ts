// Our server holds to every rule; one with a fault breaks that rule and says so by its number.

import { client as hawk } from 'hawk';
import { describe, expect, test } from 'vitest';
import type { PiclOptions } from '../../emulator/servers/picl/picl.ts';
import { startWorld } from '../../emulator/servers/testing.ts';
import type { Server } from '../conformance/picl/asking.ts';
import { FAULTS, type Fault, none, type Passing } from '../conformance/picl/faults.ts';
import { hold, RULES } from '../conformance/picl/hold.ts';

type Fetch = Server['fetch'];

function serverWith(fault: Fault, options: Partial<PiclOptions> = {}): Server {
  const world = startWorld({ picl: { collections: ['history', 'other'], ...options } });
  const { clock, device, urls } = world;
  let pass: { id: string; key: string } | null = null;
  const again =
    (request: Request, text: string): Passing['again'] =>
    ({ headers = {}, body = text, url = request.url }) => {
      const all = new Headers(request.headers);
      for (const [name, value] of Object.entries(headers)) {
        if (value === null) all.delete(name);
        else all.set(name, value);
      }
      const credentials = { id: '', key: '', ...pass, algorithm: 'sha256' } as const;
      const timestamp = Math.floor(clock.nowMs / 1_000);
      const { header } = hawk.header(url, request.method, { credentials, timestamp });
      all.set('Authorization', header);
      const { method } = request;
      return world.fetch(new Request(url, { method, headers: all, ...(body && { body }) }));
    };
  const fetch: Fetch = async (request) => {
    const text = await request.clone().text();
    const path = new URL(request.url).pathname.split('/').slice(2).join('/');
    const answer = async () => {
      const response = await world.fetch(request);
      if (request.url === urls.picl && response.status === 200)
        pass ??= (await response.clone().json()) as typeof pass;
      return response;
    };
    return fault({ request, path, answer, again: again(request, text) });
  };
  const assertion = () => device.assertion(urls.picl, false);
  return { url: urls.picl, proof: { assertion }, fetch, nowMs: () => clock.nowMs };
}

async function brokenBy(fault: Fault, options?: Partial<PiclOptions>): Promise<string[]> {
  const results = await hold(serverWith(fault, options), 'history');
  return results.filter(({ why }) => why !== null).map(({ id, why }) => `${id} ${why}`);
}

test('our server holds to every rule', async () => {
  expect(await brokenBy(none)).toEqual([]);
  expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
});

test('so it does with other settings', async () => {
  expect(await brokenBy(none, { quotedEtags: true, recordsKey: 'items' })).toEqual([]);
});

describe('a server that', () => {
  const seen = new Set<string>();

  test.each(FAULTS)('%s', async (_, ids, fault, options) => {
    const broken = await brokenBy(fault, options);
    const found = broken.map((line) => line.split(' ')[0] ?? '');
    for (const id of found) seen.add(id);
    expect(found).toEqual(expect.arrayContaining([...ids]));
  });

  test('each rule is broken by one of them', () => {
    expect(RULES.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual([]);
  });
});
