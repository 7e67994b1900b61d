// Compares what a device holds with what it should hold, and says every difference in words.
// A difference names ids and members only: passwords and addresses of pages stay out of reports.

import type { Expected, Holdings, Login, Page, Visit } from './expected.ts';

/** Visits of one page that Firefox uploads: its newest ones. */
const UPLOADED_VISITS_MAX = 20;

/**
 * Differences to what the client that wrote the account says, its own rules for uploads taken into
 * account.
 */
export function compareWithExpected(held: Holdings, expected: Expected): string[] {
  const pages = expected.history
    .filter((page) => !expected.notOnServer.has(page.guid))
    .map((page) => ({ ...page, visits: newest(page.visits) }));
  return [
    ...comparePages(held.history, pages, sameVisits, 'it should hold'),
    ...compareLogins(held.logins, expected.logins, 'it should hold'),
  ];
}

/**
 * Differences to what is on the server. The device may know more visits of a page than the server,
 * and, if it is `full`, fewer pages.
 */
export function compareWithServer(held: Holdings, server: Holdings, isFull: boolean): string[] {
  const heldIds = new Set(held.history.map((page) => page.guid));
  const pages = isFull ? server.history.filter((page) => heldIds.has(page.guid)) : server.history;
  return [
    ...comparePages(held.history, pages, includesVisits, 'the server has'),
    ...compareLogins(held.logins, server.logins, 'the server has'),
  ];
}

/** Differences between the records of an app's own collection, here and on the server. */
export function compareBodies(
  collection: string,
  held: readonly Body[],
  server: readonly Body[],
): string[] {
  const named = (bodies: readonly Body[]) => bodies.map((body) => ({ guid: bodyId(body), body }));
  const what = `${collection} record`;
  return compareById(what, named(held), named(server), 'the server has', (own, other) =>
    [...new Set([...Object.keys(own.body), ...Object.keys(other.body)])].filter(
      (member) => JSON.stringify(own.body[member]) !== JSON.stringify(other.body[member]),
    ),
  );
}

type Body = Readonly<Record<string, unknown>>;

/** Of a record as apps see it. */
export function bodyId({ guid, id }: Body): string {
  return `${guid ?? id}`;
}

/** The members of one page that differ from `wanted`. */
export function pageDifferences(
  page: Page,
  wanted: Page,
  agree: (held: readonly Visit[], wanted: readonly Visit[]) => boolean = includesVisits,
): string[] {
  const differences: string[] = [];
  if (page.url !== wanted.url) differences.push('url');
  if ((page.title ?? '') !== (wanted.title ?? '')) differences.push('title');
  if (!agree(page.visits, wanted.visits)) differences.push('visits');
  return differences;
}

function comparePages(
  held: readonly Page[],
  wanted: readonly Page[],
  agree: (held: readonly Visit[], wanted: readonly Visit[]) => boolean,
  source: string,
): string[] {
  return compareById('page', held, wanted, source, (page, want) =>
    pageDifferences(page, want, agree),
  );
}

const LOGIN_MEMBERS: readonly (keyof Login)[] = [
  'origin',
  'formActionOrigin',
  'httpRealm',
  'username',
  'password',
  'usernameField',
  'passwordField',
  'timeCreated',
  'timePasswordChanged',
];

function compareLogins(held: readonly Login[], wanted: readonly Login[], source: string): string[] {
  return compareById('login', held, wanted, source, (login, want) =>
    LOGIN_MEMBERS.filter((member) => login[member] !== want[member]),
  );
}

function compareById<T extends { readonly guid: string }>(
  what: string,
  held: readonly T[],
  wanted: readonly T[],
  source: string,
  differences: (held: T, wanted: T) => readonly string[],
): string[] {
  const found: string[] = [];
  const wantedById = new Map(wanted.map((record) => [record.guid, record]));
  const heldById = new Map(held.map((record) => [record.guid, record]));
  if (heldById.size !== held.length) found.push(`the device lists a ${what} twice`);
  for (const record of wanted) {
    const own = heldById.get(record.guid);
    if (own === undefined) found.push(`${what} ${record.guid}: ${source} it, the device does not`);
    else {
      const members = differences(own, record);
      if (members.length > 0) found.push(`${what} ${record.guid}: ${members.join(', ')} differ`);
    }
  }
  for (const record of held) {
    if (!wantedById.has(record.guid)) found.push(`${what} ${record.guid}: only the device has it`);
  }
  return found;
}

function newest(visits: readonly Visit[]): Visit[] {
  return [...visits].sort((a, b) => b.date - a.date).slice(0, UPLOADED_VISITS_MAX);
}

function visitKeys(visits: readonly Visit[]): Set<string> {
  return new Set(visits.map(({ date, type }) => `${date}/${type}`));
}

function includesVisits(held: readonly Visit[], wanted: readonly Visit[]): boolean {
  const keys = visitKeys(held);
  return [...visitKeys(wanted)].every((key) => keys.has(key));
}

function sameVisits(held: readonly Visit[], wanted: readonly Visit[]): boolean {
  return (
    held.length === wanted.length && includesVisits(held, wanted) && includesVisits(wanted, held)
  );
}
