// docs/kinto.md: its commands do what it says, with a Kinto and a PostgreSQL that are installed as
// it says.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { ROOT } from '../docs/markdown.ts';
import { PACKAGES } from '../support/kinto.ts';
import { findPostgres } from '../support/postgres.ts';
import { pythonWith } from '../support/python.ts';

const PAGE = 'docs/kinto.md';
const bin = findPostgres();

describe.runIf(bin !== null)('the page of a Kinto of one’s own', () => {
  test('tells no lie', async () => {
    const python = await pythonWith(PACKAGES);
    const env = {
      ...{ ...process.env, ...inject('postgres')?.environment },
      PATH: `${python}:${bin}:${process.env.PATH}`,
    };
    const args = ['--import', 'tsx', 'test/docs/run.ts', PAGE];
    const said = await promisify(execFile)(process.execPath, args, { cwd: ROOT, env }).catch(
      (error: { readonly stdout?: string }) => ({ stdout: `${error.stdout ?? error}` }),
    );
    expect(said.stdout).toMatch(new RegExp(`^${PAGE}: \\d+ commands, 0 lies\n$`));
  });
});
