// What two different clients can agree on. Firefox cuts the dates of visits that it receives to
// milliseconds, sends the newest 20 of a page, and keeps its own dates of logins.

import type { Holdings, Page, Visit } from '../../emulator/expected.ts';

const VISITS_SENT_MAX = 20;
const LOGIN_MEMBERS = [
  'guid',
  'origin',
  'formActionOrigin',
  'httpRealm',
  'username',
  'password',
  'usernameField',
  'passwordField',
] as const;

/** The part of a device's or Firefox's holdings that must be equal in the end, in one order. */
export function common({ history, logins }: Holdings) {
  return {
    history: byGuid(history).map(({ visits, title, ...page }) => ({
      ...page,
      title: title ?? '',
      visits: commonVisits({ visits }),
    })),
    logins: byGuid(logins).map((login) => LOGIN_MEMBERS.map((name) => login[name])),
  };
}

export function commonVisits(page: Pick<Page, 'visits'> | undefined): string[] {
  const newest = [...(page?.visits ?? [])].sort((a, b) => b.date - a.date || a.type - b.type);
  return newest.slice(0, VISITS_SENT_MAX).map(visitKey).sort();
}

function visitKey({ date, type }: Visit): string {
  return `${Math.floor(date / 1000)} ${type}`;
}

function byGuid<T extends { readonly guid: string }>(records: readonly T[]): T[] {
  return [...records].sort((a, b) => (a.guid < b.guid ? -1 : 1));
}
