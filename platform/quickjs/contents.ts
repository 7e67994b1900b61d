// What a firmware is built with, loaded when it is first used. A build that is asked for something
// else puts its own list in this file's place.

import { clients, history, passwords, sync15, syncto } from '../../agent/contents/lazy.ts';
import type { Contents } from '../../agent/index.ts';
import type { Commands } from './commands.ts';
import type { AppsOf } from './host.ts';

export const contents: Contents = {
  drivers: [syncto, sync15],
  collections: [history, passwords],
  devices: clients,
};

/** Commands beside those that every firmware has: none. */
export const more: Commands | undefined = undefined;

/** How it asks for the system's apps: it does not. */
export const systemApps: AppsOf | undefined = undefined;

/**
 * How it sends requests, none of its remotes streams a body; what it asks of an account manager,
 * none of them knows a name with a password; and of the device's cryptography, none of them
 * computes in bulk.
 */
export { cryptoOf as crypto, identityOf as identity, sendWhole as send } from './host.ts';
