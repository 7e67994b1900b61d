// What a device shows of the records that are on the server: the rules of the comparisons, written
// down apart from the agent's. Other clients write what they like: members may be missing or odd,
// and one page or login may have several records, of which a device shows one.

import type { Holdings, Login, Page, Visit } from './expected.ts';

export interface ServerRecord {
  readonly body: Readonly<Record<string, unknown>>;
  /** When the server got it. */
  readonly modifiedMs: number;
}

/** Pages and logins as apps of a device that has everything see them. */
export function shownOf(
  history: Iterable<ServerRecord>,
  passwords: Iterable<ServerRecord>,
): Holdings {
  return {
    history: [...grouped(history, pageOf, ({ url }) => url, newestVisitMs).values()].map(united),
    logins: [...grouped(passwords, loginOf, loginKey, passwordMs).values()].map(
      ([first]) => first as Login,
    ),
  };
}

const LOGIN_TEXTS = ['formSubmitURL', 'httpRealm', 'usernameField', 'passwordField', 'username'];
const ADDRESS_CHARS_MAX = 65_536;

/**
 * Whether a device that syncs the collection has to take a record, or to set it aside. `body`: null
 * for one that does not prove itself.
 */
export function isForDevices(
  collection: string,
  id: string,
  body: ServerRecord['body'] | null,
): boolean {
  if (body === null || asideName(id) !== id) return false;
  if (isDeleted(body) && body.id === undefined) return Object.keys(body).length === 1;
  return body.id === id && (isDeleted(body) || isReadable(collection, body));
}

/** Whatever `deleted` is, it says so, but for `false`. */
export function isDeleted({ deleted }: ServerRecord['body']): boolean {
  return deleted !== undefined && deleted !== false;
}

/** A record's id, or what stands for one that is none: `badId`, and what can be written of it. */
export function asideName(id: string): string {
  const escaped = id.replace(/[^"-$&-~]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const isId = /^[ -~]{1,64}$/.test(id) && !/^\.\.?$/.test(id) && escaped.length <= 100;
  return isId ? id : `badId ${escaped.slice(0, 64)}`;
}

function isReadable(collection: string, body: ServerRecord['body']): boolean {
  const isTextOrNothing = (value: unknown) => typeof (value ?? '') === 'string';
  if (collection === 'history') {
    const { histUri, title, visits } = body;
    const isAddress = typeof histUri === 'string' && /^[a-z][a-z\d+.-]*:/i.test(histUri);
    const isShort = isAddress && histUri.length <= ADDRESS_CHARS_MAX;
    return isShort && isTextOrNothing(title) && Array.isArray(visits);
  }
  if (collection === 'bookmarks') return typeof body.type === 'string';
  if (collection !== 'passwords') return true;
  const { hostname, password } = body;
  if (typeof hostname !== 'string' || typeof password !== 'string') return false;
  const isOwn = hostname.startsWith('chrome://FirefoxAccounts');
  const isWhole = hostname !== '' && password !== '' && !isOwn;
  return isWhole && LOGIN_TEXTS.every((name) => isTextOrNothing(body[name]));
}

/** A record of a collection that is neither history nor passwords, as apps see it. */
export function ownShown(collection: string, { id, ...body }: ServerRecord['body']) {
  switch (collection) {
    case 'contacts':
      return { guid: id, card: body.card, changedMs: count(body.changedMs) };
    case 'settings':
      return { guid: id, ...body };
    case 'apps':
      return appShown(id, body);
    case 'bookmarks':
      return bookmarkShown(id, body);
    case 'reading-list':
      return { ...ARTICLE, ...body, ...resolvedOf(body), guid: id };
    default:
      return { id, ...body };
  }
}

/** But for what services have given the user, and for what each device has of its own. */
function appShown(id: unknown, entry: Omit<ServerRecord['body'], 'id'>) {
  const { credentials: _credentials, sync: _sync, ...shown } = entry;
  return { guid: id, ...shown };
}

/** Its address under one name, whatever its kind calls it. */
function bookmarkShown(id: unknown, body: Omit<ServerRecord['body'], 'id'>) {
  const { bmkUri, siteUri, dateAdded } = body;
  const url = typeof (bmkUri ?? siteUri) === 'string' ? (bmkUri ?? siteUri) : '';
  return {
    ...body,
    guid: id,
    url,
    ...(dateAdded === undefined ? {} : { dateAdded: count(dateAdded) }),
  };
}

/** What an article is of which nothing else is said. */
const ARTICLE = {
  excerpt: '',
  archived: false,
  favorite: false,
  unread: true,
  is_article: true,
  read_position: 0,
  marked_read_by: null,
  marked_read_on: null,
  word_count: null,
};

function resolvedOf({ url, title, resolved_url, resolved_title }: ServerRecord['body']) {
  return { resolved_url: resolved_url ?? url, resolved_title: resolved_title ?? title };
}

/** Null: nothing that is shown. */
export function pageOf({ id, histUri, title, visits }: ServerRecord['body']): Page | null {
  if (typeof histUri !== 'string' || !Array.isArray(visits)) return null;
  const shown = visits.filter(isVisit).map(({ date, type }) => ({ date, type }));
  if (shown.length === 0) return null;
  return { guid: `${id}`, url: histUri, title: textOrNull(title), visits: shown };
}

export function loginOf(body: ServerRecord['body']): Login | null {
  const text = (name: string) => textOrNull(body[name]);
  const [origin, password] = [text('hostname'), text('password')];
  if (!origin || !password) return null;
  return {
    guid: `${body.id}`,
    origin,
    formActionOrigin: text('formSubmitURL'),
    httpRealm: text('httpRealm'),
    username: text('username'),
    password,
    usernameField: text('usernameField'),
    passwordField: text('passwordField'),
    timeCreated: count(body.timeCreated),
    timePasswordChanged: count(body.timePasswordChanged),
  };
}

/**
 * The records of each thing, the one first that is shown: the newest by its own word, then by the
 * server's.
 */
function grouped<T extends { readonly guid: string }>(
  records: Iterable<ServerRecord>,
  read: (body: ServerRecord['body']) => T | null,
  key: (record: T) => string,
  clockMs: (record: T) => number,
): Map<string, T[]> {
  const groups = new Map<string, { shown: T; ownMs: number; modifiedMs: number }[]>();
  for (const { body, modifiedMs } of records) {
    const shown = read(body);
    if (shown === null) continue;
    // Nothing is newer than the moment that the server got it.
    const ownMs = Math.min(clockMs(shown), modifiedMs);
    const group = groups.get(key(shown)) ?? [];
    group.push({ shown, ownMs, modifiedMs });
    groups.set(key(shown), group);
  }
  return new Map(
    [...groups].map(([name, group]) => {
      group.sort(
        (a, b) =>
          b.ownMs - a.ownMs ||
          b.modifiedMs - a.modifiedMs ||
          (a.shown.guid < b.shown.guid ? -1 : 1),
      );
      return [name, group.map(({ shown }) => shown)];
    }),
  );
}

/** All visits, under the first one's id. */
function united(pages: readonly Page[]): Page {
  const [first] = pages as [Page];
  const visits = new Map(
    pages.flatMap((page) => page.visits.map((visit) => [`${visit.date} ${visit.type}`, visit])),
  );
  return { ...first, visits: pages.length === 1 ? first.visits : [...visits.values()] };
}

function newestVisitMs({ visits }: Page): number {
  return Math.max(...visits.map(({ date }) => date)) / 1_000;
}

function passwordMs({ timePasswordChanged }: Login): number {
  return timePasswordChanged ?? 0;
}

function loginKey({ origin, formActionOrigin, httpRealm, username }: Login): string {
  return JSON.stringify([origin, formActionOrigin, httpRealm || '', username || '']);
}

function isVisit(value: unknown): value is Visit {
  if (typeof value !== 'object' || value === null) return false;
  const { date, type } = value as Partial<Visit>;
  return Number.isSafeInteger(date) && Number(date) > 0 && Number.isInteger(type);
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Some clients write numbers as text, or with a fraction. */
function count(value: unknown): number | null {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && value !== '');
  const number = isNumber ? Math.floor(Number(value)) : Number.NaN;
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}
