// What an accounts server that is kept in a ServerStorage does, whichever it is: it answers to the
// letter as one in memory does, in whichever process, and keeps what is good and nothing else.

import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '../../emulator/device/random.ts';
import { OLDSYNC_SCOPE } from '../../emulator/servers/onepw.ts';
import { keptAccounts } from '../../emulator/servers/storage/kept-accounts.ts';
import type { ServerStorage } from '../../emulator/servers/storage/server-storage.ts';
import { countingRandom } from '../../emulator/servers/testing.ts';
import { type Ask, authPW, bearer, signIn, startAccounts } from '../support/accounts.ts';

const DAY_MS = 24 * 3_600_000;
const EMAILS = ['user@example.test', 'a@example.test', 'A@example.test', 'b@example.test'];
const VERIFIER = 'v'.repeat(43);
const CODE = {
  ...{ state: 's', response_type: 'code', access_type: 'offline', code_challenge_method: 'S256' },
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
};

export function accountsContract(name: string, open: () => Promise<ServerStorage>): void {
  describe(name, () => {
    let storage: ServerStorage;
    beforeAll(async () => {
      storage = await open();
    });
    afterAll(() => storage.close());
    const start = (random: (count: number) => Uint8Array = (count) => randomBytes(count)) =>
      startAccounts({ random, signUp: true }, (...server) => keptAccounts(storage, ...server));
    const clear = () =>
      storage.transaction('all', async (tx) => {
        for (const key of await tx.keys({ from: '!', to: '~', limit: 10_000 })) tx.remove(key);
      });
    const kept = () =>
      storage.read('all', (reader) => reader.keys({ from: '!', to: '~', limit: 10_000 }));

    test.each([1, 2, 3, 4])('answers as the server in memory does, in story %i', async (seed) => {
      await clear();
      const memory = startAccounts({ random: countingRandom(), signUp: true });
      const random = countingRandom();
      const processes = [start(random), start(random)];
      const story = new Story(seed);
      for (let step = 0; step < 250; step++) {
        const { asked, passMs } = story.next();
        for (const { clock } of [memory, ...processes]) clock.nowMs += passMs;
        const expected = await memory.ask(...asked);
        const found = await processes[step % 2]?.ask(...asked);
        expect([step, asked, found]).toEqual([step, asked, expected]);
        story.learn(expected.json);
      }
      expect(story.statuses.get(200)).toBeGreaterThan(60);
    });

    test('of one address there is one account, whoever makes it at once', async () => {
      await clear();
      const processes = [start(), start(), start()];
      const made = await Promise.all(
        Array.from({ length: 12 }, (_, index) => {
          const email = index % 2 === 0 ? 'one@example.test' : 'ONE@example.test';
          const body = { email, authPW: authPW('p', email) };
          return processes[index % 3]?.ask('account/create', body);
        }),
      );
      const codes = made.map((answer) => answer?.json.errno ?? answer?.status).sort();
      expect(codes).toEqual([...Array(11).fill(101), 200]);
      expect((await kept()).filter((key) => key.startsWith('ac/'))).toHaveLength(2);
    });

    test('many accounts are made and signed in to at once, and each is whole', async () => {
      await clear();
      const processes = [start(), start()];
      const emails = Array.from({ length: 30 }, (_, index) => `u${index}@example.test`);
      const asks = emails.map((_, index) => (processes[index % 2] ?? start()).ask);
      await Promise.all(
        emails.map((email, index) =>
          asks[index]?.('account/create', { email, authPW: authPW(email, email) }),
        ),
      );
      const sessions = await Promise.all(
        emails.map((email, index) => signIn(asks[(index + 1) % 30] ?? start().ask, email, email)),
      );
      expect(sessions.map(({ status }) => status)).toEqual(emails.map(() => 200));
      const { ask } = start();
      for (const [index, { session }] of sessions.entries()) {
        const { json } = await ask('recovery_email/status', undefined, bearer(session));
        expect(json.email).toBe(emails[index]);
      }
    });

    test('what ends goes by and by, and what is used or is a device stays', async () => {
      await clear();
      const { ask, clock } = start();
      const used = (await signIn(ask)).session;
      const device = (await signIn(ask)).session;
      await ask('account/device', { name: 'tv', type: 'tv' }, bearer(device));
      for (let index = 0; index < 20; index++) await signIn(ask);
      const most = (await kept()).length;
      clock.nowMs += 200 * DAY_MS;
      expect((await ask('session/status', undefined, bearer(used))).status).toBe(200);
      clock.nowMs += 200 * DAY_MS;
      for (let index = 0; index < 30; index++) await signIn(ask);
      for (const session of [used, device])
        expect((await ask('session/status', undefined, bearer(session))).status).toBe(200);
      const clients = await ask('account/attached_clients', undefined, bearer(used));
      expect(clients.json).toHaveLength(32);
      clock.nowMs += DAY_MS;
      for (let index = 0; index < 30; index++) await signIn(ask);
      // What was made since, without the key fetch tokens of yesterday.
      expect((await kept()).length).toBeLessThan(most + 62 * 3 + 31 * 3);
      expect((await kept()).filter((key) => key.startsWith('at/'))).toHaveLength(62 + 30);
    });
  });
}

interface Step {
  readonly asked: Parameters<Ask>;
  readonly passMs: number;
}

/** Requests of several people, with what they were told, and sometimes with something else. */
class Story {
  readonly statuses = new Map<number, number>();
  readonly #random: ReturnType<typeof createRandom>;
  readonly #told = new Map<string, unknown[]>();
  #authPW = 'p';

  constructor(seed: number) {
    this.#random = createRandom(seed, 'accounts');
  }

  next(): Step {
    const passMs = this.#pick([0, 0, 10, 1_000, 60_000, this.#one(60) ? 16 * 60_000 : 5]);
    const ask = this.#pick(this.#kinds());
    return { asked: ask(), passMs: this.#one(120) ? 40 * DAY_MS : passMs };
  }

  learn(json: Record<string, unknown>): void {
    const status = typeof json.code === 'number' && 'errno' in json ? json.code : 200;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    const all = [json, ...(Array.isArray(json) ? json : [])];
    for (const one of all)
      for (const [name, value] of Object.entries(one as object)) {
        const values = this.#told.get(name) ?? [];
        this.#told.set(name, [...values, value].slice(-6));
      }
  }

  #one(many: number): boolean {
    return this.#random.uint32() % many === 0;
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#random.uint32() % values.length] as T;
  }

  #known(name: string): string {
    const values = this.#told.get(name) ?? [];
    return this.#one(9) || values.length === 0 ? 'ab'.repeat(32) : String(this.#pick(values));
  }

  #kinds(): readonly (() => Parameters<Ask>)[] {
    const email = () => this.#pick(EMAILS);
    const password = (address: string) => {
      const seeded = address === 'user@example.test' ? 'first' : this.#authPW;
      return authPW(this.#pick([seeded, seeded, seeded, 'second']), address);
    };
    const proof = () => {
      const address = email();
      return { email: address, authPW: password(address) };
    };
    const session = () => bearer(this.#known('sessionToken'));
    const refresh = () => `Bearer ${this.#known('refresh_token')}`;
    const holder = () => (this.#one(2) ? session() : refresh());
    const scope = () => this.#pick([OLDSYNC_SCOPE, 'profile', `${OLDSYNC_SCOPE} profile`]);
    const login = (): Parameters<Ask> => ['account/login?keys=true', proof()];
    const device = () => ({ name: this.#pick(['tv', 'phone']), type: 'tv' });
    const signedIn: readonly (() => Parameters<Ask>)[] = [
      ...[login, login, login],
      () => ['account/create?keys=true', proof()],
      () => ['account/status', { email: email() }],
      () => [`account/status?uid=${this.#known('uid')}`],
      () => ['account/credentials/status', { email: email() }],
      () => ['account/keys', undefined, this.#keyFetch('keyFetchToken', 'fxk_')],
      () => ['session/status', undefined, session()],
      () => ['recovery_email/status', undefined, session()],
      () => (this.#one(3) ? ['session/destroy', {}, session()] : login()),
      () => ['account/device', device(), holder()],
      () => ['account/devices', undefined, holder()],
      () => ['account/attached_clients', undefined, session()],
      () => ['account/device/destroy', { id: this.#known('id') }, holder()],
      () => [
        'account/attached_client/destroy',
        this.#one(2)
          ? { sessionTokenId: this.#known('sessionTokenId') }
          : { refreshTokenId: this.#known('refreshTokenId') },
        session(),
      ],
      () => {
        const address = email();
        const body = { email: address, oldAuthPW: password(address) };
        return ['password/change/start', body, session()];
      },
      () => [
        'password/change/finish',
        { authPW: authPW('second', email()), wrapKb: 'cd'.repeat(32) },
        this.#keyFetch('passwordChangeToken', 'fxpc_'),
      ],
      () => (this.#one(4) ? ['account/destroy', proof(), session()] : login()),
      () => ['get_random_bytes', {}],
      () => ['nothing', {}, session()],
    ];
    return [...signedIn, ...this.#oauthKinds(session, scope)];
  }
  #oauthKinds(session: () => string, scope: () => string): readonly (() => Parameters<Ask>)[] {
    const client_id = 'c';
    const token = () => this.#known(this.#pick(['access_token', 'access_token', 'refresh_token']));
    const credentials = () => ({ grant_type: 'fxa-credentials', client_id, scope: scope() });
    const offline = () => ({ ...credentials(), access_type: 'offline' });
    const exchange = () => ({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
      ...{ subject_token: this.#known('refresh_token'), scope: 'more' },
    });
    return [
      () => ['oauth/token', credentials(), session()],
      () => ['oauth/token', offline(), session()],
      () => ['oauth/authorization', { ...CODE, client_id, scope: scope() }, session()],
      () => ['oauth/token', { client_id, code: this.#known('code'), code_verifier: VERIFIER }],
      () => [
        'oauth/token',
        { grant_type: 'refresh_token', client_id, refresh_token: this.#known('refresh_token') },
      ],
      () => ['oauth/token', exchange()],
      () => ['oauth/destroy', { client_id, token: token() }],
      () => ['destroy', { token: token() }],
      () => ['verify', { token: token() }],
      () => ['introspect', { token: token() }],
      () => ['profile', undefined, `Bearer ${token()}`],
      () => ['account/scoped-key-data', { client_id, scope: OLDSYNC_SCOPE }, session()],
    ];
  }

  #keyFetch(kind: 'keyFetchToken' | 'passwordChangeToken', prefix: string): string {
    return bearer(this.#known(kind), prefix, kind);
  }
}
