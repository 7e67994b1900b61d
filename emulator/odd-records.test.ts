// Records as other clients leave them, on the emulated television: things under several ids, and
// logins with odd members. Apps see one of each, edits and deletions arrive, and the comparison has
// nothing to complain about.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Json, secondDevice } from '../test/sim/second-device.ts';
import { testServers } from '../test/support/device.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import type { Edit } from './options.ts';
import { loadProfile } from './profiles.ts';
import { runScenario } from './scenario.ts';
import { syntheticAccount } from './servers/synthetic.ts';

type Records = readonly (Json & { readonly id: string })[];

const TV = loadProfile('panasonic-cx700');
const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../test/fixtures/${name}.json`, import.meta.url), 'utf8'));

let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

describe.each([
  ['syncto', 'browserid'],
  ['sync15', 'bearer'],
] as const)('over %s', (protocol, auth) => {
  async function play(records: Readonly<Record<string, Records>>, edits: readonly Edit[]) {
    const account = syntheticAccount({ records: 0, passwords: 0, seed: 4 });
    const servers = testServers(account);
    const other = secondDevice(servers);
    for (const [name, list] of Object.entries(records)) {
      for (const record of list) {
        servers.nowMs += 1_000;
        other.put(name, record);
      }
    }
    const result = await runScenario({
      ...{ profile: TV, firmware, account, seed: 1, protocol, auth, crypto: 'device' },
      ...{ edits, wantsHoldings: true },
    });
    servers.nowMs = result.setup.nowMs();
    return { ...result, other };
  }

  const { history, passwords }: Record<string, Records> = fixture('one-thing-two-ids');
  const things = { history: history ?? [], passwords: passwords ?? [] };

  test('a thing under several ids is one, and nothing of it goes up by itself', async () => {
    const { problems, holdings, records } = await play(things, []);
    expect(problems).toEqual([]);
    expect(holdings?.history.map(({ guid, visits }) => [guid, visits.length])).toEqual([
      ['pageNewerBBB', 4],
      ['pageAloneDDD', 1],
    ]);
    expect(holdings?.logins.map(({ password }) => password).sort()).toEqual(["bob's", 'newer']);
    expect(records).toMatchObject({ history: { pushed: 0 }, passwords: { pushed: 0 } });
  });

  test('an edit of it goes up once, and a deletion for every id', async () => {
    const [, second] = things.passwords;
    const { problems, other } = await play(things, [
      { collection: 'passwords', op: 'put', record: { id: second?.id ?? '', password: 'edited' } },
      { collection: 'history', op: 'delete', record: { id: 'pageOldestCC' } },
    ]);
    expect(problems).toEqual([]);
    expect([...other.deleted('history')].sort()).toEqual(
      ['pageNewerBBB', 'pageOlderAAA', 'pageOldestCC'].sort(),
    );
    const logins = [...other.live('passwords').values()].map(({ password }) => password);
    expect(logins.sort()).toEqual(["bob's", 'edited', 'older']);
  });

  test('a login with odd members can be given another password, and keeps them', async () => {
    const logins: Records = fixture('odd-logins');
    const edits = logins.map(
      ({ id }): Edit => ({
        collection: 'passwords',
        op: 'put',
        record: { id, password: `new ${id}` },
      }),
    );
    const { problems, other } = await play({ passwords: logins }, edits);
    expect(problems).toEqual([]);
    for (const login of logins) {
      const { timePasswordChanged, ...arrived } = other.get('passwords', login.id);
      const changed: Json = { ...login, password: `new ${login.id}` };
      const { timePasswordChanged: _, ...wanted } = changed;
      expect(JSON.stringify(arrived)).toBe(JSON.stringify(wanted));
      expect(timePasswordChanged).toBeGreaterThan(1_700_000_000_000);
    }
  });
});
