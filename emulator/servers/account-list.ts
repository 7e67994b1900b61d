// The accounts of an accounts server: found by address, made, changed and taken away. It keeps no
// password: what proves one is hashed, and a key is held as its user wrapped it.

import { createHash, type ScryptOptions, scrypt, scryptSync, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
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
        verifier: this.#verifierNow(keys.authPW.toString('hex'), uid),
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
    this.checkEmail(account, email);
    return account;
  }

  /** Whether the address is the account's; of others nothing is told. Errors: as of `byEmail`. */
  checkEmail(account: Account, email: string): void {
    if (account.email.toLowerCase() !== email.toLowerCase())
      throw problem(400, 102, 'Unknown account');
    if (account.email === email) return;
    // The password was stretched with the address as it was written when the account was made.
    throw problem(400, 120, 'Incorrect email case', { email: account.email });
  }

  byUid(uid: string): Account | null {
    return this.all().find((account) => account.uid === uid) ?? null;
  }

  /** Errors: HttpError 400, errno 103. */
  async prove(account: Account, authPW: string): Promise<void> {
    const { verifier } = account;
    const { salt, cost, hash } = verifier;
    const isRight = timingSafeEqual(Buffer.from(hash, 'hex'), await stretched(authPW, salt, cost));
    // It may have been changed meanwhile.
    if (!isRight || account.verifier !== verifier) throw problem(400, 103, 'Incorrect password');
  }

  /** A new account with a key that nobody has seen yet. Errors: HttpError 400, errno 101 or 107. */
  async create(email: string, authPW: string): Promise<Account> {
    if (!/^[^\s@]+@[^\s@]+$/.test(email) || email.length > EMAIL_CHARS_MAX)
      throw problem(400, 107, 'Invalid parameter in request body: email');
    if (this.#accounts.has(email.toLowerCase())) throw problem(400, 101, 'Account already exists');
    const { nowMs } = this.#options;
    const [uid, wrapKb] = [this.#randomHex(16), this.#randomHex(32)];
    const verifier = await this.#verifier(authPW, this.#randomHex(16));
    if (this.#accounts.has(email.toLowerCase())) throw problem(400, 101, 'Account already exists');
    const times = { generation: nowMs(), keysChangedAtMs: nowMs() };
    return this.#set({ uid, email, kB: null, verifier, wrapKb, ...times });
  }

  /** Another password for the same key, which comes wrapped with it. */
  async change(account: Account, authPW: string, wrapKb: string): Promise<void> {
    const verifier = await this.#verifier(authPW, this.#randomHex(16));
    this.#change(account, verifier, wrapKb);
  }

  /** As `change`, at once. */
  changeNow(account: Account, authPW: string, wrapKb: string): void {
    this.#change(account, this.#verifierNow(authPW, this.#randomHex(16)), wrapKb);
  }

  #change(account: Account, verifier: Verifier, wrapKb: string): void {
    account.verifier = verifier;
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

  async #verifier(authPW: string, salt: string): Promise<Verifier> {
    const { scryptCost: cost = 2 } = this.#options;
    return { salt, cost, hash: (await stretched(authPW, salt, cost)).toString('hex') };
  }

  #verifierNow(authPW: string, salt: string): Verifier {
    const { scryptCost: cost = 2 } = this.#options;
    return { salt, cost, hash: stretchedNow(authPW, salt, cost).toString('hex') };
  }

  #randomHex(count: number): string {
    return Buffer.from(this.#options.random(count)).toString('hex');
  }
}

/** As Firefox Accounts. */
const EMAIL_CHARS_MAX = 255;

/** From here on it takes so long that nobody else should wait for it. */
const SLOW_COST = 1_024;
const inBackground = promisify<Buffer, Buffer, number, ScryptOptions, Buffer>(scrypt);

async function stretched(authPW: string, salt: string, cost: number): Promise<Buffer> {
  if (cost < SLOW_COST) return stretchedNow(authPW, salt, cost);
  return inBackground(...parametersOf(authPW, salt, cost));
}

function stretchedNow(authPW: string, salt: string, cost: number): Buffer {
  return scryptSync(...parametersOf(authPW, salt, cost));
}

function parametersOf(
  authPW: string,
  salt: string,
  cost: number,
): [Buffer, Buffer, number, ScryptOptions] {
  const options = { N: cost, maxmem: 64 * 1024 * 1024 };
  return [Buffer.from(authPW, 'hex'), Buffer.from(salt, 'hex'), 32, options];
}
