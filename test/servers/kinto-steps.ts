// What kinto.js does against the Syncto API, step by step, beside another client of the same user
// that speaks Sync 1.5 to the storage.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { accountClient } from '../../emulator/servers/account-client.ts';
import {
  clientState,
  defaultKeys,
  keyFingerprint,
  openPayload,
  sealPayload,
} from '../../emulator/servers/sync-keys.ts';
import { type KintoCollection, kintoClient, newId } from '../support/kinto-js.ts';
import { storageAt } from '../support/served.ts';

type Scheme = 'BrowserID' | 'Bearer';
type Body = Readonly<Record<string, unknown>>;
type Step = readonly [name: string, run: () => Promise<void>];

/** A user of the servers, and another client of theirs. */
export async function signedInUser(url: string, kB: string, scheme: Scheme) {
  const credentials = { email: 'user@example.test', kB };
  const account = accountClient({
    ...{ fetch, baseUrl: `${url}/accounts`, credentials, nowMs: Date.now },
  });
  const storage = await storageAt(url, kB);
  const { json } = await storage('GET', 'storage/crypto/keys');
  const keys = defaultKeys(kB, json.payload);
  const all = async (name: string): Promise<{ id: string; payload: string }[]> =>
    (await storage('GET', `storage/${name}?full=1`)).json;
  const bucket = clientState(kB);
  return {
    bucket,
    client: (remote: string) => kintoClient({ remote, bucket, keys: () => keys }),
    async headers(): Promise<Record<string, string>> {
      if (scheme === 'BrowserID')
        return { Authorization: `BrowserID ${await account.assertion(`${url}/`, false)}` };
      const { token, keysChangedAtMs } = await account.accessToken(false);
      const keyId = `${keysChangedAtMs}-${keyFingerprint(kB)}`;
      return { Authorization: `Bearer ${token}`, 'X-KeyID': keyId };
    },
    other: {
      ids: async (name: string) => new Set((await all(name)).map(({ id }) => id)),
      async bodies(name: string): Promise<Map<string, Body>> {
        const bsos = await all(name);
        return new Map(
          bsos.map(({ id, payload }) => [id, JSON.parse(openPayload(keys, payload))] as const),
        );
      },
      async put(name: string, body: Body & { readonly id: string }): Promise<void> {
        const payload = sealPayload(keys, JSON.stringify(body), randomBytes(16));
        const { status } = await storage('PUT', `storage/${name}/${body.id}`, {
          body: { payload },
        });
        assert.equal(status, 200);
      },
    },
  };
}

type User = Awaited<ReturnType<typeof signedInUser>>;

const page = (title: string): Body => ({
  histUri: `https://kinto.example/${title}`,
  title,
  visits: [{ date: 1_795_330_000_000_000, type: 1 }],
});

/** In this order: each goes on from what the one before it has left. */
export function kintoSteps(remote: string, user: User): readonly Step[] {
  const { api, collection } = user.client(remote);
  const history = collection('history');
  const sync = async () => history.sync({ headers: await user.headers() });
  const here = { api, history, sync, user, ids: [] as string[] };
  return [
    ...movingSteps(here),
    ...deletingSteps(here),
    ...conflictSteps(here),
    ...refusedSteps(here),
  ];
}

interface Here {
  readonly api: ReturnType<User['client']>['api'];
  readonly history: KintoCollection;
  readonly user: User;
  /** Records that it has made. */
  readonly ids: string[];
  sync(): ReturnType<KintoCollection['sync']>;
}

/** Live records, as both see them. */
async function equalNow({ history, user }: Here): Promise<void> {
  const mine = (await history.list()).data.map(({ id, body }) => [id, { ...body, id }] as const);
  const bodies = [...(await user.other.bodies('history'))];
  const theirs = bodies.filter(([, { deleted }]) => deleted !== true);
  assert.deepEqual(new Map(mine), new Map(theirs));
}

function movingSteps(here: Here): readonly Step[] {
  const { api, history, sync, user } = here;
  return [
    [
      'server info',
      async () => assert.equal((await api.fetchServerInfo()).settings.batch_max_requests, 25),
    ],
    [
      'pull',
      async () => {
        const { ok, created } = await sync();
        assert.deepEqual([ok, created.length > 0], [true, true]);
        await equalNow(here);
      },
    ],
    [
      'push of more than a batch',
      async () => {
        for (let n = 0; n < 30; n++) {
          const { data } = await history.create({ body: page(`made ${n} ${newId()}`) });
          here.ids.push(data.id);
        }
        const { ok, published } = await sync();
        assert.deepEqual([ok, published.length], [true, 30]);
        await equalNow(here);
      },
    ],
    [
      'nothing to do',
      async () => {
        const { ok, created, updated, published } = await sync();
        assert.deepEqual([ok, created, updated, published], [true, [], [], []]);
      },
    ],
    [
      'push of an edit',
      async () => {
        const [id = ''] = here.ids;
        await history.update({ id, body: page('edited') });
        assert.equal((await sync()).published.length, 1);
        assert.equal((await user.other.bodies('history')).get(id)?.title, 'edited');
        await equalNow(here);
      },
    ],
    [
      'pull of an edit, and of nothing else',
      async () => {
        const [, id = ''] = here.ids;
        await user.other.put('history', { ...page('by another'), id });
        const { created, updated } = await sync();
        assert.deepEqual([created.length, updated.map(({ new: one }) => one.id)], [0, [id]]);
        await equalNow(here);
      },
    ],
  ];
}

function deletingSteps(here: Here): readonly Step[] {
  const { api, history, sync, user, ids } = here;
  return [
    [
      'push of a deletion, which others hear of',
      async () => {
        const [, , id = ''] = ids;
        await history.delete(id);
        assert.equal((await sync()).ok, true);
        assert.deepEqual((await user.other.bodies('history')).get(id), { id, deleted: true });
        await equalNow(here);
      },
    ],
    [
      'pull of a deletion',
      async () => {
        const [, , , id = ''] = ids;
        await user.other.put('history', { id, deleted: true });
        const { deleted } = await sync();
        assert.deepEqual(
          deleted.map((record) => record.id),
          [id],
        );
        await equalNow(here);
      },
    ],
    [
      'pages of a listing',
      async () => {
        const headers = await user.headers();
        const records = api.bucket(user.bucket).collection('history');
        const { data } = await records.listRecords({ headers, limit: 7, pages: Infinity });
        const ids = data.map(({ id }) => id);
        assert.deepEqual(new Set(ids), await user.other.ids('history'));
        assert.equal(ids.length, new Set(ids).size);
      },
    ],
  ];
}

function conflictSteps(here: Here): readonly Step[] {
  const { api, history, sync, user } = here;
  const settle = async () => {
    assert.equal((await sync()).ok, true);
    await equalNow(here);
  };
  return [
    [
      'conflict with what comes',
      async () => {
        const id = here.ids[4] ?? '';
        await history.update({ id, body: page('mine') });
        await user.other.put('history', { ...page('theirs'), id });
        const { conflicts } = await sync();
        assert.deepEqual([conflicts.length, conflicts[0]?.type], [1, 'incoming']);
        const [conflict] = conflicts;
        if (conflict) await history.resolve(conflict, conflict.local);
        await settle();
        assert.equal((await user.other.bodies('history')).get(id)?.title, 'mine');
      },
    ],
    [
      'conflict with what somebody wrote since, a 412',
      async () => {
        const id = here.ids[5] ?? '';
        await history.update({ id, body: page('mine') });
        const gather = history.gatherLocalChanges;
        history.gatherLocalChanges = async () => {
          history.gatherLocalChanges = gather;
          await user.other.put('history', { ...page('theirs'), id });
          return gather.call(history);
        };
        const { conflicts } = await sync();
        // Syncto's 412 does not say what is there.
        assert.deepEqual(
          conflicts.map(({ type, remote }) => [type, remote]),
          [['outgoing', null]],
        );
        const headers = await user.headers();
        const records = api.bucket(user.bucket).collection('history');
        const found = await records.getRecord<{ payload: string }>(id, { headers });
        assert.ok(found.data.last_modified);
        // The next one sees it first.
        const [again] = (await sync()).conflicts;
        if (again) await history.resolve(again, again.remote);
        await settle();
        assert.equal((await user.other.bodies('history')).get(id)?.title, 'theirs');
      },
    ],
    [
      'a record of an id that is taken is not made',
      async () => {
        const id = newId();
        await user.other.put('history', { ...page('theirs'), id });
        await history.create({ id, body: page('mine') }, { useRecordId: true });
        const { conflicts } = await sync();
        assert.equal(conflicts.length, 1);
        const [conflict] = conflicts;
        if (conflict) await history.resolve(conflict, conflict.remote);
        await settle();
      },
    ],
  ];
}

/** The status that a request of kinto.js ends with. */
async function statusOf(work: Promise<unknown>): Promise<number> {
  return work.then(
    () => 200,
    (error: { response?: { status: number } }) => error.response?.status ?? 0,
  );
}

function refusedSteps({ api, history, sync, user, ids }: Here): readonly Step[] {
  const place = () => api.bucket(user.bucket).collection('history');
  const refused = (name: string, status: number, ask: (headers: Headers) => Promise<unknown>) =>
    [
      `${name} is ${status}`,
      async () => assert.equal(await statusOf(ask(await user.headers())), status),
    ] as const;
  type Headers = Record<string, string>;
  return [
    refused('a collection of its own', 404, (headers) => place().getData({ headers })),
    refused('a bucket', 404, (headers) => api.bucket(user.bucket).getData({ headers })),
    refused('a list of buckets', 404, (headers) => api.listBuckets({ headers })),
    refused('a patch', 405, (headers) =>
      place().updateRecord({ id: ids[6] ?? '', a: 1 }, { headers, patch: true }),
    ),
    refused('erasing a record', 405, (headers) => place().deleteRecord(ids[6] ?? '', { headers })),
    refused('erasing all records', 405, (headers) => place().deleteRecords({ headers })),
    refused('a record without an id', 405, (headers) =>
      api.execute({ method: 'POST', path: pathOf(user), headers, body: { data: {} } }),
    ),
    refused('a write to bookmarks', 405, (headers) =>
      api.bucket(user.bucket).collection('bookmarks').updateRecord({ id: 'a', b: 1 }, { headers }),
    ),
    refused('another bucket', 401, (headers) =>
      api.bucket('0'.repeat(32)).collection('history').listRecords({ headers }),
    ),
    refused('nobody', 401, () => place().listRecords({ headers: {} })),
    [
      'the bucket of old, with X-Client-State, is taken',
      async () => {
        const headers = { ...(await user.headers()), 'X-Client-State': user.bucket };
        const result = await history.sync({ headers, bucket: 'syncto' });
        assert.equal(result.ok, true);
      },
    ],
    ['in the end there is nothing to do', async () => assert.deepEqual((await sync()).updated, [])],
  ];
}

function pathOf({ bucket }: User): string {
  return `/buckets/${bucket}/collections/history/records`;
}
