// Every stored value says in which form it was written: what is read of older ones, and what a
// newer one is not taken for.

import { createDecipheriv, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { restKey } from '../../crypto/rest.ts';
import { MemoryStorage, type StorageCut } from '../../platform/memory/storage.ts';
import type { Value } from '../../platform/ports.ts';
import { StorageError } from '../../platform/storage-rules.ts';
import { corpusAccount, testDevice, testServers } from '../../test/support/device.ts';
import { FULL, fullDevice } from '../../test/support/everything.ts';
import { CLIENT_ID } from '../../test/support/signin.ts';
import { testVault } from '../../test/support/store.ts';
import { type Agent, signIn } from '../index.ts';

const servers = testServers(corpusAccount());
const synced = new MemoryStorage();
const { agent: first } = await fullDevice(servers, { storage: synced });
await first.enable();
await first.put('history', { url: 'https://mine.example/', title: 'mine' });
const [login] = (await first.list('passwords', { limit: 1 })).records;
await first.delete('passwords', `${login?.guid}`);

const valueAt = async (storage: MemoryStorage, key: string): Promise<Value | null> =>
  (await storage.get([key]))[0] ?? null;

/** The synced store with another value at `s`. */
async function storeWith(state: string): Promise<MemoryStorage> {
  const storage = synced.fork();
  await storage.commit([['s', state]]);
  return storage;
}

const stateNow = `${await valueAt(synced, 's')}`;
const bodyOf = (state: string): string => state.slice(1);

test('every value begins with the letter of its form, in a seal or not', async () => {
  const vault = testVault(restKey(new Uint8Array(32).fill(7)));
  const heads: string[] = [];
  for (const [key, value] of synced.snapshot()) {
    if (value === '') continue;
    const head = typeof value === 'string' ? value : (await vault.open(key, value))?.head;
    heads.push(`${head?.[0]}`);
  }
  expect(heads.length).toBeGreaterThan(100);
  expect(new Set(heads)).toEqual(new Set(['d']));
});

describe('SPEC.md', () => {
  const spec = readFileSync(new URL('../../SPEC.md', import.meta.url), 'utf8');
  /** The first cells of the table below a heading. */
  const cells = (heading: string): string[] => {
    const part = spec.slice(spec.indexOf(heading)).split('\n## ')[0] ?? '';
    const rows = part.slice(part.indexOf('|')).split('\n\n')[0]?.split('\n').slice(2) ?? [];
    return rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((one) => `${one[1]}`),
    );
  };

  test('names every key', () => {
    const forms = cells('## Keys').map(
      (form) =>
        new RegExp(
          `^${form
            .replaceAll('.', '\\.')
            .replace('<g>', '[0-9a-z]+')
            .replace('<c>', '[a-z][ -~]*?')
            .replace('<suffix>', '[^!]+')
            .replace('<id>', '[^!]+')}$`,
        ),
    );
    expect(forms).toHaveLength(20);
    for (const [key] of synced.snapshot()) {
      expect(
        forms.filter((form) => form.test(key)),
        key,
      ).toHaveLength(1);
    }
  });

  test.each([
    ['SavedState', './state.ts', '### `s`'],
    ['CollectionState', './collection-state.ts', '### `<g>.<c>.c`'],
  ])('names every member of %s and no other', (name, file, heading) => {
    const source = readFileSync(new URL(file, import.meta.url), 'utf8');
    const body = source.split(`interface ${name} {`)[1]?.split('\n}')[0] ?? '';
    const members = [...body.matchAll(/^ {2}readonly (\w+)(\??):/gm)];
    const part = spec.split(`${heading}\n`)[1]?.split('\n##')[0] ?? '';
    const optional = part.split('It may have')[1] ?? '';
    const must = members.filter(([, , mark]) => mark === '').map(([, member]) => member);
    expect(must.length).toBeGreaterThan(8);
    expect(cells(heading).sort()).toEqual(must.sort());
    for (const [, member, mark] of members) {
      if (mark === '?') expect(optional).toContain(`\`${member}\``);
    }
  });

  test('tells enough to read a record without this code', async () => {
    const [id, state] = ['1.h.r.', '1.h.c'];
    const [key = ''] = synced
      .snapshot()
      .map(([name]) => name)
      .filter((name) => name.startsWith(id));
    const value = `${await valueAt(synced, key)}`;
    const [, modifiedMs, epoch, text] = /^d(\d+) (\d+)\n(.*)$/s.exec(value) ?? [];
    const body = JSON.parse(`${text}`);
    expect(body.id).toBe(key.slice(id.length));
    expect(Number(modifiedMs)).toBeLessThan(servers.nowMs);
    expect(epoch).toBe('0');
    const newest = Math.max(...body.visits.map(({ date }: { date: number }) => date));
    const order = (2 ** 53 - 1 - newest).toString(36).padStart(11, '0');
    expect(await valueAt(synced, `1.h.x.d${order}!${body.id}`)).toBe('');
    expect(JSON.parse(bodyOf(`${await valueAt(synced, state)}`)).pending).toBe(1);
  });

  test('has an example of a box, which is one', async () => {
    const hex = /\n {4}(02[0-9a-f]+)\n {4}([0-9a-f]+)\n/.exec(spec)?.slice(1).join('');
    const box = Buffer.from(`${hex}`, 'hex');
    const value = Uint8Array.of(box.length >> 8, box.length & 255, ...box);
    const vault = testVault(restKey(new Uint8Array(32).fill(5)));
    expect(await vault.open('i', value)).toEqual({ head: 'd', text: '{"a":"ü"}' });
  });

  test('tells enough to open a sealed one', async () => {
    const hmac = (under: Buffer, text: string) => createHmac('sha256', under).update(text).digest();
    const key = hmac(Buffer.alloc(32, 7), 'kitsync/v1/rest');
    const [encKey, macKey] = [hmac(key, 'encrypt'), hmac(key, 'authenticate')];
    const prefix = '1.p.r.';
    const sealed = synced.snapshot().filter(([name]) => name.startsWith(prefix));
    expect(sealed.length).toBeGreaterThan(2);
    for (const [name, value] of sealed) {
      const bytes = Buffer.from(value as Uint8Array);
      expect(bytes.readUInt16BE(0)).toBe(bytes.length - 2);
      expect(bytes[2]).toBe(2);
      const [iv, mac, rest] = [bytes.subarray(3, 19), bytes.subarray(19, 51), bytes.subarray(51)];
      expect(hmac(macKey, rest.toString('base64'))).toEqual(mac);
      const decipher = createDecipheriv('aes-256-cbc', encKey, iv);
      const plain = `${decipher.update(rest, undefined, 'utf8')}${decipher.final('utf8')}`;
      const [place, head, text, ...more] = plain.split('\n');
      expect([place, more]).toEqual([`${name} 0 1`.padEnd(16), []]);
      expect(head).toMatch(/^d\d+ \d+$/);
      expect(JSON.parse(`${text}`).id).toBe(name.slice(prefix.length));
    }
  });
});

/** `s` as the versions before have written it. */
const OLD = { 1: bodyOf(stateNow), 2: `b${bodyOf(stateNow)}`, 3: `c${bodyOf(stateNow)}` };

describe.each(Object.entries(OLD))('a store of form %s', (_, old) => {
  const cuts: (StorageCut | undefined)[] = [
    undefined,
    { atCommit: 1, when: 'before' },
    { atCommit: 1, when: 'after' },
  ];

  test.each(cuts)('says at the first start that it is one of form 4 now (%j)', async (cut) => {
    const storage = (await storeWith(old)).fork(cut);
    const { agent } = testDevice(servers, { storage });
    await agent.start().catch(() => undefined);
    const state = await valueAt(storage.fork(), 's');
    expect(state).toBe(cut?.when === 'before' ? old : stateNow);
    const again = testDevice(servers, { storage: storage.fork() }).agent;
    await again.start();
    expect(again.status()).toMatchObject({ state: 'enabled', error: null });
  });

  test('on a device that is full goes on as it is', async () => {
    const storage = await storeWith(old);
    storage.commit = async () => {
      throw new StorageError('full', 'no room');
    };
    const { agent } = testDevice(servers, { storage });
    await agent.start();
    expect((await agent.list('history', { limit: 5 })).records).toHaveLength(5);
  });
});

describe('a store that a newer version has written', () => {
  const calls: [string, (agent: Agent) => unknown][] = [
    ['enable', (agent) => agent.enable()],
    ['disable', (agent) => agent.disable()],
    ['sync', (agent) => agent.sync()],
    ['configure', (agent) => agent.configure({ wifiOnly: true })],
    ['initialize', (agent) => agent.initializeAccount(true)],
    ['put', (agent) => agent.put('history', { url: 'https://a.example/' })],
    ['delete', (agent) => agent.delete('history', 'aaaaaaaaaaaa')],
    ['signIn', (agent) => agent.signIn().begin()],
  ];

  test.each(['e', 'f', 'z'])('is refused and left alone (form %s)', async (form) => {
    const storage = await storeWith(`${form}{"nobody":"knows"}`);
    const before = storage.snapshot();
    const { agent } = signingIn(storage);
    const number = form.charCodeAt(0) - 96;
    const refusal = {
      code: 'clientTooOld',
      message: `the store is of format ${number}, at most 4 is known`,
    };
    await expect(agent.start()).rejects.toMatchObject(refusal);
    for (const [name, call] of calls) {
      await expect((async () => call(agent))(), name).rejects.toThrow();
    }
    expect(agent.status()).toMatchObject({ state: 'disabled', error: refusal });
    expect(storage.snapshot()).toEqual(before);
  });
});

function signingIn(storage: MemoryStorage) {
  const { accounts } = servers.world.urls;
  const redirectUrl = 'https://accounts.test/oauth/success';
  return testDevice(servers, {
    storage,
    contents: { ...FULL, signIn },
    config: { signIn: { accountsUrl: accounts, clientId: CLIENT_ID, redirectUrl } },
  });
}
