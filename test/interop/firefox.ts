// A real Firefox as the other device of an account: signed in to the embedded servers on loopback,
// synced on command, with its history and logins to read and change. What it holds comes in the
// shape of a device's holdings.

import type { Holdings, Login, Page } from '../../emulator/expected.ts';
import type { Serving } from '../../emulator/servers/serve.ts';
import type { PreferenceOptions } from './firefox-preferences.ts';
import { type FirefoxProcess, launchFirefox } from './firefox-process.ts';
import { signedInUser, tokenUrlOf } from './storage.ts';

export type NewPage = Omit<Page, 'guid'>;

/** Exactly one of `formActionOrigin` and `httpRealm` is a text. */
export type NewLogin = Pick<Login, 'origin' | 'username' | 'password'> &
  Partial<Pick<Login, 'formActionOrigin' | 'httpRealm' | 'usernameField' | 'passwordField'>>;

export interface Firefox {
  readonly version: string;
  /** For what has no method here: see `FirefoxProcess`. */
  readonly call: FirefoxProcess['call'];
  /** A whole sync. Throws with Firefox's reasons if any part of it failed. */
  sync(): Promise<void>;
  holdings(): Promise<Holdings>;
  addPages(pages: readonly NewPage[]): Promise<void>;
  removePages(urls: readonly string[]): Promise<void>;
  addBookmark(url: string): Promise<void>;
  /** Resolves to their guids. */
  addLogins(logins: readonly NewLogin[]): Promise<string[]>;
  changeLogin(guid: string, changes: Partial<NewLogin>): Promise<void>;
  removeLogins(guids: readonly string[]): Promise<void>;
  /** As a user does in the settings of Sync. */
  switchEngine(name: string, on: boolean): Promise<void>;
  close(): Promise<void>;
}

interface FirefoxOptions extends PreferenceOptions {
  readonly serving: Serving;
  /** Collections for which a first sync makes keys of their own. */
  readonly ownKeys?: readonly string[];
}

/** Starts Firefox and signs it in; it has not synced yet. */
export async function startFirefox({
  serving,
  ownKeys = [],
  ...preferences
}: FirefoxOptions): Promise<Firefox> {
  const browser = await launchFirefox(preferences);
  const run = (name: string, ...args: unknown[]) => browser.call('data', name, ...args);
  try {
    const user = await signedInUser(serving);
    const tokenServerUrl = tokenUrlOf(serving);
    await browser.call('account', 'signIn', { tokenServerUrl, user, ownKeys });
  } catch (error) {
    await browser.close();
    throw error;
  }
  return {
    version: browser.version,
    call: browser.call,
    async sync() {
      const { account, accounts } = serving.world;
      const devices = accounts.devices(account.email);
      const reasons = (await browser.call('account', 'syncNow', devices)) as string[];
      if (reasons.length > 0) throw new Error(`Firefox did not sync: ${reasons.join(', ')}`);
    },
    holdings: async () => ({
      history: (await run('listPages')) as Page[],
      logins: (await run('listLogins')) as Login[],
    }),
    async addPages(pages) {
      const refused = (await run('addPages', pages)) as string[];
      if (refused.length > 0) throw new Error(`Firefox refused ${refused.join(', ')}`);
    },
    async removePages(urls) {
      await run('removePages', urls);
    },
    async addBookmark(url) {
      await run('addBookmark', url);
    },
    addLogins: (logins) => run('addLogins', logins) as Promise<string[]>,
    async changeLogin(guid, changes) {
      await run('changeLogin', guid, changes);
    },
    async removeLogins(guids) {
      await run('removeLogins', guids);
    },
    async switchEngine(name, on) {
      await browser.call('account', 'switchEngine', name, on);
    },
    close: () => browser.close(),
  };
}
