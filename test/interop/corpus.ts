// An account that a real Firefox wrote, as a file for `kitsync emulate --account`: the key, what
// the server holds (`store`), and what Firefox itself says that it holds (`expected`), its own
// rules for uploads included. Firefox syncs twice: first all that was added, then what was changed
// and deleted.

import { createHash } from 'node:crypto';
import { type Serving, serveOnLoopback } from '../../emulator/servers/serve.ts';
import { Store } from '../../emulator/servers/store.ts';
import { keyFingerprint } from '../../emulator/servers/sync-keys.ts';
import { type Firefox, type NewPage, startFirefox } from './firefox.ts';
import { sampleLogins, samplePages } from './samples.ts';

export interface CorpusOptions {
  readonly pages: number;
  readonly logins: number;
  /** Everything but times, ids and keys of the records comes from it. */
  readonly seed: number;
  /** What is deleted before the second sync: one record in ten, or all. */
  readonly deleted?: 'some' | 'all';
  /** Collections that are sealed under keys of their own. */
  readonly ownKeys?: readonly string[];
}

/** Starts a Firefox and a server, and lets it write the account. Takes about ten seconds. */
export async function recordCorpus(options: CorpusOptions): Promise<object> {
  const { seed, ownKeys = [] } = options;
  const kB = createHash('sha256').update(`corpus ${seed}`).digest('hex');
  const serving = await serveOnLoopback({ port: 0, account: { kB, store: new Store() } });
  try {
    const firefox = await startFirefox({ serving, ownKeys });
    try {
      return {
        format: 'firefox-sync-corpus',
        version: 1,
        firefox: firefox.version,
        recordedAt: new Date().toISOString(),
        seed,
        kB,
        keyFingerprint: keyFingerprint(kB),
        ...(await write(firefox, serving, options)),
      };
    } finally {
      await firefox.close();
    }
  } finally {
    await serving.close();
  }
}

async function write(
  firefox: Firefox,
  serving: Serving,
  { pages, logins, seed, deleted = 'some' }: CorpusOptions,
): Promise<object> {
  const nowUs = Date.now() * 1000;
  const kept = pages > 0 ? keptPages(seed, nowUs) : [];
  const marked = pages > 0 ? [markedPage(seed, nowUs)] : [];
  await firefox.addPages([...samplePages(pages, seed, nowUs), ...kept, ...marked]);
  for (const { url } of marked) await firefox.addBookmark(url);
  await firefox.addLogins(sampleLogins(logins, seed));
  await firefox.sync();

  const before = await firefox.holdings();
  const isIn = (list: readonly NewPage[]) => (page: NewPage) =>
    list.some(({ url }) => url === page.url);
  const gone = {
    history: chosen(
      before.history.filter((page) => !isIn([...kept, ...marked])(page)),
      deleted,
    ),
    logins: chosen(before.logins, deleted),
  };
  await firefox.removePages([...gone.history, ...marked].map(({ url }) => url));
  await firefox.removeLogins(gone.logins.map(({ guid }) => guid));
  const [changed] = deleted === 'all' ? [] : before.logins;
  if (changed) await firefox.changeLogin(changed.guid, { password: 'changed 🔁' });
  await firefox.sync();

  const after = await firefox.holdings();
  return {
    store: serving.world.dump(),
    expected: {
      ...after,
      historyDeleted: gone.history.map(({ guid }) => guid),
      historyNotUploaded: after.history
        .filter(isIn(kept))
        .map(({ guid, url, title }) => ({ guid, url, why: title })),
      historyEmptied: before.history.filter(isIn(marked)).map(({ guid }) => guid),
      loginsDeleted: gone.logins.map(({ guid }) => guid),
    },
  };
}

/** Firefox keeps a bookmarked page when its visits are deleted, and sends it without visits. */
function markedPage(seed: number, nowUs: number): NewPage {
  const visits = [{ date: nowUs - 5e6, type: 3 }];
  return { url: `https://marked.example/${seed}`, title: 'bookmarked', visits };
}

/** Pages that Firefox keeps to itself at a first sync; the titles say why. */
function keptPages(seed: number, nowUs: number): NewPage[] {
  const dayUs = 86_400e6;
  const page = (name: string, title: string, type: number, date = nowUs - dayUs): NewPage => ({
    url: `https://${name}.example/${seed}`,
    title,
    visits: [{ date, type }],
  });
  return [
    page('old', 'older than 30 days', 1, nowUs - 40 * dayUs),
    page('frame', 'followed in a frame only', 8),
    page('download', 'downloaded only', 7),
    { ...page('', 'a file', 1), url: `file:///${seed}.txt` },
  ];
}

function chosen<T>(records: readonly T[], which: 'some' | 'all'): T[] {
  return records.filter((_record, index) => which === 'all' || index % 10 === 9);
}
