// What an older version kept of an accounts server was one text under one key. Its accounts are
// taken out of it into rows, some at a time, each with all that is its own: a step is whole or has
// not been, and whoever comes next goes on with what is left of the text. What stays in its place
// is no text that the older version could read: it breaks off, and loses nothing.

import { type AccountState, EMPTY_STATE } from '../account-state.ts';
import { parseObject } from '../http.ts';
import { addRow, endOf, rowsOf } from './account-rows.ts';
import { damaged } from './bso-keys.ts';
import type { ServerStorage, Transaction } from './server-storage.ts';

const KEY = 'sign-ins';
/** In its place when all is taken over. */
const TAKEN = 'in rows';
/** Of one step. An account is not divided. */
const ROWS_MAX = 5_000;

/**
 * Takes over what is there, or `atFirst` where nothing is. Resolves when all is in rows, in
 * whichever process. Errors: StorageError, Error where the text is damaged.
 */
export async function takeOver(
  storage: ServerStorage,
  atFirst: AccountState,
  nowMs: number,
  rowsMax = ROWS_MAX,
): Promise<void> {
  const step = async (tx: Transaction): Promise<boolean> => {
    const [text = null] = await tx.get([KEY]);
    if (text === TAKEN) return true;
    const { some, rest } = divided(text === null ? atFirst : (stateIn(text) ?? atFirst), rowsMax);
    for (const [key, row] of rowsOf(some)) {
      // Nobody took away what had expired.
      if ((endOf(key, row).endMs ?? Number.POSITIVE_INFINITY) <= nowMs) continue;
      tx.put(key, row);
      addRow(tx, key, row);
    }
    tx.put(KEY, rest === null ? TAKEN : JSON.stringify({ version: 2, ...rest }));
    return rest === null;
  };
  while (!(await storage.transaction('accounts', step)));
}

/** Null: an older one yet, that had no accounts in it. */
function stateIn(text: string): AccountState | null {
  const kept = parseObject(text);
  if (kept === null) throw damaged(KEY);
  if (kept.version !== 2) return null;
  const { version: _version, ...state } = kept;
  return { ...EMPTY_STATE, ...state };
}

function divided(
  state: AccountState,
  rowsMax: number,
): { some: AccountState; rest: AccountState | null } {
  const counts = new Map<string, number>();
  for (const { email } of [...state.tokens, ...state.grants, ...state.codes])
    counts.set(email, (counts.get(email) ?? 0) + 1);
  let rows = state.destroyed.length;
  const taken = new Set<string>();
  for (const { email } of state.accounts) {
    if (taken.size > 0 && rows > rowsMax) break;
    rows += 2 + (counts.get(email) ?? 0);
    taken.add(email);
  }
  const isTaken = ({ email }: { email: string }) => taken.has(email);
  const part = (isPart: (one: { email: string }) => boolean) => ({
    accounts: state.accounts.filter(isPart),
    tokens: state.tokens.filter(isPart),
    grants: state.grants.filter(isPart),
    codes: state.codes.filter(isPart),
  });
  const some = { ...part(isTaken), destroyed: state.destroyed };
  const rest = { ...part((one) => !isTaken(one)), destroyed: [] };
  return { some, rest: rest.accounts.length === 0 ? null : rest };
}
