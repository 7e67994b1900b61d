// What the simulations share: servers that can be frozen and copied, a network port that tests
// answer themselves, and the same exchanges told again without a server. Everything is
// deterministic: the same inputs give the same device, byte for byte. Nothing here knows what a
// test is about.

import { createRandom } from '../../emulator/device/random.ts';
import { readAccount, type SeedAccount } from '../../emulator/servers/store-file.ts';
import type { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Header, Identity, Network, NetworkRequest } from '../../platform/ports.ts';
import { NetworkError } from '../../platform/web/fetch-network.ts';
import {
  type DeviceOptions,
  type TestDevice,
  type TestServers,
  testDevice,
  testServers,
  userOf,
} from '../support/device.ts';

/** A whole answer of a server. */
export interface Reply {
  readonly status: number;
  readonly headers: readonly Header[];
  /** Bytes, or pieces of text that are made when they are read. */
  readonly body: Uint8Array | Iterable<string>;
  /** The link breaks after so many bytes. */
  readonly breakAfterBytes?: number;
}

export type WholeReply = Reply & { readonly body: Uint8Array };

/** Answers the device's requests; it rejects as a network does. `index` counts them from 0. */
export type Answer = (request: NetworkRequest<string>, index: number) => Promise<Reply>;

/** The account and all that its servers hold, as text that can be thawed any number of times. */
export type Frozen = string;

export function freeze(servers: TestServers): Frozen {
  return freezeAccount({ kB: servers.world.account.kB, store: servers.world.store }, servers);
}

export function freezeAccount(account: SeedAccount, servers = testServers(account)): Frozen {
  return JSON.stringify({ kB: account.kB, store: servers.world.dump() });
}

export function thaw(frozen: Frozen): TestServers {
  return testServers(readAccount(JSON.parse(frozen)));
}

/**
 * One signed-in user for all copies of an account: signatures are slow, and every copy believes
 * them.
 */
export function sharedUser(frozen: Frozen, laterMs = 0): Omit<Identity, 'deviceKey'> {
  const servers = thaw(frozen);
  servers.nowMs += laterMs;
  return userOf(servers);
}

/** The device's way to servers that tell the truth, the time (RFC 9110, 6.6.1) included. */
export function honest(servers: TestServers): Answer {
  return async ({ method, url, headers, body }) => {
    const init = {
      method,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
    };
    const response = await servers.world.fetch(
      new Request(url, body === undefined ? init : { ...init, body }),
    );
    return {
      status: response.status,
      headers: [['date', new Date(servers.nowMs).toUTCString()], ...response.headers],
      body: new Uint8Array(await response.arrayBuffer()),
    };
  };
}

interface TestNetwork extends Network {
  readonly requests: NetworkRequest<string>[];
  /** Characters that the device has read of all answers. */
  charsRead: number;
}

export function networkOf(answer: Answer): TestNetwork {
  const network: TestNetwork = {
    requests: [],
    charsRead: 0,
    async request({ body, ...rest }) {
      if (typeof body === 'object') throw new Error('these servers take no streamed body');
      const request = { ...rest, ...(body !== undefined && { body }) };
      const index = network.requests.push(request) - 1;
      const reply = await answer(request, index);
      const pieces = piecesOf(reply);
      return {
        status: reply.status,
        headers: reply.headers,
        async read() {
          const { value, done } = pieces.next();
          if (done === true) return null;
          network.charsRead += value.length;
          return value;
        },
        cancel: () => void pieces.return(undefined),
      };
    },
  };
  return network;
}

const PIECE_CHARS = 16_384;

function* piecesOf({ body, breakAfterBytes }: Reply): Generator<string, undefined, undefined> {
  if (!(body instanceof Uint8Array)) {
    yield* body;
    return;
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text: string;
  try {
    text = decoder.decode(body.subarray(0, breakAfterBytes), { stream: true });
    if (breakAfterBytes === undefined) text += decoder.decode();
  } catch {
    throw new NetworkError('encoding');
  }
  for (let at = 0; at < text.length; at += PIECE_CHARS) yield text.slice(at, at + PIECE_CHARS);
  if (breakAfterBytes !== undefined) throw new NetworkError('truncated');
}

/**
 * What honest servers in a certain state say to a request, and the state that it leaves them in.
 */
interface Exchange {
  readonly reply: WholeReply;
  readonly after: Frozen;
}

/** Exchanges by the state and the request: the same question to the same servers has one answer. */
const known = new Map<Frozen, Map<string, Exchange>>();

async function exchange(state: Frozen, request: NetworkRequest<string>): Promise<Exchange> {
  const { method, url, headers, body } = request;
  const question = JSON.stringify([method, url, headers, body]);
  const here = known.get(state) ?? new Map<string, Exchange>();
  known.set(state, here);
  const old = here.get(question);
  if (old !== undefined) return old;
  const servers = thaw(state);
  const reply = (await honest(servers)(request, 0)) as WholeReply;
  const fresh = { reply, after: freeze(servers) };
  here.set(question, fresh);
  return fresh;
}

/**
 * Honest servers that have heard every question before, or thaw to answer it: for thousands of runs
 * alike.
 */
export function remembering(start: Frozen): {
  answer(request: NetworkRequest<string>): Promise<WholeReply>;
  left(): Frozen;
} {
  let state = start;
  return {
    async answer(request) {
      const { reply, after } = await exchange(state, request);
      state = after;
      return reply;
    },
    left: () => state,
  };
}

/** A device on a storage, signed in as `user` and answered by `answer`. */
export function deviceOn(
  servers: TestServers,
  storage: MemoryStorage,
  options: DeviceOptions & { readonly answer?: Answer; readonly seed?: number } = {},
): TestDevice & { readonly network: TestNetwork; readonly memory: MemoryStorage } {
  const network = networkOf(options.answer ?? honest(servers));
  const random = createRandom(options.seed ?? 2);
  return {
    ...testDevice(servers, { storage, network, random, ...options }),
    network,
    memory: storage,
  };
}
