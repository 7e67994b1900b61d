// Single answers that a device must not believe, each of which would cost data: a time from the
// future, a version of the past, an acknowledgement for another record, a damaged record in a
// conflict.

import { expect, test } from 'vitest';
import { disagreements } from './agreement.ts';
import { type Answer, honest, type Reply } from './lab.ts';
import { secondDevice } from './second-device.ts';
import { boot, type Stage, synced } from './stage.ts';

/** One pass in which the answer to some requests is another one. */
async function deceived(
  stage: Stage,
  lie: (reply: Reply, url: string, body: string) => Reply | null,
): Promise<void> {
  const ask = honest(stage.servers);
  const answer: Answer = async (request, index) => {
    const reply = await ask(request, index);
    return lie(reply, request.url, request.body ?? '') ?? reply;
  };
  await (await boot(stage, answer)).agent.sync();
}

/** An honest pass later, nothing is missing. */
async function isWell(stage: Stage): Promise<void> {
  const { agent, platform } = await boot(stage);
  await platform.time.advance(86_400_000);
  expect(await agent.sync()).toMatchObject({ ok: true });
  expect(await disagreements(agent, secondDevice(stage.servers))).toEqual([]);
}

const withTag = (reply: Reply, tag: string): Reply => ({
  ...reply,
  headers: [['etag', `"${tag}"`], ...reply.headers.filter(([name]) => name !== 'etag')],
});

const json = (reply: Reply): { [name: string]: never } =>
  JSON.parse(Buffer.from(reply.body as Uint8Array).toString());

const TAGS = [
  '999999999999999',
  '99999999999999',
  '32503680000000',
  '1900000000000',
  '1795330009990',
];

test.each(TAGS)(
  'a collection whose tag is %s once: later changes are seen all the same',
  async (tag) => {
    const stage = await synced();
    await deceived(stage, (reply, url) =>
      url.includes('/history/records?') ? withTag(reply, tag) : null,
    );
    const second = secondDevice(stage.servers);
    second.put('history', {
      id: 'laterlaterla',
      histUri: 'https://later.example/',
      title: '',
      visits: [{ date: 1.79e15, type: 1 }],
    });
    const [page = ''] = second.ids('history');
    second.delete('history', page);
    await isWell(stage);
  },
);

test('a collection that once shows an older version, as from a backup: no loss', async () => {
  const stage = await synced();
  await deceived(stage, (reply, url) =>
    url.includes('/history/records?') ? withTag(reply, '1000') : null,
  );
  secondDevice(stage.servers).touch('history');
  await isWell(stage);
});

test('a server restored from a backup: what it has is read again, and edits go up', async () => {
  const stage = await synced();
  const second = secondDevice(stage.servers);
  second.touch('history');
  await deceived(stage, () => null);
  const [user] = stage.servers.world.store.users.values();
  const history = user?.collections.get('history');
  const [page = ''] = second.ids('history');
  const old = { ...second.get('history', page), id: page, title: 'from the backup' };
  stage.servers.nowMs -= 100_000_000;
  if (user && history) user.modifiedMs = history.modifiedMs = stage.servers.nowMs - 50_000_000;
  second.put('history', old);
  await isWell(stage);
  expect(second.get('history', page).title).toBe('from the backup');
});

test.each(['meta', 'crypto'])(
  'a document %s whose time is not its tag is not taken',
  async (name) => {
    const stage = await synced();
    const second = secondDevice(stage.servers);
    second.touch(name);
    await deceived(stage, (reply, url) => {
      if (!url.includes(`/${name}/records/`)) return null;
      const { data } = json(reply) as unknown as { data: object };
      return {
        ...reply,
        body: Buffer.from(JSON.stringify({ data: { ...data, last_modified: 1900000000000 } })),
      };
    });
    const { agent, network } = await boot(stage);
    await agent.sync();
    expect(network.requests.some(({ url }) => url.includes(`/${name}/records/`))).toBe(true);
    await isWell(stage);
  },
);

test('a record that would open, but whose MAC is wrong, is set aside', async () => {
  const stage = await synced();
  secondDevice(stage.servers).touch('history');
  await deceived(stage, (reply, url) => {
    if (!url.includes('/history/records?')) return null;
    const text = Buffer.from(reply.body as Uint8Array).toString();
    return { ...reply, body: Buffer.from(text.replace(/hmac\\":\\"./, 'hmac\\":\\"g')) };
  });
  expect((await boot(stage)).agent.status().collections.history).toMatchObject({ quarantined: 1 });
});

/** Two more pages wait: three go up in one batch. */
async function withBatch(): Promise<Stage> {
  const stage = await synced();
  const { agent } = await boot(stage);
  for (const n of [1, 2])
    await agent.put('history', { url: `https://n.example/${n}`, title: `${n}` });
  return stage;
}

test('answers for other records acknowledge nothing', async () => {
  const stage = await withBatch();
  const ask = honest(stage.servers);
  let others: Reply | null = null;
  await deceived(stage, (reply, _, body) => {
    if (body.includes('"PUT"')) others = reply;
    return null;
  });
  const { agent } = await boot(stage, async (request, index) => {
    const isUpload = request.body?.includes('"PUT"') === true;
    return isUpload && others !== null ? others : ask(request, index);
  });
  for (const n of [3, 4, 5])
    await agent.put('history', { url: `https://n.example/${n}`, title: `${n}` });
  await agent.sync();
  expect(agent.status().collections.history).toMatchObject({ pending: 3 });
  await isWell(stage);
});

test('of a batch answered out of order, with a refusal, the right one stays pending', async () => {
  const stage = await withBatch();
  const ask = honest(stage.servers);
  const { agent } = await boot(stage, async (request, index) => {
    if (request.body?.includes('"PUT"') !== true) return ask(request, index);
    const [first, ...rest] = JSON.parse(request.body).requests;
    const reply = await ask({ ...request, body: JSON.stringify({ requests: rest }) }, index);
    const { responses } = json(reply) as unknown as { responses: object[] };
    const refusal = { status: 412, path: first.path, headers: {}, body: {} };
    return { ...reply, body: Buffer.from(JSON.stringify({ responses: [...responses, refusal] })) };
  });
  await agent.sync();
  await isWell(stage);
  const titles = [...secondDevice(stage.servers).live('history').values()].map(
    ({ title }) => title,
  );
  expect(titles).toEqual(expect.arrayContaining(['1', '2', 'mine']));
});

test('a damaged answer in a conflict does not overwrite what the other device wrote', async () => {
  const stage = await synced();
  const second = secondDevice(stage.servers);
  const [login = ''] = second.ids('passwords');
  const { agent } = await boot(stage);
  await agent.put('passwords', { guid: login, password: 'here' });
  let isThere = false;
  await deceived(stage, (reply, url, body) => {
    if (body.includes('"GET"') && !isThere) {
      isThere = true;
      second.put('passwords', {
        ...second.get('passwords', login),
        id: login,
        usernameField: 'there',
      });
      // The poll was answered before: the device learns of it from the refusal of its upload.
    }
    if (!url.includes(`/passwords/records/${encodeURIComponent(login)}`) || body !== '')
      return null;
    const text = Buffer.from(reply.body as Uint8Array).toString();
    return { ...reply, body: Buffer.from(text.replace(/hmac\\":\\"./, 'hmac\\":\\"g')) };
  });
  expect(second.get('passwords', login)).toMatchObject({ usernameField: 'there' });
  await isWell(stage);
  expect(second.get('passwords', login)).toMatchObject({
    usernameField: 'there',
    password: 'here',
  });
});

test('what is damaged for good is repaired by an edit, after three passes', async () => {
  const stage = await synced();
  const second = secondDevice(stage.servers);
  const [login = ''] = second.ids('passwords');
  const { agent, platform } = await boot(stage);
  await agent.put('passwords', { guid: login, password: 'here' });
  const [user] = stage.servers.world.store.users.values();
  user?.write(
    'passwords',
    [{ id: login, payload: '{"ciphertext":"","IV":"","hmac":""}' }],
    stage.servers.nowMs,
  );
  const oks: boolean[] = [];
  for (let pass = 0; pass < 4; pass++) {
    oks.push((await agent.sync()).ok);
    await platform.time.advance(86_400_000);
  }
  expect(oks.at(-1)).toBe(true);
  expect(second.get('passwords', login)).toMatchObject({ password: 'here' });
  expect(await disagreements(agent, second)).toEqual([]);
});
