// Builds what people run: the `kitsync` command as files that Node reads as they are, and the
// shipped firmware of every profile beside it, into dist/cli/. So no compiler works where the
// command is used, and nothing that lies in a folder for temporary files is trusted. Plain
// JavaScript, because there is nothing built before it. `npm run dist` runs it; a checkout runs it
// itself when what was built is missing or older than its sources.

import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'dist/cli');
/** What `emulator/bin.mjs` imports; written last, so that whoever finds it finds all. */
const ENTRY = 'kitsync.js';
const SOURCES = ['agent', 'crypto', 'platform', 'emulator', 'firmware-bundle', 'package.json'];

/** Builds unless what is there is newer than every source. Safe to be done by several at once. */
export async function buildIfOlder() {
  const built = await stat(join(OUT, ENTRY)).catch(() => null);
  if (built === null || (await newestMs()) > built.mtimeMs)
    await buildAll({ mayLackFirmware: true });
}

/**
 * Builds everything into a folder of its own and moves it into place. `mayLackFirmware`: a firmware
 * over its budget is said to be missing, and keeps nobody from the command that builds another one.
 * Throws esbuild's errors, those of `buildFirmware`, and those of files.
 */
async function buildAll({ mayLackFirmware = false } = {}) {
  const draft = join(ROOT, `dist/cli.${process.pid}`);
  await rm(draft, { recursive: true, force: true });
  try {
    await buildCommand(draft);
    const { buildShipped } = await import(pathToFileURL(join(draft, ENTRY)).href);
    await buildShipped(join(draft, 'firmware')).catch(async (error) => {
      if (!mayLackFirmware || error.name !== 'OverBudgetError') throw error;
      console.error(`kitsync: there is no firmware to emulate: ${error.message}`);
      // That of older sources would be taken for theirs.
      for (const place of [draft, OUT])
        await rm(join(place, 'firmware'), { recursive: true, force: true });
    });
    await moveInto(draft);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function buildCommand(outdir) {
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: ROOT,
    entryPoints: { kitsync: 'emulator/command.ts' },
    outdir,
    bundle: true,
    // A command loads its own part only.
    splitting: true,
    chunkNames: '[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [whereItWas],
  });
}

/** A module that reads a file beside itself finds it where its source lies. */
const whereItWas = {
  name: 'where it was',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const code = await readFile(path, 'utf8');
      const place = JSON.stringify(relative(OUT, path).replaceAll('\\', '/'));
      const there = `new URL(${place}, import.meta.url).href`;
      return { contents: code.replaceAll('import.meta.url', there), loader: 'ts' };
    });
  },
};

async function moveInto(draft) {
  const files = await readdir(draft, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => relative(draft, join(file.parentPath, file.name)))
    .filter((path) => path !== ENTRY);
  for (const path of [...paths, ENTRY]) {
    await mkdir(dirname(join(OUT, path)), { recursive: true });
    await rename(join(draft, path), join(OUT, path));
  }
}

async function newestMs() {
  let newest = 0;
  for (const source of SOURCES) {
    const path = join(ROOT, source);
    const below = source.includes('.') ? [] : await readdir(path, { recursive: true });
    for (const one of ['', ...below]) {
      newest = Math.max(newest, (await stat(join(path, one))).mtimeMs);
    }
  }
  return newest;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await rm(OUT, { recursive: true, force: true });
  await buildAll();
}
