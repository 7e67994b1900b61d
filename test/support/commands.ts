// A person at a machine, for tests of the commands: servers on a loopback port, a terminal that is
// read, and the credentials of the servers' user.

import { writeFileSync } from 'node:fs';
import { scopedSyncKey } from '../../crypto/onepw.ts';
import { accountClient } from '../../emulator/servers/account-client.ts';
import { type Serving, serveOnLoopback } from '../../emulator/servers/serve.ts';
import { Store } from '../../emulator/servers/store.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { main } from '../../platform/node/cli/main.ts';
import type { Terminal } from '../../platform/node/cli/terminal.ts';
import type { MachineOptions } from '../../platform/node/platform.ts';
import { freePort } from './ports.ts';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly complaints: string;
}

/** Servers with an account of so many pages. */
export async function serveAccount(records: number): Promise<Serving> {
  const account = syntheticAccount({ records, seed: 1 });
  // When it is closed, nobody else is there.
  return serveOnLoopback({ port: await freePort(), account });
}

/** Servers with an account that no browser has synced with. */
export function serveNewAccount(): Promise<Serving> {
  return serveOnLoopback({ port: 0, account: { kB: 'ab'.repeat(32), store: new Store() } });
}

/** Writes a file with an access token of the servers' user. */
export async function credentialsOf({ world }: Serving, path: string): Promise<string> {
  const { email, password } = world.account;
  const user = accountClient({
    fetch: world.fetch,
    baseUrl: world.urls.accounts,
    credentials: { email, password },
    nowMs: Date.now,
  });
  const { token } = await user.accessToken(false);
  const key = scopedSyncKey((await user.syncKey()).kB, await user.keysChangedAtMs());
  writeFileSync(path, JSON.stringify({ email, accessToken: token, key }), { mode: 0o600 });
  return path;
}

/** Runs a command to its end; `input` is what it may read. */
export async function run(args: readonly string[], input = ''): Promise<Run> {
  const terminal = testTerminal({ input: async () => input });
  const code = await main(args, terminal);
  return { code, out: terminal.out, complaints: terminal.complaints };
}

interface TestTerminal extends Terminal {
  readonly out: string;
  readonly complaints: string;
  /** Resolves when the output, complaints included, has the text that many times. */
  saw(text: string, times?: number): Promise<void>;
  /** What Ctrl-C does. */
  stop(): void;
}

export function testTerminal(
  options: { readonly input?: () => Promise<string>; readonly machine?: MachineOptions } = {},
): TestTerminal {
  const { input = async () => '', machine } = options;
  const seen = { out: '', complaints: '' };
  const waiting = new Set<() => void>();
  let stop = (): void => undefined;
  const tell = (): void => {
    for (const look of [...waiting]) look();
  };
  return {
    ...(machine === undefined ? {} : { machine }),
    get out() {
      return seen.out;
    },
    get complaints() {
      return seen.complaints;
    },
    write(text) {
      seen.out += text;
      tell();
    },
    complain(text) {
      seen.complaints += text;
      tell();
    },
    read: input,
    readLine: input,
    onStop(stopIt) {
      stop = stopIt;
      return () => {
        stop = () => undefined;
      };
    },
    exit: (code) => {
      throw new Error(`left behind with ${code}`);
    },
    saw: (text, times = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if ((seen.out + seen.complaints).split(text).length <= times) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    stop: () => stop(),
  };
}
