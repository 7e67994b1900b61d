// `kitsync sync`: the agent on this machine against a real server, once or until it is told to
// stop. Between passes it answers the other commands (control.ts). Once it has synced, it ends by
// itself only when another device has signed this one out: what a server says may be wrong. A first
// sync ends it when somebody has to sign in, or to look at what it says.

import {
  type Agent,
  type AgentEvent,
  type PassReport,
  type Status,
  SyncError,
} from '../../../agent/index.ts';
import { InUseError } from '../lock.ts';
import type { NodePlatformOptions } from '../platform.ts';
import { removeDrafts } from '../whole-files.ts';
import { broughtApps } from './brought-apps.ts';
import { complaintOf, UsageError } from './complaint.ts';
import { checkAnswerable, confirm } from './confirm.ts';
import { COLLECTIONS, isOwnName } from './contents.ts';
import { localApi, serveControl } from './control.ts';
import { type CredentialsFile, readCredentials } from './credentials.ts';
import { checkFolder, type Data, openInTurn, socketOf } from './data.ts';
import { emptiness, eraseData } from './folder.ts';
import { checkAccount, identityOf, nobody } from './identity.ts';
import { type Incident, merged, withIncident } from './incidents.ts';
import { watchReturn } from './network-return.ts';
import { type Notes, readNotes, saidBy, withSaid, writeNotes } from './notes.ts';
import type { SyncOptions } from './options.ts';
import { tellOtherKeys } from './other-keys.ts';
import { progressPrinter, waitingLine } from './progress.ts';
import { FIRST, located, type Service } from './service.ts';
import { giveBack } from './sign-out.ts';
import { withTyped } from './strategies.ts';
import type { Terminal } from './terminal.ts';

const ONCE_INTERVAL_MS = 24 * 3_600_000;

/** The exit code when another device has signed this one out. */
const SIGNED_OUT = 3;

/** Resolves to the exit code. Errors: `UsageError`, `Failure`, `StorageError`, `SyncError`. */
export async function sync(typed: SyncOptions, terminal: Terminal): Promise<number> {
  const { directory, intervalMs, device, allowHttp } = typed;
  if (typed.initialize) checkAnswerable(terminal, typed.yes);
  checkFolder(directory);
  const [first, ...others] = typed.services;
  const signIns = [signInOf(first, allowHttp), ...others.map((one) => signInOf(one, allowHttp))];
  const [{ service }, ...further] = signIns as [ServiceSignIn, ...ServiceSignIn[]];
  const options = { ...typed, services: [service, ...further.map((one) => one.service)] as const };
  const identityAt = (name: string | null) => identityFor(signIns, name, device);
  const watch = newWatch();
  const journal = journalOf(options, terminal, watch, () => data.agent.status());
  const data: Data = await openInTurn({
    ...terminal.machine,
    allowHttp,
    onPlainHttp: (line) => {
      watch.plainHttp = line;
    },
    directory,
    device,
    remote: service.remote,
    own: service.collections.filter(isOwnName),
    others: othersOf(options),
    strategies: withTyped(readNotes(directory).strategies, typed.strategies),
    // One service must not begin anew while another is at its first pass.
    intervalMs: intervalMs ?? ONCE_INTERVAL_MS,
    identity: identityAt(null),
    identityOf: (name, machine, deviceKey) => identityAt(name)(machine, deviceKey),
    // The first pass is asked for below; until then the agent's schedule shall find no network for
    // one of its own.
    connection: () => (watch.hasBegun ? 'wifi' : 'none'),
    onLost: () => {
      watch.isLost = true;
      watch.onLost();
    },
    shell: {
      status: () => undefined,
      event(json) {
        const told = journal.told(json);
        if (told !== null) back.get(told.remote)?.passEnded(told.report);
      },
    },
  });
  const back = returnsOf(options, terminal, () => data.agent);
  const ended = { exitCode: 0, brought: [] as readonly string[] };
  try {
    for (const { service, file } of signIns) {
      const name = service.name ?? FIRST;
      checkAccount(data.agent.status(name).account, file, directory);
      await data.agent.configure(settingsOf(options, service), name);
    }
    await writeNotes(directory, notesOf(options));
    const stopControl = await serveControl(socketOf(directory), {
      ...localApi(data),
      sync: data.agent.sync,
    });
    // What was put into the folder of apps goes along with the first pass.
    await data.agent.appsSettled?.();
    const told = tellOtherKeys(signIns, data.agent, terminal, allowHttp);
    const running = run(data.agent, options, watch, terminal);
    ended.exitCode = await running.finally(stopControl).finally(told);
    if (ended.exitCode === SIGNED_OUT) ended.brought = await broughtApps(data.storage);
  } finally {
    for (const watched of back.values()) watched.stop();
    await journal.written();
    watch.isLost = true;
    await data.close();
  }
  if (ended.exitCode === SIGNED_OUT) await leave(options, signIns, ended.brought, terminal);
  return ended.exitCode;
}

interface ServiceSignIn {
  readonly service: Service;
  readonly file: CredentialsFile;
}

/** Errors: `UsageError`. */
function signInOf(typed: Service, allowHttp: boolean): ServiceSignIn {
  removeDrafts(typed.credentialsFile);
  const file = readCredentials(typed.credentialsFile, allowHttp);
  return { service: located(typed, file), file };
}

function identityFor(
  signIns: readonly ServiceSignIn[],
  name: string | null,
  device: SyncOptions['device'],
): NodePlatformOptions['identity'] {
  return (machine, deviceKey) => {
    const found = signIns.find(({ service }) => service.name === name);
    if (found === undefined) return nobody(deviceKey);
    return identityOf(found.file, machine, deviceKey, found.service.credentialsFile, device);
  };
}

/** Watches the way to each service. */
function returnsOf({ services }: SyncOptions, terminal: Terminal, agent: () => Agent) {
  return new Map(
    services.map(({ name, remote: { serverUrl } }) => [
      name ?? FIRST,
      watchReturn({
        url: serverUrl,
        clock: terminal.machine?.clock,
        returned: () =>
          void agent()
            .sync(name ?? FIRST)
            .catch(() => undefined),
      }),
    ]),
  );
}

/** Another device has signed this one out: nothing of the account stays. */
async function leave(
  { directory, allowHttp }: SyncOptions,
  signIns: readonly ServiceSignIn[],
  brought: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const said = [emptiness(directory, await eraseData(directory, brought))];
  for (const { service, file } of signIns) {
    const whose = signIns.length > 1 ? `${service.name ?? FIRST}: ` : '';
    said.push(whose + (await giveBack(file, { ...terminal.machine, allowHttp })));
  }
  terminal.complain(`another device has signed this one out: ${said.join('; ')}\n`);
}

/** Prints what the agent tells, keeps it in the notes, and tells it to who waits for it. */
function journalOf(options: SyncOptions, terminal: Terminal, watch: Watch, status: () => Status) {
  const print = progressPrinter(terminal, options.json);
  let noted = Promise.resolve();
  const incidents = new Map<string, readonly Incident[]>();
  return {
    /** Of the end of a pass: its report. */
    told(json: string): { readonly remote: string; readonly report: PassReport } | null {
      print(json);
      const event = JSON.parse(json) as AgentEvent;
      const remote = event.remote ?? FIRST;
      if (event.kind === 'state' && event.state === 'disabled') watch.onSignedOut(remote);
      incidents.set(remote, withIncident(incidents.get(remote) ?? [], event, Date.now()));
      if (event.kind !== 'pass') return null;
      const { report } = event;
      watch.passes.set(remote, (watch.passes.get(remote) ?? 0) + 1);
      if (!options.json && report.error === null) {
        const { collections, remotes } = status();
        terminal.write(waitingLine(remotes?.[remote]?.collections ?? collections));
      }
      // The notes are the new owner's then.
      if (!watch.isLost) {
        const now = status();
        const own = now.remotes?.[remote] ?? now;
        const seen = incidents.get(remote) ?? [];
        incidents.delete(remote);
        noted = noted.then(() => note(options, remote, own, report.ok, seen, terminal));
      }
      watch.onPass(report, remote);
      return { remote, report };
    },
    written: (): Promise<void> => noted,
  };
}

/** A pass that is told to stop and hangs in the network is left behind after this. */
const STOP_GRACE_MS = 2_000;

interface Watch {
  /** The first pass was asked for. */
  hasBegun: boolean;
  /** Passes that are over, by service. */
  readonly passes: Map<string, number>;
  /** Which server was not asked, because it would have to be without encryption. */
  plainHttp: string | null;
  /** Another process has the folder now, or may have it. */
  isLost: boolean;
  onPass(report: PassReport, remote: string): void;
  onSignedOut(remote: string): void;
  onLost(): void;
}

function newWatch(): Watch {
  const nothing = (): void => undefined;
  return {
    ...{ hasBegun: false, passes: new Map(), plainHttp: null, isLost: false },
    ...{ onPass: nothing, onSignedOut: nothing, onLost: nothing },
  };
}

/**
 * Runs until there is nothing to wait for: after one pass, a first one that cannot be, or the wish
 * to stop.
 */
async function run(
  agent: Agent,
  options: SyncOptions,
  watch: Watch,
  terminal: Terminal,
): Promise<number> {
  let grace: NodeJS.Timeout | undefined;
  let takeBack = (): void => undefined;
  try {
    return await new Promise<number>((resolve, reject) => {
      const isOnce = options.intervalMs === null;
      const stopCode = isOnce ? 1 : 0;
      let isStopping = false;
      const names = options.services.map(({ name }) => name ?? FIRST);
      const ended = new Map<string, boolean>();
      /** What one service has come to ends the command when all have come to something. */
      const end = (remote: string, isGood: boolean): void => {
        ended.set(remote, isGood);
        if (ended.size === names.length) resolve([...ended.values()].every(Boolean) ? 0 : 1);
      };
      watch.onSignedOut = (remote) => {
        if (names.every((name) => agent.status(name).state === 'disabled')) resolve(SIGNED_OUT);
        else {
          terminal.complain(`${remote}: another device has signed this one out\n`);
          if (isOnce) end(remote, false);
        }
      };
      watch.onLost = () => reject(new InUseError(options.directory));
      watch.onPass = (report, remote) => {
        const code = report.error?.code;
        if (isStopping) resolve(stopCode);
        else if (watch.plainHttp !== null) reject(new UsageError(watch.plainHttp));
        // Nobody here has stopped it: another device has, and the agent is about to sign out.
        else if (code === 'aborted') return;
        else if (options.initialize && watch.passes.get(remote) === 1 && code === 'noSyncData') {
          initialize(agent, options, remote, terminal).catch(reject);
        } else if (isOnce) end(remote, report.ok);
        else if (agent.status(remote).lastSyncMs === null && isFinal(report)) end(remote, false);
        else ended.delete(remote);
      };
      takeBack = terminal.onStop(() => {
        isStopping = true;
        agent.cancel();
        const states = names.map((name) => agent.status(name).state);
        const isBusy = states.some((state) => state === 'syncing' || state === 'enabling');
        if (!isBusy) resolve(stopCode);
        else grace = setTimeout(() => terminal.exit(stopCode), STOP_GRACE_MS);
      });
      watch.hasBegun = true;
      for (const name of names) {
        const isNew = agent.status(name).state === 'disabled';
        (isNew ? agent.enable(name) : agent.sync(name)).catch((error) => {
          reject(watch.plainHttp === null ? error : new UsageError(watch.plainHttp));
        });
      }
    });
  } finally {
    takeBack();
    clearTimeout(grace);
  }
}

/** What a remote of Firefox Sync says that it has written. */
interface CreatedSyncData {
  readonly engines?: readonly { readonly name: string }[];
}

/** Errors: `Failure` when the person says no, those of the agent. */
async function initialize(
  agent: Agent,
  { services, yes }: SyncOptions,
  name: string,
  terminal: Terminal,
): Promise<void> {
  const { serverUrl = '' } = services.find((one) => (one.name ?? FIRST) === name)?.remote ?? {};
  await confirm(
    terminal,
    `${agent.status(name).account} has no Sync data at ${serverUrl}. This will create:\n` +
      '  crypto/keys   new random keys, sealed under the key of the account\n' +
      '  meta/global   the list of what the account syncs: all that Firefox knows\n' +
      'Nothing that is there is changed. If one of your browsers syncs with this account, say no.',
    yes,
  );
  const { initialized } = await agent.initializeAccount(true, name);
  if (initialized === undefined) return;
  const { engines = [] } = initialized as CreatedSyncData;
  const names = engines.map(({ name }) => name);
  terminal.complain(`created crypto/keys, and meta/global with ${names.join(', ')}\n`);
}

/** Somebody has to act. */
function isFinal({ error }: PassReport): boolean {
  return error !== null && new SyncError(error.code, '').retry !== 'later';
}

/** Keeps what a server said. That a wait is still on is known without that. */
async function note(
  options: SyncOptions,
  service: string,
  { error, alert, quotaRemainingBytes, lastSyncMs }: Status,
  isGood: boolean,
  seen: readonly Incident[],
  terminal: Terminal,
): Promise<void> {
  if (error?.code === 'backoff' && seen.length === 0) return;
  try {
    const notes = notesOf(options);
    const before = saidBy(notes, service);
    // Of the passes before this process, the agent does not know the last one.
    const lastGoodMs = isGood ? lastSyncMs : (before.lastSyncMs ?? lastSyncMs);
    const said = error?.code === 'backoff' ? before.said : { error, alert, quotaRemainingBytes };
    const incidents = merged(before.incidents ?? [], seen, Date.now());
    const next = withSaid(notes, service, {
      ...{ lastSyncMs: lastGoodMs, said },
      ...((incidents.length > 0 || before.incidents) && { incidents }),
    });
    await writeNotes(options.directory, next);
  } catch (failure) {
    terminal.complain(`kitsync: ${complaintOf(failure).line}\n`);
  }
}

/** The folder's notes, with where its data is synced now. */
function notesOf(options: SyncOptions): Notes {
  const { device, services, directory } = options;
  const [{ remote, collections }] = services;
  const notes = readNotes(directory);
  const remotes = Object.entries(othersOf(options)).map(
    ([name, other]) => [name, { ...notes.remotes[name], ...other }] as const,
  );
  const own = collections.filter(isOwnName);
  const strategies = withTyped(notes.strategies, options.strategies);
  return { ...notes, remote, device, own, strategies, remotes: Object.fromEntries(remotes) };
}

function othersOf({ services }: SyncOptions) {
  const others = services.flatMap(({ name, remote, collections }) =>
    name === null ? [] : [[name, { remote, collections }] as const],
  );
  return Object.fromEntries(others);
}

/** Kept in the folder, so that the commands without a network know them too. */
function settingsOf(
  { services, readOnly, intervalMs }: SyncOptions,
  { name, collections }: Service,
) {
  const elsewhere = services
    .filter((service) => service.name !== name)
    .flatMap((service) => service.collections);
  const known = name === null ? [...COLLECTIONS, ...collections] : collections;
  const settings = known
    .filter((collection) => !elsewhere.includes(collection))
    .map((collection) => [collection, { enabled: collections.includes(collection), readOnly }]);
  return {
    collections: Object.fromEntries(settings),
    ...(intervalMs === null ? {} : { intervalMs }),
  };
}
