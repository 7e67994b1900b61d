// The device as one of its remotes sees it: its own part of the storage, its own account manager,
// its own key for what is at rest, and a shell that is told whose event it is.

import { restKey } from '../../crypto/rest.ts';
import type { Identity, Platform, Shell } from '../../platform/ports.ts';
import { type AgentConfig, FIRST_REMOTE } from '../config.ts';
import { ported } from '../errors.ts';
import { prefixed, prefixOf, type Sharing } from '../store/prefixed.ts';

/** A remote's place in the storage. */
export function placeOf(name: string): string {
  return prefixOf(name === FIRST_REMOTE ? null : name);
}

/** Throws an Error where nobody could sign in. */
export function viewOf(
  platform: Platform,
  name: string,
  config: AgentConfig,
  sharing: Sharing,
): Platform {
  const isFirst = name === FIRST_REMOTE;
  return {
    ...platform,
    storage: prefixed(platform.storage, placeOf(name), sharing),
    identity: isFirst ? platform.identity : identityOf(platform, name, config),
    shell: isFirst ? platform.shell : shellOf(platform.shell, name),
  };
}

/**
 * What one remote has sealed does not open in another's place: a value is bound to its key in
 * storage only inside its remote.
 */
function identityOf(platform: Platform, name: string, { signIn }: AgentConfig): Identity {
  const own = platform.identityOf?.(name) ?? (signIn ? platform.identity : null);
  if (own === null) throw new Error(`remotes.${name}: this platform has no sign-in for it`);
  return {
    account: () => own.account(),
    assertion: (audience, fresh) => own.assertion(audience, fresh),
    accessToken: (fresh) => own.accessToken(fresh),
    ...(own.credentials && { credentials: own.credentials.bind(own) }),
    syncKey: () => own.syncKey(),
    forget: async () => own.forget?.(),
    deviceKey: async () => restKey(await ported(own.deviceKey()), `kitsync/v1/remote/${name}`),
  };
}

function shellOf(shell: Shell, name: string): Shell {
  return {
    event: (json) => shell.event(`${json.slice(0, -1)},"remote":"${name}"}`),
    status: (json) => shell.status(json),
  };
}
