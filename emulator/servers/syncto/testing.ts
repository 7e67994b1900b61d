// For tests of Syncto: an account with history of known stamps, and requests as a device makes
// them.

import { clientState } from '../sync-keys.ts';
import { emptyAccount, startWorld, TEST_KB, TEST_NOW_MS, type TestWorld } from '../testing.ts';
import type { WorldOptions } from '../world.ts';

/** The client state of the test account. */
export const BUCKET = clientState(TEST_KB);
export const RECORDS = `/v1/buckets/${BUCKET}/collections/history/records`;
export const AUDIENCE = 'https://token.test/';

interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
}

/** A request to Syncto with the device's assertion; `headers` replace those it would send. */
export async function ask(
  world: TestWorld,
  path: string,
  { method = 'GET', headers, body }: Ask = {},
): Promise<Answer> {
  const assertion = await world.device.assertion(AUDIENCE, false);
  const sent = {
    Authorization: `BrowserID ${assertion}`,
    'Content-Type': 'application/json',
    ...headers,
  };
  const init = {
    method,
    headers: sent,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const response = await world.fetch(new Request(`https://syncto.test${path}`, init));
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text && JSON.parse(text),
  };
}

/** A world whose history holds records `r0`, `r1`, ... 10 ms apart. */
export function worldWith(count: number, options: Partial<WorldOptions> = {}): TestWorld {
  const account = emptyAccount();
  const user = account.store.users.get(1);
  for (let index = 0; index < count; index++) {
    const change = { id: `r${index}`, payload: `p${index}`, sortindex: index };
    user?.write('history', [change], TEST_NOW_MS - 1_000 + index * 10);
  }
  return startWorld({ account, ...options });
}

/** When record `r<index>` of `worldWith` was written. */
export const stampMs = (index: number) => TEST_NOW_MS - 1_000 + index * 10;
/** A PUT of a record with this payload. */
export const put = (payload: string): Ask => ({ method: 'PUT', body: { data: { payload } } });

/** What the storage node was asked, request by request. */
export function spied(count: number, options: Partial<WorldOptions> = {}) {
  const requests: Request[] = [];
  const world = worldWith(count, {
    ...options,
    intercept: (server, request) => {
      if (server === 'sync15') requests.push(request.clone());
      return null;
    },
  });
  return { world, requests };
}
