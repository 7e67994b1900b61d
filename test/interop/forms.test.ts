// What people typed into forms, and their postal addresses: Firefox and the device show each
// other's, and what both changed while apart ends the same on both.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Computer } from './computer.ts';
import type { Firefox } from './firefox.ts';
import { BOTH, type Household, startHousehold } from './household.ts';

const ENTRIES = [
  { name: 'q', value: 'Größe 日本' },
  { name: 'q', value: 'two words' },
  { name: 'e-mail', value: 'me@example.com' },
];

const ADDRESS = {
  name: 'Zoë M. Größe',
  organization: '株式会社',
  'street-address': 'Hauptstraße 1\nHinterhaus',
  'address-level2': 'Berlin',
  'postal-code': '10115',
  country: 'DE',
  tel: '+493012345678',
  email: 'zoe@example.com',
};

let home: Household;
let firefox: Firefox;
let computer: Computer;
beforeAll(async () => {
  home = await startHousehold(async ({ call }) => {
    await call('forms', 'addEntries', ENTRIES);
    await call('forms', 'addAddress', ADDRESS);
  });
  ({ firefox, computer } = home);
  await computer.sync();
});
afterAll(() => home?.close());

const inside = (name: string, ...args: unknown[]) => firefox.call('forms', name, ...args);

async function listed<T>(collection: string): Promise<T[]> {
  const { records, next } = await computer.agent.list(collection, { limit: 50 });
  expect(next).toBeNull();
  return records as T[];
}

describe('form entries', () => {
  interface Entry {
    readonly guid: string;
    readonly name: string;
    readonly value: string;
  }
  const textOf = ({ name, value }: Entry) => `${name}: ${value}`;

  /** What both hold, after a look that it is the same. */
  async function agreed(): Promise<string[]> {
    const entries = ((await inside('listEntries')) as Entry[]).map(textOf).sort();
    expect((await listed<Entry>('forms')).map(textOf).sort()).toEqual(entries);
    return entries;
  }

  test('of Firefox are on the device', async () => {
    expect(await agreed()).toEqual(['e-mail: me@example.com', 'q: Größe 日本', 'q: two words']);
  });

  // Those that Firefox itself has added: it gives others an id that nobody else knows.
  test('that one adds or deletes are added or deleted on the other', async () => {
    const [entry] = (await listed<Entry>('forms')).filter(({ name }) => name === 'e-mail');
    await computer.agent.put('forms', { name: 'q', value: 'vom Fernseher 📺' });
    await computer.agent.delete('forms', entry?.guid ?? '');
    await inside('addEntries', [{ name: 'q', value: 'from Firefox' }]);
    await inside('removeEntries', [{ name: 'q', value: 'two words' }]);
    await home.syncTwice('the device');
    expect(await agreed()).toEqual(['q: Größe 日本', 'q: from Firefox', 'q: vom Fernseher 📺']);
  });

  test.each(BOTH)('that both added are there once when %s syncs first', async (first) => {
    const entry = { name: 'both', value: first };
    await computer.agent.put('forms', entry);
    await inside('addEntries', [entry]);
    await home.syncTwice(first);
    const entries = await agreed();
    expect(entries.filter((text) => text === `both: ${first}`)).toHaveLength(1);
  });
});

describe('addresses', () => {
  interface Address {
    readonly guid: string;
    readonly [member: string]: unknown;
  }

  /** What both hold, after a look that it is the same: the fields that a user fills in. */
  async function agreed(): Promise<Address[]> {
    const shown = ((await inside('listAddresses')) as Address[]).map(filledIn);
    const held = (await listed<Address>('addresses')).map(filledIn);
    expect(byGuid(held)).toEqual(byGuid(shown));
    return shown;
  }

  function filledIn(address: Address): Address {
    const fields = Object.entries(address).filter(([name]) => name in ADDRESS);
    return { ...Object.fromEntries(fields), guid: address.guid };
  }

  /** The one that Firefox began with. */
  async function first(): Promise<Address> {
    const [address] = await agreed();
    if (address === undefined) throw new Error('no address is left');
    return address;
  }

  test('of Firefox are on the device, to the last member', async () => {
    expect(await listed('addresses')).toEqual(await inside('listAddresses'));
    expect(await first()).toMatchObject(ADDRESS);
  });

  test('have the name whose parts the device changed', async () => {
    const { guid } = await first();
    await computer.agent.put('addresses', { id: guid, 'given-name': 'Ann' });
    await home.syncTwice('the device');
    expect(await inside('listAddresses')).toMatchObject([{ name: 'Ann M. Größe' }]);
    await inside('changeAddress', guid, { tel: '+33123456789' });
    await home.syncTwice('Firefox');
    expect(await first()).toMatchObject({ name: 'Ann M. Größe', tel: '+33123456789' });
  });

  test('that one adds, changes or deletes are so on the other', async () => {
    const { guid } = await first();
    const made = await computer.agent.put('addresses', { ...ADDRESS, name: '山田 太郎' });
    const doomed = await inside('addAddress', { ...ADDRESS, organization: 'Firefox' });
    await home.syncTwice('the device');
    expect(await agreed()).toHaveLength(3);

    await inside('changeAddress', made, { name: 'Changed in Firefox', organization: '' });
    await computer.agent.put('addresses', { id: guid, name: 'Changed by The Device', email: '' });
    await computer.agent.delete('addresses', `${doomed}`);
    await home.syncTwice('Firefox');
    const names = (await agreed()).map(({ name }) => name);
    expect(names.sort()).toEqual(['Changed by The Device', 'Changed in Firefox']);
    expect(await first()).not.toHaveProperty('email');

    await inside('removeAddress', made);
    await home.syncTwice('Firefox');
    expect(await agreed()).toHaveLength(1);
  });

  describe.each(BOTH)('when %s syncs first', (earlier) => {
    test('edits of both to different fields unite', async () => {
      const { guid } = await first();
      const [tel, organization] = ['+4930987654', `of ${earlier}`];
      await computer.agent.put('addresses', { id: guid, organization });
      await inside('changeAddress', guid, { tel });
      await home.syncTwice(earlier);
      expect(await agreed()).toEqual([expect.objectContaining({ guid, tel, organization })]);
    });

    test('edits of both to one field become two addresses', async () => {
      const { guid } = await first();
      await computer.agent.put('addresses', { id: guid, organization: 'by the device' });
      await inside('changeAddress', guid, { organization: 'by Firefox' });
      await home.syncTwice(earlier);
      const both = await agreed();
      expect(both.map(({ organization }) => organization).sort()).toEqual([
        'by Firefox',
        'by the device',
      ]);
      const [other] = both.filter((address) => address.guid !== guid);
      await computer.agent.delete('addresses', `${other?.guid}`);
      await home.syncTwice(earlier);
    });

    test('one that both made is there once', async () => {
      const address = { ...ADDRESS, organization: `made by both, ${earlier} first` };
      await computer.agent.put('addresses', address);
      await inside('addAddress', address);
      await home.syncTwice(earlier);
      const same = (await agreed()).filter(
        ({ organization }) => organization === address.organization,
      );
      expect(same).toHaveLength(1);
      await computer.agent.delete('addresses', `${same[0]?.guid}`);
      await home.syncTwice(earlier);
    });

    test('one that one deleted and the other changed stays', async () => {
      const made = await computer.agent.put('addresses', { ...ADDRESS, name: 'Deleted There' });
      const other = await computer.agent.put('addresses', { ...ADDRESS, name: 'Deleted Here' });
      await home.syncTwice('the device');
      await inside('removeAddress', made);
      await computer.agent.put('addresses', { id: made, name: 'Changed Here' });
      await computer.agent.delete('addresses', other);
      await inside('changeAddress', other, { name: 'Changed There' });
      await home.syncTwice(earlier);
      const names = (await agreed()).map(({ name }) => name);
      expect(names).toContain('Changed Here');
      expect(names).toContain('Changed There');
      for (const id of [made, other]) await computer.agent.delete('addresses', id);
      await home.syncTwice('the device');
      expect(await agreed()).toHaveLength(1);
    });
  });
});

test('nobody writes when nothing has changed', async () => {
  expect(await home.restlessIn(['forms', 'addresses', 'clients', 'meta', 'crypto'])).toEqual([]);
});

function byGuid<T extends { readonly guid: string }>(records: readonly T[]): T[] {
  return [...records].sort((a, b) => (a.guid < b.guid ? -1 : 1));
}
