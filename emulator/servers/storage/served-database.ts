// The folder behind `kitsync serve --database`: who may have it, which account is in it, and what
// is said when it cannot be written.

import { mkdirSync } from 'node:fs';
import { checkPrivateFolder } from '../../../platform/node/cli/private-files.ts';
import { UsageError } from '../../usage.ts';
import type { SeedAccount } from '../store-file.ts';
import type { World } from '../world.ts';
import { openSqliteStorage } from './local-storage.ts';
import { StoreDatabase } from './store-database.ts';

interface Wanted {
  readonly account: { readonly seed: SeedAccount };
  readonly accountIsNamed: boolean;
  readonly databaseFolder: string | null;
}

interface Kept {
  readonly account: SeedAccount;
  /** Who was signed in. */
  readonly signIns: string | null;
  save(world: World): Promise<void>;
  close(): Promise<void>;
}

/** Without a folder nothing is kept. Errors: UsageError. */
export async function openDatabase(wanted: Wanted): Promise<Kept> {
  const { databaseFolder: folder, account, accountIsNamed } = wanted;
  if (folder === null) {
    const nothing = async (): Promise<void> => undefined;
    return { account: account.seed, signIns: null, save: nothing, close: nothing };
  }
  const refused = (error: unknown): never => {
    throw new UsageError(`--database ${folder}: ${(error as Error).message}`);
  };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    checkPrivateFolder(folder);
  } catch (error) {
    return refused(error);
  }
  const storage = await openSqliteStorage(folder).catch(refused);
  const opened = await StoreDatabase.open(storage, account.seed, Date.now()).catch(
    async (error: unknown) => {
      await storage.close();
      return refused(error);
    },
  );
  const { database, isNew } = opened;
  if (!isNew && accountIsNamed) {
    await storage.close();
    return refused(new Error('it has an account already, which excludes --account'));
  }
  return {
    account: database.account,
    signIns: database.signIns,
    save: ({ accounts }) => database.save(Date.now(), accounts.signIns()).catch(complain(folder)),
    close: () => storage.close(),
  };
}

function complain(folder: string): (error: unknown) => never {
  return (error) => {
    process.stderr.write(`kitsync: cannot write ${folder}: ${(error as Error).message}\n`);
    throw error;
  };
}
