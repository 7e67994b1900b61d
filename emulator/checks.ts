// The comparisons of a run, each of which says in words what it covered and what was not as it
// should be: with what the account's own client says, with what its servers hold, and with a sample
// of that. They read and change nothing.

import {
  bodyId,
  compareBodies,
  compareWithExpected,
  compareWithServer,
  pageDifferences,
} from './compare.ts';
import type { Expected, Holdings } from './expected.ts';
import { readHoldings, readPage, readRecords } from './holdings.ts';
import { keyPrefix, type Part } from './part.ts';
import type { Profile } from './profiles.ts';
import { quarantineProblems, readQuarantine, type SetAside, withForgotten } from './quarantine.ts';
import { ownShown } from './record-rules.ts';
import {
  type Changed,
  changedBetween,
  samplePages,
  serverBodies,
  serverHoldings,
  storedCount,
} from './server-records.ts';
import type { SeedAccount } from './servers/store-file.ts';
import type { Setup } from './setup.ts';

/** A run as comparisons see it; they add to the two lists of words of the part. */
interface Checked {
  readonly options: { readonly profile: Profile };
  readonly setup: Setup;
}

/**
 * What the device holds after its first sync, with what the account's own client says that it
 * holds.
 */
export async function compareWithClient(
  { setup }: Checked,
  part: Part,
  expected: Expected,
): Promise<void> {
  const { notOnServer } = expected;
  const aside = new Set((await readAside(setup, part)).map(({ id }) => id));
  const isTaken = ({ guid }: { guid: string }) => !aside.has(guid);
  const { history, logins } = ofCollections(expected, part);
  const held = await readHoldings(setup.device, part.collections);
  const differences = compareWithExpected(held, {
    ...{ history: history.filter(isTaken), logins: logins.filter(isTaken), notOnServer },
  });
  part.compared.push(`what the account's own client says: ${countOf(differences, 'difference')}`);
  for (const difference of differences) part.problems.push(`after the first sync, ${difference}`);
}

interface Words {
  readonly compared: string;
  readonly problem: string;
}

export const AT_FIRST: Words = {
  compared: 'what the server held when the run began',
  problem: 'after the first sync',
};
export const IN_THE_END: Words = {
  compared: 'what the server holds in the end',
  problem: 'in the end',
};

/**
 * Everything that the device holds and has set aside, with the account as it was before the
 * device's last sync and is now: what others have changed meanwhile may be there in either form, or
 * in one between.
 */
export async function compareAll(
  { options, setup }: Checked,
  part: Part,
  before: SeedAccount,
  words: Words,
): Promise<void> {
  const { collections, problems, compared } = part;
  const holdings = part.holdings ?? (await readHoldings(setup.device, collections));
  const aside = withForgotten(await readAside(setup, part), part.reported);
  const [after, nowMs] = [await part.remote.view(), setup.nowMs()];
  const wireId = wireIdOf(part);
  const changed = changedBetween(before, after, [...collections, 'clients'], nowMs);
  const open = { ...changed, ids: new Set([...changed.ids, ...aside.map(({ id }) => id)]) };
  const isFull = holdings.history.length >= options.profile.agent.historyRecordsMax;
  const server = settled(ofCollections(serverHoldings(after, nowMs), part), open);
  const differences = [
    ...compareWithServer(settled(holdings, open), server, isFull),
    ...(await compareOwn(setup, part, after, open.ids)),
    ...quarantineProblems(after, collections, aside, nowMs, { except: changed.ids, wireId }),
  ];
  compared.push(`${words.compared}: ${countOf(differences, 'difference')}`);
  for (const difference of differences) problems.push(`${words.problem}, ${difference}`);
}

/** The collections of apps. `except`: records of these ids are left out. */
async function compareOwn(
  setup: Setup,
  part: Part,
  account: SeedAccount,
  except: ReadonlySet<string>,
): Promise<string[]> {
  const wireId = wireIdOf(part);
  const differences: string[] = [];
  for (const name of ownOf(part)) {
    const isOpen = (body: Body) =>
      ![bodyId(body), wireId(name, bodyId(body))].some((id) => except.has(id));
    const held = part.others[name] ?? (await readRecords(setup.device, name));
    const server = serverBodies(account, name, setup.nowMs()).map((body) => ownShown(name, body));
    differences.push(...compareBodies(name, held.filter(isOpen), server.filter(isOpen)));
  }
  return differences;
}

type Body = Readonly<Record<string, unknown>>;

/** What the remote calls a record of which its device knows the own id. */
function wireIdOf({ remote: { kinto, picl } }: Part): (collection: string, id: string) => string {
  return (kinto ?? picl)?.wireId ?? ((_, id) => id);
}

/** Its collections of apps. */
export function ownOf({ collections }: Part): string[] {
  return collections.filter((name) => !NOT_OWN.includes(name));
}

/** The others have comparisons of their own. */
const NOT_OWN = ['history', 'passwords', 'clients'];

function ofCollections({ history, logins }: Holdings, { collections }: Part): Holdings {
  return {
    history: collections.includes('history') ? history : [],
    logins: collections.includes('passwords') ? logins : [],
  };
}

/** What the device has set aside of the remote's collections. */
export function readAside(setup: Setup, { remote, collections }: Part): Promise<SetAside[]> {
  return readQuarantine(setup.device.stored(), collections, keyPrefix(remote));
}

function settled({ history, logins }: Holdings, { ids, addresses }: Changed): Holdings {
  return {
    history: history.filter(({ guid, url }) => !ids.has(guid) && !addresses.has(url)),
    logins: logins.filter(({ guid, origin }) => !ids.has(guid) && !addresses.has(origin)),
  };
}

const SAMPLE_PAGES = 100;

/** For accounts too large to be listed: how many pages there are, and some of them. */
export async function compareSample(
  { options, setup }: Checked,
  part: Part,
  account: SeedAccount,
): Promise<void> {
  const { records, problems, compared, quarantine } = part;
  const { profile } = options;
  const aside = quarantine.filter(({ collection }) => collection === 'history').length;
  const stored = storedCount(account, 'history', setup.nowMs()) - aside;
  const isFull = stored > profile.agent.historyRecordsMax;
  const held = records.history?.held ?? 0;
  if (isFull ? held > profile.agent.historyRecordsMax : held !== stored) {
    problems.push(`the device holds ${held} pages of ${stored} on the server`);
  }
  const marked = quarantine.map(({ id }) => id);
  problems.push(
    ...quarantineProblems(account, part.collections, quarantine, setup.nowMs(), { only: marked }),
  );
  const sample = samplePages(account, SAMPLE_PAGES, setup.nowMs());
  const differences: string[] = [];
  for (const wanted of sample) {
    const page = await readPage(setup.device, wanted.guid);
    if (page === null && isFull) continue;
    const all = page === null ? ['missing'] : pageDifferences(page, wanted);
    // A page with several records has the title of one.
    const isOther = page !== null && page.guid !== wanted.guid;
    const members = isOther ? all.filter((name) => name !== 'title') : all;
    if (members.length > 0) differences.push(`page ${wanted.guid}: ${members.join(', ')}`);
  }
  compared.push(
    `a sample of ${sample.length} pages on the server: ${countOf(differences, 'difference')}`,
  );
  for (const difference of differences) problems.push(`in the end, ${difference}`);
}

export function countOf(count: number | readonly unknown[], what: string): string {
  const number = typeof count === 'number' ? count : count.length;
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
