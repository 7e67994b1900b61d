// How many clients an account has: those that have named themselves at a login in the last 30 days.
// A device that is alone need not ask whether others have changed something.

import type { ServerStorage } from '../storage/server-storage.ts';
import { clientsKey, lockOf, readClients } from './rows.ts';

const SEEN_MS = 30 * 86_400_000;
/** Whoever invents names for itself pushes out its own oldest ones. */
const CLIENTS_MAX = 1_000;

/** Remembers that a client was seen, if it has a name; resolves to the number of all. */
export function countClients(
  storage: ServerStorage,
  user: string,
  uuid: string | null,
  nowMs: number,
): Promise<number> {
  return storage.transaction(lockOf(user), async (tx) => {
    const key = clientsKey(user);
    const [text = null] = await tx.get([key]);
    const seen = readClients(user, text);
    if (uuid !== null) {
      seen.delete(uuid);
      seen.set(uuid, nowMs);
    }
    // A clock that was set back has seen nobody later than now.
    const known = [...seen].map(([one, atMs]) => [one, Math.min(atMs, nowMs)] as const);
    const alive = known.filter(([, atMs]) => atMs > nowMs - SEEN_MS).slice(-CLIENTS_MAX);
    if (uuid !== null) tx.put(key, JSON.stringify(Object.fromEntries(alive)));
    return alive.length;
  });
}
