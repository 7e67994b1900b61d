// The `kitsync` command. Exit codes: 0 done, 1 a promise was broken, 2 the command cannot be run as
// it was typed, 3 the device killed the agent. Complaints are one line on the error stream.

import { closeSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { OverBudgetError } from '../firmware-bundle/build.ts';
import { COMMAND_LINES } from '../platform/node/cli/help.ts';
import { openNew, replaceWhole } from '../platform/node/whole-files.ts';
import { type BackupResult, differencesOf, runBackup } from './backup.ts';
import { compactOnce } from './compact.ts';
import type { Holdings } from './expected.ts';
import { type Firmware, freshFirmware, readFirmware } from './firmware.ts';
import { runHousehold } from './household.ts';
import { contentsFor } from './needed-contents.ts';
import {
  type EmulateOptions,
  type OtherOptions,
  parseEmulate,
  parseNothing,
  systemReason,
} from './options.ts';
import { loadProfile, profileNames } from './profiles.ts';
import { progressPrinter } from './progress.ts';
import { commandLine, packageVersion, type Replay } from './replay.ts';
import {
  colourPaint,
  formatReport,
  makeReport,
  plainPaint,
  withHousehold,
  withRestored,
} from './report.ts';
import { runScenario, type ScenarioResult } from './scenario.ts';
import { serve } from './serve.ts';
import { dumpStore, type SeedAccount } from './servers/store-file.ts';
import { syntheticAccount } from './servers/synthetic.ts';
import type { Setup } from './setup.ts';
import { UsageError } from './usage.ts';

const HELP = `Usage: kitsync <command> [options]

Commands
  emulate    boots the firmware in an emulated device, syncs an account, and reports
  serve      runs the servers on a loopback port, for other clients
  compact    ends the older part of the histories in a database of \`serve\`
  gateway    a Syncto gateway before a real server: see \`kitsync gateway --help\`
  picl       proves and shows what a PiCL server holds: see \`kitsync picl --help\`
  profiles   lists the devices
  build      builds a firmware: see \`kitsync build --help\`
  help       prints this
  <command> --help, <command> --version

The agent on this machine, against a real server: \`kitsync sync --help\` and so on${COMMAND_LINES}
emulate
  --profile NAME       the device (default panasonic-cx700)
  --account FILE       the account: {"kB", "store"} as JSON (default: one that Firefox wrote)
  --records N          a made-up account of N history records instead; with --protocol kinto of
                       N records in each collection, with owa of N apps
  --protocol syncto|sync15|kinto|picl|owa    the protocol (default syncto)
                       (owa: three devices of one user end with the same apps, one of which was
                       away for a year)
  --backup N           with --protocol kinto: apps make N records in each collection, which the
                       device backs up; a second, factory-new one with its user's sign-in alone
                       (with --sign-in and the recovery code) restores them. That is what a
                       Kinto is tried with if nothing is said of its data: 5,000 contacts of a
                       phone
  --compacted          with --protocol picl: the storage has ended the history of what the account
                       has, so that the device reads records in the place of changes
  --remote NAME=PROTOCOL[:COLLECTIONS]    one more server with another account, and what of the
                       device's data is its; again for another. COLLECTIONS: history, passwords,
                       contacts (what a Kinto has if none is named), settings, reading-list,
                       bookmarks (read only), names of an app's own. Then --account, --records,
                       --auth and --server may be NAME=VALUE, of that remote (default: 20 made-up
                       records a collection)
  --off NAME[=FROM[-TO]]      nobody answers at this remote in some of the three syncs (1 the
                       first, 2 that of the edits, 3 the last; default: in all)
  --sign-out NAME      the device signs out of this remote in the end
  --auth browserid|bearer|basic    how it signs in (default browserid; sync15: bearer, its only
                       one; kinto: basic, a name and a password, or bearer)
  --crypto software|device    where records are decrypted (default software: the worst case)
  --sign-in            the device has no account manager: its user comes with a phone; to a
                       Kinto with a name and a password, and the device makes a recovery code
  --server URL         servers outside, as \`kitsync serve\` runs them; in real time
  --allow-http         these may be on another machine and without encryption
  --apply FILE         local edits after the first sync, as JSON: [{collection, op, record}]
  --cut N              cut the power at the Nth flash write
  --seed N             what all random numbers come from (default 1)
  --keep-debug         stacks name file and line, at the price of heap and instructions
  --firmware DIR       a firmware that was built before (default: build it)
  --export FILE        write what the device holds in the end, for this user only
  --dump FILE          write what the server holds in the end, for this user only
  --trace FILE         write every event of the device, a JSON object a line
  --json               print the report as JSON

serve
  --port N             the port (default: any that is free)
  --host NAME          a name of this machine that clients may use, besides the loopback ones;
                       again for another. It listens on 127.0.0.1 all the same
  --allow-origin ORIGIN    pages of this origin may ask; again for another (default: none;
                       '*': of any)
  --account FILE       as above
  --database WHERE     keep all that is written in this folder, for this user only, or in the
                       PostgreSQL database of a postgres:// URL, which several processes may have
                       at a time. Its first start takes the account from --account, later ones
                       have it
  --public-url URL     what clients call the servers (default: the port's own origin)
  --sign-up            whoever reaches the port may make an account
  --issuer URL         an accounts server outside whose access tokens are believed, such as
                       https://accounts.firefox.com; its keys are asked for. Again for another
  --jwks FILE          the same with its keys: {"issuer": "https://...", "keys": [...]}
  --test-accounts      begin with an account for trying, and sign with a key that everybody can
                       read; without --database it is always so
  --seconds N          stop after so long (default 86400)

serve picl: as serve, and of its PiCL storage
  --collection NAME[=URL]    one that it holds, at another origin if that is said; again for
                       another (default: all that devices have)
  --keep-changes N, --keep-days N    compact the histories every hour, as below
  --first-seqnum 0|1   the number of a collection's first change (default 1)
  --records-key records|items|both    what a list of records is called (default records)
  --quoted-etags       entity tags in quotes, for proxies that drop others
  --payload-hash       refuse what is sent without a signed hash of it

serve owa: as serve, and of its Open Web Apps server
  --audience ORIGIN    assertions for this origin are taken, and its pages may ask; again for
                       another. The servers' own origin is always one
  --verify-path PATH   where a client logs in, below /owa (default /verify)
  --failure-status 200|400    of who is not let in (default 200, as browserid.org had it)
  --replace            a posted document takes the place of the one before; else they are merged
  --purge-tombstones   of too many deleted apps forget the oldest, none within a year
  --tombstones-max N   how many stay with --purge-tombstones (default 2000)
  --auth-seconds N     how long a login is good by itself (default 86400); while it is used, for
                       30 days

compact
  --database WHERE     as above; a folder only while no server has it
  --keep-changes N     the newest N changes of a collection stay (default 1000)
  --keep-days N        and so do all that are no older (default 90). What is a record always does

Exit codes: 0 done, 1 a promise was broken, 2 usage, or a power cut that never came, 3 the device
killed the agent
`;

/**
 * Runs a command; resolves to the exit code. `shipped`: a folder that has the shipped firmware of
 * each profile.
 */
export async function main(
  args: readonly string[],
  shipped: string | null = null,
): Promise<number> {
  const [name = 'help', ...rest] = args;
  try {
    switch (name) {
      case 'emulate':
        return await emulate(parseEmulate(rest), shipped, rest);
      case 'serve':
        return await serve(rest);
      case 'compact':
        return await compactOnce(rest);
      case 'profiles':
        parseNothing(rest);
        process.stdout.write(profileList());
        return 0;
      case 'help':
      case '--help':
      case '-h':
        process.stdout.write(HELP);
        return 0;
      default:
        throw new UsageError(`unknown command "${name}"; \`kitsync help\` lists them`);
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`kitsync: ${error.message}\n`);
    return 2;
  }
}

async function emulate(
  options: EmulateOptions,
  shipped: string | null,
  args: readonly string[],
): Promise<number> {
  const firmware = await firmwareOf(options, shipped);
  const replay = replayOf(options, firmware, args);
  const trace = options.traceFile === null ? null : openTrace(options.traceFile);
  trace?.write(`${JSON.stringify({ t: 0, event: 'run', ...replay })}\n`);
  const results = await resultsOf(options, firmware, trace?.write).finally(() => trace?.close());
  const { first: result, second, others = [] } = results;
  const reportOf = (of: ScenarioResult) =>
    makeReport(of, { ...options, bundleBytes: firmware.bytes, replay });
  const report = withHousehold(
    withRestored(reportOf(result), second && reportOf(second), differencesOf(results)),
    others.map(reportOf),
  );
  const last = second ?? result;
  if (options.exportFile !== null) await writeOut(options.exportFile, exported(last.holdings));
  if (options.dumpFile !== null) {
    await writeOut(options.dumpFile, await dumped(last.setup));
  }
  const { cutAt, json } = options;
  if (report.ok && cutAt !== null && result.powerCuts === 0) {
    const writes = result.setup.flash().events;
    throw new UsageError(
      `--cut ${cutAt}: the power was never cut: the run had ${writes} flash writes`,
    );
  }
  process.stdout.write(
    json ? `${JSON.stringify(report, null, 2)}\n` : `\n${formatReport(report, paint())}`,
  );
  if ([report, report.restored, ...(report.household ?? [])].some((one) => one?.killed)) return 3;
  return report.ok ? 0 : 1;
}

/** The run, the two of a backup, or those of a household. */
async function resultsOf(
  options: EmulateOptions,
  firmware: Firmware,
  trace: ((line: string) => void) | undefined,
): Promise<BackupResult & { readonly others?: readonly ScenarioResult[] }> {
  const { profile, collections, protocol, auth, crypto, signIn, keepDebug, seed } = options;
  const common = {
    ...{ profile, firmware, collections, protocol, auth, crypto, signIn, keepDebug, seed },
    name: options.name,
    cutsAt: options.cutAt === null ? [] : [options.cutAt],
    ...(trace && { trace }),
    ...(options.json ? {} : { onProgress: progressPrinter(process.stdout) }),
  };
  if (options.backup !== null) return runBackup({ ...common, records: options.backup });
  if (options.household !== null) {
    return { ...(await runHousehold({ ...common, records: options.household })), second: null };
  }
  const others = options.others.map((other, at) => ({
    ...other,
    account: other.account?.seed ?? madeUp(other, seed + at + 1),
  }));
  const first = await runScenario({
    ...{ ...common, others },
    account: options.account?.seed ?? firstMadeUp(options),
    serverUrl: options.serverUrl,
    isCompacted: options.isCompacted,
    allowHttp: options.allowHttp,
    expected: options.serverUrl === null ? (options.account?.expected ?? null) : null,
    edits: options.edits,
    off: options.off,
    signOut: options.signOut,
    compare: options.account === null && protocol !== 'kinto' ? 'sample' : 'all',
    wantsHoldings: options.exportFile !== null,
  });
  return { first, second: null };
}

function firstMadeUp(options: EmulateOptions): SeedAccount {
  const { protocol, records, seed } = options;
  return ['kinto', 'owa'].includes(protocol)
    ? madeUp(options, seed)
    : syntheticAccount({ records, seed });
}

/** `records` in each of its collections. */
function madeUp({ collections, records }: OtherOptions, seed: number): SeedAccount {
  const countOf = (name: string): number => (collections.includes(name) ? records : 0);
  const own = collections.filter((name) => name !== 'history' && name !== 'passwords');
  return syntheticAccount({
    ...{ records: countOf('history'), passwords: countOf('passwords'), seed },
    own: new Map(own.map((name) => [name, records])),
  });
}

/** An account file of the device's first remote, with those of the others in it. */
async function dumped({ remotes, nowMs }: Setup): Promise<object> {
  const files: [string, object][] = [];
  for (const remote of remotes) {
    if (remote.serverUrl !== null)
      throw new UsageError('--dump: the store of an outside server is not here');
    const { kB, store } = await remote.view();
    files.push([remote.name, { kB, store: dumpStore(store, nowMs()) }]);
  }
  const [first, ...others] = files;
  return { ...first?.[1], ...(others.length > 0 && { remotes: Object.fromEntries(others) }) };
}

function replayOf(
  { seed, cutAt, editsSha256, account, others, serverUrl }: EmulateOptions,
  firmware: Firmware,
  args: readonly string[],
): Replay {
  return {
    version: packageVersion(),
    firmware: firmware.sha256,
    seed,
    cut: cutAt,
    edits: editsSha256,
    account: serverUrl === null ? (account?.sha256 ?? null) : null,
    ...(others.length > 0 && {
      accounts: Object.fromEntries(
        others.map((other) => [
          other.name,
          other.serverUrl === null ? (other.account?.sha256 ?? null) : null,
        ]),
      ),
    }),
    command: commandLine('emulate', args),
  };
}

async function firmwareOf(options: EmulateOptions, shipped: string | null): Promise<Firmware> {
  const { firmwareDir, profile } = options;
  const contents = contentsFor(options);
  if (firmwareDir === null) {
    if (shipped !== null && contents === undefined) {
      return readFirmware(join(shipped, profile.name)).catch((error: Error) => {
        throw new UsageError(`${error.message}: \`kitsync build\` says why it is not there`);
      });
    }
    return freshFirmware(profile.name, contents).catch((error: unknown) => {
      if (!(error instanceof OverBudgetError)) throw error;
      throw new UsageError(`the firmware cannot be built: ${error.message}`);
    });
  }
  return readFirmware(firmwareDir).catch((error: Error) => {
    throw new UsageError(`--firmware: ${error.message}`);
  });
}

function exported(holdings: ScenarioResult['holdings']): Holdings {
  return holdings ?? { history: [], logins: [] };
}

function paint() {
  const isPlain = !process.stdout.isTTY || (process.env.NO_COLOR ?? '') !== '';
  return isPlain ? plainPaint : colourPaint;
}

const TRACE_BUFFER_CHARS = 65_536;

function openTraceFile(path: string): number {
  try {
    return openNew(path);
  } catch (error) {
    return refuse(path)(error);
  }
}

/**
 * A file that is written in large pieces, whatever the number of events. What cannot be written is
 * said by `close`.
 */
function openTrace(path: string): { write(line: string): void; close(): void } {
  const file = openTraceFile(path);
  let buffer = '';
  let failure: unknown = null;
  const flush = () => {
    try {
      if (failure === null) writeSync(file, buffer);
    } catch (error) {
      failure = error;
    }
    buffer = '';
  };
  return {
    write(line) {
      buffer += line;
      if (buffer.length > TRACE_BUFFER_CHARS) flush();
    },
    close() {
      flush();
      closeSync(file);
      if (failure !== null) refuse(path)(failure);
    },
  };
}

/** Keys and passwords are in it. */
async function writeOut(path: string, value: object): Promise<void> {
  const text = `${JSON.stringify(value, null, 1)}\n`;
  await replaceWhole(path, [text], { mustBePrivate: false }).catch(refuse(path));
}

function refuse(path: string): (error: unknown) => never {
  return (error) => {
    throw new UsageError(`cannot write ${path}: ${systemReason(error)}`);
  };
}

function profileList(): string {
  return profileNames()
    .map(loadProfile)
    .map(({ name, description, assumptions }) => `${name}\n  ${description}\n  ${assumptions}\n`)
    .join('\n');
}
