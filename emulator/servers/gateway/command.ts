// `kitsync gateway`: the emulator's Syncto, as a process of its own before servers on the network.
// Exit codes: 0 it was told to end and did, 2 it cannot be run as it was typed.

import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { encryptedFetch } from '../../../platform/node/server-url.ts';
import { UsageError } from '../../usage.ts';
import type { Handler } from '../http.ts';
import { type CacheStore, memoryCacheStore, SealedCache } from '../syncto/sealed-cache.ts';
import { createSyncto } from '../syncto/syncto.ts';
import { listen } from './listener.ts';
import { causeOf, jsonLog, type Log } from './log.ts';
import { GATEWAY_HELP, type GatewayOptions, parseGateway } from './options.ts';
import { openRedis } from './redis.ts';
import { createUpstream } from './upstream.ts';

/** Runs until SIGTERM or SIGINT; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(GATEWAY_HELP);
    return 0;
  }
  try {
    await run(parseGateway(args, process.env));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`kitsync: ${error.message}\n`);
    return 2;
  }
}

async function run(options: GatewayOptions): Promise<void> {
  const { port, publicUrl, hosts, tokenUrl, graceSeconds } = options;
  const log = jsonLog((line) => process.stdout.write(line), Date.now);
  const redis = options.redisUrl === null ? null : await openRedis(options.redisUrl, log);
  const upstream = createUpstream();
  const store = redis ?? memoryCacheStore(Date.now);
  const handlerFor = (url: string) => gateway(options, url, store, watched(upstream.fetch, log));
  const nowMs = () => performance.now();
  const listener = await listen({ port, publicUrl, hosts, log, handlerFor, nowMs }).catch(
    (error: unknown) => {
      redis?.close();
      throw new UsageError(`cannot listen on port ${port}: ${causeOf(error)}`);
    },
  );
  const { pid } = process;
  // Whoever reads the first line may end it.
  const told = toldToEnd();
  log('listening', { url: listener.publicUrl, port: listener.port, tokenServer: tokenUrl, pid });
  const signal = await told;
  log('closing', { signal });
  // Whoever cannot wait says it again.
  void toldToEnd().then(() => process.exit(1));
  await listener.close(graceSeconds * 1_000);
  upstream.close();
  redis?.close();
  log('closed');
}

function gateway(
  options: GatewayOptions,
  baseUrl: string,
  store: CacheStore,
  fetch: Handler,
): Handler {
  const random = (count: number): Uint8Array => randomBytes(count);
  const { tokenUrl, cacheSeconds, writable, erasable, allowHttp } = options;
  return createSyncto({
    baseUrl,
    tokenUrl,
    fetch: allowHttp ? fetch : encryptedFetch(fetch),
    cache: new SealedCache({ store, secret: options.secret ?? random(32), random }),
    nowMs: Date.now,
    random,
    cacheSeconds,
    enabled: [
      ...writable.map((name) => `record_${name}_put_enabled`),
      ...erasable.map((name) => `record_${name}_delete_enabled`),
    ],
  });
}

/** Says which server did not answer, and why. */
function watched(fetch: Handler, log: Log): Handler {
  return (request) =>
    fetch(request).catch((error: unknown) => {
      log('unreachable', { host: new URL(request.url).host, cause: causeOf(error) });
      throw error;
    });
}

function toldToEnd(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => resolve(signal));
  });
}
