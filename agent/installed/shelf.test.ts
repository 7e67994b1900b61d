import { describe, expect, it } from 'vitest';
import { recordsService } from '../../test/support/made-up/services.ts';
import {
  listed,
  namesOf,
  originsOf,
  pair as pairOn,
  person,
  rebooted,
  systemApp,
} from '../../test/support/system-apps.ts';

const A = 'https://a.example';
const B = 'https://b.example';
const C = 'https://c.example';

const pair = () => pairOn(recordsService);

describe('what apps are told', () => {
  it('O56: lists what is of this device, and what was promoted, newest first', async () => {
    const { service, one, other, sync } = await pair();
    await person(one, A, systemApp('a', { install_time: 1_316_550_000 }));
    await person(one, B, systemApp('b', { install_time: 1_316_560_000 }));
    await sync(one, other);
    await person(other, C, systemApp('c', { install_time: 1_316_540_000 }));
    expect(await namesOf(other, service)).toEqual([C]);
    await other.agent.promote?.(A, true);
    expect(await namesOf(other, service)).toEqual([C, A]);
    await sync(other, one);
    expect(await namesOf(one, service)).toEqual([B, A]);
    await other.agent.promote?.(A, false);
    expect(await namesOf(other, service)).toEqual([C]);
    const again = await rebooted(service, other);
    await again.agent.promote?.(B, true);
    expect(await namesOf(await rebooted(service, again), service)).toEqual([C, B]);
  });

  it('O57: lists those from elsewhere with the one first that was installed last', async () => {
    const { service, one, other, sync } = await pair();
    const times = [1_316_550_000, 1_316_570_000, 1_316_560_000];
    for (const [at, origin] of [A, B, C].entries()) {
      await person(one, origin, systemApp('x', { install_time: times[at] ?? 0 }));
    }
    await sync(one, other);
    expect(await namesOf(other, service, 'remote')).toEqual([B, C, A]);
    expect(await namesOf(other, service)).toEqual([]);
  });

  it('gives an activity’s picker own, promoted, then remote apps, each marked', async () => {
    const { service, one, other, sync } = await pair();
    for (const origin of [A, B]) await person(one, origin, systemApp('x'));
    await sync(one, other);
    await person(other, C, systemApp('c'));
    await other.agent.promote?.(B, true);
    const picked = await listed(other, service, { purpose: 'pick' });
    const marks = picked.map(({ guid, sync: isRemote, here }) => [guid, isRemote, here]);
    const here = { promoted: false, hidden: false, state: 'installed' };
    expect(marks).toEqual([
      [C, false, here],
      [B, true, { ...here, promoted: true }],
      [A, true, here],
    ]);
  });

  it('hides an app here alone, and shows it again: it stays installed', async () => {
    const { service, one, other, sync } = await pair();
    await person(one, A, systemApp('a'));
    await sync(one, other);
    await one.agent.hide?.(A, true);
    expect(await namesOf(one, service)).toEqual([]);
    expect(await namesOf(one, service, 'pick')).toEqual([]);
    expect(await namesOf(one, service, 'hidden')).toEqual([A]);
    expect(originsOf(one)).toEqual([A]);
    await sync(one, other);
    expect(await namesOf(other, service, 'remote')).toEqual([A]);
    await one.agent.hide?.(A, false);
    expect(await namesOf(one, service)).toEqual([A]);
  });

  it('forgets with a deletion that the app was promoted', async () => {
    const { service, one, other, sync } = await pair();
    await person(one, A, systemApp('a'));
    await sync(one, other);
    await other.agent.promote?.(A, true);
    await person(one, A, null);
    await sync(one, other);
    await person(one, A, systemApp('a', { install_time: 1_400_000_000 }));
    await sync(one, other);
    expect(await namesOf(other, service, 'remote')).toEqual([A]);
    expect(await namesOf(other, service)).toEqual([]);
  });

  it('makes an app that an app of this device installs one of this device', async () => {
    const { service, one, other, sync } = await pair();
    await person(one, A, systemApp('a'));
    await sync(one, other);
    await other.agent.put(service.collection, { id: A, odd: 1 });
    expect(await namesOf(other, service)).toEqual([]);
    await other.agent.put(service.collection, { id: A, manifest: { name: 'a', version: '2' } });
    expect(await namesOf(other, service)).toEqual([A]);
    const refused = other.agent.put(service.collection, { id: B, manifest: 7 });
    await expect(refused).rejects.toMatchObject({ code: 'badInput' });
    await sync(other, one);
    await person(one, B, systemApp('b'));
    await sync(one, other);
    expect(await namesOf(other, service)).toEqual([A]);
  });

  it('makes an app that the user installs anew on the system one of this device', async () => {
    const { service, one, other, sync } = await pair();
    await person(one, A, systemApp('a'));
    await sync(one, other);
    await person(other, A, systemApp('a', { manifest: { name: 'a', version: '2' } }));
    expect(await namesOf(other, service)).toEqual([]);
    const anew = { manifest: { name: 'a', version: '3' }, install_time: 1_400_000_000 };
    await person(other, A, systemApp('a', anew));
    expect(await namesOf(other, service)).toEqual([A]);
    await sync(other, one);
    expect(one.system.snapshot().get(A)?.manifest).toEqual({ name: 'a', version: '3' });
  });

  it('goes on behind the last app of a page, whatever group it was of', async () => {
    const { service, one, other, sync } = await pair();
    for (let n = 0; n < 7; n++) {
      await person(one, `https://n${n}.example`, systemApp('x', { install_time: 1.3e9 + n }));
    }
    await sync(one, other);
    for (const origin of [A, B]) await person(other, origin, systemApp('c'));
    await other.agent.promote?.('https://n3.example', true);
    const all = await namesOf(other, service, 'pick');
    expect(all).toHaveLength(9);
    const found: unknown[] = [];
    let after: string | null = null;
    do {
      const query = { purpose: 'pick' as const, limit: 2, after };
      const page = await other.agent.list(service.collection, query);
      expect(page.records.length).toBeLessThanOrEqual(2);
      found.push(...page.records.map(({ guid }) => guid));
      after = page.next;
    } while (after !== null);
    expect(found).toEqual(all);
  });

  it.each<[what: string, query: object, message: string]>([
    ['a purpose', { purpose: 'x' }, 'purpose: not one of own, remote, pick, hidden, all'],
    ['a limit', { limit: 0 }, 'limit: not an integer from 1 to 1000'],
    ['a prefix', { prefix: 7 }, 'prefix: not a string'],
    ['a parent', { parent: 'x' }, 'parent: there are no folders here'],
    ['a place', { after: 'own s' }, 'after: not the next of a list like this'],
    ['a group', { after: 'remote ' }, 'after: not the next of a list like this'],
  ])('refuses %s that is none', async (_, query, message) => {
    const { service, one } = await pair();
    const found = one.agent.list(service.collection, { limit: 1, ...query });
    await expect(found).rejects.toMatchObject({ code: 'badInput', message });
  });

  it('says that there is no such app to promote or to hide', async () => {
    const { one } = await pair();
    await expect(one.agent.promote?.(A, true)).rejects.toMatchObject({ code: 'notFound' });
    await expect(one.agent.hide?.('x', true)).rejects.toMatchObject({ code: 'badInput' });
    await expect(one.agent.hide?.(A, 1 as never)).rejects.toMatchObject({
      message: 'on: neither true nor false',
    });
  });
});
