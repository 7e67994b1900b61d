// What a first sync with a Kinto says of the user's data under another key, which it neither shows
// nor touches: two computers that made a key each would not know of one another. The sync waits for
// nobody here, and says itself what keeps a server from answering. Nothing is written.

import { type Agent, kintoPlaces, SyncError } from '../../../agent/index.ts';
import { userData } from '../../../agent/signin/user-data.ts';
import { nodeMachine } from '../platform.ts';
import { KINTO } from './contents.ts';
import type { CredentialsFile } from './credentials.ts';
import { proofOf } from './kinto-server.ts';
import { FIRST, type Service } from './service.ts';
import { printable, type Terminal } from './terminal.ts';

interface ServiceSignIn {
  readonly service: Service;
  readonly file: CredentialsFile;
}

/**
 * Asks the Kintos among services that were never synced by now. The returned function ends that: it
 * waits for their answers, for some seconds at most.
 */
export function tellOtherKeys(
  services: readonly ServiceSignIn[],
  agent: Agent,
  terminal: Terminal,
  allowHttp: boolean,
): () => Promise<void> {
  const machine = nodeMachine({ ...terminal.machine, allowHttp });
  const told = services.map(async ({ service: { name, remote }, file: { key, token, email } }) => {
    if (key === null || remote.protocol !== KINTO || agent.status(name ?? FIRST).account !== null)
      return;
    // A token that has to be fetched first is the agent's to fetch.
    if ('refreshToken' in token) return;
    const there = await userData(machine, remote.serverUrl, proofOf(token), kintoPlaces).catch(
      none,
    );
    if (there === null || there.keys === 0) return;
    const isUnder = await there.isUnder(key).catch(none);
    if (isUnder === null || (isUnder && there.keys < 2)) return;
    const whose = 'password' in token ? token.name : (email ?? 'this user');
    terminal.complain(
      `kitsync: ${name === null ? '' : `${name}: `}${printable(whose)} has data on this server ` +
        'under another key, which stays there and is not synced: `kitsync sign-in --kinto` with ' +
        '--code and its recovery code has both together\n',
    );
  });
  return async () => {
    await Promise.race([Promise.all(told), machine.clock.sleep(ANSWER_MS_MAX)]);
    machine.stop();
  };
}

/** The sync has these words, too. */
function none(error: unknown): null {
  if (error instanceof SyncError) return null;
  throw error;
}

/** Somebody waits for the command to end. */
const ANSWER_MS_MAX = 2_000;
