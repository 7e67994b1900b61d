// Requests that all processes on one storage answer once between them: those whose body nobody has
// signed. Whoever caught one could send it again with a body of their own, which fits the chain as
// well as its author's. What was taken is kept until its time is too old for every process.

import type { ServerStorage } from '../storage/server-storage.ts';
import { Keys } from './rows.ts';

/** Of a request, all but its body. */
export interface SignedHead {
  /** When it was signed, by the client's clock. */
  readonly seconds: number;
  /** That of no other request of the user. */
  readonly name: string;
}

/** More than are added with it. */
const FORGOTTEN_MAX = 100;

/** False: it was taken before. `untilMs`: nobody takes what was signed before that any more. */
export async function takeOnce(
  storage: ServerStorage,
  user: string,
  { seconds, name }: SignedHead,
  untilMs: number,
): Promise<boolean> {
  return storage.transaction(`picl-once/${user}`, async (tx) => {
    const key = Keys.taken(user, seconds, name);
    const [known = null] = await tx.get([key]);
    if (known !== null) return false;
    const range = { from: Keys.taken(user, 0), to: Keys.taken(user, Math.floor(untilMs / 1000)) };
    for (const old of await tx.keys({ ...range, limit: FORGOTTEN_MAX })) tx.remove(old);
    tx.put(key, '');
    return true;
  });
}
