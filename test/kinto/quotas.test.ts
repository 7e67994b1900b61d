// A Kinto that has no more room for a user. The last one that came with quotas is of version 19: it
// stands in the environment of the others.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { packagesIn, type RealKinto, startKinto } from '../support/kinto.ts';
import { type Device, deviceOf, heldBy, NAME } from './devices.ts';
import { alike, fleetOf, passOf } from './world.ts';

/** Records of a collection, the epoch among them. */
const ITEMS_MAX = 11;
const postgres = inject('postgres');

describe.runIf(postgres !== null)('a Kinto with quotas', () => {
  let server: RealKinto;
  beforeAll(async () => {
    server = await startKinto({
      database: postgres?.databases.quotas ?? null,
      instead: packagesIn('requirements-quotas.txt'),
      settings: [
        'kinto.includes = kinto.plugins.accounts kinto.plugins.quotas',
        `kinto.quotas.collection_max_items = ${ITEMS_MAX}`,
      ],
    });
  }, 120_000);
  afterAll(() => server?.stop());

  const put = async ({ agent }: Device, from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) await agent.put(NAME, { id: `r${n}`, text: `${n}` });
  };

  test('is told to have no room, loses nothing, and gets what waits when it has', async () => {
    const user = { url: server.url, ...(await server.newUser('bob')) };
    const [one, two] = await fleetOf(user, 2);
    await put(one, 0, 8);
    await passOf(one, two);
    await put(one, 8, 13);
    await one.agent.put(NAME, { id: 'r0', text: 'changed' });
    one.platform.time.set(Date.now());
    expect(await one.agent.sync()).toMatchObject({ ok: false, error: { code: 'overQuota' } });
    expect(one.agent.status().notBeforeMs).toBeGreaterThan(one.platform.time.nowMs());
    expect((await heldBy(one)).size).toBe(13);
    const booted = await deviceOf(user, { storage: one.storage.fork() });
    expect(booted.agent.status()).toMatchObject({ error: { code: 'overQuota' } });
    expect(Number(booted.agent.status().collections[NAME]?.pending)).toBeGreaterThan(0);

    // A deletion of what is there takes no less room: these were never there.
    for (const n of [10, 11, 12]) await booted.agent.delete(NAME, `r${n}`);
    await put(booted, 2, 4);
    for (const hours of [1, 30, 60]) {
      booted.platform.time.set(Date.now() + hours * 3_600_000);
      await booted.agent.sync();
    }
    expect(booted.agent.status()).toMatchObject({
      error: null,
      collections: { [NAME]: { pending: 0 } },
    });
    await passOf(two);
    const held = await alike([booted, two]);
    expect([held.size, held.get('r0')]).toEqual([10, '{"text":"changed"}']);
  });
});
