import { beforeEach, describe, expect, test } from 'vitest';
import { all, restore, signedIn, start, sync, world } from '../../test/support/kinds.ts';

beforeEach(start);

describe('bookmarks', () => {
  test('are found by their URL, and the roots by their parent', async () => {
    const device = await signedIn();
    const [mark] = await all(device, 'bookmarks', { prefix: 'https://marked.example.com/' });
    expect(mark).toMatchObject({ guid: 'Ap8u7Jzu_k5a', title: 'mark ü 日本', parentid: 'unfiled' });
    const roots = await all(device, 'bookmarks', { parent: 'places' });
    expect(roots.map(({ guid }) => guid)).toEqual(['menu', 'mobile', 'toolbar', 'unfiled']);
    expect(await all(device, 'bookmarks')).toHaveLength(15);
  });

  test('of every type are kept, moved and deleted as the others say', async () => {
    const device = await signedIn();
    world.servers.nowMs += 1_000;
    world.other.put('bookmarks', {
      id: 'live',
      type: 'livemark',
      parentid: 'menu',
      siteUri: 'https://s/',
    });
    world.other.put('bookmarks', { id: 'new', type: 'unheardOf', parentid: 'menu', later: 1 });
    world.other.put('bookmarks', {
      ...world.other.get('bookmarks', 'menu'),
      id: 'menu',
      children: ['new', 'live'],
    });
    world.other.put('bookmarks', {
      ...world.other.get('bookmarks', 'Ap8u7Jzu_k5a'),
      id: 'Ap8u7Jzu_k5a',
      parentid: 'mobile',
    });
    world.other.delete('bookmarks', 'KN7BZ2iTKZSr');
    await sync(device);
    const ids = async (parent: string): Promise<unknown[]> =>
      (await all(device, 'bookmarks', { parent })).map(({ guid }) => guid);
    expect(await ids('menu')).toEqual(['new', 'live', 'fvI65sUKBNa-']);
    expect(await ids('mobile')).toEqual(['Ap8u7Jzu_k5a']);
    expect(await ids('unfiled')).not.toContain('Ap8u7Jzu_k5a');
    expect(await ids('gocM0Z0v4EZd')).toEqual(['cREtnu6-zjNy']);
    expect(await device.agent.get('bookmarks', 'new')).toMatchObject({ later: 1, url: '' });
  });

  test('cannot be changed here, and a reset makes no write of them', async () => {
    const device = await signedIn();
    const { agent } = device;
    expect(agent.status().collections.bookmarks).toMatchObject({ readOnly: true, declined: false });
    await expect(agent.put('bookmarks', { type: 'bookmark' })).rejects.toMatchObject({
      code: 'readOnly',
    });
    await expect(agent.delete('bookmarks', 'menu')).rejects.toMatchObject({ code: 'readOnly' });
    await expect(agent.list('history', { parent: 'menu', limit: 1 })).rejects.toMatchObject({
      code: 'badInput',
    });
    const [user] = world.servers.world.store.users.values();
    user?.collections.get('bookmarks')?.delete('Ap8u7Jzu_k5a');
    const before = world.other.ids('bookmarks');
    restore('bookmarks', 2);
    await sync(device);
    expect(await agent.get('bookmarks', 'Ap8u7Jzu_k5a')).toBeNull();
    await sync(device);
    expect(world.other.ids('bookmarks')).toEqual(before);
  });
});
