// The last look at a device, at each of its remotes by itself: what the device holds, has set aside
// and has not sent, how it stands among the account's devices, and the comparison with the servers.
// Of a remote that was signed out of, nothing may be left.

import { compareAll, compareSample, countOf, IN_THE_END, ownOf, readAside } from './checks.ts';
import { readHoldings, readRecords } from './holdings.ts';
import type { Ledger } from './ledger.ts';
import { keyPrefix, type Part, SIGNED_OUT } from './part.ts';
import { withForgotten } from './quarantine.ts';
import { type Run, withPower } from './run.ts';
import { deviceNames } from './server-records.ts';
import type { Setup } from './setup.ts';

interface LookOptions {
  readonly compare?: 'all' | 'sample' | 'none';
  readonly wantsHoldings?: boolean;
}

/** At all remotes but those that were looked at before. */
export async function look(run: Run, options: LookOptions): Promise<void> {
  for (const part of run.parts) {
    if (part.state !== SIGNED_OUT) await lookAt(run, part, options);
  }
}

/** At one remote: counters of its collections, and the comparison with its servers. */
export async function lookAt(
  run: Run,
  part: Part,
  { compare: wanted = 'all', wantsHoldings = false }: LookOptions,
): Promise<void> {
  const { setup, ledger } = run;
  const { problems, remote } = part;
  const { device } = setup;
  const status = await statusOf(run, part);
  part.state = status.state;
  part.error = status.error?.code ?? null;
  const marks = await readAside(setup, part);
  part.quarantine = withForgotten(marks, part.reported);
  for (const [name, { held, pending, quarantined }] of Object.entries(status.collections)) {
    part.records[name] = { held, quarantined, pushed: pushedOf(ledger, part, name) };
    const named = marks.filter(({ collection }) => collection === name).length;
    if (named !== quarantined) {
      problems.push(`${name}: ${quarantined} counted in quarantine, ${named} are there`);
    }
    if (pending > 0 && !remote.isOff)
      problems.push(`${name}: ${countOf(pending, 'change')} never reached the server`);
  }
  // What was never reached, or has changes that were not sent, is not as the servers are.
  const isBehind = remote.isOff && (!part.hasSynced || pendingOf(status) > 0);
  const compare = isBehind ? 'none' : wanted === 'sample' && part !== run.parts[0] ? 'all' : wanted;
  if (ledger.passes.some((pass) => isOf(part, pass) && DEVICES in pass.collections))
    await lookAtDevices(run, part, compare);
  if (wantsHoldings || compare === 'all') {
    part.holdings = await readHoldings(device, part.collections);
    for (const name of ownOf(part)) part.others[name] = await readRecords(device, name);
  }
  if (compare === 'all') await compareAll(run, part, part.before, IN_THE_END);
  if (compare === 'sample') await compareSample(run, part, await remote.view());
  if (isBehind) part.compared.push('nothing: it was switched off');
}

/** The collection of the account's devices. */
const DEVICES = 'clients';

async function lookAtDevices(
  { setup, ledger, parts, options }: Run,
  part: Part,
  compare: 'all' | 'sample' | 'none',
): Promise<void> {
  const { remote, problems } = part;
  const { name, type } = options.description ?? options.profile.device;
  part.collections = [...part.collections, DEVICES];
  part.itself = {
    ...{ name, type, pushed: pushedOf(ledger, part, DEVICES) },
    others: part === parts[0] ? await othersOf(setup) : null,
  };
  if (remote.servers === null && compare === 'none') return;
  const account = await remote.view();
  const own = deviceNames(account, setup.nowMs()).filter((other) => other === name);
  // To servers outside a device of this name may have come before.
  const isRight = remote.servers !== null ? own.length === 1 : own.length > 0;
  if (!isRight) problems.push(`the account lists the device ${own.length} times`);
}

/** The device tells of those that are with it at its first remote. */
async function othersOf({ device }: Setup): Promise<number> {
  const { devices } = (await device.command('devices', {})) as { readonly devices: unknown[] };
  return devices.length;
}

/** Leaves a remote in the device's name, and looks at what is left of it. */
export async function signOutOf(run: Run, part: Part): Promise<void> {
  const { setup, parts } = run;
  const { problems, remote } = part;
  run.say(`signing out of ${remote.name}`);
  const input = parts.length > 1 ? { remote: remote.address } : {};
  await withPower(run, () => setup.device.command('disable', input));
  const { state, account, collections } = await statusOf(run, part);
  if (state !== 'disabled' || account !== null) problems.push(`signed out, it is ${state}`);
  for (const [name, { pushed }] of Object.entries(part.records)) {
    const { held = 0, quarantined = 0 } = collections[name] ?? {};
    if (held + quarantined > 0) problems.push(`signed out, it holds ${held} records of ${name}`);
    part.records[name] = { held, quarantined, pushed };
  }
  const left = await keysOf(setup, part);
  if (left.length > 0) problems.push(`signed out, it has ${countOf(left, 'key')} of it`);
  await withPower(run, () => setup.device.idle(FAREWELL_MS));
  const names = remote.isOff ? [] : deviceNames(await remote.view(), setup.nowMs());
  if (remote.servers !== null && names.includes(part.itself?.name))
    problems.push('signed out, the account lists the device');
  part.state = SIGNED_OUT;
  part.quarantine = [];
  part.holdings = null;
  part.others = {};
}

/** Servers are told to forget the device's record in a second. */
const FAREWELL_MS = 2_000;

/** What the storage has of a remote, but for what says that nobody is signed in there. */
async function keysOf({ device }: Setup, { remote }: Part): Promise<string[]> {
  const at = keyPrefix(remote);
  const all = await device.stored().scan({ from: '!', to: '~', limit: KEYS_MAX });
  const own = all.filter((key) => (at === '' ? !key.startsWith(':') : key.startsWith(at)));
  return own.filter((key) => !['s', 't'].includes(key.slice(at.length)));
}

const KEYS_MAX = 10_000_000;

interface Status {
  readonly state: string;
  readonly account: string | null;
  readonly error: { readonly code: string } | null;
  readonly collections: Readonly<
    Record<
      string,
      { readonly held: number; readonly pending: number; readonly quarantined: number }
    >
  >;
  readonly remotes?: Readonly<Record<string, Status>>;
}

/** As far as it is about one remote. */
async function statusOf({ setup }: Run, { remote }: Part): Promise<Status> {
  const status = (await setup.device.command('status', {})) as Status;
  return status.remotes?.[remote.address] ?? status;
}

function pendingOf({ collections }: Status): number {
  return Object.values(collections).reduce((sum, { pending }) => sum + pending, 0);
}

function pushedOf({ passes }: Ledger, part: Part, name: string): number {
  return passes
    .filter((pass) => isOf(part, pass))
    .reduce((sum, { collections }) => sum + (collections[name]?.pushed ?? 0), 0);
}

function isOf({ remote }: Part, pass: { readonly remote: string }): boolean {
  return pass.remote === remote.address;
}
