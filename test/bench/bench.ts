// `npm run bench [section...]`: what the firmware costs, in counts that do not depend on the
// machine that prints them: bytes, executed WebAssembly instructions, requests, flash pages.
// Sections: size, memory, cpu, crypto, flash, power, kinto, kinto-packs, kinto-pull, picl-device,
// owa-device, phone, backup, fleet, gateway, servers, picl-server, owa-server. Wall time is no
// result and is not printed, but for the last four and kinto-pull.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import type { ScenarioResult } from '../../emulator/scenario.ts';
import { buildFirmware, weighVariants } from '../../firmware-bundle/build.ts';
import { sizeTable, variantTable } from '../../firmware-bundle/size.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { pageCosts } from '../support/picl-device.ts';
import { PARTS } from '../support/picl-firmware.ts';
import { accountCost } from './accounts.ts';
import { cryptoCosts } from './crypto.ts';
import { curveCosts } from './curves.ts';
import { cutEverywhere, OUTCOMES } from './cuts.ts';
import { runFleet } from './fleet.ts';
import { latencies, listCosts } from './gateway.ts';
import { buildKinto, runKinto } from './kinto.ts';
import { packsCost } from './kinto-packs.ts';
import { pullCosts } from './kinto-pull.ts';
import type { PullCost } from './kinto-puller.ts';
import { type RunOptions, runKitsync } from './kitsync.ts';
import { row } from './measure.ts';
import { owaDevice } from './owa-device.ts';
import { owaServer } from './owa-server.ts';
import { backup, phone } from './phone.ts';
import { piclServer } from './picl-server.ts';
import { growthOf, loadOf, onEachPlace } from './servers.ts';

const TV = 'panasonic-cx700';
const PHONE = 'firefox-os-phone-128mb';
const MIB = 2 ** 20;
const PROTOCOLS = ['syncto', 'sync15'] as const;

const SECTIONS = new Map([
  ['size', size],
  ['memory', memory],
  ['cpu', cpu],
  ['crypto', crypto],
  ['flash', flash],
  ['power', power],
  ['kinto', kinto],
  ['kinto-packs', kintoPacks],
  ['kinto-pull', kintoPull],
  ['picl-device', piclDevice],
  ['owa-device', owaDevice],
  ['phone', phone],
  ['backup', backup],
  ['fleet', fleet],
  ['gateway', gateway],
  ['servers', servers],
  ['picl-server', piclServer],
  ['owa-server', owaServer],
]);

/** A record each, but for the slice; `KITSYNC_BENCH_RECORDS` contacts instead of 1,000. */
/** Instructions of a change of 1 KB, by what is done with it. */
async function piclDevice(): Promise<void> {
  row('a change of PiCL', ...PARTS.slice(1), 'all');
  for (const [how, crypto] of [
    ['by device crypto', nodeDeviceCrypto()],
    ['in JavaScript', null],
  ] as const) {
    const costs = await pageCosts(crypto, 20, 1_024);
    const each = PARTS.slice(1).map((part) => costs[part]);
    const all = each.reduce((sum, one) => sum + one, 0);
    row(how, ...[...each, all].map(Math.round));
  }
}

async function kintoPacks(): Promise<void> {
  const count = Number(process.env.KITSYNC_BENCH_RECORDS ?? 1_000);
  row('crypto, and how', 'way', 'requests', 'sent', 'received', 'instructions', 'slice', 'peak');
  for (const crypto of ['device', 'software'] as const) {
    for (const isPacked of [false, true]) {
      const { peakBytes, ...ways } = await packsCost(count, crypto, isPacked);
      for (const [way, cost] of Object.entries(ways)) {
        const { records, requests, sentBytes, receivedBytes, instructions, longestSlice } = cost;
        const each = [sentBytes, receivedBytes, instructions].map((one) => one / records);
        row(
          ...[`${crypto}, ${isPacked ? 'in packs' : 'one by one'}`, way, requests],
          ...[...each.map(Math.round), longestSlice, peakBytes],
        );
      }
    }
  }
}

async function gateway(): Promise<void> {
  row('records', 'bytes of the list', 'memory at rest', 'memory at most');
  for (const { records, bytes, restBytes, peakBytes } of await listCosts([
    1_000, 30_000, 100_000, 200_000,
  ]))
    row(records, bytes, restBytes, peakBytes);
  row('a page of 10', 'p50 ms', 'p99 ms');
  for (const { way, p50Ms, p99Ms } of await latencies())
    row(way, p50Ms.toFixed(1), p99Ms.toFixed(1));
}

/** `KITSYNC_BENCH_RECORDS=1000000` goes on to so many, which takes many minutes. */
async function servers(): Promise<void> {
  const recordsMax = Number(process.env.KITSYNC_BENCH_RECORDS ?? 10_000);
  row('one user', 'clients', 'PUTs/s', 'pages of 10/s', 'by a gateway/s');
  await onEachPlace(async (place) => {
    for (const { clients, ...rates } of await loadOf(place, [1, 10, 100])) {
      const { putsPerSecond, pagesPerSecond, throughGateway } = rates;
      const each = [putsPerSecond, pagesPerSecond, throughGateway];
      row(place.name, clients, ...each.map(Math.round));
    }
  });
  row(
    ...['users with records', 'users', 'records each', 'PUT ms', 'page ms', 'in the middle'],
    ...[
      'by index',
      'info ms',
      'all ms',
      'MiB at most',
      'a tenth expires',
      'one request',
      'DELETE ms',
      'swept ms',
    ],
  );
  const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((records) => records <= recordsMax);
  const crowds = [100, 1_000, 10_000].filter((users) => users * 10 <= recordsMax);
  await onEachPlace(async (place) => {
    for (const [users, records] of [
      ...sizes.map((records) => [1, records] as const),
      ...crowds.map((users) => [users, 10] as const),
    ]) {
      const grown = await growthOf(place, users, records);
      const { putMs, pageMs, middleMs, indexMs, infoMs, wholeMs } = grown;
      const { peakBytes, expiryMs, longestMs, deleteMs, sweptMs } = grown;
      const asked = [putMs, pageMs, middleMs, indexMs, infoMs, wholeMs];
      row(
        ...[place.name, users, records, ...asked.map((ms) => ms.toFixed(1))],
        ...[
          Math.round(peakBytes / MIB),
          ...[expiryMs, longestMs, deleteMs, sweptMs].map(Math.round),
        ],
      );
    }
  });
  row('accounts', 'users', 'taken over ms', 'sign-ups/s', 'sign-ins/s');
  await onEachPlace(async (place) => {
    for (const users of [10, 1_000, 10_000]) {
      const storage = await place.open();
      const { takeoverMs, ...rates } = await accountCost(storage, users);
      const each = [takeoverMs, rates.signUpsPerSecond, rates.signInsPerSecond];
      row(place.name, users, ...each.map(Math.round));
      await storage.close();
    }
  });
}

/** From a real Kinto; `KITSYNC_BENCH_RECORDS=100000` goes on to so many. */
/** `wanted`: of ours, by what the other two have taken for as many records. */
async function kintoPull(): Promise<void> {
  const recordsMax = Number(process.env.KITSYNC_BENCH_RECORDS ?? 10_000);
  row(
    'from a Kinto',
    'records',
    'wall ms',
    'storing ms',
    'sealing ms',
    'CPU ms/record',
    'MiB grown',
  );
  const counts = [1_000, 10_000, 100_000].filter((count) => count <= recordsMax);
  const costs = new Map<string, PullCost>();
  await pullCosts(counts, ({ client, ...cost }) => {
    costs.set(client, cost);
    const { records, wallMs, storingMs, sealingMs, cpuMs, grownBytes } = cost;
    row(
      ...[client, records, ...[wallMs, storingMs, sealingMs].map(Math.round)],
      ...[(cpuMs / records).toFixed(3), (grownBytes / MIB).toFixed(1)],
    );
    const [plain, other] = [costs.get('plain'), costs.get('kinto.js')];
    if (client !== 'kitsync' || plain === undefined || other === undefined) return;
    row(
      ...['wanted', records, Math.round(1.3 * plain.wallMs + storingMs), '', ''],
      ...['0.150', (other.grownBytes / 8 / MIB).toFixed(1)],
    );
  });
}

async function size(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    console.log(sizeTable((await buildFirmware(TV, dir)).size));
    console.log(`\n${variantTable(await weighVariants(TV))}`);
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function memory(): Promise<void> {
  row('records', 'crypto', 'protocol', 'cap bytes', 'peak bytes', 'SQLite peak', '');
  const runs: RunOptions[] = [
    { records: 'corpus', crypto: 'software', profile: TV },
    { records: 'corpus', crypto: 'software', profile: PHONE },
    { records: 1_000, crypto: 'device', profile: TV },
    { records: 10_000, crypto: 'device', profile: TV },
    { records: 100_000, crypto: 'device', profile: TV },
  ];
  for (const run of overBoth(runs)) {
    const result = await runKitsync(run);
    const { ramCapBytes } = loadProfile(run.profile ?? TV);
    const { peakBytes, storagePeakBytes } = result;
    row(
      ...[run.records, run.crypto, run.protocol],
      ...[ramCapBytes, peakBytes, storagePeakBytes, end(result)],
    );
  }
}

async function cpu(): Promise<void> {
  row(
    ...['records', 'crypto', 'protocol', 'instr./record', 'longest slice', 'requests'],
    ...['idle pass', 'idle requests', ''],
  );
  const runs: RunOptions[] = [
    { records: 500, crypto: 'software' },
    { records: 1_000, crypto: 'device' },
    { records: 10_000, crypto: 'device' },
  ];
  for (const run of overBoth(runs)) {
    const result = await runKitsync(run);
    const idle = result.passes.at(-1);
    const { instructions, longestSlice } = result.total.cpu;
    row(
      ...[run.records, run.crypto, run.protocol, perRecord(instructions, run.records)],
      ...[longestSlice, result.passes[0]?.network.requests],
      ...[idle?.cpu.instructions, idle?.network.requests, end(result)],
    );
  }
}

async function crypto(): Promise<void> {
  row('operation', 'KiB', 'in JavaScript', 'per KiB', 'longest slice', 'by the device', 'per KiB');
  for await (const { computation, kib, inJavaScript, longestSlice, byDevice } of cryptoCosts()) {
    const [oursPerKib, theirsPerKib] = [inJavaScript, byDevice].map((n) => Math.round(n / kib));
    row(computation, kib, inJavaScript, oursPerKib, longestSlice, byDevice, theirsPerKib);
  }
  row('curve', 'in JavaScript', 'longest slice', 'by the device', 'by Node.js, µs');
  for await (const { operation, instructions, longestSlice, nodeMicroseconds } of curveCosts())
    row(operation, instructions, longestSlice, '-', nodeMicroseconds.toFixed(0));
}

async function flash(): Promise<void> {
  row('what', 'pages', 'amplification', 'bytes in', 'of records', '');
  const visit = { date: 1_790_000_000_000_000, type: 1 };
  const record = {
    id: 'BenchRecord_',
    histUri: 'https://example.com/',
    title: '',
    visits: [visit],
  };
  const edits = [{ collection: 'history', op: 'put', record }] as const;
  const result = await runKitsync({ records: 10_000, crypto: 'device', edits });
  const [first, second, idle] = result.passes;
  if (!first || !second || !idle) throw new Error(`the run ended early: ${end(result)}`);
  const use = ({ flash: pages, network }: ScenarioResult['total']) =>
    [
      pages.pagesWritten,
      pages.writeAmplification,
      network.bytesIn,
      network.payloadBytesIn,
    ] as const;
  row('first sync', ...use(first), end(result));
  row('one edit', ...use(second), '');
  row('idle', ...use(idle), '');
  // The edit itself is written before its pass begins.
  const inPasses = result.passes.reduce((sum, pass) => sum + pass.flash.pagesWritten, 0);
  row('outside', result.total.flash.pagesWritten - inPasses, '', '', '', '');
}

/** Every 20th flash write of the story; `npm run test:long` is all of them. */
async function power(): Promise<void> {
  const firmware = await freshFirmware(TV);
  row('cuts', 'protocol', 'flash writes', 'records lost', 'doubled', 'complaints');
  for (const protocol of PROTOCOLS) {
    const { writes, points, lost, doubled, complaints } = await cutEverywhere({
      firmware,
      protocol,
      stride: 20,
    });
    row(points, protocol, writes, lost, doubled, complaints.length);
  }
  console.log(`\nOf what was not synced: ${OUTCOMES.join(', ')}.`);
}

/**
 * Ten million televisions whose power returns at once, before a server of 20,000 passes a second.
 */
async function fleet(): Promise<void> {
  row('spread', 'devices', 'peak/s', 'rejected', '99 % after s');
  for (const isSpread of [false, true]) {
    const options = { devices: 10_000_000, takenPerSecond: 20_000, isSpread };
    const { peakPerSecond, rejected, seconds99 } = runFleet(options);
    row(isSpread ? 'yes' : 'no', options.devices, peakPerSecond, rejected, seconds99 ?? 'never');
  }
}

/** Each run by one protocol, then by the other. */
function overBoth(runs: readonly RunOptions[]): RunOptions[] {
  return runs.flatMap((run) => PROTOCOLS.map((protocol) => ({ ...run, protocol })));
}

/** kinto.js and Kitsync: same machine, same caps, same records. */
async function kinto(): Promise<void> {
  const script = await buildKinto();
  row('', 'kinto.js', 'Kitsync', '');
  for (const records of [1_000, 5_000]) {
    const theirs = await runKinto(script, records, 64 * MIB);
    const ours = await runKitsync({ records, crypto: 'device' });
    const counts = [theirs.instructions, ours.total.cpu.instructions];
    row(
      `instr./record, ${records}`,
      ...counts.map((count) => perRecord(count, records)),
      end(ours),
    );
  }
  for (const caps of [1, 2, 8]) {
    const capBytes = caps * MIB;
    const theirs = await largest(8_192, async (records) => {
      return (await runKinto(script, records, capBytes)).records === records;
    });
    const ours = await largest(8_192, async (records) => {
      const result = await runKitsync({ records, crypto: 'device', capBytes });
      return result.killed === null && result.problems.length === 0;
    });
    row(`largest, ${caps} MiB`, theirs, ours, '');
  }
  console.log(
    '\nKitsync also proves, decrypts, merges and stores each record; kinto.js discards it.',
  );
  console.log('A "+" says that nothing larger was tried.');
}

/** The largest account that `finishes`, to 2 %; `max` at most, with a "+" when that one does. */
async function largest(
  max: number,
  finishes: (records: number) => Promise<boolean>,
): Promise<string> {
  if (await finishes(max)) return `${max}+`;
  let good = 0;
  let bad = max;
  while (bad - good > Math.max(8, good / 50)) {
    const middle = Math.round((good + bad) / 2);
    if (await finishes(middle)) good = middle;
    else bad = middle;
  }
  return String(good);
}

function perRecord(count: number, records: RunOptions['records']): number {
  return Math.round(count / Number(records));
}

function end({ killed, problems }: ScenarioResult): string {
  return killed === null ? (problems[0] ?? 'ok') : `killed: ${killed}`;
}

const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : SECTIONS.keys()) {
  const section = SECTIONS.get(name);
  if (!section) {
    console.error(`no section ${name}: there are ${[...SECTIONS.keys()].join(', ')}`);
    process.exit(2);
  }
  console.log(`\n== ${name}`);
  await section();
}
