// Phones of one user with nothing but a name, a password and a code on paper: what each outcome is,
// seen from an empty device.

import { expect, test } from 'vitest';
import { createRandom } from '../../emulator/device/random.ts';
import { createKinto } from '../../emulator/servers/kinto/kinto.ts';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { NOW_MS } from '../../test/support/device.ts';
import { createAgent, generic, kinto, kintoSignIn } from '../index.ts';

const URL_BASE = 'https://kinto.test';
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

/** A server of two users, and the phones of one of them. */
function world() {
  const passwords = new Map([
    [basic('bob:secret'), 'account:bob'],
    [basic('eve:secret'), 'account:eve'],
  ]);
  const server = createKinto({
    url: URL_BASE,
    nowMs: () => NOW_MS,
    userOf: (given) => passwords.get(given) ?? null,
  });
  let phones = 0;
  const phone = async (storage = new MemoryStorage()) => {
    const random = createRandom(++phones);
    const platform = memoryPlatform({
      storage,
      fetch: (request) => server.fetch(request),
      identity: {
        account: () => Promise.reject(new Error('nobody')),
        assertion: () => Promise.reject(new Error('nobody')),
        accessToken: () => Promise.reject(new Error('nobody')),
        syncKey: () => Promise.reject(new Error('nobody')),
      },
      nowMs: NOW_MS,
      random: (count) => random.bytes(count),
      crypto: nodeDeviceCrypto(),
    });
    const agent = createAgent(
      platform,
      {
        remote: { protocol: 'kinto', serverUrl: URL_BASE, audience: '', auth: 'basic' },
        signIn: { accountsUrl: URL_BASE, clientId: '', redirectUrl: '' },
        profile: 'phone',
        collections: { contacts: { enabled: true, readOnly: false } },
        intervalMs: 3_600_000,
        wifiOnly: false,
        historyRecordsMax: 1_000,
        recordCharsMax: 400_000,
      },
      { drivers: [kinto], collections: [generic('contacts')], signIn: kintoSignIn },
    );
    await agent.start();
    const signIn = async (code = '', password = 'secret', email = 'bob') => {
      const given = { call: 'password', email, password, code };
      const answer = await agent.signIn().call({ ...given, state: '', url: '', json: '' });
      return answer as { readonly code?: string };
    };
    const names = async () => {
      const { records } = await agent.list('contacts', { limit: 100 });
      return records.map(({ name }) => name).sort();
    };
    return { agent, storage, signIn, names, platform };
  };
  return { server, phone };
}

type World = ReturnType<typeof world>;
type Phone = Awaited<ReturnType<World['phone']>>;

/** A phone that has begun, with a contact on the server; and its code. */
async function begun({ phone }: World): Promise<Phone & { readonly code: string }> {
  const first = await phone();
  const { code = '' } = await first.signIn();
  expect(await first.agent.enable()).toMatchObject({ ok: true });
  await first.agent.put('contacts', { name: 'Ada' });
  expect(await first.agent.sync()).toMatchObject({ ok: true });
  return { ...first, code };
}

test('a lost phone’s data comes back with the name, the password and the code', async () => {
  const all = world();
  const { code } = await begun(all);
  expect(code.split('-')).toHaveLength(9);
  const second = await all.phone();
  expect(await second.signIn(code.toUpperCase().replaceAll('-', ' '))).toEqual({});
  expect(await second.agent.enable()).toMatchObject({ ok: true });
  expect(await second.names()).toEqual(['Ada']);
});

test('the code is shown once: it is not in the storage, in no status and in no event', async () => {
  const all = world();
  const { code, storage, platform, agent } = await begun(all);
  const texts = storage
    .snapshot()
    .map(([, value]) =>
      typeof value === 'string' ? value : Buffer.from(value).toString('latin1'),
    );
  const said = [...texts, ...platform.events, ...platform.statuses, JSON.stringify(agent.status())];
  const words = [...code.split('-'), 'secret'];
  for (const text of said) expect(words.filter((word) => text.includes(word))).toEqual([]);
});

test('a reboot goes on without asking for anything', async () => {
  const all = world();
  const { storage } = await begun(all);
  const again = await all.phone(storage);
  expect(await again.agent.sync()).toMatchObject({ ok: true });
  expect(await again.names()).toEqual(['Ada']);
});

test('who gives no code where there is data is told so, and begins nothing', async () => {
  const all = world();
  await begun(all);
  const second = await all.phone();
  await expect(second.signIn()).rejects.toMatchObject({
    code: 'keyMismatch',
    message: expect.stringContaining('its code is needed'),
  });
  expect(await second.agent.enable()).toMatchObject({ ok: false, error: { code: 'signedOut' } });
  expect(all.server.store.buckets.size).toBe(1);
});

test('a slip in the code is told by its word, and somebody else’s is refused', async () => {
  const all = world();
  const { code } = await begun(all);
  const second = await all.phone();
  await expect(second.signIn(code.replace(/^.{5}/, 'hello'))).rejects.toMatchObject({
    code: 'badInput',
    message: expect.stringContaining('word 1'),
  });
  const other = world();
  await other.phone();
  const { code: foreign } = await begun(other);
  expect(foreign).not.toBe(code);
  await expect(second.signIn(foreign)).rejects.toMatchObject({
    code: 'keyMismatch',
    message: expect.stringContaining('not that of this code'),
  });
  expect(all.server.store.buckets.size).toBe(1);
});

test('a wrong password is one, and nothing is kept of it', async () => {
  const all = world();
  const phone = await all.phone();
  await expect(phone.signIn('', 'wrong')).rejects.toMatchObject({ code: 'unauthorized' });
  await expect(phone.signIn('', 'secret', 'a:b')).rejects.toMatchObject({ code: 'badInput' });
  await expect(phone.signIn('', '')).rejects.toMatchObject({ code: 'badInput' });
  expect(await phone.agent.enable()).toMatchObject({ error: { code: 'signedOut' } });
});

test('two phones that each made a key do not mix, until one is told the other’s', async () => {
  const all = world();
  const [one, two] = [await all.phone(), await all.phone()];
  const [{ code = '' }] = [await one.signIn(), await two.signIn()];
  for (const [who, name] of [
    [one, 'Ada'],
    [two, 'Grace'],
  ] as const) {
    expect(await who.agent.enable()).toMatchObject({ ok: true });
    await who.agent.put('contacts', { name });
    expect(await who.agent.sync()).toMatchObject({ ok: true });
  }
  expect(all.server.store.buckets.size).toBe(2);
  expect([await one.names(), await two.names()]).toEqual([['Ada'], ['Grace']]);
  await two.signIn(code);
  expect(await two.agent.sync()).toMatchObject({ ok: true });
  expect(await one.agent.sync()).toMatchObject({ ok: true });
  expect([await one.names(), await two.names()]).toEqual([
    ['Ada', 'Grace'],
    ['Ada', 'Grace'],
  ]);
});

test('another user on the same phone finds it empty, and has a key of their own', async () => {
  const all = world();
  const { agent, signIn, names } = await begun(all);
  await agent.disable();
  const { code } = await signIn('', 'secret', 'eve');
  expect(code).toMatch(/^[a-z-]{53}$/);
  expect(await agent.enable()).toMatchObject({ ok: true });
  expect(await names()).toEqual([]);
});

test('who has the code and finds an empty server begins there again', async () => {
  const all = world();
  const { code, agent } = await begun(all);
  all.server.store.flush();
  const second = await all.phone();
  await second.signIn(code);
  expect(await second.agent.enable()).toMatchObject({ ok: true });
  expect(await agent.sync()).toMatchObject({ ok: true });
  expect(await second.agent.sync()).toMatchObject({ ok: true });
  expect(await second.names()).toEqual(['Ada']);
});

/**
 * What a user does with a phone that went off in the middle: signs in again, with the code if it
 * was shown, and goes on. The names on a phone that comes later, from the code alone.
 */
async function goneOn(all: World, storage: MemoryStorage, shown: string): Promise<unknown[]> {
  const again = await all.phone(storage);
  const { code = shown } = await again.signIn(shown);
  expect(code.split('-'), 'a code that somebody has seen').toHaveLength(9);
  expect(await again.agent.enable()).toMatchObject({ ok: true });
  expect(await again.agent.sync()).toMatchObject({ ok: true });
  const later = await all.phone();
  expect(await later.signIn(code)).toEqual({});
  expect(await later.agent.enable()).toMatchObject({ ok: true });
  expect(await later.names()).toEqual(await again.names());
  return again.names();
}

test('the power goes at every commit of a sign-in: the user goes on with it', async () => {
  let cuts = 0;
  for (let atCommit = 1, isOver = false; !isOver; atCommit++) {
    for (const when of ['before', 'after'] as const) {
      const all = world();
      const storage = new MemoryStorage([], { atCommit, when });
      let shown = '';
      const isKept = await all
        .phone(storage)
        .then(async ({ agent, signIn }) => {
          shown = (await signIn()).code ?? '';
          await agent.enable();
          await agent.put('contacts', { name: 'Ada' });
          await agent.sync();
          return true;
        })
        .catch(() => false);
      isOver = isKept && storage.commits < atCommit;
      const names = await goneOn(all, storage.fork(), shown);
      if (isKept) expect(names).toEqual(['Ada']);
      cuts++;
    }
  }
  expect(cuts).toBeGreaterThan(10);
});
