import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { collection, REMOTE, runningSync, status } from '../../../test/support/running-sync.ts';
import { devices, exportAll, list } from './local.ts';
import type { ListOptions } from './options.ts';

let close = (): void => undefined;
afterEach(() => close());

type Api = Parameters<typeof runningSync>[0];
type Records = { [collection: string]: readonly { readonly [name: string]: unknown }[] };

async function folderOf(api: Api, notes: Parameters<typeof runningSync>[1] = {}) {
  const sync = await runningSync(api, notes);
  close = sync.close;
  return sync;
}

/** Records by collection, in pages as they are asked for; the queries beside them. */
function holding(records: Records) {
  const queries: object[] = [];
  const api: Api = {
    status: async () =>
      status({
        collections: Object.fromEntries(
          Object.entries(records).map(([name, { length }]) => [name, collection({ held: length })]),
        ),
      }),
    list: async (name, query) => {
      queries.push({ name, ...query });
      const { after = null, limit = 0 } = query;
      const from = Number(after ?? 0);
      const all = records[name] ?? [];
      const page = all.slice(from, from + limit);
      const end = from + page.length;
      return { records: page as never, next: end < all.length ? `${end}` : null };
    },
  };
  return { queries, api };
}

const pages = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    guid: `g${at}`,
    url: `https://${at}/`,
    title: null,
  }));

describe('kitsync list', () => {
  const listed = async (records: Records, more: Partial<ListOptions>) => {
    const { queries, api } = holding(records);
    const sync = await folderOf(api);
    const options = { words: ['history'], limit: 20, prefix: null, ...more };
    return { queries, ...(await sync.run(list, options)) };
  };

  it('shows a row for each record, without what is secret in it', async () => {
    const { out } = await listed(
      {
        passwords: [
          { id: '{1}', origin: 'https://a', username: 'u', password: 's3cret' },
          { id: '{2}', name: 'n', clientName: 'c\u001b' },
          { guid: 'g', url: 'https://b', title: 't', id: 'not this' },
          {},
        ],
      },
      { words: ['passwords'] },
    );
    const rows = ['{1}\thttps://a\tu', '{2}\tn\tc\\u001b', 'g\thttps://b\tt', '\t\t', ''];
    expect(out.split('\n')).toEqual(rows);
  });

  it('takes no record of an app for a contact', async () => {
    const notes = [{ id: 'x', card: { n: [{ value: {} }] } }];
    expect((await listed({ notes }, { words: ['notes'] })).out).toBe('x\t\t\n');
  });

  it('asks for as many as are wished, in pages of 500', async () => {
    const { out, queries } = await listed({ history: pages(1_200) }, { limit: 1_100 });
    expect(out.trimEnd().split('\n')).toHaveLength(1_100);
    expect(queries).toEqual([
      { name: 'history', limit: 500, after: null },
      { name: 'history', limit: 500, after: '500' },
      { name: 'history', limit: 100, after: '1000' },
    ]);
    const some = await listed({ history: pages(3) }, { limit: 2, prefix: 'https://' });
    expect(some.queries).toEqual([{ name: 'history', limit: 2, after: null, prefix: 'https://' }]);
  });

  it('is a JSON list, an empty one too', async () => {
    const { out } = await listed({ history: pages(2) }, { json: true });
    expect(JSON.parse(out)).toEqual(pages(2));
    expect((await listed({}, { json: true })).out).toBe('[]\n');
  });
});

describe('kitsync export', () => {
  const exported = async (records: Records, file: string | null = null) => {
    const sync = await folderOf(holding(records).api);
    return sync.run(exportAll, { file });
  };

  it('has history and logins, and of the rest what holds something', async () => {
    const login = { id: '{1}', password: 's3cret' };
    const { out } = await exported({
      ...{ history: pages(501), passwords: [login], forms: [], recipes: [{ id: 'r' }] },
    });
    expect(JSON.parse(out)).toEqual({
      ...{ history: pages(501), logins: [login], recipes: [{ id: 'r' }] },
    });
    expect(JSON.parse((await exported({})).out)).toEqual({ history: [], logins: [] });
  });

  it('goes into a file of its owner', async () => {
    const file = join(temporaryFolder(), 'export.json');
    const { out } = await exported({ history: pages(1) }, file);
    expect([out, statSync(file).mode & 0o777]).toEqual(['', 0o600]);
    expect(JSON.parse(readFileSync(file, 'utf8')).history).toEqual(pages(1));
  });

  it('fails at its end where parts are missing, and keeps the older file', async () => {
    const { api } = holding({ history: pages(1) });
    const damaged = {
      history: collection({ held: 1, damaged: 1 }),
      forms: collection({ lost: 2 }),
    };
    const sync = await folderOf({ ...api, status: async () => status({ collections: damaged }) });
    const complaint = 'not all is there: parts of history, forms were damaged';
    await expect(sync.run(exportAll, { file: null })).rejects.toThrow(complaint);
    const file = join(temporaryFolder(), 'export.json');
    writeFileSync(file, 'the last good one');
    await expect(sync.run(exportAll, { file })).rejects.toThrow(complaint);
    expect(readFileSync(file, 'utf8')).toBe('the last good one');
  });
});

describe('kitsync devices', () => {
  const device = { name: 'pc', type: 'desktop', version: '1', os: 'Linux' } as const;
  const phone = {
    ...{ id: 'p', name: 'phone\u001b', type: 'mobile', os: 'x', application: 'Firefox' },
    lastSeenMs: Date.UTC(2016, 5, 15, 12),
  };

  async function listed(remotes: { [name: string]: string } | null, more = {}) {
    const asked: (string | undefined)[] = [];
    const others = { work: { remote: REMOTE, collections: ['notes'] } };
    const states = Object.entries(remotes ?? {}).map(([name, state]) => [
      name,
      status({ state: state as 'enabled' }),
    ]);
    const sync = await folderOf(
      {
        status: async () => status(remotes === null ? {} : { remotes: Object.fromEntries(states) }),
        devices: async (remote) => {
          asked.push(remote);
          return [phone] as never;
        },
      },
      { device, ...(remotes !== null && { remotes: others }) },
    );
    return { asked, ...(await sync.run(devices, more)) };
  }

  it('shows the other devices of the account, a row each', async () => {
    const { out } = await listed(null);
    expect(out).toBe('phone\\u001b\tmobile\tx\tFirefox\t2016-06-15\n');
    expect(JSON.parse((await listed(null, { json: true })).out)).toEqual([phone]);
  });

  it('shows those of each account, and of none that nobody is signed in at', async () => {
    const both = await listed({ first: 'enabled', work: 'enabled' });
    expect(both.out.split('\n').map((line) => line.split('\t')[5])).toEqual([
      'first',
      'work',
      undefined,
    ]);
    const one = await listed({ first: 'disabled', work: 'enabled' });
    expect(one.asked).toEqual(['work']);
    // Whoever asks for it by name is told why there is nothing.
    const named = await listed({ first: 'disabled', work: 'enabled' }, { remote: 'first' });
    expect(named.asked).toEqual(['first']);
  });

  it('are not known where this one is none of them', async () => {
    const sync = await folderOf({ status: async () => status() });
    await expect(sync.run(devices)).rejects.toThrow(
      'with --no-device or --read-only, the other devices are not known',
    );
  });
});

it('needs a folder with data in it, which others cannot read', async () => {
  const directory = temporaryFolder();
  const options = { directory, json: false, remote: null, words: [], limit: 1, prefix: null };
  await expect(list(options, testTerminal())).rejects.toThrow(
    `${directory} holds no data yet: \`kitsync sync\` fetches some`,
  );
});
