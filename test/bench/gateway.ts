// What a gateway process takes: memory for a list of so many records, and time on top of the
// server behind it. Both are asked for the same: the process by `kitsync gateway`, on loopback.

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { accountClient } from '../../emulator/servers/account-client.ts';
import { signHawk } from '../../emulator/servers/hawk.ts';
import { type Serving, serveOnLoopback } from '../../emulator/servers/serve.ts';
import { clientState, keyFingerprint } from '../../emulator/servers/sync-keys.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';

interface GatewayCost {
  readonly records: number;
  /** Of the whole list in one answer. */
  readonly bytes: number;
  /** Resident memory of the process, at rest and at most. */
  readonly restBytes: number;
  readonly peakBytes: number;
}

interface Latency {
  readonly way: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const QUESTIONS = 400;

/** Lists of so many records, each through a process of its own. */
export async function listCosts(counts: readonly number[]): Promise<GatewayCost[]> {
  const costs: GatewayCost[] = [];
  // A checkout builds the command first, in the process that is started.
  await startCommand(['gateway', '--help']).ended;
  for (const records of counts) {
    costs.push(
      await withGateway(records, async ({ ask, pid }) => {
        await (await ask('?_limit=10')).text();
        const restBytes = memoryOf(pid, 'VmRSS');
        let bytes = 0;
        for await (const piece of (await ask('')).body ?? []) bytes += piece.length;
        return { records, bytes, restBytes, peakBytes: memoryOf(pid, 'VmHWM') };
      }),
    );
  }
  return costs;
}

/** A page of 10 records, again and again, by one client. */
export function latencies(): Promise<Latency[]> {
  return withGateway(1_000, async ({ ask, askDirectly }) => [
    await measured('storage alone', () => askDirectly('limit=10')),
    await measured('through the gateway', () => ask('?_limit=10')),
  ]);
}

async function measured(way: string, ask: () => Promise<Response>): Promise<Latency> {
  const times: number[] = [];
  for (let count = 0; count < QUESTIONS; count++) {
    const startMs = performance.now();
    const response = await ask();
    await response.text();
    if (response.status !== 200) throw new Error(`${way}: ${response.status}`);
    // The first ones warm up.
    if (count >= QUESTIONS / 4) times.push(performance.now() - startMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { way, p50Ms: at(0.5), p99Ms: at(0.99) };
}

interface Bench {
  readonly pid: number;
  /** A list of the history, with this query. */
  ask(query: string): Promise<Response>;
  askDirectly(query: string): Promise<Response>;
}

async function withGateway<T>(records: number, work: (bench: Bench) => Promise<T>): Promise<T> {
  const serving = await serveOnLoopback({
    port: 0,
    account: syntheticAccount({ records, seed: 1 }),
  });
  try {
    const gateway = startCommand(['gateway', '--token-server', serving.world.urls.token]);
    await Promise.race([gateway.saw('"listening"'), gateway.ended]);
    const [, port] = /"port":(\d+)/.exec(gateway.printed()) ?? [];
    const headers = await credentials(serving);
    const path = `/v1/buckets/${clientState(serving.world.account.kB)}/collections/history/records`;
    return await work({
      pid: gateway.child.pid ?? 0,
      ask: (query) => fetch(`http://127.0.0.1:${port}${path}${query}`, { headers }),
      askDirectly: await storageOf(serving, headers),
    });
  } finally {
    killCommands();
    await serving.close();
  }
}

async function credentials({ world }: Serving): Promise<Record<string, string>> {
  const user = accountClient({
    fetch: world.fetch,
    baseUrl: world.urls.accounts,
    credentials: world.account,
    nowMs: Date.now,
  });
  const { token, keysChangedAtMs } = await user.accessToken(false);
  const keyId = `${keysChangedAtMs}-${keyFingerprint(world.account.kB)}`;
  return { Authorization: `Bearer ${token}`, 'X-KeyID': keyId };
}

async function storageOf({ world }: Serving, headers: Record<string, string>) {
  const answer = await fetch(`${world.urls.token}/1.0/sync/1.5`, { headers });
  const access = (await answer.json()) as { id: string; key: string; api_endpoint: string };
  let count = 0;
  return (query: string): Promise<Response> => {
    const url = new URL(`${access.api_endpoint}/storage/history?full=true&${query}`);
    const asked = { method: 'GET', url };
    const Authorization = signHawk(asked, access, Date.now(), `nonce${count++}`);
    return fetch(url, { headers: { Authorization } });
  };
}

function memoryOf(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const [, kib] =
    new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1_024;
}
