// What an accounts server knows, whole or of one account: what outlives a restart. Whoever has it
// is signed in.

import type { AccessTokens } from './access-tokens.ts';
import type { Account } from './account-call.ts';
import type { KeptToken } from './account-tokens.ts';
import type { KeptCode } from './oauth.ts';
import type { KeptGrant } from './refresh-tokens.ts';

/** Of each account that is named in it, it has the account. */
export interface AccountState {
  readonly accounts: readonly Account[];
  readonly tokens: readonly KeptToken[];
  readonly grants: readonly KeptGrant[];
  readonly codes: readonly KeptCode[];
  /** Access tokens that were destroyed before they expired. */
  readonly destroyed: ReturnType<AccessTokens['kept']>;
}

export const EMPTY_STATE: AccountState = {
  ...{ accounts: [], tokens: [], grants: [], codes: [], destroyed: [] },
};
