// Records in packs on a real Kinto: four agents write into the same packs at once, and kinto.js
// with the program of docs/kinto-encryption.md stands among them.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { NAME, settled } from './devices.ts';
import { meetInPacksWithKintoJs } from './page-story.ts';
import { alike, BACKENDS, fleetOf, recordsOf, sharedWorld, type World } from './world.ts';

const WRITERS = 4;
const WRITES = 100;

describe.each(BACKENDS)('packs on %s', (backend) => {
  let world: World;
  beforeAll(() => {
    world = sharedWorld(inject('kintos'), backend);
  });
  afterAll(() => world?.stop());

  test('of four agents at once lose nothing, and have every record once', async () => {
    const user = await world.newUser();
    const devices = await fleetOf(user, WRITERS, { packed: true });
    const expected = new Map<string, string>();
    for (let n = 0; n < WRITES; n++) {
      const record = { text: `${n} ${'x'.repeat(150)}` };
      await devices[n % WRITERS]?.agent.put(NAME, { id: `r${n}`, ...record });
      expected.set(`r${n}`, JSON.stringify(record));
    }
    await Promise.all(devices.map(({ agent }) => agent.sync()));
    await settled(devices);
    expect(await alike(devices)).toEqual(
      new Map([...expected].sort(([a], [b]) => (a < b ? -1 : 1))),
    );
    const { json } = await world.asked(user, 'GET', recordsOf(user));
    const ids = Array.isArray(json?.data) ? json.data.map(({ id }) => `${id}`) : [];
    expect(ids.filter((id) => !/^(p-|epoch-)/.test(id))).toEqual([]);
    console.log(
      `${backend}: ${WRITES} records of ${WRITERS} agents lie in ${ids.length - 1} packs`,
    );
    // Each edits and deletes its own, in packs that all of them write.
    for (const [at, { agent }] of devices.entries()) {
      for (let n = at; n < WRITES; n += WRITERS) {
        if (n % 3 === 0) await agent.put(NAME, { id: `r${n}`, text: `edited ${n}` });
        if (n % 10 === 1) await agent.delete(NAME, `r${n}`);
      }
    }
    await Promise.all(devices.map(({ agent }) => agent.sync()));
    await settled(devices);
    const held = await alike(devices);
    expect(held.size).toBe(WRITES - WRITES / 10);
    for (let n = 0; n < WRITES; n += 3) {
      const isDeleted = n % 10 === 1;
      expect(held.get(`r${n}`)).toBe(
        isDeleted ? undefined : JSON.stringify({ text: `edited ${n}` }),
      );
    }
  }, 120_000);

  test('are what kinto.js with the program of the page reads and writes', async () => {
    await meetInPacksWithKintoJs(await world.newUser());
  }, 60_000);
});
