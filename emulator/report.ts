// What a run is reported as: one JSON object for programs (README.md lists its members), and a page
// of text for people. Says nothing of a record but counts and ids.

import type { CollectionCounts, Cpu, FlashUse, Pass, Traffic } from './ledger.ts';
import type { CollectionState, DeviceState, Part } from './part.ts';
import type { Profile } from './profiles.ts';
import type { SetAside } from './quarantine.ts';
import type { Replay } from './replay.ts';
import { nameOf, type RemoteReport, remoteReports } from './report-remotes.ts';
import type { ScenarioResult } from './scenario.ts';

interface ReportOptions {
  readonly profile: Profile;
  readonly protocol: string;
  readonly auth: string;
  readonly crypto: string;
  readonly seed: number;
  readonly bundleBytes: number;
  readonly replay: Replay;
}

interface CpuOfPhase {
  readonly instructions: number;
  readonly longestSlice: number;
}

export interface Report {
  /** Nothing is in `problems`. */
  readonly ok: boolean;
  readonly profile: string;
  readonly protocol: string;
  readonly auth: string;
  readonly crypto: string;
  readonly seed: number;
  readonly replay: Replay;
  /** Each remote with figures of its own, by name; null where there is one alone. */
  readonly remotes: Readonly<Record<string, RemoteReport>> | null;
  /** Of all remotes, as the members below are. */
  readonly records: Readonly<Record<string, CollectionState>>;
  /** What the device has set aside in the end, each with its code. */
  readonly quarantine: readonly SetAside[];
  /** The device among the first account's devices, or null if it is left out. */
  readonly device: DeviceState | null;
  /** What was compared with what, and how many differences there were. */
  readonly compared: readonly string[];
  readonly memory: {
    readonly capBytes: number;
    readonly peakBytes: number;
    readonly storageCapBytes: number;
    readonly storagePeakBytes: number;
    readonly bundleBytes: number;
  };
  /** `load` is part of `instructions`, not of `longestSlice`; `inspection` is in neither. */
  readonly cpu: Cpu & { readonly load: CpuOfPhase; readonly inspection: CpuOfPhase };
  readonly network: Traffic;
  readonly flash: FlashUse;
  readonly passes: readonly PassReport[];
  readonly boots: number;
  readonly powerCuts: number;
  /** Why the device killed the agent, or null. */
  readonly killed: string | null;
  readonly problems: readonly string[];
  /** Of a backup: the second device, which has restored it. `ok` is of both. */
  readonly restored?: Report;
  /** The other devices of a household. `ok` is of all. */
  readonly household?: readonly Report[];
}

interface PassReport {
  /** The name of its remote, where there are several. */
  readonly remote?: string;
  readonly ok: boolean;
  readonly error: string | null;
  readonly records: Readonly<Record<string, CollectionCounts>>;
  readonly cpu: Cpu;
  readonly network: Traffic;
  readonly flash: FlashUse;
}

export function makeReport(result: ScenarioResult, options: ReportOptions): Report {
  const { profile, protocol, auth, crypto, seed, bundleBytes, replay } = options;
  const { total, inspection, load, killed, boots, powerCuts, records, device, compared } = result;
  const problems = [...result.problems, ...brokenLimits(result, profile)];
  return {
    ok: problems.length === 0,
    profile: profile.name,
    protocol,
    auth,
    crypto,
    seed,
    replay,
    remotes: remoteReports(result.parts, result.passes),
    records,
    quarantine: result.quarantine,
    device,
    compared,
    memory: {
      capBytes: profile.ramCapBytes,
      peakBytes: result.peakBytes,
      storageCapBytes: profile.storageHeapBytes,
      storagePeakBytes: result.storagePeakBytes,
      bundleBytes,
    },
    cpu: {
      ...total.cpu,
      load,
      inspection: {
        instructions: inspection.cpu.instructions,
        longestSlice: inspection.cpu.longestSlice,
      },
    },
    network: total.network,
    flash: total.flash,
    passes: result.passes.map((pass) => passReport(pass, result.parts)),
    boots,
    powerCuts,
    killed,
    problems,
  };
}

/** `differences`: between what the two devices hold. */
export function withRestored(
  report: Report,
  restored: Report | null,
  differences: readonly string[],
): Report {
  if (restored === null) return report;
  const problems = [...restored.problems, ...differences];
  const compared = [
    ...restored.compared,
    `what the first device holds: ${differences.length} differences`,
  ];
  const second = { ...restored, compared, problems, ok: problems.length === 0 };
  return { ...report, ok: report.ok && second.ok, restored: second };
}

/** `others`: the other devices. */
export function withHousehold(report: Report, others: readonly Report[]): Report {
  if (others.length === 0) return report;
  return { ...report, ok: report.ok && others.every(({ ok }) => ok), household: others };
}

function passReport(pass: Pass, parts: readonly Part[]): PassReport {
  const { remote, ok, error, collections, cpu, network, flash } = pass;
  return {
    ...(parts.length > 1 && { remote: nameOf(parts, remote) }),
    ...{ ok, error: error?.code ?? null, records: collections, cpu, network, flash },
  };
}

function brokenLimits(result: ScenarioResult, profile: Profile): string[] {
  const limits: readonly [what: string, is: number, limit: number][] = [
    ['bytes of memory', result.peakBytes, profile.ramCapBytes],
    ['bytes of memory for SQLite', result.storagePeakBytes, profile.storageHeapBytes],
    ['instructions in one slice', result.total.cpu.longestSlice, profile.sliceInstructionsMax],
  ];
  return limits
    .filter(([, is, limit]) => is > limit)
    .map(([what, is, limit]) => `${whole(is)} ${what}, ${whole(limit)} allowed`);
}

/** The report as lines of text, at most 100 columns wide but for problems. */
export function formatReport({ restored, household, ...report }: Report, paint: Paint): string {
  if (household !== undefined) {
    return [report, ...household]
      .map((one, at) => `${paint.bold(HOUSEHOLD[at] ?? '')}\n\n${formatReport(one, paint)}`)
      .join('\n');
  }
  if (restored !== undefined) {
    const [one, two] = ['The first device, backed up', 'The second device, restored'].map(
      paint.bold,
    );
    return `${one}\n\n${formatReport(report, paint)}\n${two}\n\n${formatReport(restored, paint)}`;
  }
  const sections = [
    heading(report, paint),
    ...contentSections(report, paint),
    figures(report),
    passTable(report),
    verdict(report, paint),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

const HOUSEHOLD = ['The television', 'The second device', 'The third device, a year away'];

/**
 * What the device holds, and how that was found to be right: of each remote, if there are several.
 */
function contentSections({ remotes, ...whole }: Report, paint: Paint): string[] {
  const parts = remotes === null ? [whole] : Object.values(remotes);
  const names = Object.keys(remotes ?? {});
  return parts.flatMap((part, at) => [
    ...(remotes === null ? [] : remoteLines(names[at] ?? '', Object.values(remotes)[at], paint)),
    recordTable(part),
    quarantineLines(part),
    deviceLine(part),
    part.compared.map((line) => `Compared with ${line}`).join('\n'),
  ]);
}

function remoteLines(name: string, report: RemoteReport | undefined, paint: Paint): string[] {
  if (report === undefined) return [];
  const { protocol, auth, state, error, passes, failedPasses, network, cpu, flash } = report;
  const failed = failedPasses === 0 ? '' : `, ${failedPasses} of them failed`;
  return [
    [
      paint.bold(`Remote ${name}`),
      `Protocol ${protocol}, ${signedInBy(auth)}: ${error === null ? state : `${state}, ${error}`}`,
      `Passes      ${passes}${failed}: ${network.requests} requests, ` +
        `${whole(network.bytesIn)} bytes received, ${whole(network.bytesOut)} sent,`,
      `            ${millions(cpu.instructions)} instructions, ` +
        `${whole(flash.pagesWritten)} flash pages written`,
    ].join('\n'),
  ];
}

interface Paint {
  bold(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

export const plainPaint: Paint = { bold: same, good: same, bad: same };

export const colourPaint: Paint = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  good: (text) => `\u001b[32m${text}\u001b[39m`,
  bad: (text) => `\u001b[31m${text}\u001b[39m`,
};

function same(text: string): string {
  return text;
}

function heading(report: Report, paint: Paint): string {
  const { profile, protocol, auth, crypto, seed, replay, remotes } = report;
  const where = crypto === 'device' ? "the device's own" : 'pure JavaScript';
  const how = `cryptography in ${where}, seed ${seed}`;
  return [
    paint.bold(`Kitsync on ${profile}`),
    remotes === null
      ? `Protocol ${protocol}, ${signedInBy(auth)}, ${how}`
      : `${Object.keys(remotes).length} remotes, ${how}`,
    `Firmware ${replay.firmware.slice(0, 16)}, again by: ${replay.command}`,
    "The device's figures are assumptions: see `kitsync profiles`",
  ].join('\n');
}

function signedInBy(auth: string): string {
  return `signed in by ${PROOFS.get(auth) ?? auth}`;
}

const PROOFS = new Map([
  ['bearer', 'an OAuth token'],
  ['browserid', 'a BrowserID assertion'],
  ['basic', 'a name and a password'],
]);

function recordTable({ records }: Pick<Report, 'records'>): string {
  const rows = Object.entries(records).map(([name, { held, quarantined, pushed }]) => [
    name,
    ...[held, pushed, quarantined].map(whole),
  ]);
  return rows.length === 0 ? '' : table([['Records', 'held', 'sent', 'quarantined'], ...rows]);
}

/** Records set aside that are listed one by one. */
const ASIDE_LINES_MAX = 20;

function quarantineLines({ quarantine }: Pick<Report, 'quarantine'>): string {
  if (quarantine.length === 0) return '';
  const lines = quarantine
    .slice(0, ASIDE_LINES_MAX)
    .map(({ collection, id, code }) => `- ${collection} ${id}: ${code}`);
  const more = quarantine.length - lines.length;
  if (more > 0) lines.push(`- and ${more} more (--json lists all)`);
  return ['Set aside, as the server has them:', ...lines].join('\n');
}

function deviceLine({ device }: Pick<Report, 'device'>): string {
  if (device === null) return '';
  const { name, type, others, pushed } = device;
  const sent = `its own record was sent ${pushed} time${pushed === 1 ? '' : 's'}`;
  const company = others === null ? '' : ` and ${others} other${others === 1 ? '' : 's'}`;
  return `Devices     "${name}" (${type})${company}; ${sent}`;
}

function figures({ memory, cpu, network, flash, boots, powerCuts }: Report): string {
  const cuts = powerCuts === 0 ? '' : `; ${powerCuts} power cuts, ${boots} starts`;
  return [
    `Memory      ${kib(memory.peakBytes)} of ${kib(memory.capBytes)} at most, ` +
      `the ${kib(memory.bundleBytes)} bundle included`,
    `            SQLite ${kib(memory.storagePeakBytes)} of ${kib(memory.storageCapBytes)}`,
    `Processor   ${millions(cpu.instructions)} instructions, ` +
      `${millions(cpu.load.instructions)} of them to load; ` +
      `SQLite ${millions(cpu.storageInstructions)}`,
    `            ${millions(cpu.longestSlice)} without a break at most (the longest slice)`,
    `Network     ${network.requests} requests, ${whole(network.bytesIn)} bytes received ` +
      `(records: ${whole(network.payloadBytesIn)}), ${whole(network.bytesOut)} sent`,
    `Flash       ${whole(flash.pagesWritten)} pages written, ` +
      `${flash.writeAmplification} bytes for each byte stored`,
    `Time        ${seconds(cpu.virtualMs)} on the device${cuts}`,
  ].join('\n');
}

/** Passes that are listed one by one. */
const PASS_ROWS_MAX = 20;

function passTable({ passes }: Report): string {
  const head = [
    'Pass',
    'received',
    'sent',
    'requests',
    'instructions',
    'slice',
    'flash pages',
    'time',
  ];
  const rows = passes.slice(0, PASS_ROWS_MAX).map((pass, i) => {
    const { remote, error, records, cpu, network, flash } = pass;
    const said = [remote, error].filter((word) => typeof word === 'string').join(', ');
    const count = (name: 'pulled' | 'pushed') =>
      Object.values(records).reduce((sum, counts) => sum + counts[name], 0);
    return [
      `${i + 1}${said === '' ? '' : ` (${said})`}`,
      ...[count('pulled'), count('pushed'), network.requests].map(whole),
      ...[cpu.instructions, cpu.longestSlice].map(millions),
      whole(flash.pagesWritten),
      seconds(cpu.virtualMs),
    ];
  });
  const more = passes.length - rows.length;
  return table([head, ...rows]) + (more > 0 ? `\nand ${more} more` : '');
}

/** Problems that are listed one by one. */
const PROBLEM_LINES_MAX = 20;

function verdict({ problems }: Report, paint: Paint): string {
  if (problems.length === 0) return paint.good('Every promise was kept.');
  const lines = problems.slice(0, PROBLEM_LINES_MAX).map((problem) => `- ${problem}`);
  const more = problems.length - lines.length;
  if (more > 0) lines.push(`- and ${more} more (--json lists all)`);
  return [paint.bad('Broken promises:'), ...lines].join('\n');
}

/** The first column is text, the others are numbers. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('   ');
  return rows.map(line).join('\n');
}

function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

function kib(bytes: number): string {
  return `${whole(bytes / 1024)} KiB`;
}

function millions(instructions: number): string {
  const value = instructions / 1e6;
  return `${value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 })} M`;
}

function seconds(ms: number): string {
  const maximumFractionDigits = ms < 100_000 ? 1 : 0;
  return `${(ms / 1000).toLocaleString('en-US', { maximumFractionDigits })} s`;
}
