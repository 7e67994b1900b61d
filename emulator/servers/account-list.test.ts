// The accounts that a server has: who is found by which address, what proves a password, and what
// another one changes.

import { expect, test } from 'vitest';
import { AccountList, passwordForKey } from './account-list.ts';
import { HttpError } from './http.ts';
import { passwordKeys, xor } from './onepw.ts';
import { countingRandom, TEST_KB, TEST_NOW_MS } from './testing.ts';

const EMAIL = 'User@example.test';
const NEW = 'new@example.test';
const WRAPPED = 'ab'.repeat(32);

const proofOf = (password: string, email = EMAIL) =>
  passwordKeys(email, password).authPW.toString('hex');

function listOf(options: { scryptCost?: number } = {}) {
  const clock = { nowMs: TEST_NOW_MS };
  const nowMs = () => clock.nowMs;
  const seeds = [{ email: EMAIL, kB: TEST_KB }];
  const list = new AccountList({ nowMs, random: countingRandom(), ...options }, seeds);
  return { list, clock, account: list.byEmail(EMAIL) };
}

/** The errno with which something is refused; null: it is not. */
async function errnoOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    expect(error.status).toBe(400);
    return (error.json as { errno?: unknown }).errno;
  }
}

test('an account of which only the key is known has a password that follows from it', async () => {
  const { list, account } = listOf();
  const password = passwordForKey(TEST_KB);
  expect(await errnoOf(() => list.prove(account, proofOf(password)))).toBeNull();
  expect(await errnoOf(() => list.prove(account, proofOf(`${password}.`)))).toBe(103);
  const { unwrapBKey } = passwordKeys(EMAIL, password);
  expect(xor(Buffer.from(account.wrapKb, 'hex'), unwrapBKey).toString('hex')).toBe(TEST_KB);
  expect(account.kB).toBe(TEST_KB);
});

test('no password is kept, and two accounts of one password do not look alike', async () => {
  const { list } = listOf();
  const proof = 'cd'.repeat(32);
  const [one, two] = [await list.create('a@b.test', proof), await list.create('c@d.test', proof)];
  expect(one.verifier.hash).not.toBe(two.verifier.hash);
  expect(JSON.stringify(list.all())).not.toContain(proof);
});

test('an address is found in its own letters, and in others it says which those are', async () => {
  const { list, account } = listOf();
  expect(list.byEmail(EMAIL)).toBe(account);
  expect(await errnoOf(() => list.byEmail('nobody@example.test'))).toBe(102);
  const lower = EMAIL.toLowerCase();
  expect(await errnoOf(() => list.byEmail(lower))).toBe(120);
  expect(await errnoOf(() => list.checkEmail(account, EMAIL))).toBeNull();
  expect(await errnoOf(() => list.checkEmail(account, lower))).toBe(120);
  expect(await errnoOf(() => list.checkEmail(account, 'other@example.test'))).toBe(102);
  expect(() => list.checkEmail(account, lower)).toThrow(
    expect.objectContaining({ json: expect.objectContaining({ email: EMAIL }) }),
  );
});

test('an account is found by its id, and nobody by another one', () => {
  const { list, account } = listOf();
  expect(list.byUid(account.uid)).toBe(account);
  expect(list.byUid(account.uid.toUpperCase())).toBeNull();
});

test('a new account has a key of its own, begins now, and has its address alone', async () => {
  const { list, account } = listOf();
  const made = await list.create(NEW, proofOf('p', NEW));
  expect(made).toMatchObject({ kB: null, generation: TEST_NOW_MS, keysChangedAtMs: TEST_NOW_MS });
  expect(made.wrapKb).toMatch(/^[\da-f]{64}$/);
  expect(made.uid).toMatch(/^[\da-f]{32}$/);
  expect(account.generation).toBeLessThan(made.generation);
  expect(await errnoOf(() => list.prove(made, proofOf('p', NEW)))).toBeNull();
  expect(await errnoOf(() => list.create(NEW.toUpperCase(), proofOf('q')))).toBe(101);
  expect(list.all()).toEqual([account, made]);
});

test('of two who make one account at once, one does', async () => {
  const { list } = listOf({ scryptCost: 1_024 });
  const both = ['p', 'q'].map((password) => errnoOf(() => list.create(NEW, proofOf(password))));
  expect((await Promise.all(both)).sort()).toEqual([101, null]);
  expect(list.all()).toHaveLength(2);
});

test.each([
  ['a@b', null],
  ['', 107],
  ['nobody', 107],
  ['@b.test', 107],
  ['a@', 107],
  ['a@b@c', 107],
  ['a b@c.test', 107],
  [`${'a'.repeat(248)}@b.test`, null],
  [`${'a'.repeat(249)}@b.test`, 107],
])('of an account for %j errno is %j', async (email, errno) => {
  expect(await errnoOf(() => listOf().list.create(email, proofOf('p')))).toBe(errno);
});

test('another password takes the place of the old one, and marks the account', async () => {
  const { list, clock, account } = listOf();
  const old = proofOf(passwordForKey(TEST_KB));
  await list.change(account, proofOf('second'), WRAPPED);
  expect(account).toMatchObject({ wrapKb: WRAPPED, generation: TEST_NOW_MS });
  expect(await errnoOf(() => list.prove(account, old))).toBe(103);
  expect(await errnoOf(() => list.prove(account, proofOf('second')))).toBeNull();
  // A clock that stands or falls is no reason to be as old as before.
  clock.nowMs -= 60_000;
  list.changeNow(account, proofOf('third'), WRAPPED);
  expect(account.generation).toBe(TEST_NOW_MS + 1);
  expect(await errnoOf(() => list.prove(account, proofOf('third')))).toBeNull();
});

test.each([2, 1_024])(
  'at a cost of %i, a password that is changed meanwhile proves nothing',
  async (scryptCost) => {
    const { list, account } = listOf({ scryptCost });
    const proof = proofOf(passwordForKey(TEST_KB));
    expect(account.verifier.cost).toBe(scryptCost);
    const proved = errnoOf(() => list.prove(account, proof));
    list.changeNow(account, proof, WRAPPED);
    expect(await proved).toBe(103);
  },
);

test('what is removed is nobody, and what is put back is all that there is', async () => {
  const { list, account } = listOf();
  const kept = structuredClone(list.all());
  const made = await list.create(NEW, proofOf('p', NEW));
  list.remove(account);
  expect(await errnoOf(() => list.byEmail(EMAIL))).toBe(102);
  expect(list.byUid(account.uid)).toBeNull();
  list.restore(kept);
  expect(list.all()).toEqual(kept);
  expect(list.byUid(made.uid)).toBeNull();
  const proof = proofOf(passwordForKey(TEST_KB));
  expect(await errnoOf(() => list.prove(list.byEmail(EMAIL), proof))).toBeNull();
});
