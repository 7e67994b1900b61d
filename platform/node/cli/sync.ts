// `kitsync sync`: the agent on this machine against a real server, once or until it is told to stop.
// Between passes it answers the other commands (control.ts). It ends by itself only when waiting would not help:
// then somebody has to sign in, or to look at what it says.

import { type Agent, type AgentEvent, type PassReport, SyncError } from '../../../agent/index.ts';
import { Failure } from './complaint.ts';
import { COLLECTIONS } from './contents.ts';
import { localApi, serveControl } from './control.ts';
import { type CredentialsFile, readCredentials, writeCredentials } from './credentials.ts';
import { checkFolder, openData, socketOf } from './data.ts';
import { accountOf, identityOf } from './identity.ts';
import type { SyncOptions } from './options.ts';
import { progressPrinter } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** Resolves to the exit code. Errors: `UsageError`, `Failure`, `StorageError`, `SyncError`. */
export async function sync(options: SyncOptions, terminal: Terminal): Promise<number> {
  const { directory, credentialsFile, intervalMs } = options;
  checkFolder(directory);
  const credentials = readCredentials(credentialsFile);
  const print = progressPrinter(terminal, options.json);
  const watch: PassWatch = { passes: 0, onPass: () => undefined };
  const data = await openData({
    ...terminal.machine,
    directory,
    remote: options.remote,
    intervalMs: intervalMs ?? 0,
    identity: (machine, deviceKey) =>
      identityOf(credentials, machine, deviceKey, (file) =>
        writeCredentials(credentialsFile, file),
      ),
    // The first pass is asked for below; without a network the agent's schedule adds none of its own.
    connection: () => (watch.passes === 0 || intervalMs === null ? 'none' : 'wifi'),
    shell: {
      status: () => undefined,
      event(json) {
        print(json);
        const event = JSON.parse(json) as AgentEvent;
        if (event.kind !== 'pass') return;
        watch.passes++;
        watch.onPass(event.report);
      },
    },
  });
  try {
    checkAccount(data.agent, credentials, directory);
    await data.agent.configure(settingsOf(options));
    const stopControl = await serveControl(socketOf(directory), localApi(data.agent));
    return await run(data.agent, options, watch, terminal).finally(stopControl);
  } finally {
    data.close();
  }
}

/** A pass that is told to stop and hangs in the network is left behind after this. */
const STOP_GRACE_MS = 2_000;

interface PassWatch {
  /** Passes that are over. */
  passes: number;
  onPass(report: PassReport): void;
}

/** Runs until there is nothing to wait for: after one pass, a failure that stays, or the wish to stop. */
async function run(
  agent: Agent,
  { intervalMs, initialize }: SyncOptions,
  watch: PassWatch,
  terminal: Terminal,
): Promise<number> {
  let grace: NodeJS.Timeout | undefined;
  let takeBack = (): void => undefined;
  try {
    return await new Promise<number>((resolve, reject) => {
      const isOnce = intervalMs === null;
      const stopCode = isOnce ? 1 : 0;
      let isStopping = false;
      watch.onPass = (report) => {
        if (isStopping) resolve(stopCode);
        else if (initialize && watch.passes === 1 && report.error?.code === 'noSyncData') {
          agent.initializeAccount(true).catch(reject);
        } else if (isOnce) resolve(report.ok ? 0 : 1);
        else if (isFinal(report)) resolve(1);
      };
      takeBack = terminal.onStop(() => {
        isStopping = true;
        agent.cancel();
        const { state } = agent.status();
        if (state !== 'syncing' && state !== 'enabling') resolve(stopCode);
        else grace = setTimeout(() => terminal.exit(stopCode), STOP_GRACE_MS);
      });
      const first = agent.status().state === 'disabled' ? agent.enable() : agent.sync();
      first.catch(reject);
    });
  } finally {
    takeBack();
    clearTimeout(grace);
  }
}

/** Waiting will not help. */
function isFinal({ error }: PassReport): boolean {
  return error !== null && new SyncError(error.code, '').retry !== 'later';
}

/** The agent would begin anew with another account's data, and forget what has not been sent. */
function checkAccount(agent: Agent, credentials: CredentialsFile, directory: string): void {
  const { account } = agent.status();
  const { email } = accountOf(credentials);
  if (account === null || account === email) return;
  throw new Failure(
    `${directory} holds the data of ${account}, not of ${email}: choose another --data`,
  );
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
