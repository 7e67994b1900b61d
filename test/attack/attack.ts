// An attack on `kitsync serve` and on a `kitsync gateway` before it, as processes: mutated
// requests, by a user who has signed in, so that they get past the door. It tells what was
// answered, and which requests no server should have answered so.

import { connect } from 'node:net';
import { type AccountClient, accountClient } from '../../emulator/servers/account-client.ts';
import { signHawk } from '../../emulator/servers/hawk.ts';
import { BEARER_PREFIX, passwordKeys, tokenKeys } from '../../emulator/servers/onepw.ts';
import { signIn as signInToOwa } from '../../emulator/servers/owa/testing.ts';
import { clientState } from '../../emulator/servers/sync-keys.ts';
import { startCommand } from '../../platform/node/cli/testing.ts';
import { parsedUrl } from '../../platform/parsed-url.ts';
import { realClock } from '../support/served.ts';
import type { Answered, Sent } from '../syncto/case.ts';
import { send } from '../syncto/wire.ts';
import { mutated, mutatedBytes } from './mutate.ts';
import { type Chance, chanceOf } from './random.ts';
import { type Proofs, seedsOf, TO_SIGN } from './seeds.ts';

interface Attack {
  readonly requests: number;
  readonly seed: number;
}

interface Report {
  /** How many answers, by server and status; 0 where a connection ended without one. */
  readonly answers: ReadonlyMap<string, number>;
  /** Requests that were answered with 500, or not at all, in a form that can be sent again. */
  readonly faults: readonly string[];
  /** What the processes complained of, or that they ended. */
  readonly complaints: readonly string[];
}

/** As long as a user's proofs stay what they are: some requests end sessions, or the account. */
const ROUND = 400;
/** At a time. */
const CLIENTS = 6;
/** Of so many requests one goes out with other bytes. */
const RAW_ONE_IN = 8;
const RAW_WAIT_MS = 400;

export async function attack({ requests, seed }: Attack): Promise<Report> {
  const answers = new Map<string, number>();
  const faults: string[] = [];
  const complaints: string[] = [];
  for (let from = 0; from < requests; from += ROUND) {
    const target = await startTarget();
    const count = Math.min(ROUND, requests - from);
    let next = from;
    const client = async (): Promise<void> => {
      while (next < from + count) {
        const index = next++;
        const { name, status, isFramed, request } = await one(target, chanceOf(seed, index), index);
        const key = `${name} ${status}`;
        answers.set(key, (answers.get(key) ?? 0) + 1);
        if (status === 500 || (status === 0 && isFramed)) faults.push(`${key}: ${request}`);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    complaints.push(...(await target.end()));
  }
  return { answers, faults, complaints };
}

interface Target {
  readonly servers: string;
  readonly gateway: string;
  readonly proofs: Proofs;
  readonly pass: { readonly id: string; readonly key: string };
  /** What there is to complain of. */
  end(): Promise<string[]>;
}

async function one({ servers, gateway, proofs, pass }: Target, chance: Chance, index: number) {
  const good = chance.of(chance.of(seedsOf(proofs)));
  const isForGateway = good.target.startsWith('/syncto/') && chance.once(2);
  const bad = mutated(good, chance);
  const [, first = ''] = bad.target.split('/');
  const name = isForGateway ? 'gateway' : first.replace(/[^a-z0-9].*/, '');
  const origin = isForGateway ? gateway : servers;
  const moved = isForGateway ? { ...bad, target: bad.target.replace('/syncto', '') } : bad;
  const sent = signed(moved, origin, pass, index);
  const request = JSON.stringify(sent).slice(0, 3_000);
  if (chance.once(RAW_ONE_IN)) {
    const status = await sendBytes(origin, mutatedBytes(bytesOf(sent, origin), chance));
    return { name: 'bytes', status, isFramed: false, request };
  }
  const { status } = await send(origin, sent).catch(
    (): Pick<Answered, 'status'> => ({ status: 0 }),
  );
  // Where nobody can tell where the body ends, nobody has to answer.
  const isFramed = sent.headers['Transfer-Encoding'] === undefined;
  return { name, status, isFramed, request };
}

function signed(sent: Sent, origin: string, pass: Target['pass'], index: number): Sent {
  if (sent.headers.Authorization !== TO_SIGN) return sent;
  const { method } = sent;
  // A path that no URL has is not signed: the server must not trip over it all the same.
  const url = parsedUrl(origin + sent.target) ?? new URL(origin);
  const Authorization = signHawk({ method, url }, pass, Date.now(), `n${index}`);
  return { ...sent, headers: { ...sent.headers, Authorization } };
}

function bytesOf({ method, target, headers, body = '' }: Sent, origin: string): Buffer {
  const all = { Host: new URL(origin).host, 'Content-Length': Buffer.byteLength(body), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** The status, or 0: who sends half a request waits for no answer. */
function sendBytes(origin: string, bytes: Buffer): Promise<number> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const end = (): void => {
      socket.destroy();
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1] ?? 0));
    };
    socket.setTimeout(RAW_WAIT_MS, end);
    socket.on('data', (piece) => {
      heard += piece.toString('latin1').slice(0, 20);
      end();
    });
    socket.on('error', end).on('close', end);
  });
}

async function startTarget(): Promise<Target> {
  const serve = startCommand(['serve', '--port', '0', '--sign-up']);
  await Promise.race([serve.saw('password'), serve.ended]);
  const said = (name: string): string =>
    new RegExp(`^${name} +(.+)$`, 'm').exec(serve.printed())?.[1] ?? '';
  const [servers, email, password] = [said('origin'), said('email'), said('password')];
  const gateway = startCommand(['gateway', '--token-server', `${servers}/token`]);
  await Promise.race([gateway.saw('"listening"'), gateway.ended]);
  const { url } = JSON.parse(gateway.printed().split('\n')[0] ?? '{}') as { url: string };
  const user = { servers, email, password };
  const { proofs, pass } = await signIn(user);
  const end = async (): Promise<string[]> => {
    const alive = await Promise.all(
      [`${servers}/token/__heartbeat__`, `${url}/v1/__heartbeat__`].map((heartbeat) =>
        fetch(heartbeat).then(
          ({ status }) => (status === 200 ? [] : [`${heartbeat} says ${status}`]),
          (error: unknown) => [`${heartbeat} is gone: ${String(error)}`],
        ),
      ),
    );
    const faults = gateway.printed().match(/.*"event":"fault".*/g) ?? [];
    for (const { child } of [serve, gateway]) child.kill('SIGTERM');
    const codes = await Promise.all([serve.ended, gateway.ended]);
    const ended = codes.filter((code) => code !== 0).map((code) => `ended with ${String(code)}`);
    const words = [serve.complained(), gateway.complained()].filter((text) => text !== '');
    return [...alive.flat(), ...ended, ...words, ...faults];
  };
  return { servers, gateway: url, proofs, pass, end };
}

interface User {
  readonly servers: string;
  readonly email: string;
  readonly password: string;
}

async function signIn({
  servers,
  email,
  password,
}: User): Promise<Pick<Target, 'proofs' | 'pass'>> {
  const baseUrl = `${servers}/accounts`;
  const credentials = { email, password };
  const client: AccountClient = accountClient({ fetch, baseUrl, credentials, nowMs: Date.now });
  const authPW = passwordKeys(email, password).authPW.toString('hex');
  const headers = { 'Content-Type': 'application/json' };
  const login = { method: 'POST', headers, body: JSON.stringify({ email, authPW }) };
  const answer = await fetch(`${baseUrl}/v1/account/login?keys=true`, login);
  const { sessionToken } = (await answer.json()) as { sessionToken: string };
  const { id } = tokenKeys(Buffer.from(sessionToken, 'hex'), 'sessionToken');
  const { kB } = await client.syncKey();
  const bucket = clientState(kB);
  const { token, keysChangedAtMs } = await client.accessToken(false);
  const keyId = `${keysChangedAtMs}-${Buffer.from(bucket, 'hex').toString('base64url')}`;
  const sent = { Authorization: `Bearer ${token}`, 'X-KeyID': keyId };
  const passed = await fetch(`${servers}/token/1.0/sync/1.5`, { headers: sent });
  const pass = (await passed.json()) as { id: string; key: string; uid: number };
  const world = { fetch: (request: Request) => fetch(request), device: client };
  const owa = await signInToOwa({ ...world, urls: { owa: `${servers}/owa` }, clock: realClock });
  const assertion = encodeURIComponent(await client.assertion(servers, false));
  const proofs = {
    owa: {
      path: new URL(owa.resource).pathname,
      auth: owa.auth,
      form: `assertion=${assertion}&audience=${encodeURIComponent(servers)}`,
    },
    ...{ bucket, email, authPW, keyId, uid: pass.uid },
    assertion: await client.assertion(`${servers}/token`, false),
    accessToken: token,
    session: `Bearer ${BEARER_PREFIX.sessionToken}${id}`,
  };
  return { proofs, pass };
}
