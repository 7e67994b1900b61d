// Runs what the pages of docs/ show, as a reader would: each page in a fresh folder of its own, by
// one shell, with the `kitsync` of this checkout. A page lies when a command ends with another exit
// code than it says, or when a line that it shows is not printed. `npm run test:docs`; with names
// of files, only these.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/ports.ts';
import { findPostgres, startPostgres } from '../support/postgres.ts';
import { type Command, commandsIn, ROOT, textOf } from './markdown.ts';

const PAGES = ['docs/self-hosting.md', 'docs/device-qa.md', 'docs/servers.md', 'docs/owa.md'];
/** Left out where there is no PostgreSQL. */
const POSTGRES_PAGE = 'docs/postgres.md';
/** The ports that the pages show: the run takes free ones. */
const SHOWN_PORTS = ['8100', '8101'];
/** Between the outputs of two commands. */
const MARK = '@@kitsync-docs@@';
const PAGE_MS_MAX = 110_000;

const named = process.argv.slice(2);
let lies = 0;
for (const page of named.length > 0 ? named : [...PAGES, POSTGRES_PAGE]) {
  const found = await (page === POSTGRES_PAGE ? withPostgres(page) : liesOf(page, {}));
  lies += found.length;
  for (const lie of found) process.stdout.write(`${lie}\n`);
}
process.exitCode = lies === 0 ? 0 : 1;

async function withPostgres(page: string): Promise<string[]> {
  const bin = findPostgres();
  if (bin === null) return [];
  const postgres = await startPostgres(bin, ['fsync=off']);
  try {
    return await liesOf(page, { ...postgres.environment, PATH: `${bin}:${process.env.PATH}` });
  } finally {
    await postgres.stop();
  }
}

async function liesOf(page: string, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const commands = commandsIn(textOf(page));
  if (commands.length === 0) return [`${page} shows no command`];
  const ports = await Promise.all(SHOWN_PORTS.map(() => freePort()));
  const folder = mkdtempSync(join(tmpdir(), 'kitsync-docs-'));
  try {
    const output = await shell(folder, scriptOf(commands, ports), environment);
    const found = commands.flatMap((command, index) =>
      lieOf(command, outputOf(output, index, isLeftRunning(command.text)), ports).map(
        (lie) => `${page}:${command.line}: ${lie}`,
      ),
    );
    process.stdout.write(`${page}: ${commands.length} commands, ${found.length} lies\n`);
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What is between the mark before a command and the one behind it, and its exit code. A command
 * that is left running prints when it will: for it, all that is printed from its start to the end
 * of the page.
 */
interface Output {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

function scriptOf(commands: readonly Command[], ports: readonly number[]): string {
  const steps = commands.flatMap(({ text }, index) => {
    const ported = withPorts(text, ports);
    const [, port = ports[0]] = /--port (\d+)/.exec(ported) ?? [];
    return [
      ported,
      `code=$?`,
      ...(isLeftRunning(text)
        ? [`until (: < /dev/tcp/127.0.0.1/${port}) 2>&-; do sleep 0.1; done`]
        : []),
      `printf '\\n%s %s %s\\n' ${MARK} ${index} $code`,
    ];
  });
  return ['exec 2>&1', ...steps, ''].join('\n');
}

function isLeftRunning(text: string): boolean {
  return /&\s*(#.*)?$/.test(text.trim());
}

/** Null: the command never ended. */
function outputOf(output: string, index: number, untilTheEnd: boolean): Output | null {
  const [before = '', after] = output.split(new RegExp(`\\n${MARK} ${index} (?=\\d+\\n)`));
  if (after === undefined) return null;
  const during = before.split(new RegExp(`\\n${MARK} \\d+ \\d+\\n`)).pop() ?? '';
  const lines = (untilTheEnd ? `${during}\n${after}` : during).split('\n');
  return { lines, exitCode: Number.parseInt(after, 10) };
}

function lieOf(
  { text, exitCode, shown }: Command,
  output: Output | null,
  ports: readonly number[],
): string[] {
  const command = text.trim();
  if (output === null) return [`never ended: ${command}`];
  const printed = output.lines.join('\n');
  const isWrong = output.exitCode !== exitCode;
  const end = isWrong
    ? [`exit code ${output.exitCode} and not ${exitCode}: ${command}\n${printed}`]
    : [];
  let from = 0;
  for (const line of shown) {
    const at = output.lines.findIndex((is, at) => at >= from && isLike(is, line, ports));
    if (at < 0) return [...end, `does not print "${line}": ${command}\n${printed}`];
    from = at + 1;
  }
  return end;
}

/** `...` stands for what is another one each time. */
function isLike(printed: string, shown: string, ports: readonly number[]): boolean {
  const parts = withPorts(shown, ports).split('...').map(escaped);
  return new RegExp(`^${parts.join('.*')}$`).test(printed.trimEnd());
}

function withPorts(text: string, ports: readonly number[]): string {
  return text.replace(/\b81\d\d\b/g, (shown) => `${ports[SHOWN_PORTS.indexOf(shown)] ?? shown}`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
}

/** A shell of its own group, which ends with all that it has started. */
async function shell(
  folder: string,
  script: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const bin = join(folder, '.bin');
  const kitsync = `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/emulator/bin.mjs" "$@"\n`;
  mkdirSync(bin);
  writeFileSync(join(bin, 'kitsync'), kitsync, { mode: 0o755 });
  const own = { ...process.env, ...environment };
  const child = spawn('bash', ['-s'], {
    cwd: folder,
    detached: true,
    env: { ...own, HOME: folder, PATH: `${bin}:${own.PATH}`, NO_COLOR: '1' },
  });
  let output = '\n';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  const end = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  };
  const timer = setTimeout(end, PAGE_MS_MAX);
  child.stdin.end(script);
  await new Promise((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  end();
  return output;
}
