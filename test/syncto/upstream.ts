// The servers behind Syncto: our token server and Sync 1.5 storage on loopback, with a clock that
// stands still, seeded anew for each case. All that they are asked, and say, is written down.

import { readAccount } from '../../emulator/servers/store-file.ts';
import { keyFingerprint } from '../../emulator/servers/sync-keys.ts';
import { countingRandom, TEST_KB, TEST_NOW_MS } from '../../emulator/servers/testing.ts';
import { createServers, urlsBelow, type World } from '../../emulator/servers/world.ts';
import {
  type Answered,
  type Exchange,
  type Sent,
  shortened,
  type Trouble,
  unfill,
} from './case.ts';
import { listen } from './wire.ts';

interface Upstream {
  /** Where they are; the token server is under /token. */
  readonly url: string;
  /** Seeds them, and forgets what they were asked. */
  begin(trouble: Trouble | undefined, words: ReadonlyMap<string, string>): void;
  /** What they were asked since it was called last. */
  take(): Exchange[];
  close(): void;
}

/** Records are 10 ms apart; their stamps are in the table of cases. */
export const SEEDED_AT_MS = TEST_NOW_MS - 1_000_000;
const RECORDS = { history: 7, passwords: 3, forms: 2, clients: 1 };

export async function startUpstream(): Promise<Upstream> {
  let world: World;
  let trouble: Trouble | undefined;
  let words: ReadonlyMap<string, string> = new Map();
  let exchanges: Exchange[] = [];
  const server = await listen(async (request) => {
    const [, name] = new URL(request.url).pathname.split('/');
    const asked = await askedOf(request.clone(), words);
    if (trouble && trouble.at === name) {
      exchanges.push({ asked, answered: trouble.answer });
      return trouble.answer && responseOf(trouble.answer, server.url);
    }
    const response = await world.fetch(request);
    const answered = await answeredBy(response, new Map([['upstream', server.url]]));
    exchanges.push({ asked, answered: withoutChance(answered) });
    return responseOf(answered, server.url);
  });
  const { url } = server;
  return {
    url,
    begin(nextTrouble, nextWords) {
      trouble = nextTrouble;
      words = nextWords;
      exchanges = [];
      world = createServers({
        nowMs: () => TEST_NOW_MS,
        random: countingRandom(),
        account: readAccount({ kB: TEST_KB, store: seed() }),
        urls: urlsBelow(url),
      });
    },
    take() {
      const taken = exchanges;
      exchanges = [];
      return taken;
    },
    close: server.close,
  };
}

function seed(): object {
  const modified = SEEDED_AT_MS / 1000;
  const collections = Object.entries(RECORDS).map(([name, count]) => {
    const bsos = Array.from({ length: count }, (_, index) => ({
      id: `${name}-${index}`,
      modified: modified + index / 100,
      payload: JSON.stringify({ ciphertext: `${name} ${index}` }),
      ...(index % 2 === 0 ? { sortindex: 100 - index } : {}),
    }));
    return [name, { modified: modified + (count - 1) / 100, bsos }];
  });
  const user = {
    keyFingerprint: keyFingerprint(TEST_KB),
    modified,
    collections: Object.fromEntries(collections),
  };
  return { format: 'sync15-store', version: 1, users: { 1: user } };
}

/** The client's library says these of itself. */
const UNTOLD = ['accept', 'accept-encoding', 'connection', 'content-length', 'host'];

/** As it is written down: without what differs each time. */
export async function askedOf(request: Request, words: ReadonlyMap<string, string>): Promise<Sent> {
  const url = new URL(request.url);
  const isToken = url.pathname.startsWith('/token/');
  const headers = [...request.headers]
    .filter(([name]) => !UNTOLD.includes(name) && !(isToken && name === 'user-agent'))
    .map(([name, value]) => [name, unfill(value.replace(/^Hawk .*$/, 'Hawk'), words)]);
  const query = [...url.searchParams].map((pair) => pair.map(encodeURIComponent).join('='));
  const search = query.length === 0 ? '' : `?${query.sort().join('&')}`;
  const body = await request.text();
  return {
    method: request.method,
    target: unfill(samePath(url.pathname), words) + search,
    headers: Object.fromEntries(headers),
    ...(body === '' ? {} : { body: shortened(body) }),
  };
}

/** Some clients escape more than they have to. */
function samePath(path: string): string {
  try {
    return path
      .split('/')
      .map((part) => encodeURIComponent(decodeURIComponent(part)))
      .join('/');
  } catch {
    return path;
  }
}

/** Credentials hold the port that the storage has. */
function withoutChance(answered: Answered): Answered {
  const body = answered.body.replace(/"id":"[\w-]{60,}","key":"[\w-]+"/, '"id":"i","key":"k"');
  return { ...answered, body };
}

async function answeredBy(
  response: Response,
  words: ReadonlyMap<string, string>,
): Promise<Answered> {
  const { status, headers } = response;
  const body = unfill(await response.text(), words);
  return { status, headers: Object.fromEntries(headers), body };
}

/** The answer that was written down, by a server at this origin. */
export function responseOf({ status, headers, body }: Answered, origin: string): Response {
  const hasBody = ![204, 205, 304].includes(status);
  const filled = body.split('<upstream>').join(origin);
  return new Response(hasBody ? filled : null, { status, headers });
}
