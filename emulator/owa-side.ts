// The document of one remote of an emulated device, and its user: what an account file holds is
// posted there as another client of the user would have posted it, before anybody else is answered,
// and what is there now is read as such a client does. Nothing of the agent is in it.

import { recordsOf } from './server-records.ts';
import { ViewError } from './servers/account-view.ts';
import { type Handler, isObject, parseObject } from './servers/http.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { createView, UNTIMED_MS } from './view.ts';

export interface OwaSide {
  /** Of the login. */
  readonly url: string;
  /** Answers when what the account had is there. */
  readonly fetch: Handler;
  /** The live apps as records of `apps`. Errors: `ViewError`. */
  view(): Promise<SeedAccount>;
  /** What the server holds, whole. Errors: `ViewError`. */
  document(): Promise<OwaDocument>;
}

/** Entries by the origins of their apps. */
type OwaDocument = ReadonlyMap<string, unknown>;

interface SideOptions {
  readonly url: string;
  readonly account: SeedAccount;
  /** The server is in this process, and may have nothing yet. */
  readonly isInside: boolean;
  /** Asks the server. */
  readonly fetch: Handler;
  /** Of the user, for that origin. */
  assertion(audience: string): Promise<string>;
  nowMs(): number;
}

/** What devices call the collection. */
export const APPS = 'apps';

export function owaSide(options: SideOptions): OwaSide {
  const { url, account, fetch, isInside } = options;
  let seeded: Promise<void> | null = isInside ? null : Promise.resolve();
  const ready = (): Promise<void> => {
    seeded ??= seed(options);
    return seeded;
  };
  const document = async (): Promise<OwaDocument> => {
    await ready();
    const ask = await signedIn(options);
    return documentIn(await ask('GET'));
  };
  return {
    url,
    document,
    async fetch(request) {
      await ready();
      return fetch(request);
    },
    async view() {
      const view = createView(account.kB);
      const put = view.collection(APPS);
      for (const [origin, entry] of await document()) {
        if (isLive(entry)) put(origin, UNTIMED_MS, { ...entry, id: origin }, '{}');
      }
      return view.account;
    },
  };
}

/** Whether an entry is of an app that is there. */
export function isLive(entry: unknown): entry is Readonly<Record<string, unknown>> {
  return isObject(entry) && entry.deleted !== true;
}

type Ask = (method: string, body?: object) => Promise<Response>;

/** Posts the account's apps where nobody has posted any. Errors: `ViewError`. */
async function seed(options: SideOptions): Promise<void> {
  const { account, nowMs } = options;
  const document: [string, unknown][] = [];
  for (const { body } of recordsOf(account, APPS, nowMs())) {
    const { id: _, origin, ...entry } = body ?? {};
    if (typeof origin === 'string') document.push([origin, entry]);
  }
  if (document.length === 0) return;
  const ask = await signedIn(options);
  if ((await documentIn(await ask('GET'))).size > 0) return;
  const response = await ask('POST', Object.fromEntries(document));
  if (response.status !== 204) throw unread(response);
}

/** Another client of the user. Errors: `ViewError`. */
async function signedIn({ url, fetch, assertion }: SideOptions): Promise<Ask> {
  const audience = new URL(url).origin;
  const form = new URLSearchParams({ assertion: await assertion(audience), audience });
  const response = await fetch(new Request(url, { method: 'POST', body: form.toString() }));
  const { status, resource, auth } = parseObject(await response.text()) ?? {};
  if (status !== 'okay') throw unread(response);
  return (method, body) =>
    fetch(
      new Request(`${resource}`, {
        ...{ method, headers: { Authorization: `${auth}` } },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
}

async function documentIn(response: Response): Promise<OwaDocument> {
  const document = parseObject(await response.text());
  if (response.status !== 200 || document === null) throw unread(response);
  return new Map(Object.entries(document));
}

function unread({ status }: Response): ViewError {
  return new ViewError(`the account cannot be read: the server of apps answered ${status}`);
}
