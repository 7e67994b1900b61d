// The apps of a household: three devices of one user on one server of Open Web Apps. The third one
// was there first, was used without a network on its last day, and comes back when a year has gone
// by. In the end all have the same apps, on their systems, too: those of the server's document.
// Each device is a run with every promise of one.

import type { Apps } from '../platform/ports.ts';
import type { Flash } from './device/flash.ts';
import type { FlashImage } from './device/flash-image.ts';
import { createRandom } from './device/random.ts';
import { look } from './look.ts';
import { APPS, isLive } from './owa-side.ts';
import { syncRound } from './rounds.ts';
import { createRun, type Run, withPower } from './run.ts';
import { attempt, resultOf, type ScenarioOptions, type ScenarioResult } from './scenario.ts';
import { memoryStorage } from './servers/storage/local-storage.ts';
import { syntheticAccount } from './servers/synthetic.ts';

interface HouseholdOptions extends Omit<ScenarioOptions, 'account' | 'edits' | 'elsewhere'> {
  /** Apps that the user has when the first device comes. */
  readonly records: number;
}

/** The third one: after its year. */
export interface HouseholdResult {
  readonly first: ScenarioResult;
  readonly others: readonly ScenarioResult[];
}

const YEAR_MS = 366 * 24 * 3_600_000;
/** Time in which what has begun comes to its end. */
const SETTLED_MS = 90_000;
/** Syncs of all in turn, after which what each has done has come to all. */
const ROUNDS = 2;

export async function runHousehold(options: HouseholdOptions): Promise<HouseholdResult> {
  const { seed, records } = options;
  const own = new Map([[APPS, records]]);
  const account = syntheticAccount({ records: 0, passwords: 0, own, seed });
  const common = { ...options, account, documents: memoryStorage() };
  const away = runOf(common, 'third device, a year ago');
  await attempt(away, () => lastDay(away));
  const { nowMs, flash, system } = away.setup;
  const beginsMs = nowMs() + YEAR_MS;
  const images = { image: imageOf(flash(), seed), systemImage: imageOf(system.flash(), seed) };
  const first = runOf({ ...common, beginsMs, seed: seed + 1 }, 'television');
  const second = runOf({ ...common, beginsMs, seed: seed + 2 }, 'second device');
  const third = runOf({ ...common, beginsMs, ...images }, 'third device');
  third.problems.push(...away.problems.map((line) => `a year ago: ${line}`));
  await attempt(first, () => used(first, 'television', 'app1'));
  await attempt(second, () => used(second, 'second', 'app2'));
  await attempt(third, () => begin(third));
  const all = [first, second, third];
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of all) await attempt(run, () => sync(run, 2));
  }
  for (const run of all) await attempt(run, () => idlePass(run));
  for (const run of all) await attempt(run, () => lastLook(run, options));
  return { first: resultOf(first), others: [second, third].map(resultOf) };
}

function runOf(options: ScenarioOptions, name: string): Run {
  const { onProgress } = options;
  return createRun({
    ...options,
    ...(onProgress && {
      onProgress: (progress) => onProgress({ ...progress, text: `${name}: ${progress.text}` }),
    }),
  });
}

/** What a clean end has left. */
function imageOf(flash: Flash, seed: number): FlashImage {
  return flash.imageAfterCut(createRandom(seed), 'lost');
}

/** Everything that has begun comes to its end. */
const settle = (run: Run): Promise<void> => withPower(run, () => run.setup.device.idle(SETTLED_MS));

async function begin(run: Run): Promise<void> {
  await withPower(run, () => run.setup.device.boot());
  await sync(run, 1);
}

async function sync(run: Run, round: number): Promise<void> {
  await syncRound(run, round, []);
  await settle(run);
  run.say('synced');
}

/** The third device syncs, is used without a network, and is put away. */
async function lastDay(run: Run): Promise<void> {
  await begin(run);
  await person(run, 'third', []);
  await sync(run, 2);
  for (const { remote } of run.parts) remote.isOff = true;
  await person(run, 'offline', ['app0']);
  run.setup.device.powerOff();
  run.say('put away');
}

/** A device that comes to the household, and whose user has one app more, and one less. */
async function used(run: Run, name: string, removed: string): Promise<void> {
  await begin(run);
  await person(run, name, [removed]);
  await sync(run, 2);
}

/** What the user does on the system, past the agent. */
async function person(run: Run, name: string, removed: readonly string[]): Promise<void> {
  const apps = run.setup.system.apps();
  await apps.person(originOf(name), {
    manifest: { name, description: `an app of the ${name}` },
    manifest_url: `${originOf(name)}/manifest.webapp`,
  });
  for (const one of removed) await apps.person(originOf(one), null);
  await settle(run);
  run.say('its user has installed and removed apps');
}

const originOf = (name: string): string => `https://${name}.example`;

/** One question, and not a page of flash. */
async function idlePass(run: Run): Promise<void> {
  for (const part of run.parts) part.before = await part.remote.view();
  await syncRound(run, 3, []);
  const last = run.ledger.passes[run.ledger.passes.length - 1];
  const { requests = 0 } = last?.network ?? {};
  const { pagesWritten = 0 } = last?.flash ?? {};
  if (requests !== 1) run.problems.push(`an idle sync had ${requests} requests, 1 is promised`);
  if (pagesWritten > 0)
    run.problems.push(`an idle sync has written ${pagesWritten} pages of flash, 0 are promised`);
  run.say('synced again, with nothing to do');
}

/** What the device holds, and what its system has. */
async function lastLook(run: Run, options: HouseholdOptions): Promise<void> {
  const { setup, ledger, problems, parts } = run;
  await withPower(run, () => ledger.inspect(() => look(run, options)));
  const [{ remote, compared }] = parts;
  const document = await remote.owa?.document();
  const wanted = [...(document ?? [])].filter(([, entry]) => isLive(entry)).map(([name]) => name);
  const differences = differencesOf(await originsOn(setup.system.apps()), wanted);
  compared.push(`the apps of its system: ${differences.length} differences`);
  problems.push(...differences);
  const did = setup.system.apps().did.filter((line) => line.startsWith('install '));
  const twice = did.filter((line, at) => did.indexOf(line) !== at);
  problems.push(...twice.map((line) => `it did twice: ${line}`));
}

async function originsOn(apps: Pick<Apps, 'list'>): Promise<string[]> {
  const origins: string[] = [];
  for (let more = true; more; ) {
    const listed = await apps.list(origins[origins.length - 1] ?? '', LISTED_MAX);
    origins.push(...listed.map(({ origin }) => origin));
    more = listed.length === LISTED_MAX;
  }
  return origins;
}

const LISTED_MAX = 100;

function differencesOf(there: readonly string[], wanted: readonly string[]): string[] {
  const [has, should] = [new Set(there), new Set(wanted)];
  return [
    ...wanted.filter((origin) => !has.has(origin)).map((one) => `${one} is not on its system`),
    ...there.filter((origin) => !should.has(origin)).map((one) => `${one} is still on its system`),
  ];
}
