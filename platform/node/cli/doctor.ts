// `kitsync doctor`: looks at each thing that a sync needs, in the order in which it needs them, and
// says in a line whether it is there and what to do where it is not. What the servers are asked is
// what a sync asks them first, by the same code. It changes nothing but a refresh token that the
// accounts server replaces, and prints nothing secret.

import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { SyncError } from '../../../agent/index.ts';
import { nodeDeviceCrypto } from '../crypto.ts';
import { type Machine, nodeMachine } from '../platform.ts';
import { adviceFor } from './advice.ts';
import { complaintOf, duration, failureLine, isRefusal, systemReason } from './complaint.ts';
import { contents, KINTO, OWA } from './contents.ts';
import { type CredentialsFile, readCredentials } from './credentials.ts';
import { checkFolder } from './data.ts';
import { askedOfKinto } from './doctor-kinto.ts';
import { findHost, openConnection } from './doctor-network.ts';
import { askedOfOwa } from './doctor-owa.ts';
import { Finding } from './finding.ts';
import { NODE_HEAP } from './heap.ts';
import { identityOf } from './identity.ts';
import type { DoctorOptions } from './options.ts';
import { FIRST, located, type Service } from './service.ts';
import { printable, printableJson, type Terminal } from './terminal.ts';

/** What a check found out: `detail` in words. Errors are its failure. */
type Check = () => Promise<string> | string;

/** Resolves to the exit code: 1 if something is not as a sync needs it. */
export async function doctor(options: DoctorOptions, terminal: Terminal): Promise<number> {
  const { allowHttp, directory, services, json } = options;
  const machine = nodeMachine({ ...terminal.machine, allowHttp });
  let isGood = true;
  for (const [at, service] of services.entries()) {
    const name = services.length > 1 ? (service.name ?? FIRST) : null;
    const sheet = newSheet(terminal, name, json);
    if (name !== null && !json) {
      terminal.write(`${at === 0 ? '' : '\n'}${'-'.padEnd(8)}service        ${name}\n`);
    }
    await lookAt(service, at === 0 ? directory : null, allowHttp, machine, sheet);
    isGood &&= sheet.failed.size === 0;
  }
  machine.stop();
  return isGood ? 0 : 1;
}

/** What was found out about one service. */
interface Sheet {
  readonly failed: ReadonlySet<string>;
  /** Without what it `needs`, a check says nothing. */
  run(name: string, needs: readonly string[], check: Check): Promise<void>;
}

/** `service`: its name is said, where there are several. */
function newSheet(terminal: Terminal, service: string | null, json: boolean): Sheet {
  const failed = new Set<string>();
  const tell = (name: string, isGood: boolean | null, detail: string, advice: string | null) => {
    if (isGood === false) failed.add(name);
    const mark = isGood === null ? '-' : isGood ? 'ok' : 'not ok';
    const more = advice === null ? '' : ` - ${advice}`;
    const line = `${mark.padEnd(8)}${name.padEnd(NAME_CHARS)}${printable(`${detail}${more}`)}`;
    const said = { ...(service !== null && { service }), check: name, ok: isGood, detail, advice };
    terminal.write(`${json ? printableJson(said) : line}\n`);
  };
  return {
    failed,
    async run(name, needs, check) {
      const missing = needs.find((need) => failed.has(need));
      if (missing !== undefined) {
        failed.add(name);
        return tell(name, null, `not tried: the ${missing} is not ok`, null);
      }
      try {
        tell(name, true, await check(), null);
      } catch (error) {
        const { detail, advice } = wordsOf(error);
        tell(name, false, detail, advice);
      }
    },
  };
}

async function lookAt(
  service: Service,
  directory: string | null,
  allowHttp: boolean,
  machine: Machine,
  { run }: Sheet,
): Promise<void> {
  const { credentialsFile } = service;
  let { remote } = service;
  let file: CredentialsFile | null = null;
  await run('credentials', [], () => {
    file = readCredentials(credentialsFile, allowHttp);
    remote = located(service, file).remote;
    return `${credentialsFile} has ${kindOf(file)}, and only its owner can read it`;
  });
  if (directory !== null) await run('folder', [], () => lookAtFolder(directory));
  // Where only the sign-in says where the server is.
  const placed = remote.serverUrl === '' ? ['credentials'] : [];
  const url = new URL(remote.serverUrl || 'http://localhost');
  await run('name', placed, () => findHost(url));
  await run('connection', ['name'], () => openConnection(url));
  let serverMs: number | null = null;
  await run('answer', ['connection'], async () => {
    const answer = await firstAnswer(machine, remote.serverUrl);
    serverMs = answer.dateMs;
    return `something answers at ${url.host} (status ${answer.status})`;
  });
  await run('clock', ['answer'], () => compareClocks(serverMs, machine.clock.nowMs()));
  if (remote.protocol === KINTO) {
    const asked = askedOfKinto(machine, remote.serverUrl, () => file);
    await run('Kinto', ['answer'], asked.hello);
    await run('sign-in', ['credentials', 'Kinto'], asked.signIn);
    await run('data', ['sign-in'], asked.data);
    return;
  }
  if (remote.protocol === OWA) {
    const asked = askedOfOwa(machine, remote.serverUrl, () => file);
    await run('sign-in', ['credentials'], asked.signIn);
    await run('apps server', ['answer', 'sign-in'], asked.hello);
    return;
  }
  const asked = openRemote(service, machine, () => file);
  await run('sign-in', ['credentials'], asked.signIn);
  if (remote.protocol === 'sync15') {
    await run('token server', ['answer', 'sign-in'], asked.place);
    await run('storage', ['token server'], asked.poll);
  } else await run('Syncto server', ['answer', 'sign-in'], asked.poll);
}

const NAME_CHARS = 15;

function kindOf({ token }: CredentialsFile): string {
  if ('password' in token) return 'a name and a password';
  if ('session' in token) return 'a session';
  return 'accessToken' in token ? 'an access token' : 'a refresh token';
}

function wordsOf(error: unknown): { readonly detail: string; readonly advice: string | null } {
  if (error instanceof Finding) return { detail: error.message, advice: error.advice };
  if (error instanceof SyncError) {
    const advice = adviceFor(error.shown);
    const isThis = advice?.includes('kitsync doctor') === true;
    const detail = failureLine(error.shown);
    return { detail, advice: isThis ? 'check the network on the way to this server' : advice };
  }
  return { detail: complaintOf(error).line, advice: null };
}

const ROOM_BYTES_MIN = 20_000_000;

function lookAtFolder(directory: string): string {
  checkFolder(directory);
  let place = directory;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const advice = isRefusal(error)
      ? 'choose another --data, or mend its rights'
      : 'choose another';
    throw new Finding(`${place} cannot be written: ${systemReason(error)}`, advice);
  }
  const { bavail, bsize } = statfsSync(place);
  if (bavail * bsize < ROOM_BYTES_MIN) {
    throw new Finding(`the disk of ${place} has hardly any room left`, 'make room on it');
  }
  if (place !== directory) return `${directory} is made by the first sync`;
  return `${directory} can be written, and is for its owner only`;
}

interface FirstAnswer {
  readonly status: number;
  /** By the server's clock; null: it does not say. */
  readonly dateMs: number | null;
}

const LIMITS = {
  ...{ timeoutMs: 15_000, longestMs: 30_000 },
  ...{ windowMs: 15_000, windowBytesMin: 1 },
};

/** Any answer will do: nobody has signed in yet. */
async function firstAnswer({ network }: Machine, url: string): Promise<FirstAnswer> {
  const request = { method: 'GET', url: `${url}/`, headers: [], ...LIMITS } as const;
  const { status, headers, cancel } = await network.request(request).catch((error: unknown) => {
    const { message, cause } = error as Error;
    const below = typeof cause === 'string' ? { cause } : {};
    throw new SyncError('offline', message, below);
  });
  cancel();
  const date = headers.find(([name]) => name === 'date')?.[1] ?? '';
  const dateMs = Date.parse(date);
  return { status, dateMs: Number.isNaN(dateMs) ? null : dateMs };
}

/** The header counts in seconds, and an answer takes some. */
const CLOCK_OFF_MS_MAX = 60_000;

function compareClocks(serverMs: number | null, nowMs: number): string {
  if (serverMs === null) return 'the server does not say what time it is';
  const offMs = nowMs - serverMs;
  if (Math.abs(offMs) <= CLOCK_OFF_MS_MAX) return "this machine's clock and the server's agree";
  const side = offMs > 0 ? 'ahead of' : 'behind';
  throw new Finding(
    `this machine's clock is ${duration(Math.abs(offMs))} ${side} the server's`,
    'set it, for example with `timedatectl set-ntp true`; ' +
      'if it is right, tell the owner of the server',
  );
}

function kidOf({ key }: CredentialsFile): string {
  return key !== null && 'kid' in key ? key.kid : '';
}

/** The questions of a sync, one by one. */
function openRemote(
  { remote, credentialsFile }: Service,
  machine: Machine,
  file: () => CredentialsFile | null,
) {
  const found = contents.drivers.find(({ protocol }) => protocol === remote.protocol);
  const driver = found && 'storage' in found ? found : undefined;
  const open = () => {
    const known = file();
    if (known === null || driver === undefined) throw new Error('there are no credentials');
    const identity = identityOf(known, machine, async () => new Uint8Array(32), credentialsFile);
    const refuse = () => Promise.reject(new Error('nothing is stored'));
    const platform = {
      ...machine,
      identity,
      storage: { get: refuse, scan: refuse, commit: refuse },
      crypto: nodeDeviceCrypto(),
      power: { connection: () => 'wifi' as const },
      shell: { status: () => undefined, event: () => undefined },
    };
    const config = {
      ...{ profile: 'node', remote, collections: {}, intervalMs: 0, spreadMs: 0, wifiOnly: false },
      ...{ historyRecordsMax: 1, recordCharsMax: 1_000_000, heap: NODE_HEAP },
    };
    const server = driver.storage({
      ...{ platform, config, memory: {}, cache: new Map(), abort: { aborted: false } },
      keyName: Buffer.from(kidOf(known).split('-')[1] ?? '', 'base64url').toString('hex'),
      notes: {
        ...{ requests: 0, waitMs: 0, alert: null, gone: false },
        ...{ quotaRemainingBytes: null, serverNowMs: 0 },
      },
    });
    return { identity, server, known };
  };
  let opened: ReturnType<typeof open> | null = null;
  const once = () => {
    opened ??= open();
    return opened;
  };
  return {
    async signIn() {
      const { identity, known } = once();
      await identity.accessToken(false);
      return 'accessToken' in known.token
        ? 'the access token is used as it is'
        : 'the accounts server gives access tokens';
    },
    place: async () => `it leads to ${new URL(await once().server.place()).host}`,
    async poll() {
      await once().server.poll([{ collection: 'history', id: null, knownMs: -1 }]);
      return 'it takes what proves who asks, and answers';
    },
  };
}
