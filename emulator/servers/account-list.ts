// The accounts of an accounts server: found by address, made, changed and taken away. It keeps no
// password: what proves one is hashed, and a key is held as its user wrapped it.

import { createHash, scryptSync, timingSafeEqual } from 'node:crypto';
import { type Account, problem, type Verifier } from './account-call.ts';
import { passwordKeys, xor } from './onepw.ts';

/** An account to begin with. Without a password, it is `passwordForKey(kB)`. */
export interface AccountSeed {
  readonly email: string;
  /** 64 hex digits. */
  readonly kB: string;
  readonly password?: string;
}

interface AccountListOptions {
  nowMs(): number;
  random(count: number): Uint8Array;
  /** scrypt's N for passwords that are set from now on; 2 by default, which protects nothing. */
  readonly scryptCost?: number;
}

/** When the accounts were made: long ago, so that every change is later. */
const CREATED_MS = 1_500_000_000_000;

/** The password of an account of which only the key is known. */
export function passwordForKey(kB: string): string {
  return `password for ${kB.slice(0, 8)}`;
}

export class AccountList {
  readonly #options: AccountListOptions;
  readonly #accounts = new Map<string, Account>();

  constructor(options: AccountListOptions, seeds: readonly AccountSeed[]) {
    this.#options = options;
    for (const { email, kB, password = passwordForKey(kB) } of seeds) {
      const uid = createHash('sha256').update(email).digest('hex').slice(0, 32);
      const keys = passwordKeys(email, password);
      this.#set({
        ...{ uid, email, kB, generation: CREATED_MS, keysChangedAtMs: CREATED_MS },
        verifier: this.#verifier(keys.authPW.toString('hex'), uid),
        wrapKb: xor(Buffer.from(kB, 'hex'), keys.unwrapBKey).toString('hex'),
      });
    }
  }

  all(): readonly Account[] {
    return [...this.#accounts.values()];
  }

  /** Takes what `all` gave, in the place of what is there. */
  restore(accounts: readonly Account[]): void {
    this.#accounts.clear();
    for (const account of accounts) this.#set(account);
  }

  /** Errors: HttpError 400, errno 102; 120 where only the case of letters is another. */
  byEmail(email: string): Account {
    const account = this.#accounts.get(email.toLowerCase());
    if (!account) throw problem(400, 102, 'Unknown account');
    if (account.email === email) return account;
    // The password was stretched with the address as it was written when the account was made.
    throw problem(400, 120, 'Incorrect email case', { email: account.email });
  }

  byUid(uid: string): Account | null {
    return this.all().find((account) => account.uid === uid) ?? null;
  }

  /** Errors: HttpError 400, errno 103. */
  prove(account: Account, authPW: string): void {
    const { salt, cost, hash } = account.verifier;
    const known = Buffer.from(hash, 'hex');
    if (!timingSafeEqual(known, scrypt(authPW, salt, cost)))
      throw problem(400, 103, 'Incorrect password');
  }

  /** A new account with a key that nobody has seen yet. Errors: HttpError 400, errno 101 or 107. */
  create(email: string, authPW: string): Account {
    if (!/^[^\s@]+@[^\s@]+$/.test(email) || email.length > EMAIL_CHARS_MAX)
      throw problem(400, 107, 'Invalid parameter in request body: email');
    if (this.#accounts.has(email.toLowerCase())) throw problem(400, 101, 'Account already exists');
    const { nowMs } = this.#options;
    const [uid, wrapKb] = [this.#randomHex(16), this.#randomHex(32)];
    const verifier = this.#verifier(authPW, this.#randomHex(16));
    const times = { generation: nowMs(), keysChangedAtMs: nowMs() };
    return this.#set({ uid, email, kB: null, verifier, wrapKb, ...times });
  }

  /** Another password for the same key, which comes wrapped with it. */
  change(account: Account, authPW: string, wrapKb: string): void {
    account.verifier = this.#verifier(authPW, this.#randomHex(16));
    account.wrapKb = wrapKb;
    account.generation = Math.max(account.generation + 1, this.#options.nowMs());
  }

  remove(account: Account): void {
    this.#accounts.delete(account.email.toLowerCase());
  }

  #set(account: Account): Account {
    this.#accounts.set(account.email.toLowerCase(), account);
    return account;
  }

  #verifier(authPW: string, salt: string): Verifier {
    const { scryptCost: cost = 2 } = this.#options;
    return { salt, cost, hash: scrypt(authPW, salt, cost).toString('hex') };
  }

  #randomHex(count: number): string {
    return Buffer.from(this.#options.random(count)).toString('hex');
  }
}

/** As Firefox Accounts. */
const EMAIL_CHARS_MAX = 255;

function scrypt(authPW: string, salt: string, cost: number): Buffer {
  const bytes = Buffer.from(authPW, 'hex');
  return scryptSync(bytes, Buffer.from(salt, 'hex'), 32, { N: cost, maxmem: 64 * 1024 * 1024 });
}
