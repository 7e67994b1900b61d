// The power, cut at every flash write of one story in the virtual machine: a first sync of 60
// records, local edits while another device edits the same records, the sync of both, and one more.
// Each write is cut once for everything that may become of what was not synced. After the reboot
// the story goes on to its end, which must be that of the uncut run. Everything comes from one
// seed: the same cut gives the same run.

import type { Firmware } from '../../emulator/firmware.ts';
import type { Edit } from '../../emulator/options.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import type { Protocol } from '../../emulator/remote.ts';
import { runScenario, type ScenarioResult } from '../../emulator/scenario.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { World } from '../../emulator/servers/world.ts';
import type { Setup } from '../../emulator/setup.ts';
import { type Json, type SecondDevice, secondDevice } from '../sim/second-device.ts';

export const PROFILE = loadProfile('panasonic-cx700');

/** What becomes of what was written but not synced. */
export const OUTCOMES = ['torn', 'lost', 'reordered'] as const;

interface CutOptions {
  /** Of `PROFILE`. */
  readonly firmware: Firmware;
  readonly protocol: Protocol;
  /** Every so many-th flash write; 1 is all of them. */
  readonly stride: number;
  readonly onPoint?: (done: number) => void;
}

interface CutReport {
  /** Flash writes of the uncut story. */
  readonly writes: number;
  /** Cuts that were made: one for each outcome. */
  readonly points: number;
  /**
   * Records that the uncut run ends with on the server, and a cut one did not; and the other way
   * round.
   */
  readonly lost: number;
  readonly doubled: number;
  /**
   * What went wrong, by flash write. Empty: after every cut device and server agreed on the end of
   * the story.
   */
  readonly complaints: readonly string[];
}

export async function cutEverywhere(options: CutOptions): Promise<CutReport> {
  const { firmware, protocol, stride, onPoint } = options;
  const whole = await play(firmware, protocol);
  if (whole.problems.length > 0) throw new Error(`the uncut story: ${whole.problems.join('; ')}`);
  const end = endOf(whole);
  const writes = whole.setup.flash().events;
  const complaints: string[] = [];
  let [points, lost, doubled] = [0, 0, 0];
  for (const cut of cutsOf(writes, stride)) {
    const run = await play(firmware, protocol, cut);
    const missing = without(end, endOf(run));
    const added = without(endOf(run), end);
    lost += missing.length;
    doubled += added.length;
    const problems = [
      ...run.problems,
      ...(run.powerCuts === 1 ? [] : [`${run.powerCuts} cuts`]),
      ...missing.map((record) => `lost: ${record}`),
      ...added.map((record) => `not in the uncut run: ${record}`),
    ];
    complaints.push(...problems.map((problem) => `${nameOf(cut)}: ${problem}`));
    points++;
    onPoint?.(points);
  }
  return { writes, points, lost, doubled, complaints };
}

interface Cut {
  readonly cutAt: number;
  readonly cutFault: (typeof OUTCOMES)[number];
}

function* cutsOf(writes: number, stride: number): Generator<Cut> {
  for (let cutAt = 1; cutAt <= writes; cutAt += stride) {
    for (const cutFault of OUTCOMES) yield { cutAt, cutFault };
  }
}

function nameOf({ cutAt, cutFault }: Cut): string {
  return `write ${cutAt}, ${cutFault}`;
}

const SEED = 8;
const VISITS_US = Date.UTC(2026, 10, 1) * 1_000;
const BOTH = 'https://new.example/both';
const LOGIN = { hostname: 'https://new.example', formSubmitURL: 'https://new.example' };

function play(firmware: Firmware, protocol: Protocol, cut?: Cut): Promise<ScenarioResult> {
  return runScenario({
    profile: PROFILE,
    firmware,
    account: newAccount(),
    protocol,
    auth: protocol === 'syncto' ? 'browserid' : 'bearer',
    crypto: 'device',
    seed: SEED,
    edits: EDITS,
    elsewhere,
    ...(cut && { cutsAt: [cut.cutAt], cutFault: cut.cutFault }),
  });
}

function newAccount() {
  return syntheticAccount({ records: 60, seed: SEED, bodyBytes: 260, passwords: 5 });
}

/** Ids of the account, which are those of its seed. */
const [PAGES, LOGINS] = (() => {
  const [user] = newAccount().store.users.values();
  const idsOf = (name: string) =>
    [...(user?.collections.get(name)?.inArrivalOrder(Number.MAX_SAFE_INTEGER) ?? [])].map(
      ({ id }) => id,
    );
  return [idsOf('history'), idsOf('passwords')];
})();

const page = (at: number): string => PAGES[at] ?? '';
const login = (at: number): string => LOGINS[at] ?? '';
const visit = (n: number) => ({ date: VISITS_US + n * 1_000_000, type: 1 });

/**
 * Pages 0 and 1, the new page, login 0 and the new login are edited on both sides; page 2 is
 * deleted on both.
 */
const EDITS: readonly Edit[] = [
  { collection: 'history', op: 'put', record: { guid: page(0), visits: [visit(1)] } },
  { collection: 'history', op: 'put', record: { guid: page(1), visits: [visit(2)] } },
  { collection: 'history', op: 'delete', record: { id: page(2) } },
  { collection: 'history', op: 'delete', record: { id: page(3) } },
  { collection: 'history', op: 'put', record: { url: BOTH, title: 'both', visits: [visit(3)] } },
  { collection: 'passwords', op: 'put', record: { guid: login(0), password: 'changed here' } },
  { collection: 'passwords', op: 'delete', record: { id: login(1) } },
  {
    collection: 'passwords',
    op: 'put',
    record: { ...LOGIN, username: 'me', password: 'the same' },
  },
];

function elsewhere({ servers: world, nowMs }: Setup): void {
  const other = otherDevice(world, nowMs());
  const visitThere = (id: string, n: number): void => {
    const body = other.get('history', id);
    other.put('history', { ...body, id, visits: [visit(n), ...(body.visits as Json[])] });
  };
  visitThere(page(0), 4);
  visitThere(page(4), 5);
  other.delete('history', page(1));
  other.delete('history', page(2));
  other.delete('history', page(5));
  other.put('history', {
    ...{ id: 'abcdefghijkl', histUri: BOTH, title: 'both', visits: [visit(6)] },
  });
  other.put('passwords', {
    ...other.get('passwords', login(0)),
    ...{ id: login(0), usernameField: 'there' },
  });
  other.delete('passwords', login(2));
  other.put('passwords', {
    ...other.get('passwords', login(3)),
    ...LOGIN,
    ...{ id: '{11111111-2222-4333-8444-555555555555}', username: 'me', password: 'the same' },
  });
}

function otherDevice(world: World | null, nowMs: number): SecondDevice {
  if (world === null) throw new Error('the servers are outside');
  return secondDevice({ world, nowMs });
}

/**
 * The account's data on the server without what chance and time decide: ids of new records, and
 * when.
 */
function endOf({ setup }: ScenarioResult): string[] {
  const other = otherDevice(setup.servers, setup.nowMs());
  const pages = [...other.live('history').values()].map(({ histUri, title, visits }) =>
    JSON.stringify([
      histUri,
      title,
      ...(visits as { date: number }[]).map(({ date }) => date).sort(),
    ]),
  );
  const logins = [...other.live('passwords').values()].map((body) =>
    JSON.stringify(
      Object.entries(body)
        .filter(([name]) => LOGIN_MEMBERS.has(name))
        .sort(),
    ),
  );
  return [...pages, ...logins];
}

const LOGIN_MEMBERS: ReadonlySet<string> = new Set([
  ...['hostname', 'formSubmitURL', 'httpRealm', 'username', 'password'],
  ...['usernameField', 'passwordField'],
]);

/** What is in the first list more often than in the second. */
function without(all: readonly string[], less: readonly string[]): string[] {
  const left = [...less];
  return all.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
