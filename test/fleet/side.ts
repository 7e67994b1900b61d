// A side of the fleet: a client of the account that holds its things, edits them and syncs.

import type { Thing } from './model.ts';

export const KINDS = ['history', 'passwords'] as const;
export type Kind = (typeof KINDS)[number];

export interface Outcome {
  readonly ok: boolean;
  /** Why not, in the client's own word. */
  readonly code: string;
  /** Records of which both had another version. */
  readonly conflicts: number;
}

export interface Side {
  readonly name: string;
  /** Whether it sees that two records are of one thing. Who does not must not make another one. */
  readonly findsDoubles: boolean;
  /** What it holds there now; null: nothing. */
  value(kind: Kind, key: string): Promise<string | null>;
  /** In the place of what it holds there, or anew. */
  put(kind: Kind, thing: Thing): Promise<void>;
  /** False: it does not do it now. */
  delete(kind: Kind, key: string): Promise<boolean>;
  held(kind: Kind): Promise<Thing[]>;
  pass(): Promise<Outcome>;
  /** A pass that is killed, or loses its power, so long after it began; it is there again then. */
  crash(afterMs: number): Promise<void>;
}

type View = Readonly<Record<string, unknown>>;

/** A record as the agent's apps see it. */
export function thingOf(kind: Kind, view: View): Thing {
  if (kind === 'passwords')
    return { key: String(view.origin), value: String(view.password), visits: [] };
  const visits = (view.visits as readonly { date: number }[]).map(({ date }) => date);
  return { key: String(view.url), value: String(view.title), visits };
}

/** The record that is put for it; `guid`: of the one that it replaces. */
export function viewOf(kind: Kind, { key, value, visits }: Thing, guid?: unknown): View {
  const own = guid === undefined ? {} : { guid };
  if (kind === 'history')
    return { ...own, url: key, title: value, visits: visits.map((date) => ({ date, type: 1 })) };
  return { ...own, origin: key, formActionOrigin: key, username: 'user', password: value };
}

/** A record as it is in the Sync format. */
export function thingInBody(kind: Kind, body: View): Thing {
  const { histUri, title, hostname, password, visits } = body;
  return thingOf(kind, { url: histUri, title: title ?? '', origin: hostname, password, visits });
}

/** A record in the Sync format, with all else as it was. */
export function bodyWith(kind: Kind, { key, value, visits }: Thing, before: View): View {
  if (kind === 'history') {
    const known = (before.visits ?? []) as readonly { date: number }[];
    const added = visits.map((date) => ({ date, type: 1 }));
    return { ...before, histUri: key, title: value, visits: [...added, ...known] };
  }
  const now = Date.now();
  const login = { hostname: key, formSubmitURL: key, username: 'user', httpRealm: null };
  const fields = { usernameField: '', passwordField: '', timeCreated: now, timesUsed: 1 };
  const times = { timePasswordChanged: now, timeLastUsed: now };
  return { ...login, ...fields, ...before, ...times, password: value };
}
