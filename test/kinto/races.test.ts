// Four agents that replace one version at the same moment, on two processes of a real Kinto: it
// judges a version before it locks it, and tells more than one of them that theirs is stored. They
// pass one after the other, so what one of them was told is stored is in what all hold at the end.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Device, type DeviceOptions, heldBy, NAME, settled } from './devices.ts';
import { BACKENDS, fleetOf, passOf, sharedWorld, type World } from './world.ts';

const WRITERS = 4;
/** Races of each kind: 100 with `KITSYNC_KINTO=whole`. */
const ROUNDS = process.env.KITSYNC_KINTO === 'whole' ? 100 : 3;
const RACE_MS_MAX = 10_000;
const isThere = BACKENDS.includes('PostgreSQL');

const FORMS: readonly (readonly [string, Partial<DeviceOptions>])[] = [
  ['sealed one by one', {}],
  ['in packs', { packed: true }],
  ['that the server reads', { place: 'default' }],
];

describe.runIf(isThere)('four agents at once', () => {
  let world: World;
  beforeAll(() => {
    world = sharedWorld(inject('kintos'), 'PostgreSQL');
  });
  afterAll(() => world?.stop());

  test.each(FORMS)(
    'on records %s keep every change, of one record and of many',
    async (_, form) => {
      const race = raceOf();
      const options = { ...form, byMember: true, send: race.send };
      const devices = await fleetOf(await world.newUser(), WRITERS, options);
      const expected = new Map<string, Record<string, string>>();
      const put = async (agent: Device['agent'], id: string, members: Record<string, string>) => {
        expected.set(id, { ...expected.get(id), ...members });
        await agent.put(NAME, { id, ...members });
      };
      await put(devices[0].agent, 'shared', { since: 'the beginning' });
      await passOf(...devices);
      // Who has met a conflict in a round may have nothing to send at once.
      const isEnough = (round: number) => round >= ROUNDS && race.full() > ROUNDS / 2;
      for (let round = 0; !isEnough(round) && round < 10 * ROUNDS; round++) {
        for (const [n, { agent }] of devices.entries()) {
          await put(agent, 'shared', { [`of${n}in${round}`]: 'new', [`of${n}`]: `${round}` });
          await put(agent, `own${n}`, { text: `${round}` });
          await put(agent, `own${n}in${round}`, { text: 'new' });
        }
        race.begin();
        await Promise.all(devices.map(({ agent }) => agent.sync()));
      }
      expect(race.full()).toBeGreaterThan(ROUNDS / 2);
      await settled(devices);
      for (const device of devices) {
        // Of a plain record the server has the members in an order of its own.
        const held = [...(await heldBy(device))];
        expect(new Map(held.map(([id, json]) => [id, JSON.parse(json)]))).toEqual(expected);
      }
    },
    480_000,
  );
});

/** The first write of each waits for those of the others, up to a time: they arrive together. */
function raceOf() {
  let waiting: (() => void)[] | null = null;
  let full = 0;
  const go = (): void => {
    const all = waiting ?? [];
    waiting = null;
    for (const resume of all) resume();
  };
  return {
    begin(): void {
      waiting = [];
    },
    /** Races that all of them have run. */
    full: () => full,
    async send(request: Request): Promise<Response> {
      const isWrite = waiting !== null && (await request.clone().text()).includes('If-Match');
      const { length } = waiting ?? [];
      if (isWrite && length === WRITERS - 1) {
        full++;
        go();
      } else if (isWrite && waiting !== null) {
        if (length === 0) setTimeout(go, RACE_MS_MAX);
        await new Promise<void>((resolve) => void waiting?.push(resolve));
      }
      return fetch(request);
    },
  };
}
