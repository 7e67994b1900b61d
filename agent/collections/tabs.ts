// Open tabs as Firefox syncs them: one record per device, under the device's client id.
// A device writes its own and reads the others'. Pages that mean nothing elsewhere stay at home,
// and so do the tabs that were used longest ago when there are too many.

import { encodeUtf8 } from '../../crypto/utf8.ts';
import type { Body, Collection, MergeDecision, MergeInput, Prepared } from './collection.ts';
import { editedOver, hasSameMembers, refuse } from './members.ts';
import { ownRecord } from './own-record.ts';

/**
 * UTF-8 bytes of all tabs: their sealed record stays far below the 512 KiB that servers keep for
 * it.
 */
export const TABS_BYTES_MAX = 160_000;
const HISTORY_MAX = 5;
const URL_CHARS_MAX = 65_536;

const AT_HOME = /^(about|resource|chrome|file|blob|moz-extension|data):/i;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

export const tabs: Collection = /* @__PURE__ */ ownRecord({
  name: 'tabs',
  letter: 't',
  check: (body) => (Array.isArray(body.tabs) ? null : 'tabs: not a list'),
  merge,
  prepare,
  view: (id, { clientName, tabs: list }) => ({
    guid: id,
    clientName: typeof clientName === 'string' ? clientName : '',
    tabs: (list as readonly unknown[]).flatMap((tab) => readTab(tab) ?? []),
  }),
});

/**
 * Nobody else writes this device's tabs: what is on the server of them is older, but for what only
 * it has.
 */
function merge({ local, mirror: agreed, incoming }: MergeInput): MergeDecision {
  const theirs = incoming.body;
  const mirror = theirs && 'asIs';
  if (local?.body == null || theirs === null) {
    return { mirror, local: local && local.body !== theirs ? 'keep' : 'none' };
  }
  const edited = editedOver(local.body, agreed?.body, theirs);
  return { mirror, local: hasSameMembers(edited, theirs) ? 'none' : edited };
}

/**
 * `input.tabs`: `{title, url or urlHistory (newest first), icon, lastUsed (seconds)}` each; the id
 * is the device's.
 */
function prepare(input: Body, existing: Body | null, newId: string, nowMs: number): Prepared {
  const { deleted, guid, tabs: list, ...members } = input;
  const id = `${input.id ?? existing?.id ?? newId}`;
  if (list === undefined && existing)
    return { ok: true, id, body: { ...existing, ...members, id } };
  if (!Array.isArray(list)) return refuse('tabs: not a list');
  const before = byUrl(existing);
  const given: Body[] = [];
  for (const [at, tab] of list.entries()) {
    const read = readTab(tab);
    if (read === null) return refuse(`tabs[${at}]: has no URL`);
    const urlHistory = (read.urlHistory as string[]).filter((url) => !AT_HOME.test(url));
    const lastUsed = read.lastUsed || Math.floor(nowMs / 1000);
    if (urlHistory.length === 0) continue;
    given.push({ ...before.get(urlHistory[0]), ...read, urlHistory, lastUsed });
  }
  given.sort((a, b) => (b.lastUsed as number) - (a.lastUsed as number));
  return { ok: true, id, body: { ...existing, ...members, id, tabs: fitting(given) } };
}

/** The tabs of a record by the page that they show: what is not understood of one stays with it. */
function byUrl(body: Body | null): Map<unknown, Body> {
  const tabs = new Map<unknown, Body>();
  for (const tab of (body?.tabs ?? []) as readonly unknown[]) {
    const read = readTab(tab);
    if (read !== null) tabs.set((read.urlHistory as string[])[0], tab as Body);
  }
  return tabs;
}

function fitting(given: readonly Body[]): readonly Body[] {
  let bytes = 0;
  const end = given.findIndex((tab) => {
    bytes += encodeUtf8(JSON.stringify(tab)).length + 1;
    return bytes > TABS_BYTES_MAX;
  });
  return end < 0 ? given : given.slice(0, end);
}

/**
 * A tab with every member that matters in its form; null for one without a URL. Other clients' tabs
 * may be odd.
 */
function readTab(tab: unknown): Body | null {
  if (typeof tab !== 'object' || tab === null) return null;
  const { url, urlHistory, title, icon, lastUsed, ...members } = tab as Body;
  const urls = Array.isArray(urlHistory) ? urlHistory : [url];
  const usable = urls.filter(isUrl).slice(0, HISTORY_MAX);
  if (usable.length === 0) return null;
  const seconds = Math.floor(Number(lastUsed));
  return {
    title: typeof title === 'string' ? title : '',
    urlHistory: usable,
    icon: typeof icon === 'string' ? icon : '',
    lastUsed: seconds > 0 && Number.isFinite(seconds) ? seconds : 0,
    ...members,
  };
}

function isUrl(url: unknown): boolean {
  return typeof url === 'string' && url.length <= URL_CHARS_MAX && SCHEME.test(url);
}
