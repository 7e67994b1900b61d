// `npm run test:first-sync [-- --records N --cut N --runs N --folder F]`: first syncs of a large
// account by `kitsync sync` in a process of its own, from servers on loopback. With --cut the link
// breaks after every N records, and a pass that fails is followed by the next until one succeeds.
// Prints what they took, and how the passes ended; ends with 1 when records are missing, or when a
// pass failed although nobody had cut the link.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { serveOnLoopback } from '../../emulator/servers/serve.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { main } from '../../platform/node/cli/main.ts';
import { keepHeapSmall } from '../../platform/node/cli/small-heap.ts';
import { credentialsOf, testTerminal } from '../support/commands.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '300000' },
    cut: { type: 'string', default: '0' },
    runs: { type: 'string', default: '1' },
    folder: { type: 'string', default: tmpdir() },
    /** For this program's own child: one line of arguments of `kitsync sync`. */
    sync: { type: 'string' },
  },
});

if (values.sync !== undefined) await syncUntilDone(JSON.parse(values.sync));
else await runAll();

/**
 * In the child: passes until one succeeds; tells the parent what became of each, and how many
 * records are held.
 */
async function syncUntilDone(args: readonly string[]): Promise<void> {
  let code: number;
  keepHeapSmall();
  const start = process.cpuUsage();
  do {
    const terminal = testTerminal();
    code = await main(args, terminal);
    const [, why = ''] = /sync failed: (.*)/.exec(terminal.complaints) ?? [];
    process.send?.({ why: code === 0 ? '' : why || terminal.complaints });
  } while (code === 1);
  const { user, system } = process.cpuUsage(start);
  const cost = { cpuMs: (user + system) / 1_000, mostKiB: process.resourceUsage().maxRSS };
  const terminal = testTerminal();
  await main(['status', '--json', ...args.slice(args.indexOf('--data'))], terminal);
  process.send?.({ held: JSON.parse(terminal.out).collections.history.held, ...cost });
  process.disconnect?.();
}

async function runAll(): Promise<void> {
  const [records, cut, runs] = [values.records, values.cut, values.runs].map(Number) as [
    number,
    number,
    number,
  ];
  for (let run = 1; run <= runs; run++) {
    const startMs = Date.now();
    const { held, ends, cuts, cpuMs, mostKiB } = await firstSync(records, cut);
    const passes = [...ends].map(([why, times]) => `${times} x ${why || 'in sync'}`);
    const seconds = Math.round((Date.now() - startMs) / 1000);
    console.log(`run ${run}: ${held} of ${records} held, ${cuts} cuts, ${seconds} s`);
    const mostMiB = Math.round(mostKiB / 1_024);
    console.log(`  ${(cpuMs / held).toFixed(3)} ms of CPU a record, ${mostMiB} MiB at most`);
    for (const line of passes) console.log(`  ${line}`);
    const failures = [...ends].reduce((sum, [why, times]) => sum + (why === '' ? 0 : times), 0);
    if (held !== records || failures > cuts) process.exitCode = 1;
  }
}

async function firstSync(records: number, cut: number) {
  const folder = mkdtempSync(join(values.folder, 'first-sync-'));
  const link = await cuttingLink(cut);
  const account = syntheticAccount({ records, seed: 1 });
  const origin = `http://127.0.0.1:${link.port}`;
  const serving = await serveOnLoopback({ port: 0, account, origin });
  link.leadsTo = serving.port;
  const credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
  const args = [
    ...['sync', '--once', '--token-server', serving.world.urls.token],
    ...['--credentials', credentials, '--collections', 'history', '--data', join(folder, 'data')],
  ];
  const child = fork(fileURLToPath(import.meta.url), ['--sync', JSON.stringify(args)]);
  const ends = new Map<string, number>();
  let end = { held: -1, cpuMs: 0, mostKiB: 0 };
  child.on('message', (message: { readonly why: string } | typeof end) => {
    if ('held' in message) end = message;
    else ends.set(message.why, (ends.get(message.why) ?? 0) + 1);
  });
  await once(child, 'exit');
  link.close();
  await serving.close();
  rmSync(folder, { recursive: true });
  return { ...end, ends, cuts: link.cuts };
}

/** A way to a port that breaks each time when so many records have come through it; 0: never. */
async function cuttingLink(cut: number) {
  const link = { port: 0, leadsTo: 0, cuts: 0, close: () => void server.close() };
  let seen = 0;
  const server = createServer((near) => {
    const far = createConnection(link.leadsTo, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
    }
    near.pipe(far);
    if (cut === 0) return void far.pipe(near);
    far.on('data', (bytes) => {
      seen += bytes.toString('latin1').split('"payload"').length - 1;
      if (!near.write(bytes)) {
        far.pause();
        near.once('drain', () => far.resume());
      }
      if (seen < cut) return;
      seen = 0;
      link.cuts++;
      near.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  link.port = (server.address() as AddressInfo).port;
  return link;
}
