// A running agent answers other commands of its user: a socket in the folder of its data, JSON a
// line. Who can open the socket can read the folder, so nobody is asked who they are. A request is
// one call of the local API, its reply comes before the next is looked at.

import { once } from 'node:events';
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import {
  type Agent,
  badInput,
  type Conflicts,
  type PassReport,
  type Status,
  SyncError,
} from '../../../agent/index.ts';
import type { Storage } from '../../ports.ts';
import { Failure } from './complaint.ts';
import { type MarkPage, placeOf, readMarks, readServerWaitMs } from './stored.ts';

/** An agent, and what it keeps, to be read beside it: see stored.ts. */
export interface Opened {
  readonly agent: Agent;
  readonly storage: Pick<Storage, 'get' | 'scan'>;
}

/** What can be done with synced data without a network. */
export type LocalApi = Pick<Agent, 'get' | 'list' | 'put' | 'delete' | 'devices'> &
  Pick<Required<Agent>, 'promote' | 'hide' | 'appsSettled'> &
  Conflicts & {
    status(): Promise<Status>;
    /** See stored.ts, these two. */
    marks(collection: string, after: string | null, remote: string): Promise<MarkPage>;
    serverWaitMs(remote?: string): Promise<number>;
  };

/** What a sync that runs does besides. */
interface SyncApi extends LocalApi {
  sync(remote?: string): Promise<PassReport>;
}

interface RemoteApi extends SyncApi {
  close(): void;
}

export function localApi({ agent, storage }: Opened): LocalApi {
  const { conflicts, resolve, promote, hide, appsSettled } = agent;
  if (!conflicts || !resolve) throw badInput('strategy: this build has none');
  if (!promote || !hide || !appsSettled) throw badInput('apps: this build has none');
  return {
    ...{ conflicts, resolve, promote, hide, appsSettled },
    marks: (collection, after, remote) => readMarks(storage, collection, after, placeOf(remote)),
    serverWaitMs: (remote) => readServerWaitMs(storage, Date.now(), placeOf(remote ?? null)),
    status: async () => agent.status(),
    get: agent.get,
    list: agent.list,
    put: agent.put,
    delete: agent.delete,
    devices: agent.devices,
  };
}

/**
 * Answers at `path` until the returned function is called. For the owner of the folder: a socket
 * that was left there is replaced, and so is ours by the next owner's.
 */
export async function serveControl(path: string, api: SyncApi): Promise<() => void> {
  // Closing removes the name that a socket was made under: it must not be that of somebody else's
  // by then.
  const draft = `${path}.`;
  rmSync(draft, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    void answer(socket, api);
  });
  server.listen(draft);
  await once(server, 'listening');
  const { ino } = lstatSync(draft);
  renameSync(draft, path);
  return () => {
    server.close();
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true });
    for (const socket of sockets) socket.destroy();
  };
}

/**
 * The agent that answers at `path`, or null when none runs there. `replyMs`: how long one call may
 * take.
 */
export async function connectControl(
  path: string,
  replyMs: number = REPLY_MS,
): Promise<RemoteApi | null> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
  } catch {
    return null;
  }
  socket.on('error', () => socket.destroy());
  const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
  const call = async (method: keyof SyncApi, ...args: readonly unknown[]): Promise<never> => {
    socket.write(`${JSON.stringify({ method, args })}\n`);
    // A process that ends in the middle breaks the line, in one of several ways.
    const next = replies.next().catch(() => ({ done: true as const, value: undefined }));
    const { value } = await answered(next, replyMs);
    const { result, error } = replyOf(value);
    if (error !== undefined) {
      const { code, message, ...detail } = error;
      throw new SyncError(code, message, detail);
    }
    return result as never;
  };
  return {
    status: () => call('status'),
    get: (collection, id) => call('get', collection, id),
    list: (collection, query) => call('list', collection, query),
    put: (collection, record) => call('put', collection, record),
    delete: (collection, id) => call('delete', collection, id),
    conflicts: (collection, query) => call('conflicts', collection, query),
    resolve: (collection, id, resolution, tag) => call('resolve', collection, id, resolution, tag),
    devices: (remote) => call('devices', remote),
    marks: (collection, after, remote) => call('marks', collection, after, remote),
    serverWaitMs: (remote) => call('serverWaitMs', remote),
    promote: (id, on) => call('promote', id, on),
    hide: (id, on) => call('hide', id, on),
    appsSettled: () => call('appsSettled'),
    sync: (remote) => call('sync', remote),
    close: () => void socket.destroy(),
  };
}

interface Reply {
  readonly result?: unknown;
  readonly error?: Pick<SyncError, 'code' | 'message'> & SyncError['detail'];
}

/**
 * An answer that is not there, or only in part, is of a process that has ended. Errors: `Failure`.
 */
function replyOf(line: string | undefined): Reply {
  try {
    if (line !== undefined) return JSON.parse(line) as Reply;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Failure('the running sync has ended');
}

/** A process that is stopped, or hangs, takes the question and says nothing. Errors: `Failure`. */
async function answered<T>(reply: Promise<T>, replyMs: number): Promise<T> {
  const end = new AbortController();
  const late = setTimeout(replyMs, null, { signal: end.signal }).then(() => {
    throw new Failure(`the running sync has not answered for ${replyMs / 1_000} seconds`);
  });
  late.catch(() => undefined);
  return Promise.race([reply, late]).finally(() => end.abort());
}

/** Longer than any call takes, also beside a first sync on a slow computer. */
const REPLY_MS = 60_000;

async function answer(socket: Socket, api: SyncApi): Promise<void> {
  for await (const line of createInterface({ input: socket })) {
    const reply = await replyTo(line, api);
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
  }
}

async function replyTo(line: string, api: SyncApi): Promise<object> {
  try {
    const { method, args } = JSON.parse(line);
    const calls = new Map<unknown, () => Promise<unknown>>([
      ['status', () => api.status()],
      ['get', () => api.get(args[0], args[1])],
      ['list', () => api.list(args[0], args[1])],
      ['put', () => api.put(args[0], args[1])],
      ['delete', () => api.delete(args[0], args[1])],
      ['conflicts', () => api.conflicts(args[0], args[1])],
      ['resolve', () => api.resolve(args[0], args[1], args[2], args[3] ?? undefined)],
      ['devices', () => api.devices(args[0] ?? undefined)],
      ['marks', () => api.marks(args[0], args[1], args[2])],
      ['serverWaitMs', () => api.serverWaitMs(args[0] ?? undefined)],
      ['promote', () => api.promote(args[0], args[1])],
      ['hide', () => api.hide(args[0], args[1])],
      ['appsSettled', () => api.appsSettled()],
      ['sync', () => api.sync(args[0] ?? undefined)],
    ]);
    const call = calls.get(method);
    if (call === undefined) throw new SyncError('badInput', 'there is no such call');
    return { result: (await call()) ?? null };
  } catch (error) {
    const { message } = error as Error;
    return { error: error instanceof SyncError ? error.shown : { code: 'deviceFailed', message } };
  }
}
