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
import { removeDrafts } from '../whole-files.ts';
import { complaintOf, UsageError } from './complaint.ts';
import { checkAnswerable, confirm } from './confirm.ts';
import { COLLECTIONS } from './contents.ts';
import { localApi, serveControl } from './control.ts';
import { type CredentialsFile, readCredentials } from './credentials.ts';
import { checkFolder, type Data, openInTurn, socketOf } from './data.ts';
import { emptiness, eraseData } from './folder.ts';
import { checkAccount, identityOf } from './identity.ts';
import { watchReturn } from './network-return.ts';
import { readNotes, writeNotes } from './notes.ts';
import type { SyncOptions } from './options.ts';
import { progressPrinter, waitingLine } from './progress.ts';
import { giveBack } from './sign-out.ts';
import type { Terminal } from './terminal.ts';

/** The exit code when another device has signed this one out. */
const SIGNED_OUT = 3;

/** Resolves to the exit code. Errors: `UsageError`, `Failure`, `StorageError`, `SyncError`. */
export async function sync(options: SyncOptions, terminal: Terminal): Promise<number> {
  const { directory, credentialsFile, intervalMs, device, allowHttp } = options;
  if (options.initialize) checkAnswerable(terminal, options.yes);
  checkFolder(directory);
  removeDrafts(credentialsFile);
  const credentials = readCredentials(credentialsFile, allowHttp);
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
    remote: options.remote,
    intervalMs: intervalMs ?? 0,
    identity: (machine, deviceKey) =>
      identityOf(credentials, machine, deviceKey, credentialsFile, device),
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
        const report = journal.told(json);
        if (report !== null) back.passEnded(report);
      },
    },
  });
  const back = watchReturn({
    url: options.remote.serverUrl,
    clock: terminal.machine?.clock,
    returned: () => void data.agent.sync().catch(() => undefined),
  });
  let exitCode: number;
  try {
    checkAccount(data.agent.status().account, credentials, directory);
    await data.agent.configure(settingsOf(options));
    const stopControl = await serveControl(socketOf(directory), {
      ...localApi(data),
      sync: data.agent.sync,
    });
    exitCode = await run(data.agent, options, watch, terminal).finally(stopControl);
  } finally {
    back.stop();
    await journal.written();
    data.close();
  }
  if (exitCode === SIGNED_OUT) await leave(options, credentials, terminal);
  return exitCode;
}

/** Another device has signed this one out: nothing of the account stays. */
async function leave(
  { directory, allowHttp }: SyncOptions,
  credentials: CredentialsFile,
  terminal: Terminal,
): Promise<void> {
  const left = await eraseData(directory);
  terminal.complain(
    `another device has signed this one out: ${emptiness(directory, left)}; ` +
      `${await giveBack(credentials, { ...terminal.machine, allowHttp })}\n`,
  );
}

/** Prints what the agent tells, keeps it in the notes, and tells it to who waits for it. */
function journalOf(options: SyncOptions, terminal: Terminal, watch: Watch, status: () => Status) {
  const print = progressPrinter(terminal, options.json);
  let noted = Promise.resolve();
  return {
    /** Of the end of a pass: its report. */
    told(json: string): PassReport | null {
      print(json);
      const event = JSON.parse(json) as AgentEvent;
      if (event.kind === 'state' && event.state === 'disabled') watch.onSignedOut();
      if (event.kind !== 'pass') return null;
      const { report } = event;
      watch.passes++;
      if (!options.json && report.error === null) {
        terminal.write(waitingLine(status().collections));
      }
      // The notes are the new owner's then.
      if (!watch.isLost) {
        noted = noted.then(() => note(options, status(), report.ok, terminal));
      }
      watch.onPass(report);
      return report;
    },
    written: (): Promise<void> => noted,
  };
}

/** A pass that is told to stop and hangs in the network is left behind after this. */
const STOP_GRACE_MS = 2_000;

interface Watch {
  /** The first pass was asked for. */
  hasBegun: boolean;
  /** Passes that are over. */
  passes: number;
  /** Which server was not asked, because it would have to be without encryption. */
  plainHttp: string | null;
  /** Another process has the folder now. */
  isLost: boolean;
  onPass(report: PassReport): void;
  onSignedOut(): void;
  onLost(): void;
}

function newWatch(): Watch {
  const nothing = (): void => undefined;
  return {
    ...{ hasBegun: false, passes: 0, plainHttp: null, isLost: false },
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
      watch.onSignedOut = () => resolve(SIGNED_OUT);
      watch.onLost = () => reject(new InUseError(options.directory));
      watch.onPass = (report) => {
        const code = report.error?.code;
        if (isStopping) resolve(stopCode);
        else if (watch.plainHttp !== null) reject(new UsageError(watch.plainHttp));
        // Nobody here has stopped it: another device has, and the agent is about to sign out.
        else if (code === 'aborted') return;
        else if (options.initialize && watch.passes === 1 && code === 'noSyncData') {
          initialize(agent, options, terminal).catch(reject);
        } else if (isOnce) resolve(report.ok ? 0 : 1);
        else if (agent.status().lastSyncMs === null && isFinal(report)) resolve(1);
      };
      takeBack = terminal.onStop(() => {
        isStopping = true;
        agent.cancel();
        const { state } = agent.status();
        if (state !== 'syncing' && state !== 'enabling') resolve(stopCode);
        else grace = setTimeout(() => terminal.exit(stopCode), STOP_GRACE_MS);
      });
      watch.hasBegun = true;
      const first = agent.status().state === 'disabled' ? agent.enable() : agent.sync();
      first.catch((error) => {
        reject(watch.plainHttp === null ? error : new UsageError(watch.plainHttp));
      });
    });
  } finally {
    takeBack();
    clearTimeout(grace);
  }
}

/** Errors: `Failure` when the person says no, those of the agent. */
async function initialize(
  agent: Agent,
  { remote, yes }: SyncOptions,
  terminal: Terminal,
): Promise<void> {
  await confirm(
    terminal,
    `${agent.status().account} has no Sync data at ${remote.serverUrl}. This will create:\n` +
      '  crypto/keys   new random keys, sealed under the key of the account\n' +
      '  meta/global   the list of what the account syncs: all that Firefox knows\n' +
      'Nothing that is there is changed. If one of your browsers syncs with this account, say no.',
    yes,
  );
  const { initialized } = await agent.initializeAccount(true);
  if (initialized === undefined) return;
  const names = initialized.engines.map(({ name }) => name);
  terminal.complain(`created crypto/keys, and meta/global with ${names.join(', ')}\n`);
}

/** Somebody has to act. */
function isFinal({ error }: PassReport): boolean {
  return error !== null && new SyncError(error.code, '').retry !== 'later';
}

/** Keeps what the servers said. That a wait is still on is known without that. */
async function note(
  { directory, remote, device }: SyncOptions,
  { error, alert, quotaRemainingBytes, lastSyncMs }: Status,
  isGood: boolean,
  terminal: Terminal,
): Promise<void> {
  if (error?.code === 'backoff') return;
  try {
    // Of the passes before this process, the agent does not know the last one.
    const lastGoodMs = isGood ? lastSyncMs : (readNotes(directory).lastSyncMs ?? lastSyncMs);
    const said = { error, alert, quotaRemainingBytes };
    await writeNotes(directory, { remote, device, lastSyncMs: lastGoodMs, said });
  } catch (failure) {
    terminal.complain(`kitsync: ${complaintOf(failure).line}\n`);
  }
}

/** Kept in the folder, so that the commands without a network know them too. */
function settingsOf({ collections, readOnly, intervalMs }: SyncOptions) {
  const settings = COLLECTIONS.map((name) => [
    name,
    { enabled: collections.includes(name), readOnly },
  ]);
  return {
    collections: Object.fromEntries(settings),
    ...(intervalMs === null ? {} : { intervalMs }),
  };
}
