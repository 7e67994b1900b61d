// The command `kitsync serve`: the servers on a loopback port until they are ended, what is printed
// of them, and whom they believe.

import { compactHourly } from './compact.ts';
import { systemReason } from './options.ts';
import { parseServe, type ServeOptions } from './serve-options.ts';
import { exampleLines } from './servers/examples.ts';
import { askedIssuer, type Issuer } from './servers/issuers.ts';
import { type Serving, serveOnLoopback } from './servers/serve.ts';
import { openDatabase } from './servers/storage/served-database.ts';
import { Store } from './servers/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { UsageError } from './usage.ts';

/** Of passwords that are kept: some 50 ms and 16 MiB for each guess. */
const SCRYPT_COST = 16_384;

/** Resolves to the exit code when it has ended. Errors: UsageError. */
export async function serve(args: readonly string[]): Promise<number> {
  const options = parseServe(args);
  const { port, hosts, origins, publicUrl, signUp, testAccounts } = options;
  const begins = options.accountIsNamed || testAccounts;
  const kept = await openDatabase({
    ...options,
    account: begins ? options.account : null,
    mayBeEmpty: signUp || options.issuers.length + options.issuerFiles.length > 0,
  });
  const { storage, key } = kept;
  const isEmpty = kept.account === null;
  const what = {
    account: kept.account ?? nobody(),
    isEmpty,
    accounts: {
      ...{ signUp, scryptCost: SCRYPT_COST },
      ...(testAccounts || key === undefined ? {} : { key }),
    },
    token: { issuers: issuersOf(options) },
    ...(storage === undefined ? {} : { storage }),
    ...(options.picl === null ? {} : { picl: options.picl.picl }),
    ...(options.owa === null ? {} : { owa: options.owa }),
  };
  const at = { port, hosts, origins, ...(publicUrl === null ? {} : { origin: publicUrl }) };
  const serving = await serveOnLoopback({ ...at, ...what }).catch(async (error) => {
    await kept.close();
    throw new UsageError(`cannot listen on port ${port}: ${systemReason(error)}`);
  });
  const keep = options.picl?.keep ?? null;
  const stopCompacting =
    keep === null || storage?.picl === undefined ? null : compactHourly(storage.picl, keep);
  // Whoever reads the first line may end it.
  const ended = endOf(options.seconds);
  process.stdout.write(whereabouts(serving, { isEmpty, testAccounts, publicUrl }));
  await ended;
  await serving.close();
  await stopCompacting?.();
  await kept.close();
  return 0;
}

function issuersOf({ issuers, issuerFiles }: ServeOptions): readonly Issuer[] {
  return [...issuerFiles, ...issuers.map((url) => askedIssuer(url, { fetch, nowMs: Date.now }))];
}

/** An account that no accounts server knows. */
function nobody(): SeedAccount {
  return { kB: '0'.repeat(64), store: new Store() };
}

interface Said {
  readonly isEmpty: boolean;
  readonly testAccounts: boolean;
  readonly publicUrl: string | null;
}

/** What is printed when the servers answer. */
function whereabouts(
  { url, port, world }: Serving,
  { isEmpty, testAccounts, publicUrl }: Said,
): string {
  const { urls, account } = world;
  const { email, password } = account;
  const lines = {
    ...(publicUrl === null ? {} : { port }),
    ...{ origin: url, ...urls },
    ...(testAccounts ? { keys: 'test keys, which everybody can read: for trying only' } : {}),
    ...(isEmpty ? {} : { email, password }),
  };
  const text = Object.entries(lines).map(([name, value]) => `${name.padEnd(9)} ${value}\n`);
  const examples = isEmpty ? [] : ['\n', ...exampleLines(world).map((line) => `${line}\n`)];
  return [...text, ...examples].join('');
}

/** So many seconds later, or when somebody ends the process. */
function endOf(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearTimeout(timer);
        resolve();
      });
    }
  });
}
